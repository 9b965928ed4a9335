// The send command: beside a local stack what it puts on which queue, with --now what real servers on loopback receive, and
// what it refuses.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { sendCommand } from "../../functions/cli/send.ts";
import { Queues } from "../../functions/queue/queues.ts";
import { readRequest } from "../../functions/queue/request.ts";
import { sendOctets, type Send } from "../../functions/queue/send-request.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { findMessage, putMessageOnce } from "../../functions/state/messages.ts";
import type { Table } from "../../functions/state/table.ts";
import { startStack } from "../../infra/local/stack.ts";
import { startReceiver } from "../send/receiver.ts";
import { checked, config, refused, run } from "./operator.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
const keys = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const key = keys.privateKey.export({ type: "pkcs8", format: "pem" });
const sending = checked({
  ...config,
  requests: { senders: ["@shop.example"] },
  sends: { dkim: [{ domain: "sender.example", selector: "s1", key }] },
});
const state = path.join(folder, "stack");
const stack = await startStack({ config: sending, state, speed: 1, blocked: [], env: {}, run: false });
after(async () => {
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
const { sqs } = stack.clients;
const queues = new Queues(sqs);

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const where = path.join(folder, name);
  await writeFile(where, content);
  return where;
}

const text = "From: probe@sender.example\r\nTo: x@y.example\r\nSubject: hello\r\n\r\n.a dot\r\nbye\r\n";
const eml = await file("message.eml", text);
const latin = await file("latin.eml", Buffer.concat([Buffer.from(text), Buffer.from([0xe4, 0x0d, 0x0a])]));
const empty = await file("empty.eml", "");
const twice = await file("twice.eml", `From: a@b.example\r\n${text}`);
const configFile = await file("config.json", JSON.stringify(sending));
const withoutSends = await file("without.json", JSON.stringify(config));
const envelope = ["--from", "probe@sender.example", "--to", "x@y.example"];

async function taken(queue: string): Promise<Send> {
  const QueueUrl = await queues.url(queue);
  const { Messages: [message, another] = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
  assert.equal(another, undefined);
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message?.ReceiptHandle });
  const running = checked(JSON.parse(await readFile(path.join(state, "config.json"), "utf8")) as object);
  const { value, faults } = readRequest(message?.Body ?? "", running);
  assert.ok(value?.kind === "send", String(faults));
  return value;
}

const inAnHour = new Date(Date.now() + 3_600_000).toISOString();

const queueFaults: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /^no message is given; write send message\.eml --from a@b --to c@d$/],
  [[eml, "x@y.example", ...envelope], /^send takes one message, not 2; write --to before each recipient$/],
  [[eml, "--to", "x@y.example"], /^no sender is given; write --from a@b, or --from '' for the null sender$/],
  [[eml, "--from", ""], /^no recipient is given; write --to someone@example\.com$/],
  [[eml, "--from", "a", "--to", "x@y.example"], /^--from "a" has no "@"; write local@domain$/],
  [[eml, "--from", "", "--to", "x"], /^--to "x" has no "@"; write local@domain$/],
  [[path.join(folder, "none.eml"), ...envelope], /^the message ".*none\.eml" cannot be read \(ENOENT\); /],
  [[empty, ...envelope], /^the message ".*empty\.eml" is empty; /],
  [[twice, ...envelope], /^the message ".*twice\.eml" has 2 From fields; leave one \(RFC 5322 §3\.6\)$/],
  [[eml, ...envelope, "--id", "a b"], /^--id: 1 to 200 visible ASCII characters$/],
  [[eml, ...envelope, "--expires", "tomorrow"], /^--expires: an RFC 3339 time such as /],
  [[eml, ...envelope, "--expires", "2026-01-01T00:00:00Z"], /^--expires "2026-01-01T00:00:00Z" is over; write a time within the next 14 days$/], // prettier-ignore
  [[eml, ...envelope, "--expires", "2999-01-01T00:00:00Z"], /^--expires "2999-.*" is more than 14 days away; /],
  [[eml, ...envelope, "--on-unknown", "drop"], /^--on-unknown "drop" is none; write stop or retry$/],
  [[eml, ...envelope, "--priority", "1"], /^--priority "1" is none; write high or normal or low$/],
  [[eml, ...envelope, "--egress", "mail-2"], /^--egress: expected one of aws, mail-1, by which sends leave$/],
  [[eml, "--from", "a@elsewhere.example", "--to", "x@y.example"], /^--from: it is none of the configuration's identity\.sender and requests\.senders$/], // prettier-ignore
  [[eml, ...envelope, "--mx", "127.0.0.1:25"], /^--mx goes with --now; write --now too, or leave --mx out$/],
  [[eml, ...envelope, "--tls", "never"], /^--tls goes with --now; /],
];

