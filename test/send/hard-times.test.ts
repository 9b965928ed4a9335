// What may go wrong around a send: services that are away, processes that stand still, hosts that misbehave, settings that
// change meanwhile. Each is a fault that was found once.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { SQSRecord } from "aws-lambda";
import { openClients, whenWanted } from "../../functions/clients.ts";
import { createSend, type SendHandler } from "../../functions/send.ts";
import type { SendResult } from "../../functions/send/results.ts";
import type { SendDeps } from "../../functions/send/runs.ts";
import { findDelivery } from "../../functions/state/deliveries.ts";
import { changeHolds, holdsOn } from "../../functions/state/holds.ts";
import { cancelMessage } from "../../functions/state/messages.ts";
import { recordOf, sumOf, type Services } from "../support/services.ts";
import { startReceiver, type Receiver } from "./receiver.ts";
import { messageText, sendDeps, sendOf, sendingConfig, startSending, taken, told } from "./sending.ts";

let services: Services;
let receiver: Receiver;
let handler: SendHandler;
let nowMs = Date.parse("2026-11-24T10:00:00Z");
const context = { getRemainingTimeInMillis: () => 60_000 };

interface Raw {
  readonly host: string;
  readonly close: () => void;
  ehlo: () => string;
  rcpt: (to: string) => string;
  data: () => string;
  readonly got: string[];
}
const startRaw = async (): Promise<Raw> => {
  const raw = {
    host: "",
    close: () => {},
    ehlo: () => "250 raw.example\r\n",
    rcpt: (_: string) => "250 ok",
    data: () => "354 go",
    got: [] as string[],
  };
  const server = net.createServer((socket) => {
    let text = "";
    let inData = false;
    socket.on("error", () => {});
    socket.write("220 raw.example\r\n");
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (;;) {
        if (inData) {
          const end = text.indexOf("\r\n.\r\n");
          if (end < 0) return;
          raw.got.push(text.slice(0, end));
          text = text.slice(end + 5);
          inData = false;
          socket.write("250 queued\r\n");
          continue;
        }
        const eol = text.indexOf("\r\n");
        if (eol < 0) return;
        const line = text.slice(0, eol);
        text = text.slice(eol + 2);
        if (line.startsWith("EHLO")) socket.write(raw.ehlo());
        else if (line.startsWith("RCPT"))
          socket.write(Buffer.from(`${raw.rcpt(/<(.*?)>/.exec(line)?.[1] ?? "")}\r\n`, "latin1"));
        else if (line === "DATA") {
          const answer = raw.data();
          inData = answer.startsWith("354");
          socket.write(`${answer}\r\n`);
        } else if (line === "QUIT") socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  raw.host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  raw.close = () => server.close();
  return raw;
};
let raw: Raw;

const depsOf = (more: Partial<SendDeps> = {}): SendDeps => ({ ...sendDeps(services, () => new Date(nowMs)), ...more });

before(async () => {
  receiver = await startReceiver();
  raw = await startRaw();
  const { host } = receiver;
  const hosts = {
    "there.example": [host],
    "second.example": [host],
    "raw.example": [raw.host],
    "third.example": [host],
  };
  services = await startSending(sendingConfig(hosts, { history: { maskRecipients: true } }));
  handler = createSend(depsOf());
});
after(async () => {
  raw.close();
  await receiver[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

const wakeOf = (id: string, domain: string): SQSRecord => recordOf({ v: 1, kind: "wake", id, domain, egress: "aws" });
const call = async (...records: readonly SQSRecord[]) => await handler({ Records: [...records] }, context);
const clear = async (): Promise<void> =>
  void (await Promise.all([told(services), taken("test-send", services), taken("test-send-dead", services)]));

test("a send whose end is long past is told as expired", async () => {
  await call(recordOf(sendOf("past/1", ["a@there.example"], { expires: "2026-11-01T00:00:00Z" })));
  assert.deepEqual(
    (await told(services)).map(({ event }) => event),
    ["expired"],
    JSON.stringify(services.entries.slice(-3)),
  );
});

test("a message that no attempt can ever have time for is not asked for again every two seconds", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  await (await whenWanted(services.endpoints)()).createBucket({ Bucket: "bodies" });
  // What the configuration's check lets pass: attemptSeconds >= answerSeconds + 4.
  const config = { ...services.config, sends: { ...sends, attemptSeconds: 7, answerSeconds: 3, bucket: "bodies" } };
  const h = createSend(depsOf({ config }));
  const { sessions } = receiver;
  const message = `${messageText}${`${"y".repeat(70)}\r\n`.repeat(4_000)}`;
  await h({ Records: [recordOf(sendOf("big/1", ["a@there.example"], { message }))] }, context);
  let looks = 0;
  for (; looks < 30; looks++) {
    nowMs += 3_000;
    const wakes = await taken("test-send", services);
    if (wakes.length === 0) break;
    await h({ Records: [...wakes] }, context);
  }
  const row = await findDelivery("big/1", "there.example", services.table);
  assert.ok(
    looks < 5,
    `${looks} looks in 90 s, ${receiver.sessions - sessions} sessions, ${row?.attempts.length} attempts, ${row?.recipients[0]?.state}, held by ${row?.heldBy}`,
  );
});

test("while the topic is away what became of a recipient is counted once", async () => {
  await clear();
  const { sns } = await openClients(["sns"], { sns: "http://127.0.0.1:9" });
  const { clients, endpoints } = services;
  const puts: { MetricName?: string | undefined; Value?: number | undefined }[] = [];
  const { cloudWatch } = await openClients(["cloudWatch"], endpoints);
  cloudWatch.middlewareStack.add(
    (next) => async (args) => {
      puts.push(...((args.input as { MetricData?: { MetricName?: string }[] }).MetricData ?? []));
      return await next(args);
    },
    { step: "initialize" },
  );
  const mute = createSend(depsOf({ clients: { ...clients, sns, cloudWatch, s3: whenWanted(endpoints) } }));
  await mute({ Records: [recordOf(sendOf("mute/1", ["a@there.example"]))] }, context);
  for (let i = 0; i < 3; i++) {
    nowMs += 2 * 60_000;
    await mute({ Records: [...(await taken("test-send", services))] }, context);
  }
  sns.destroy();
  cloudWatch.destroy();
  const n = puts.filter(({ MetricName }) => MetricName === "Delivered").map((each) => JSON.stringify(each));
  assert.equal(n.length, 1, n.join("\n"));
});

test("attemptTimes are those of the attempts that were for the recipient", async () => {
  await clear();
  receiver.plan("full@there.example", ["452 4.2.2 mailbox full", "250 ok"]);
  receiver.plan("grey@there.example", [
    "451 4.7.1 Greylisted, please try again later",
    "451 4.7.1 Greylisted, please try again later",
    "451 4.7.1 Greylisted",
    "250 ok",
  ]);
  await call(recordOf(sendOf("times/1", ["full@there.example", "grey@there.example"])));
  for (let i = 0; i < 12; i++) {
    nowMs += 8 * 60_000;
    await call(wakeOf("times/1", "there.example"));
  }
  const row = await findDelivery("times/1", "there.example", services.table);
  const full = (await told(services)).find(
    ({ recipient, event }) => recipient.startsWith("full") && event === "delivered",
  );
  const all = row?.attempts.map(({ at }) => at) ?? [];
  assert.equal(full?.attempts, 2);
  assert.deepEqual(full?.attemptTimes, [all[0], full?.at], JSON.stringify({ all }));
});

test("who may have the message is not told that it failed", async () => {
  await clear();
  receiver.plan("maybe@there.example", ["swallow", "550 5.7.0 duplicate message"]);
  await call(recordOf(sendOf("maybe/1", ["maybe@there.example"], { onUnknown: "retry" })));
  nowMs += 30 * 60_000;
  await call(wakeOf("maybe/1", "there.example"));
  const [result] = await told(services);
  assert.equal(result?.event, "unknown", `${result?.event}: ${result?.reason}`);
});

test("what holds others tells neither more lines nor another's address", async () => {
  await clear();
  raw.rcpt = (to) =>
    to.startsWith("alice")
      ? `550-5.7.1 <${to}>: Service unavailable, Client host [192.0.2.9]\r\n550 5.7.1 blocked using Spamhaus \u001b[31m`
      : "250 ok";
  await call(recordOf(sendOf("holder/1", ["alice.secret@raw.example"], { egress: "aws" })));
  await call(recordOf(sendOf("heldx/1", ["bob@raw.example"], { egress: "aws" })));
  nowMs += 61 * 60_000;
  // The canary is another's: this one only learns why it waits.
  const wake = wakeOf("heldx/1", "raw.example");
  await services.table.client.update({
    TableName: "test",
    Key: { pk: "hold#ip#raw#aws" },
    UpdateExpression: "SET canaryAt = :now",
    ExpressionAttributeValues: { ":now": new Date(nowMs).toISOString() },
  });
  await call(wake);
  const [result] = (await told(services)).filter(({ id }) => id === "heldx/1");
  raw.rcpt = () => "250 ok";
  assert.ok(result !== undefined);
  assert.doesNotMatch(result.reason, /\p{Cc}/u, "one line, nothing a terminal obeys");
});
test("with maskRecipients nobody's address is in another's result, in a hold or in the log", async () => {
  const { Item } = await services.table.client.get({ TableName: "test", Key: { pk: "hold#ip#raw#aws" } });
  const logged = services.entries
    .filter((each) => JSON.stringify(each).includes("alice.secret"))
    .map((each) => each["event"]);
  const held = await findDelivery("heldx/1", "raw.example", services.table);
  const leaks = {
    hold: String(Item?.["text"]).includes("alice.secret"),
    log: [...new Set(logged)],
    heldBy: held?.heldBy?.includes("alice.secret"),
  };
  assert.deepEqual(leaks, { hold: false, log: [], heldBy: false });
});
test("with maskRecipients each is told his own verdict, also when the topic was away", async () => {
  await clear();
  receiver.plan("adam@there.example", ["550 5.1.1 no adam here"]);
  const { sns } = await openClients(["sns"], { sns: "http://127.0.0.1:9" });
  const mute = createSend(depsOf({ clients: { ...services.clients, sns, s3: whenWanted(services.endpoints) } }));
  await mute({ Records: [recordOf(sendOf("mask/1", ["alice@there.example", "adam@there.example"]))] }, context);
  sns.destroy();
  nowMs += 2 * 60_000;
  await call(...(await taken("test-send", services)));
  const all = (await told(services))
    .map(({ recipient, event, verdict }) => `${recipient} ${event} ${verdict?.outcome}`)
    .toSorted();
  assert.deepEqual(all, ["adam@there.example failed undefined", "alice@there.example delivered undefined"]);
});

test("an unknown of a dead process that is sent again is counted", async () => {
  await clear();
  await call(recordOf(sendOf("dead/1", ["a@second.example"], { onUnknown: "retry" })));
  const { table } = services;
  const row = await findDelivery("dead/1", "second.example", table);
  assert.ok(row !== null);
  const { wakeAtMs: _, ...rest } = row;
  const begun = {
    ...rest,
    attempts: [],
    recipients: rest.recipients.map((each) => ({ ...each, state: "committing", attempts: [], word: null })),
    lease: { owner: "x", untilMs: Date.now() - 1 },
  };
  await table.client.put({
    TableName: table.name,
    Item: { ...begun, pk: "delivery#dead/1#second.example", expiresAt: Math.ceil(nowMs / 1000) + 90_000 },
  });
  const before = (await sumOf(services, "Unknown", { Egress: "aws" })) ?? 0;
  const puts: (string | undefined)[] = [];
  const { cloudWatch } = await openClients(["cloudWatch"], services.endpoints);
  cloudWatch.middlewareStack.add(
    (next) => async (args) => {
      puts.push(
        ...((args.input as { MetricData?: { MetricName?: string }[] }).MetricData ?? []).map((each) => each.MetricName),
      );
      return await next(args);
    },
    { step: "initialize" },
  );
  const h = createSend(depsOf({ clients: { ...services.clients, cloudWatch, s3: whenWanted(services.endpoints) } }));
  await h({ Records: [wakeOf("dead/1", "second.example")] }, context);
  cloudWatch.destroy();
  void before;
  assert.ok(puts.includes("Delivered"), "sent again");
  assert.ok(puts.includes("Unknown"), `figures: ${[...new Set(puts)].join(" ")}`);
});

test("who failed because the mailbox is unknown is told so, whatever blocked us before", async () => {
  await clear();
  receiver.plan("nobody@third.example", [
    "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus",
    "550 5.1.1 user unknown",
  ]);
  await call(recordOf(sendOf("both/1", ["nobody@third.example"], { egress: "aws" })));
  nowMs += 61 * 60_000;
  await call(wakeOf("both/1", "third.example"));
  const result = (await told(services)).find(({ event }) => event === "failed");
  assert.equal(result?.verdict?.class, "mailbox-unknown", `${result?.event}: ${result?.reason}`);
});

test("who may leave by any egress does not wait for one that the configuration has no more", async () => {
  await clear();
  receiver.plan("moved@there.example", ["451 4.7.1 Greylisted, please try again later", "250 ok"]);
  await call(recordOf(sendOf("moved/1", ["moved@there.example"])));
  nowMs += 10 * 60_000;
  const egresses = services.config.egresses.map((each) => (each.name === "aws" ? { ...each, name: "aws-2" } : each));
  const h = createSend(depsOf({ config: { ...services.config, egresses } }));
  await h({ Records: [wakeOf("moved/1", "there.example")] }, context);
  const row = await findDelivery("moved/1", "there.example", services.table);
  assert.equal(row?.recipients[0]?.state, "delivered", `held by: ${row?.heldBy}`);
});

test("a fault of ours for a moment does not cost a quarter of an hour", async () => {
  await clear();
  let isAway = true;
  const { dynamo } = await openClients(["dynamo"], services.endpoints);
  dynamo.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        if (
          isAway &&
          commandName.startsWith("Put") &&
          JSON.stringify((args.input as { Item?: object }).Item).includes("rate#")
        )
          throw new Error("the table is away");
        return await next(args);
      },
    { step: "initialize" },
  );
  const h = createSend(depsOf({ clients: { ...services.clients, dynamo, s3: whenWanted(services.endpoints) } }));
  const record = recordOf(
    sendOf("moment/1", ["a@second.example"], { expires: new Date(nowMs + 10 * 60_000).toISOString() }),
  );
  const first = await h({ Records: [record] }, context);
  isAway = false;
  nowMs += 61_000;
  const second = await h({ Records: [...(await taken("test-send", services))] }, context);
  dynamo.destroy();
  const row = await findDelivery("moment/1", "second.example", services.table);
  assert.equal(
    row?.recipients[0]?.state,
    "delivered",
    JSON.stringify({
      first,
      second,
      wakeInS: ((row?.wakeAtMs ?? 0) - nowMs) / 1000,
      waiting: (await taken("test-send", services)).length,
    }),
  );
});

test("a host that fills its replies with marks does not keep a delivery from being tried, or from its end", async () => {
  await clear();
  raw.rcpt = (to) => Buffer.from(`452 4.2.2 ${to} ${"\u202e".repeat(600)}`).toString("latin1");
  await services.table.client.delete({ TableName: "test", Key: { pk: "hold#ip#raw#aws" } });
  const to = Array.from({ length: 100 }, (_, index) => `${"n".repeat(50)}${index}@raw.example`);
  const { dynamo } = await openClients(["dynamo"], services.endpoints);
  // dynalite does not count what is in lists; DynamoDB does.
  dynamo.middlewareStack.add(
    (next) => async (args) => {
      const { Item } = args.input as { readonly Item?: object };
      if (Item !== undefined && Buffer.byteLength(JSON.stringify(Item)) > 409_600 * 1.1)
        throw Object.assign(new Error("Item size has exceeded the maximum allowed size"), {
          name: "ValidationException",
        });
      return await next(args);
    },
    { step: "initialize" },
  );
  const h = createSend(depsOf({ clients: { ...services.clients, dynamo, s3: whenWanted(services.endpoints) } }));
  await h({ Records: [recordOf(sendOf("marks/1", to, { egress: "aws" }))] }, context);
  raw.rcpt = () => "250 ok";
  const fails: number[] = [];
  for (let hours = 0; hours < 26; hours += 2) {
    nowMs += 2 * 3_600_000;
    fails.push((await h({ Records: [wakeOf("marks/1", "raw.example")] }, context)).batchItemFailures.length);
  }
  dynamo.destroy();
  const row = await findDelivery("marks/1", "raw.example", services.table);
  assert.equal(
    row?.recipients[0]?.state,
    "delivered",
    `${row?.recipients[0]?.state}, attempts ${row?.attempts.length}, told ${(await told(services)).length}, failed records ${fails.join(" ")}`,
  );
});

test("another content under the same id does not spoil the send that was there first", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  await (await whenWanted(services.endpoints)()).createBucket({ Bucket: "bodies" }).catch(() => null);
  const h = createSend(depsOf({ config: { ...services.config, sends: { ...sends, bucket: "bodies" } } }));
  const text = (letter: string) => `${messageText}${`${letter.repeat(70)}\r\n`.repeat(4_000)}`;
  const seen: string[] = [];
  for (let round = 0; round < 5; round++) {
    const id = `spoilt/${round}`;
    await h(
      {
        Records: [
          recordOf(sendOf(id, ["a@there.example"], { message: text("a") })),
          recordOf(sendOf(id, ["a@there.example"], { message: text("b") })),
        ],
      },
      context,
    );
    seen.push(
      ...(await told(services)).map(({ event, reason }) => (event === "delivered" ? event : `${event}: ${reason}`)),
    );
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 5 }, () => "delivered"),
  );
});

