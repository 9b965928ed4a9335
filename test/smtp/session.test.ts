// What no dialog shows of a session: what it leaves behind, what it keeps of a peer without end, how soon it knows.
// The hosts run in a thread of their own.
import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import net from "node:net";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openSession, type SessionOptions } from "../../functions/smtp/session.ts";
import type { Exchange, Transcript } from "../../functions/smtp/transcript.ts";
import { reconcile } from "../../functions/verdict/reconcile.ts";
import { settled } from "../../functions/verdict/settled.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost, type MailHostOptions } from "../../infra/local/mail/mail-host.ts";
import { memoryInUse } from "../support/memory.ts";

const hosts = new MailHosts();
after(() => hosts.close());

function start(script: string, options: MailHostOptions = {}): Promise<MailHost> {
  return hosts.start(parseDialog(`# for sessions\n${script}`, "session"), options);
}

function optionsFor(
  { address, port }: Pick<MailHost, "address" | "port">,
  own: Partial<SessionOptions> = {},
): SessionOptions {
  const options: Omit<SessionOptions, "settled"> = {
    host: "mx.example",
    address,
    port,
    bind: null,
    tunnel: null,
    connectMs: 20_000,
    greetMs: 20_000,
    egressAddress: null,
    policy: null,
    verify: null,
    serverName: "mx.example",
    helo: "probe.example",
    from: "probe@sender.example",
    recipients: ["x@mx.example"],
    depth: "rcpt",
    message: null,
    tlsPolicy: "opportunistic",
    retries: [],
    timeoutMs: 20_000,
    bodyMs: 0,
    commit: null,
    signal: null,
    untilMs: Infinity,
    progress: null,
    ...own,
  };
  return {
    ...options,
    settled: (exchanges, leaving) => settled(exchanges, leaving, { ...options, own: null }),
  };
}

const greeted = "S: 220 mx.example ESMTP\nC~ ^EHLO\nS: 250-mx.example\nS: 250 PIPELINING\n";
const group = `${greeted}C~ ^MAIL\nC~ ^RCPT\n`;

const endings: Readonly<Record<string, string>> = {
  "accepted, QUIT": `${group}C: QUIT\nS: 250 ok\nS: 250 ok\nS: 221 bye`,
  "refused, reset": `${group}S: 250 ok\nS: 554 5.7.1 blocked\nS! rst`,
  "refused, closed": `${group}S: 250 ok\nS: 554 5.7.1 blocked\nS! fin`,
  "refused, closed over unread commands": `${greeted}C~ ^MAIL\nS: 550 5.7.1 blocked\nS! close`,
  "refused, silent": `${group}S: 250 ok\nS: 554 5.7.1 blocked\nS! hang`,
  "greeting refused, closed": "S: 554 5.7.1 no\nS! fin",
  "421 out of turn": `${greeted}S: 421 4.7.0 busy\nS! fin`,
  "nothing, closed": "S! fin",
  "nothing, reset": "S! rst",
  garbage: "S: HTTP/1.1 400 Bad Request\nS! hang",
  "cut in a reply": `${group}S: 250 ok\nS| 550-5.7.1 blo\nS! fin`,
  "TLS, closed":
    "S: 220 mx\nC~ ^EHLO\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! tls\nC~ ^EHLO\nS: 250 mx\nC~ ^MAIL\nS: 550 5.7.1 blocked\nS! fin",
  "TLS, reset":
    "S: 220 mx\nC~ ^EHLO\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! tls\nC~ ^EHLO\nS: 250 mx\nC~ ^MAIL\nS: 550 5.7.1 blocked\nS! rst",
  "a refusal where TLS should be":
    "S: 220 mx\nC~ ^EHLO\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! wait 20ms\nS: 554 5.7.1 no\nS! fin",
};

