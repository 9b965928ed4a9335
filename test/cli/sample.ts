// Stored sessions as tests need them: short to write, whole in shape. Judges nothing.
import type { Reply } from "../../functions/smtp/reply.ts";
import type { Exchange, Transcript } from "../../functions/smtp/transcript.ts";

/** What the host said to one command: `exchange("rcpt", "RCPT TO:<a@b>", "550 5.1.1 no")`. */
export function exchange(
  stage: Exchange["stage"],
  command: string | null,
  lines: string | readonly string[] | null,
  rest: Partial<Exchange> = {},
): Exchange {
  return {
    stage,
    command,
    recipient: /^RCPT TO:<(.*?)>/.exec(command ?? "")?.[1] ?? null,
    group: command === null ? 0 : 1,
    written: true,
    sentMs: command === null ? null : 1,
    reply: lines === null ? null : reply([lines].flat()),
    repliedMs: lines === null ? null : 3.5,
    ...rest,
  };
}

export function reply(lines: readonly string[], rest: Partial<Reply> = {}): Reply {
  const last = lines.at(-1) ?? "";
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(last)?.[1] ?? null;
  return { code: Number(last.slice(0, 3)), status, lines, partial: false, anomalies: [], ...rest };
}

export const greeting = exchange("greeting", null, "220 mx.example ESMTP");
export const ehlo = exchange("ehlo", "EHLO probe.example", ["250-mx.example", "250 PIPELINING"]);

export function transcript(exchanges: readonly Exchange[], rest: Partial<Transcript> = {}): Transcript {
  return {
    host: "mx.example",
    address: "127.0.0.1",
    port: 25,
    localAddress: "127.0.0.2",
    egressAddress: null,
    depth: "rcpt",
    tlsPolicy: "opportunistic",
    policy: null,
    from: "probe@sender.example",
    recipients: ["someone@mx.example"],
    retry: null,
    startedAt: "2026-11-24T11:30:00.000Z",
    tls: null,
    exchanges,
    stop: null,
    ending: { by: "quit", stage: "quit", text: "both sides said goodbye" },
    timings: { connectedMs: 0.5, decidedMs: 9, endedMs: 10 },
    ...rest,
  };
}

/** The case that the project was born from: RCPT refused and the connection closed, with DATA pipelined behind it. */
export const blocked: Transcript = transcript(
  [
    greeting,
    ehlo,
    exchange("mail", "MAIL FROM:<probe@sender.example>", "250 2.1.0 ok", { group: 2 }),
    exchange("rcpt", "RCPT TO:<someone@mx.example>", ["554-5.7.0 blocked", "554 5.7.0 see https://mx.example/"], {
      group: 2,
    }),
    exchange("quit", "QUIT", null, { group: 2 }),
  ],
  { ending: { by: "reset", stage: "quit", text: "connection reset while waiting for the reply to QUIT" } },
);

/** The case that it is for: accepted by one host, while another has our IP on a list. */
export const listed: Transcript = transcript(
  [exchange("greeting", null, "554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org")],
  {
    host: "mx01.mail.icloud.com",
    address: "192.0.2.25",
    localAddress: "203.0.113.9",
    ending: { by: "fin", stage: "greeting", text: "connection closed by the peer" },
  },
);

/** A session that was accepted up to RCPT. */
export const welcome: Transcript = transcript([
  greeting,
  ehlo,
  exchange("mail", "MAIL FROM:<probe@sender.example>", "250 2.1.0 ok", { group: 2 }),
  exchange("rcpt", "RCPT TO:<someone@mx.example>", "250 2.1.5 ok", { group: 2 }),
  exchange("quit", "QUIT", "221 bye", { group: 2 }),
]);