test("a canary that gets no turn is not spent", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  const slow = createSend(
    depsOf({
      config: { ...services.config, sends: { ...sends, rates: { default: { concurrency: 5, perMinute: 1 } } } },
    }),
  );
  receiver.plan("d@third.example", ["550 5.7.1 Domain sender.example is listed in Spamhaus DBL"]);
  await services.table.client.delete({ TableName: "test", Key: { pk: "hold#ip#third#aws" } });
  const one = (id: string, to: string, from = "us@sender.example") =>
    recordOf({ ...sendOf(id, [to], { egress: "aws" }), from });
  await call(one("dom/1", "d@third.example"));
  const key = "hold#domain#third#sender.example";
  const { Item } = await services.table.client.get({ TableName: "test", Key: { pk: key } });
  assert.ok(Item !== undefined, "held for the domain");
  await slow({ Records: [one("dom/2", "e@third.example")] }, context);
  nowMs += 31 * 60_000;
  // The minute's only turn is another's by then (or still the first send's).
  await slow({ Records: [wakeOf("dom/2", "third.example")] }, context);
  const row = await findDelivery("dom/2", "third.example", services.table);
  const hold = (await services.table.client.get({ TableName: "test", Key: { pk: key } })).Item;
  assert.equal(row?.attempts.length, 0);
  assert.equal(hold?.["canaryAt"], null, `heldBy ${row?.heldBy}, canaryAt ${hold?.["canaryAt"]}, and nobody was asked`);
});