/** What keeps a process alive, by kind and number, once what was about to close has closed. */
async function resources(): Promise<Readonly<Record<string, number>>> {
  await delay(50);
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe("what a session leaves behind", () => {
  for (const [name, script] of Object.entries(endings)) {
    it(`${name}: no socket, timer or listener`, async () => {
      await using host = await start(script);
      const abort = new AbortController();
      const before = await resources();
      const session = openSession(optionsFor(host, { signal: abort.signal }));
      await session.ended;
      await session.decided;
      assert.deepEqual(await resources(), before);
      assert.equal(getEventListeners(abort.signal, "abort").length, 0);
    });
  }

  it("our own limit: no socket, timer or listener", async () => {
    await using host = await start(`${group}S! hang`);
    const abort = new AbortController();
    const before = await resources();
    const { ending } = await openSession(optionsFor(host, { signal: abort.signal, timeoutMs: 300 })).ended;
    assert.equal(ending.by, "deadline");
    assert.deepEqual(await resources(), before);
    assert.equal(getEventListeners(abort.signal, "abort").length, 0);
  });

  it("no connection: no socket, timer or listener", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, "close");
    const abort = new AbortController();
    const before = await resources();
    const transcript = await openSession(optionsFor({ address: "127.0.0.1", port }, { signal: abort.signal })).ended;
    assert.deepEqual([transcript.ending.by, transcript.ending.stage, transcript.exchanges], ["failed", "connect", []]);
    assert.deepEqual(await resources(), before);
    assert.equal(getEventListeners(abort.signal, "abort").length, 0);
  });

  it("200 sessions, many at once: nothing, and little memory", async () => {
    const scripts = Object.entries(endings).filter(([name]) => name !== "refused, silent");
    const all = await Promise.all(scripts.map(([, script]) => start(script, { repeat: true })));
    const abort = new AbortController();
    const some = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += all.length) {
        await Promise.all(all.map((host) => openSession(optionsFor(host, { signal: abort.signal })).ended));
      }
    };
    await some(2 * all.length);
    const before = await resources();
    const memory = memoryInUse();
    await some(200);
    assert.deepEqual(await resources(), before);
    assert.equal(getEventListeners(abort.signal, "abort").length, 0);
    assert.ok(memoryInUse() - memory < 8_000_000, `${memoryInUse() - memory} octets`);
    await Promise.all(all.map((host) => host.close()));
  });
});

/** The most that is in use while a session runs, above what was before. Looking often slows the reading down. */
async function peakOf(
  options: SessionOptions,
  everyMs: number,
): Promise<{ readonly transcript: Transcript; readonly peak: number; readonly tookMs: number }> {
  const before = memoryInUse();
  let peak = 0;
  const sampling = setInterval(() => (peak = Math.max(peak, memoryInUse() - before)), everyMs);
  const started = performance.now();
  const transcript = await openSession(options).ended;
  const tookMs = performance.now() - started;
  clearInterval(sampling);
  return { transcript, peak: Math.max(peak, memoryInUse() - before), tookMs };
}