for (const [args, says] of queueFaults) {
  test(`send ${args.map((each) => path.basename(each)).join(" ")} is refused, with what to write`, async () => {
    assert.match(await refused(() => sendCommand([...args, "--state", state])), says);
  });
}

for (const [args, says] of [
  [
    ["--expires", inAnHour],
    /^--expires is for the queue, and --now asks once and retries nothing; write one of the two$/,
  ],
  [["--on-unknown", "retry"], /^--on-unknown is for the queue, /],
  [["--priority", "low"], /^--priority is for the queue, /],
  [["--state", "x"], /^--now asks the hosts from here, and no stack; write --config and its config\.json, or leave /],
  [["--id", "a b"], /^--id: 1 to 200 visible ASCII characters$/],
  [["--tls", "always"], /^there is no TLS mode "always"; /],
  [["--timeout", "0"], /^--timeout "0" is no time; /],
  [["--mx", "a b"], /^--mx "a b" is no host/],
  [["--config", configFile], /^the configuration has several egresses; write --egress and one of aws, mail-1$/],
] as const) {
  test(`send --now ${args.map((each) => path.basename(each)).join(" ")} is refused`, async () => {
    assert.match(await refused(() => sendCommand([eml, ...envelope, "--now", ...args])), says);
  });
}

test("a key that cannot be read or is none is for the person who typed to mend", async () => {
  for (const [given, says] of [
    [{ env: "NO_SUCH_KEY" }, /^sends\.dkim\[0\]\.key: the environment variable NO_SUCH_KEY is not set/],
    ["no key", /^sends\.dkim\[0\]\.key: what is there is no private key/],
  ] as const) {
    const dkim = [{ domain: "sender.example", selector: "s1", key: given }];
    const other = await file("key.json", JSON.stringify({ ...config, sends: { dkim } }));
    const args = [eml, ...envelope, "--now", "--config", other, "--egress", "direct"];
    assert.match(await refused(() => sendCommand(args)), says);
  }
});

test("a message goes on the functions' queue, its id is printed, and a runner reads what was typed", async () => {
  const { status, stdout, stderr } = await run(["send", eml, ...envelope, "--state", state]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const [, id] = /^([0-9a-f-]{36}) is on the queue delivery-probe-send\n$/.exec(stdout) ?? [];
  const { digest: _, ...send } = await taken("delivery-probe-send");
  assert.deepEqual(send, {
    kind: "send",
    id,
    from: "probe@sender.example",
    to: [{ text: "x@y.example", local: "x", domain: "y.example", needsSmtpUtf8: false }],
    egress: null,
    expiresAtMs: null,
    onUnknown: "stop",
    priority: "normal",
    message: { kind: "inline", bytes: Buffer.from(text) },
  });
});

test("with every option, octets that are no text, and a worker's egress, it is on that one's queue", async () => {
  const options = "--id order-4711 --egress mail-1 --on-unknown retry --priority high --json".split(" ");
  const to = ["--to", "<x@Y.example>", "--to", "z@y.example", "--to", "x@y.example"];
  const { status, stdout } = await run(
    ["send", latin, "--from", "a@shop.example", ...to, ...options, "--expires", inAnHour, "--state", state],
  ); // prettier-ignore
  assert.equal(status, 0);
  const { messageId, ...told } = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  assert.deepEqual(told, { v: 1, id: "order-4711", queue: "delivery-probe-send-mail-1", object: null });
  assert.match(String(messageId), /^\S+$/);
  const send = await taken("delivery-probe-send-mail-1");
  assert.deepEqual(
    [send.from, send.to.map((each) => each.text), send.egress, send.onUnknown, send.priority],
    ["a@shop.example", ["x@y.example", "z@y.example"], "mail-1", "retry", "high"],
  );
  assert.equal(send.expiresAtMs, Date.parse(inAnHour));
  assert.deepEqual(send.message, { kind: "inline", bytes: await readFile(latin) });
});

test("a message that no queue takes waits in the first bucket of the configuration", async () => {
  const large = await file("large.eml", text + `${"y".repeat(70)}\r\n`.repeat(sendOctets / 64));
  const { status, stdout, stderr } = await run(["send", large, ...envelope, "--id", "a", "--state", state]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.match(stdout, /^a is on the queue delivery-probe-send, its message in the bucket delivery-probe-messages as requests\/a\/[0-9a-f]{64}\.eml\n$/); // prettier-ignore
  const { message } = await taken("delivery-probe-send");
  assert.equal(message.kind, "s3");
});

test("a system that takes no sends says so, and one that does not answer too", async () => {
  const none = await run(["send", eml, ...envelope, "--config", withoutSends], { AWS_REGION: "eu-west-1" });
  assert.deepEqual({ status: none.status, stdout: none.stdout }, { status: 64, stdout: "" });
  assert.match(
    none.stderr,
    /this system takes no sends: its configuration has no section sends; add one, or write --now/,
  );
  const account = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const gone = await run(["send", eml, ...envelope, "--config", configFile], { ...account, AWS_ENDPOINT_URL: "http://127.0.0.1:9" }); // prettier-ignore
  assert.equal(gone.status, 70);
  assert.match(gone.stderr, /does not answer/);
});

const dnsOfKey = keys.publicKey.export({ type: "spki", format: "der" }).toString("base64");

test("--now asks the hosts itself, signs by the configuration, and prints the verdict; nothing lies in a queue", async () => {
  await using receiver = await startReceiver();
  const now = ["--now", "--mx", receiver.host, "--config", configFile, "--egress", "direct"];
  const { status, stdout, stderr } = await run(["send", eml, ...envelope, "--id", "order-1", ...now]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.match(stdout, /^accepted at message by 127\.0\.0\.1 .*: 250 .*queued\n/);
  const [received, another] = receiver.received;
  assert.equal(another, undefined);
  assert.deepEqual(received?.to, ["x@y.example"]);
  const data = received?.data ?? "";
  assert.ok(data.endsWith(text), "what was asked for is whole behind what was added");
  for (const name of ["Received", "DKIM-Signature", "Message-ID", "Date"]) {
    assert.match(data.slice(0, -text.length), new RegExp(`^${name}: `, "m"));
  }
  const { results } = await dkimVerify(Buffer.from(data, "latin1"), {
    resolver: async (name: string) => (name === "s1._domainkey.sender.example" ? [[`v=DKIM1; p=${dnsOfKey}`]] : []),
  });
  assert.deepEqual(
    results.map((each) => [each.signingDomain, each.status.result]),
    [["sender.example", "pass"]],
  );
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: await queues.url("delivery-probe-send") });
  assert.deepEqual(Messages, []);
});

test("--now without a configuration signs nothing; a document a domain; the exit status is the answers'; no second try", async () => {
  await using receiver = await startReceiver();
  receiver.plan("b@two.example", ["450 4.3.2 later"]);
  const to = ["a@one.example", "b@two.example", "c@one.example"].flatMap((each) => ["--to", each]);
  const { status, stdout } = await run(["send", eml, "--from", "", ...to, "--now", "--mx", receiver.host, "--json"]);
  assert.equal(status, 2);
  const verdicts = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Verdict);
  assert.deepEqual(
    verdicts.map(({ outcome, recipients }) => [outcome, ...recipients.map(({ address }) => address)]),
    [
      ["accepted", "a@one.example", "c@one.example"],
      ["deferred", "b@two.example"],
    ],
  );
  assert.equal(receiver.sessions, 2);
  assert.deepEqual(
    receiver.received.map(({ to }) => to),
    [["a@one.example", "c@one.example"]],
  );
  assert.doesNotMatch(receiver.received[0]?.data ?? "", /^DKIM-Signature:/m);
});