test(
  "no octet of a message leaves once its time is over, though the process stood still",
  { timeout: 60_000 },
  async () => {
    await clear();
    const code = `
    const net = require("node:net"), { parentPort } = require("node:worker_threads");
    const server = net.createServer((socket) => {
      let text = "", inData = false;
      socket.on("error", () => {});
      socket.write("220 thread.example\\r\\n");
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (inData) { parentPort.postMessage({ at: Date.now(), octets: chunk.length, end: text.includes("\\r\\n.\\r\\n") }); if (text.includes("\\r\\n.\\r\\n")) socket.write("250 queued\\r\\n"); return; }
        if (text.includes("DATA\\r\\n")) { text = ""; inData = true; setTimeout(() => socket.write("250 ok\\r\\n250 ok\\r\\n354 go\\r\\n"), 200); return; }
        if (/EHLO.*\\r\\n$/.test(text)) { text = ""; setTimeout(() => socket.write("250-thread.example\\r\\n250 PIPELINING\\r\\n"), 300); }
      });
    });
    server.listen(0, "127.0.0.1", () => parentPort.postMessage({ port: server.address().port }));`;
    const thread = new Worker(code, { eval: true });
    const [{ port }] = (await once(thread, "message")) as [{ port: number }];
    const got: { at: number; octets: number; end: boolean }[] = [];
    thread.on("message", (message) => got.push(message as (typeof got)[0]));
    const { dynamo } = await openClients(["dynamo"], services.endpoints);
    let untilMs = 0;
    dynamo.middlewareStack.add(
      (next) => async (args) => {
        const { Item } = args.input as {
          readonly Item?: { recipients?: { state: string }[]; lease?: { untilMs: number } };
        };
        const out = await next(args);
        if (untilMs === 0 && Item?.recipients?.[0]?.state === "committing") {
          // What it may take, without what the lease has beyond it.
          untilMs = (Item.lease?.untilMs ?? 0) - 75_000;
          // As SIGSTOP, a paused VM: once the group has left.
          setTimeout(
            () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, untilMs - Date.now() + 1_000),
            400,
          );
        }
        return out;
      },
      { step: "initialize" },
    );
    const { sends } = services.config;
    assert.ok(sends !== null);
    const config = {
      ...services.config,
      hosts: { ...services.config.hosts, "there.example": [`127.0.0.1:${port}`] },
      sends: { ...sends, attemptSeconds: 6, answerSeconds: 1 },
    };
    const h = createSend(
      depsOf({
        config,
        clients: { ...services.clients, dynamo, s3: whenWanted(services.endpoints) },
      }),
    );
    await h(
      { Records: [recordOf(sendOf("stopped/1", ["a@there.example"]))] },
      { getRemainingTimeInMillis: () => 900_000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await thread.terminate();
    dynamo.destroy();
    const late = got.map(
      ({ at, octets, end }) => `${octets} octets${end ? " with the final dot" : ""}, ${at - untilMs} ms after its time`,
    );
    assert.ok(untilMs > 0);
    assert.deepEqual(late, []);
  },
);

test("a send whose key cannot be read expires at its time all the same", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  const dkim = [
    { domain: "sender.example", selector: "s1", key: { file: "/nonexistent/key.pem" } },
  ] as unknown as NonNullable<typeof sends>["dkim"];
  const h = createSend(depsOf({ config: { ...services.config, sends: { ...sends, dkim } } }));
  await h(
    {
      Records: [
        recordOf(sendOf("keyless/1", ["a@second.example"], { expires: new Date(nowMs + 600_000).toISOString() })),
      ],
    },
    context,
  );
  for (let i = 0; i < 4; i++) {
    nowMs += 20 * 60_000;
    await h({ Records: [...(await taken("test-send", services))] }, context);
  }
  assert.deepEqual(
    (await told(services)).map(({ event }) => event),
    ["expired"],
    `80 minutes after its request; still in the queue: ${(await taken("test-send", services)).length}`,
  );
});