describe("a peer without end", () => {
  interface Row {
    readonly name: string;
    readonly script: string;
    /** Every octet in a write of its own. */
    readonly bytes?: boolean;
    readonly timeoutMs?: number;
    readonly primary: string;
  }
  const rows: readonly Row[] = [
    {
      name: "an endless line for a greeting",
      script: "S| 220 \nS! junk 1000000000\nS! hang",
      primary: "unanswered greeting",
    },
    { name: "an endless line that is no reply", script: "S! junk 1000000000\nS! hang", primary: "unanswered greeting" },
    { name: "an endless greeting", script: "S! flood 100000000 220-x\nS! hang", primary: "unanswered greeting" },
    { name: "endless blank lines", script: "S! flood 100000000 \nS! hang", primary: "unanswered greeting" },
    {
      name: "an endless answer to EHLO",
      script: "S: 220 mx\nC~ ^EHLO\nS! flood 100000000 250-SIZE\nS! hang",
      primary: "unanswered ehlo",
    },
    { name: "10^6 greetings", script: "S! flood 1000000 220 mx\nS! hang", primary: "unanswered ehlo" },
    { name: "10^6 replies to MAIL", script: `${group}S! flood 1000000 250 ok\nS! hang`, primary: "unanswered rcpt" },
    { name: "10^6 refusals", script: `${group}S! flood 1000000 550 5.7.1 blocked\nS! hang`, primary: "rejected mail" },
    {
      name: "an endless refusal",
      script: `${group}S! flood 100000000 550-5.7.1 blocked\nS! hang`,
      primary: "unanswered mail",
    },
    {
      name: "an endless refusal, octet by octet",
      script: `${group}S! flood 100000000 550-5.7.1 blocked\nS! hang`,
      bytes: true,
      timeoutMs: 30_000,
      primary: "unanswered mail",
    },
    {
      name: "a refusal, and then an endless line",
      script: `${group}S: 250 ok\nS: 550 5.7.1 blocked\nS! junk 1000000000\nS! hang`,
      primary: "rejected rcpt",
    },
    { name: "an octet a second", script: `${"S| 2\nS! wait 1s\n".repeat(20)}S! hang`, primary: "unanswered greeting" },
    {
      name: "a refusal, an octet a second",
      script: `${group}${"550-5.7.1 blocked"
        .split("")
        .map((octet) => `S| ${octet === " " ? "\\x20" : octet}\nS! wait 1s\n`)
        .join("")}S! hang`,
      primary: "rejected mail",
    },
  ];
  for (const { name, script, bytes = false, timeoutMs = 2_500, primary } of rows) {
    it(`${name}: a verdict by the deadline, in bounded memory`, async () => {
      await using host = await start(script, { bytes });
      const { transcript, peak, tookMs } = await peakOf(optionsFor(host, { timeoutMs }), bytes ? 500 : 100);
      assert.ok(tookMs < timeoutMs + 3_000, `${tookMs} ms`);
      // Half of what we promise: what grows with every read shows before it breaks the promise.
      assert.ok(peak < 16_000_000, `${peak} octets`);
      const { outcome, answer } = reconcile(transcript).primary;
      assert.equal(`${outcome} ${answer.stage}`, primary);
      assert.ok(transcript.exchanges.length < 100);
      assert.ok(JSON.stringify(transcript).length < 1_000_000);
    });
  }
});

describe("our own wish to stop", () => {
  it("in mid-session: at once, with all that was said", async () => {
    await using host = await start(`${group}S: 250 2.1.0 ok\nS! hang`);
    const abort = new AbortController();
    const progress = (exchange: Exchange): void => {
      if (exchange.stage === "mail") setImmediate(() => abort.abort());
    };
    const started = performance.now();
    const transcript = await openSession(optionsFor(host, { signal: abort.signal, progress })).ended;
    assert.ok(performance.now() - started < 2_000);
    assert.deepEqual([transcript.ending.by, transcript.ending.stage], ["abort", "rcpt"]);
    assert.equal(transcript.exchanges.find(({ stage }) => stage === "mail")?.reply?.status, "2.1.0");
    const { outcome, answer } = reconcile(transcript).primary;
    assert.deepEqual([outcome, answer.stage, answer.code], ["unanswered", "rcpt", null]);
  });

  it("before it began: nothing is dialled", async () => {
    await using host = await start("S: 220 mx\nS! hang");
    const transcript = await openSession(optionsFor(host, { signal: AbortSignal.abort() })).ended;
    assert.deepEqual([transcript.ending.by, transcript.ending.stage, transcript.exchanges], ["abort", "connect", []]);
    assert.equal(await host.connections(), 0);
  });

  it("after the refusal: the refusal", async () => {
    await using host = await start(`${group}S: 250 ok\nS: 550 5.7.1 blocked\nS! hang`);
    const abort = new AbortController();
    const session = openSession(optionsFor(host, { signal: abort.signal }));
    await session.decided;
    abort.abort();
    const transcript = await session.ended;
    assert.equal(transcript.ending.by, "abort");
    assert.equal(reconcile(transcript).primary.answer.code, 550);
  });

  it("while a message waits for room that never comes", async () => {
    await using host = await start(`${group}C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nS! wait 20s\nS! rst`);
    const abort = new AbortController();
    const message = { bytes: Buffer.alloc(30_000_000, "0123456789abcdef\r\n"), ours: false };
    const begun = Promise.withResolvers<void>();
    const progress = ({ stage }: Exchange): void => {
      if (stage === "data") begun.resolve();
    };
    const session = openSession(optionsFor(host, { signal: abort.signal, depth: "message", message, progress }));
    await begun.promise;
    await delay(500);
    abort.abort();
    const transcript = await session.ended;
    assert.equal(transcript.ending.by, "abort");
    assert.equal(transcript.exchanges.find(({ stage }) => stage === "message")?.written, false);
    assert.equal(reconcile(transcript).primary.outcome, "unanswered");
  });
});

