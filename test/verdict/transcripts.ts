// Transcripts written as conversations: what a session would have kept of them. Replies go through the real parser;
// nothing here judges.
//
// `> MAIL FROM:<a@b>`  a command; neighbours left in one write
// `>! .`               one whose last octet never left
// `< 250 ok`           a reply's line, for the first command without one
// `<~ 550-x`           the same, and the connection ended inside it
// `<rcpt 421 x`        a line said out of turn, at that stage
// `! fin`              how the connection ended; by QUIT where nothing is said
import { ReplyParser, type Reply } from "../../functions/smtp/reply.ts";
import type { Ending, Exchange, Transcript } from "../../functions/smtp/transcript.ts";

/** A transcript of these lines. `facts` say what lines cannot, and go before what they show. */
export function transcriptOf(conversation: string, facts: Partial<Transcript> = {}): Transcript {
  const exchanges = exchangesOf(conversation);
  const named = exchanges.flatMap(({ recipient }) => recipient ?? []);
  const ended = /^\s*! (\w+)/m.exec(conversation)?.[1] ?? "quit";
  return {
    host: "mx.example",
    address: "192.0.2.1",
    port: 25,
    localAddress: "198.51.100.7",
    egressAddress: null,
    depth: exchanges.some(({ stage }) => stage === "data" || stage === "message") ? "message" : "rcpt",
    tlsPolicy: "opportunistic",
    policy: null,
    from: "probe@sender.example",
    recipients: named.length > 0 ? [...new Set(named)] : ["x@mx.example"],
    retry: null,
    startedAt: "2026-03-04T05:06:07.890Z",
    tls: null,
    exchanges,
    stop: null,
    ending: endingOf(ended as Ending["by"], exchanges),
    timings: { connectedMs: 1, decidedMs: 2, endedMs: 3 },
    ...facts,
  };
}

/** The exchanges of these lines alone. */
export function exchangesOf(conversation: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let group = 0;
  let parser = new ReplyParser();
  let spoke = true;
  for (const line of conversation.split("\n").map((each) => each.trim())) {
    const [, mark = "", text = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (mark === "" || mark === "!") continue;
    if (mark.startsWith(">")) {
      if (spoke) group += 1;
      spoke = false;
      exchanges.push(commandOf(text, group, mark === ">"));
      continue;
    }
    spoke = true;
    const isCut = mark === "<~";
    const [whole] = parser.push(Buffer.from(isCut ? text : `${text}\r\n`));
    const reply = isCut ? parser.partial() : whole;
    if (parser.violation !== null || (isCut && reply === null)) throw new Error(`no reply: ${line}`);
    if (reply == null) continue;
    parser = new ReplyParser();
    answer(exchanges, reply, mark.replace(/^<~?/, "") as Exchange["stage"] | "", group);
  }
  return exchanges;
}

/** The same exchange with another reply. */
export function answered(exchange: Exchange, reply: Reply | null): Exchange {
  return { ...exchange, reply, repliedMs: reply === null ? null : 2 };
}

function answer(exchanges: Exchange[], reply: Reply, stage: Exchange["stage"] | "", group: number): void {
  const at = stage === "" ? exchanges.findIndex((each) => each.reply === null) : -1;
  const outstanding = exchanges[at];
  if (outstanding !== undefined) {
    exchanges[at] = answered(outstanding, reply);
    return;
  }
  const next = stage === "" ? (exchanges.at(-1)?.stage ?? "greeting") : stage;
  const extra = {
    stage: next,
    command: null,
    recipient: null,
    group,
    written: true,
    sentMs: null,
    reply: null,
    repliedMs: null,
  };
  exchanges.push(answered(extra, reply));
}

const stages: readonly (readonly [verb: RegExp, stage: Exchange["stage"]])[] = [
  [/^(?:EHLO|HELO) /, "ehlo"],
  [/^STARTTLS$/, "starttls"],
  [/^MAIL /, "mail"],
  [/^RCPT /, "rcpt"],
  [/^DATA$/, "data"],
  [/^(?:\.$|BDAT )/, "message"],
  [/^QUIT$/, "quit"],
];

function commandOf(line: string, group: number, written: boolean): Exchange {
  const stage = stages.find(([verb]) => verb.test(line))?.[1];
  if (stage === undefined) throw new Error(`no command: ${line}`);
  const recipient = /^RCPT TO:<(.*?)>/.exec(line)?.[1] ?? null;
  return { stage, command: line, recipient, group, written, sentMs: 1, reply: null, repliedMs: null };
}

function endingOf(by: Ending["by"], exchanges: readonly Exchange[]): Ending {
  const waiting = exchanges.find((each) => each.reply === null);
  const stage = waiting?.stage ?? (by === "quit" || by === "us" ? "quit" : (exchanges.at(-1)?.stage ?? "greeting"));
  return { by, stage, text: `ended by ${by} while waiting for the reply to ${waiting?.command ?? "nothing"}` };
}