test("a last write whose answer was lost still leaves a message that wakes", async () => {
  await clear();
  receiver.plan("lost@second.example", ["451 4.7.1 Greylisted, please try again later", "250 ok"]);
  const { dynamo } = await openClients(["dynamo"], services.endpoints);
  let lost = 0;
  dynamo.middlewareStack.add(
    (next) => async (args) => {
      const { Item } = args.input as { readonly Item?: { pk?: string; lease?: object | null; attempts?: object[] } };
      const out = await next(args);
      if (
        lost === 0 &&
        Item?.pk?.startsWith("delivery#lost") === true &&
        Item.lease === null &&
        Item.attempts?.length === 1
      ) {
        lost += 1;
        throw new Error("socket hang up");
      }
      return out;
    },
    { step: "initialize" },
  );
  const h = createSend(depsOf({ clients: { ...services.clients, dynamo, s3: whenWanted(services.endpoints) } }));
  await services.table.client.delete({ TableName: "test", Key: { pk: "hold#ip#second#aws" } });
  await h({ Records: [recordOf(sendOf("lost/1", ["lost@second.example"], { egress: "aws" }))] }, context);
  dynamo.destroy();
  assert.equal(lost, 1);
  assert.equal(
    (await taken("test-send", services)).length,
    1,
    JSON.stringify(services.entries.slice(-2).map((each) => each["event"])),
  );
});