describe("decided and ended are two moments", () => {
  it("a refusal and silence: decided within 50 ms of the reply, ended within two seconds and a little", async () => {
    await using host = await start(`${group}S: 250 ok\nS: 550 5.7.1 blocked\nS! hang`);
    let refusedAt = 0;
    const progress = ({ reply }: Exchange): void => {
      if (reply?.code === 550) refusedAt = performance.now();
    };
    const session = openSession(optionsFor(host, { progress }));
    await session.decided;
    assert.ok(performance.now() - refusedAt < 50, `${performance.now() - refusedAt} ms`);
    const { exchanges, timings } = await session.ended;
    assert.ok(performance.now() - refusedAt < 2_500, `${performance.now() - refusedAt} ms`);
    const refused = exchanges.find(({ reply }) => reply?.code === 550);
    assert.ok(timings.decidedMs - (refused?.repliedMs ?? 0) < 50);
    assert.ok(timings.decidedMs < timings.endedMs);
  });

  it("a 4yz and silence: decided a second later, and not at the time-out", async () => {
    await using host = await start(`${group}S: 250 ok\nS: 450 4.7.1 greylisted\nS! hang`);
    const { exchanges, timings } = await openSession(optionsFor(host)).ended;
    const repliedMs = exchanges.find(({ reply }) => reply?.code === 450)?.repliedMs ?? 0;
    assert.ok(timings.decidedMs - repliedMs >= 900 && timings.decidedMs - repliedMs < 2_500, `${timings.decidedMs}`);
    assert.ok(timings.endedMs - repliedMs < 4_500);
  });

  it("a refusal that begins and falls silent: decided after a short grace, partial", async () => {
    await using host = await start(`${group}S: 250 ok\nS: 550-5.7.1 blocked\nS! hang`);
    const transcript = await openSession(optionsFor(host)).ended;
    assert.ok(transcript.timings.decidedMs < 4_000 && transcript.timings.endedMs < 6_000);
    const { outcome, answer } = reconcile(transcript).primary;
    assert.deepEqual([outcome, answer.code, answer.partial], ["rejected", 550, true]);
  });
});