test("--now: a message that was taken whole and never answered is unknown", async () => {
  await using receiver = await startReceiver();
  receiver.plan("x@y.example", ["swallow"]);
  const { status, stdout } = await run(["send", eml, ...envelope, "--now", "--mx", receiver.host]);
  assert.equal(status, 3);
  assert.match(stdout, /^unknown at message by /);
  assert.equal(receiver.sessions, 1);
});

test("a send is called off by its id, and what became of it is told by that", async () => {
  const table: Table = { client: stack.clients.dynamo, name: stack.config.name, days: 30, now: () => new Date() };
  const now = Date.now();
  await putMessageOnce(
    {
      id: "off-1",
      asked: "a",
      content: "c",
      from: "a@shop.example",
      domains: ["gmail.example"],
      createdAt: new Date(now).toISOString(),
      expiresAtMs: now + 3_600_000,
      body: { kind: "inline", bytes: new Uint8Array([1]) },
      octets: 1,
      fromDomain: "shop.example",
      dkimDomain: null,
    },
    table,
  );
  const off = await run(["send", "--cancel", "off-1", "--state", state]);
  assert.deepEqual([off.status, off.stderr], [0, ""]);
  assert.match(off.stdout, /^nothing more of off-1 is begun; /);
  assert.ok((await findMessage("off-1", table))?.cancelledAt !== null);
  const told = await run(["status", "--send", "off-1", "--state", state]);
  assert.deepEqual([told.status, told.stderr], [2, ""]);
  assert.match(told.stdout, /, cancelled 20.*\ngmail\.example: not taken on yet\n$/);
  for (const args of [
    ["send", "--cancel", "nobody", "--state", state],
    ["status", "--send", "nobody", "--state", state],
  ]) {
    const none = await run(args);
    assert.equal(none.status, 66);
    assert.match(none.stderr, /nothing is known of a send "nobody": it waits in its queue, is a dead letter/);
  }
  assert.match(
    await refused(() => sendCommand(["--cancel", "x", "--to", "a@b.example", "--state", state])),
    /--to does not go with --cancel/,
  );
});