test("who was never offered to a host is not unknown when the process dies", async () => {
  await clear();
  const to = ["p1@raw.example", "p2@raw.example", "p3@raw.example"];
  let inSession = 0;
  let sent = 0;
  // One recipient a transaction (RFC 5321 §4.5.3.1.10), and the process is gone after the first.
  raw.rcpt = () => ((inSession += 1) > 1 ? "452 4.5.3 too many recipients" : "250 ok");
  raw.data = () => {
    inSession = 0;
    sent += 1;
    return "354 go";
  };
  const { dynamo } = await openClients(["dynamo"], services.endpoints);
  const states: string[] = [];
  const id = "scope/1";
  dynamo.middlewareStack.add(
    (next) => async (args) => {
      const { Item } = args.input as { readonly Item?: { pk?: string; recipients?: { state: string }[] } };
      if (Item?.pk?.startsWith("delivery#scope") === true)
        states.push(`${sent}: ${Item.recipients?.map(({ state }) => state).join(" ")}`);
      return await next(args);
    },
    { step: "initialize" },
  );
  const h = createSend(depsOf({ clients: { ...services.clients, dynamo, s3: whenWanted(services.endpoints) } }));
  await h({ Records: [recordOf(sendOf(id, to, { egress: "aws" }))] }, context);
  dynamo.destroy();
  raw.rcpt = () => "250 ok";
  raw.data = () => "354 go";
  // What the first has got is written down before the next is begun.
  assert.ok(states.includes("1: delivered waiting waiting"), states.join(" | "));
});