describe("the plan", () => {
  it("EHLO refused behind TLS: nothing but QUIT follows", async () => {
    const script =
      "S: 220 mx\nC~ ^EHLO\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! tls\nC~ ^EHLO\nS: 550 5.7.1 blocked\nC: QUIT\nS: 221 bye";
    await using host = await start(script);
    const transcript = await openSession(optionsFor(host)).ended;
    assert.deepEqual(
      transcript.exchanges.map(({ command }) => command?.split(" ")[0] ?? null),
      [null, "EHLO", "STARTTLS", "EHLO", "QUIT"],
    );
    assert.notEqual(transcript.tls, null);
    assert.equal(reconcile(transcript).primary.answer.code, 550);
    assert.deepEqual(await host.result(), []);
  });

  // In a group the answers come together; QUIT leaves with the last chunk, and behind the answer to a final dot.
  const [ok, a, b] = ["S: 250 ok", "S: 250 a", "S: 550 5.1.1 no such user"];
  const queued = "S: 250 2.0.0 queued";
  const mailAndTwo: Readonly<Record<string, readonly string[]>> = {
    DATA: [
      "S: 250 PIPELINING",
      "C~ ^MAIL",
      "C~ ^RCPT",
      "C~ ^RCPT",
      "C: DATA",
      ok,
      a,
      b,
      "S: 354 go on",
      "C...",
      queued,
      "C: QUIT",
    ],
    BDAT: [
      "S: 250-PIPELINING",
      "S: 250 CHUNKING",
      "C~ ^MAIL",
      "C~ ^RCPT",
      "C~ ^RCPT",
      ok,
      a,
      b,
      "C~ ^BDAT",
      "C...",
      "C: QUIT",
      queued,
    ],
    "DATA in lock-step": [
      "S: 250 DSN",
      "C~ ^MAIL",
      ok,
      "C~ ^RCPT",
      a,
      "C~ ^RCPT",
      b,
      "C: DATA",
      "S: 354 go on",
      "C...",
      queued,
      "C: QUIT",
    ],
    "BDAT in lock-step": [
      "S: 250 CHUNKING",
      "C~ ^MAIL",
      ok,
      "C~ ^RCPT",
      a,
      "C~ ^RCPT",
      b,
      "C~ ^BDAT",
      "C...",
      queued,
      "C: QUIT",
    ],
  };
  for (const [name, steps] of Object.entries(mailAndTwo)) {
    it(`the last recipient refused, by ${name}: the first gets the message`, async () => {
      await using host = await start(["S: 220 mx", "C~ ^EHLO", "S: 250-mx", ...steps, "S: 221 bye"].join("\n"));
      const message = { bytes: Buffer.from("Subject: x\r\n\r\n.x\r\n"), ours: false };
      const options = optionsFor(host, { recipients: ["a@mx.example", "b@mx.example"], depth: "message", message });
      const transcript = await openSession(options).ended;
      assert.deepEqual(await host.result(), []);
      assert.deepEqual(
        (await host.messages()).map((each) => Buffer.from(each)),
        [message.bytes],
      );
      const outcomes = reconcile(transcript).recipients.map(
        ({ judgement }) => `${judgement.outcome} ${judgement.answer.stage}`,
      );
      assert.deepEqual(outcomes, ["accepted message", "rejected rcpt"]);
    });
  }

  it("500 recipients, all answered at the end: no dead-lock, and each has its own", async () => {
    const recipients = Array.from({ length: 500 }, (_, index) => `user${index}@mx.example`);
    const answers = recipients.map((_, index) =>
      index % 2 === 0 ? `S: 250 2.1.5 user${index}` : `S: 550 5.1.1 no user${index}`,
    );
    const script = `${greeted}C~ ^MAIL\n${"C~ ^RCPT\n".repeat(500)}C: QUIT\nS: 250 ok\n${answers.join("\n")}\nS: 221 bye`;
    await using host = await start(script);
    const started = performance.now();
    const transcript = await openSession(optionsFor(host, { recipients })).ended;
    const judged = reconcile(transcript).recipients;
    assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
    assert.equal(
      transcript.exchanges.filter(({ stage }) => stage === "rcpt").every(({ group: each }) => each === 2),
      true,
    );
    for (const [index, { judgement }] of judged.entries()) {
      assert.equal(judgement.outcome, index % 2 === 0 ? "accepted" : "rejected");
      assert.match(judgement.answer.text, new RegExp(`user${index}$`));
    }
  });

  it("500 recipients, each answered as it comes", async () => {
    const recipients = Array.from({ length: 500 }, (_, index) => `user${index}@mx.example`);
    const script = `${greeted}C~ ^MAIL\nS: 250 ok\n${"C~ ^RCPT\nS: 250 ok\nS! wait 1ms\n".repeat(500)}C: QUIT\nS: 221 bye`;
    await using host = await start(script);
    const started = performance.now();
    const transcript = await openSession(optionsFor(host, { recipients })).ended;
    assert.equal(reconcile(transcript).primary.outcome, "accepted");
    assert.ok(performance.now() - started < 15_000, `${performance.now() - started} ms`);
  });
});