test("what is carried along is not lost on its way to another runner", async () => {
  await clear();
  const config = {
    ...services.config,
    egresses: services.config.egresses.map((each) =>
      each.name === "aws" ? { ...each, runner: "worker" as const } : each,
    ),
  };
  await services.clients.sqs.createQueue({ QueueName: "test-send-aws" });
  const h = createSend(depsOf({ config }));
  const carried = recordOf(
    { v: 1, kind: "wake", id: "once/9", domain: "there.example", egress: "aws" },
    { messageAttributes: { Recorded: { dataType: "Binary", binaryValue: Buffer.alloc(64).toString("base64") } } },
  );
  await h({ Records: [carried] }, context);
  const [forwarded] = await taken("test-send-aws", services);
  assert.ok(forwarded !== undefined, "forwarded");
  assert.ok(
    forwarded.messageAttributes["Recorded"] !== undefined,
    "without what was recorded: " + Object.keys(forwarded?.messageAttributes ?? {}).join(" "),
  );
});

test("one host's block holds nobody as long as another host of the provider takes the mail", async () => {
  await clear();
  const blocking = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.end("554 5.7.1 Client host [192.0.2.9] blocked using Spamhaus\r\n");
  });
  blocking.listen(0, "127.0.0.1");
  await once(blocking, "listening");
  const host = `127.0.0.1:${(blocking.address() as net.AddressInfo).port}`;
  const hosts = { ...services.config.hosts, "two.example": [host, receiver.host] };
  const targets = [
    ...services.config.targets,
    ...services.config.targets
      .slice(0, 1)
      .map((each) => ({ ...each, provider: "two", recipient: "probe@two.example" })),
  ];
  const h = createSend(depsOf({ config: { ...services.config, hosts, targets } }));
  for (let i = 0; i < 6; i++)
    await h({ Records: [recordOf(sendOf(`two/${i}`, [`a${i}@two.example`], { egress: "aws" }))] }, context);
  for (let i = 0; i < 12; i++) {
    nowMs += 5 * 60_000;
    await h({ Records: [...(await taken("test-send", services))] }, context);
  }
  blocking.close();
  const row = await findDelivery("two/5", "two.example", services.table);
  assert.equal(
    (await told(services)).filter(({ event }) => event === "delivered").length,
    6,
    `after an hour; heldBy ${row?.heldBy}`,
  );
});

test("a right that is missing for a moment does not burn a message that waits in S3", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  await (await whenWanted(services.endpoints)()).createBucket({ Bucket: "bodies" }).catch(() => null);
  const config = { ...services.config, sends: { ...sends, bucket: "bodies" } };
  receiver.plan("s3@there.example", ["451 4.7.1 Greylisted, please try again later", "250 ok"]);
  const message = `${messageText}${`${"y".repeat(70)}\r\n`.repeat(4_000)}`;
  await services.table.client.delete({ TableName: "test", Key: { pk: "hold#ip#there#aws" } });
  await createSend(depsOf({ config }))(
    { Records: [recordOf(sendOf("s3/1", ["s3@there.example"], { message, egress: "aws" }))] },
    context,
  );
  const refusing = http.createServer((_, response) =>
    response
      .writeHead(403, { "content-type": "application/xml" })
      .end("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
  );
  refusing.listen(0, "127.0.0.1");
  await once(refusing, "listening");
  const s3 = `http://127.0.0.1:${(refusing.address() as net.AddressInfo).port}`;
  const h = createSend(
    depsOf({ config, clients: { ...services.clients, s3: whenWanted({ ...services.endpoints, s3 }) } }),
  );
  nowMs += 10 * 60_000;
  await h({ Records: [wakeOf("s3/1", "there.example")] }, context);
  refusing.closeAllConnections();
  refusing.close();
  const row = await findDelivery("s3/1", "there.example", services.table);
  assert.equal(
    row?.recipients[0]?.state,
    "waiting",
    (await told(services)).map(({ event, reason }) => `${event}: ${reason}`).join(),
  );
});

test("what waits for its turn until its end is told so, and why", async () => {
  await clear();
  const { sends } = services.config;
  assert.ok(sends !== null);
  const slow = createSend(
    depsOf({
      config: { ...services.config, sends: { ...sends, rates: { default: { concurrency: 5, perMinute: 1 } } } },
    }),
  );
  await services.table.client.delete({ TableName: "test", Key: { pk: "hold#ip#second#aws" } });
  await services.table.client.delete({ TableName: "test", Key: { pk: "rate#second#aws" } });
  const expires = new Date(nowMs + 60_000).toISOString();
  await slow({ Records: [recordOf(sendOf("pace/1", ["a@second.example"], { egress: "aws", expires }))] }, context);
  await slow({ Records: [recordOf(sendOf("pace/2", ["b@second.example"], { egress: "aws", expires }))] }, context);
  nowMs += 61_000;
  await slow({ Records: [...(await taken("test-send", services))] }, context);
  const all = await told(services);
  assert.deepEqual(
    all.map(({ id, event }) => `${id} ${event}`),
    ["pace/1 delivered", "pace/2 expired"],
  );
  assert.match(all.at(-1)?.reason ?? "", /turn|pace|rate/, all.at(-1)?.reason);
});

test("one recipient's refusal about our IP holds nobody where another of the same message was taken", async () => {
  await clear();
  for (const each of ["second", "there"])
    await services.table.client.delete({ TableName: "test", Key: { pk: `hold#ip#${each}#aws` } });
  receiver.plan("picky@second.example", ["550 5.7.1 Client host [192.0.2.9] blocked using Spamhaus"]);
  await call(recordOf(sendOf("picky/1", ["picky@second.example", "a@second.example"], { egress: "aws" })));
  await call(recordOf(sendOf("picky/2", ["b@second.example"], { egress: "aws" })));
  const row = await findDelivery("picky/2", "second.example", services.table);
  assert.equal(row?.heldBy, null, `${briefly(await told(services))}; and the next one is ${row?.heldBy}`);
});
const briefly = (all: readonly SendResult[]): string =>
  all.map(({ recipient, event }) => `${recipient} ${event}`).join();

test("whom a host takes no more of in one transaction has the next one, at once and without an attempt counted", async () => {
  await clear();
  raw.ehlo = () => "250-raw.example\r\n250 LIMITS RCPTMAX=2\r\n";
  const to = Array.from({ length: 5 }, (_, index) => `many${index}@raw.example`);
  const before = raw.got.length;
  let results = 0;
  for (let look = 0; look < 4 && results < 5; look++) {
    await call(
      ...(look === 0 ? [recordOf(sendOf("limits/1", to, { egress: "aws" }))] : await taken("test-send", services)),
    );
    nowMs += 2_000;
    const all = await told(services);
    assert.ok(all.every(({ event, attempts }) => event === "delivered" && attempts === 1));
    results += all.length;
  }
  raw.ehlo = () => "250 raw.example\r\n";
  assert.equal(results, 5, "in three transactions, within seconds");
  assert.equal(raw.got.length - before, 3);
});

test("one who is refused for our IP while others get in is tried by and by less often, and not as fast as it can be", async () => {
  await clear();
  let sessions = 0;
  raw.rcpt = () => {
    sessions += 1;
    return "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus";
  };
  await call(recordOf(sendOf("alone/1", ["alone@raw.example"], { egress: "aws" })));
  for (let minute = 0; minute < 120; minute++) {
    nowMs += 60_000;
    // Others' mail gets in meanwhile, and ends the hold each time.
    const holds = await holdsOn({ provider: "raw", egress: "aws", domain: "sender.example" }, services.table);
    for (const { key } of holds)
      await changeHolds(
        { provider: "raw", egress: "aws", domain: key.about === "domain" ? key.domain : null },
        () => null,
        services.table,
      );
    await call(...(await taken("test-send", services)), wakeOf("alone/1", "raw.example"));
  }
  raw.rcpt = () => "250 ok";
  assert.ok(sessions >= 3 && sessions <= 8, `${sessions} in two hours`);
});

test("while the topic is away attempts are made as they are due", async () => {
  await clear();
  const { sns } = await openClients(["sns"], { sns: "http://127.0.0.1:9" });
  receiver.plan("slow@there.example", ["451 4.7.1 Greylisted, try again later", "250 ok"]);
  const all = depsOf();
  const mute = createSend({ ...all, clients: { ...all.clients, sns } });
  await mute({ Records: [recordOf(sendOf("apart/1", ["a@there.example", "slow@there.example"]))] }, context);
  for (let minute = 0; minute < 12; minute++) {
    nowMs += 60_000;
    await mute({ Records: [...(await taken("test-send", services))] }, context);
  }
  sns.destroy();
  assert.equal((await findDelivery("apart/1", "there.example", services.table))?.recipients[1]?.state, "delivered");
});

test("what is called off while a session is under way, before its message is begun, is not begun", async () => {
  await clear();
  const before = raw.got.length;
  const { dynamo } = await openClients(["dynamo"], services.endpoints);
  dynamo.middlewareStack.add(
    (next) => async (args) => {
      const { Item } = args.input as {
        readonly Item?: { readonly recipients?: readonly { readonly state: string }[] };
      };
      // Between the look at the message and the word that it is begun.
      if (Item?.recipients?.[0]?.state === "committing") await cancelMessage("off/2", services.table);
      return await next(args);
    },
    { step: "initialize" },
  );
  const all = depsOf();
  const late = createSend({ ...all, clients: { ...all.clients, dynamo } });
  await late({ Records: [recordOf(sendOf("off/2", ["a@raw.example"], { egress: "aws" }))] }, context);
  dynamo.destroy();
  assert.equal(raw.got.length, before);
  const delivery = await findDelivery("off/2", "raw.example", services.table);
  assert.equal(delivery?.recipients[0]?.state, "waiting");
  assert.match(delivery.recipients[0].word?.text ?? "", /written down/);
});
