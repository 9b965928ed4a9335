// Prints a transcript in the notation of dialogs: RFC 5321 Appendix D's own letters, so that what happened once can be
// pasted into test/dialogs/ and happen again. It copies what was said and does not know what it means.
import type { Reply } from "./reply.ts";
import type { Ending, Exchange, TlsFacts, Transcript } from "./transcript.ts";

/** A line of the notation and the exchange that it belongs to; null for comments, the ending and the verdict. */
export interface DialogLine {
  readonly text: string;
  readonly kind: "command" | "reply" | "act" | "comment";
  readonly exchange: Exchange | null;
}

/** What was decided, of the session or of one recipient. */
export interface DialogAnswer {
  readonly outcome: string;
  readonly stage: string;
  readonly code: number | null;
  readonly status: string | null;
}

export interface DialogVerdict extends DialogAnswer {
  readonly recipients: readonly (DialogAnswer & { readonly address: string })[];
}

/**
 * A host's sessions as text that can be pasted into test/dialogs/ and is a test there: a title, how they were meant, what
 * was said, how it ended, what was decided. The message's size stands as a pattern, since a test sends its own message.
 * No line of it can move a cursor or hide. A session without a connection has nothing to play.
 */
export function dialogText(
  sessions: readonly [Transcript, ...Transcript[]],
  verdict: DialogVerdict,
  title: string,
): string {
  const [{ depth, tlsPolicy, from, recipients }] = sessions;
  const asked = new Set(sessions.flatMap(({ exchanges }) => exchanges.map((each) => each.recipient)));
  const own = verdict.recipients.length > 1 ? verdict.recipients : [];
  return [
    `# ${shown(title)}`,
    `@ depth ${depth}`,
    `@ tls ${tlsPolicy}`,
    `@ from ${shown(from)}`.trimEnd(),
    // Whom RCPT names need not be said; who was never come to, must.
    ...(recipients.every((each) => asked.has(each)) ? [] : [`@ to ${recipients.map(shown).join(" ")}`]),
    ...(sessions.some(({ stop }) => stop?.reason === "uncommitted") ? ["@ commit no"] : []),
    ...sessions.flatMap((each, index) => [...(index === 0 ? [] : ["--"]), ...dialogLines(each).map(portable)]),
    `=> ${answerText(verdict)}; ended by ${sessions.at(-1)?.ending.by}`,
    ...own.map((each) => `=> ${shown(each.address)}: ${answerText(each)}`),
    "",
  ].join("\n");
}

/** The conversation in the order of the wire: the commands of a group, then their replies (RFC 2920 §3.1). */
export function dialogLines(transcript: Transcript): readonly DialogLine[] {
  if (transcript.timings.connectedMs === null) return [lineOf("comment", `# ${shown(transcript.ending.text)}`, null)];
  const lines = groupsOf(transcript.exchanges).flatMap((group) => [
    ...group.flatMap(commandLines),
    ...group.flatMap((exchange) => replyLines(exchange, transcript)),
  ]);
  return [...lines, ...stopLines(transcript), ...endingLines(transcript.ending)];
}

function answerText({ outcome, stage, code, status }: DialogAnswer): string {
  return [outcome, stage, code ?? "-", status].filter((word) => word !== null).join(" ");
}

function portable({ kind, text }: DialogLine): string {
  if (kind !== "command") return text;
  if (!/^C: (MAIL .* SIZE=|BDAT )\d/.test(text)) return text;
  const pattern = text.slice("C: ".length).replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return `C~ ^${pattern.replace(/(?<=^BDAT | SIZE=)\d+/, "\\d+")}$`;
}

function groupsOf(exchanges: readonly Exchange[]): readonly (readonly Exchange[])[] {
  const groups: Exchange[][] = [];
  for (const exchange of exchanges) {
    const open = groups.at(-1);
    if (open?.[0]?.group === exchange.group) open.push(exchange);
    else groups.push([exchange]);
  }
  return groups;
}

function commandLines(exchange: Exchange): readonly DialogLine[] {
  const { command, stage, written } = exchange;
  if (command === null) return [];
  const chunk = command.startsWith("BDAT ");
  const line = stage === "message" && !chunk ? [] : [lineOf("command", `C: ${shown(command)}`, exchange)];
  if (stage !== "message") return line;
  // A host that answers in mid-message has not read the rest, and one that plays it must not wait for it.
  if (!written) return [...line, lineOf("comment", "# the message, stopped before its end", exchange)];
  return [...line, lineOf("command", "C...", exchange)];
}

function replyLines(exchange: Exchange, transcript: Transcript): readonly DialogLine[] {
  const { reply, stage } = exchange;
  if (reply === null) return [];
  const lines = reply.lines.map((line, index) => {
    const end = endOf(reply, index);
    const asItIs = end === "\r\n" && plain(line) && !isLatin(line, reply);
    const text = asItIs ? `S: ${line}` : `S| ${octets(line, reply)}${escaped(end)}`;
    return lineOf("reply", text, exchange);
  });
  const starts = stage === "starttls" && reply.code === 220 && !reply.partial;
  return starts && transcript.tls !== null ? [...lines, lineOf("act", tlsAct(transcript.tls), null)] : lines;
}

/** An old version is what the dialog is about; a new one is what everybody speaks. */
function tlsAct({ version }: TlsFacts): string {
  if (version === "TLSv1") return "S! tls 1.0";
  return version === "TLSv1.1" ? "S! tls 1.1" : "S! tls";
}

/** What a line ended with, as far as the transcript knows: octets that no line ended were cut off. */
function endOf(reply: Reply, index: number): string {
  const last = index === reply.lines.length - 1;
  // `550-…` ended its line, or the partial reply would have been told from the next; `550 …` would have been complete.
  if (last && reply.partial && !/^\d{3}-/.test(reply.lines[index] ?? "")) return "";
  return reply.anomalies.includes("bare-lf") ? "\n" : "\r\n";
}

function stopLines({ stop }: Transcript): readonly DialogLine[] {
  if (stop === null) return [];
  const why = lineOf("comment", `# stopped at ${stop.stage} (${stop.reason}): ${shown(stop.text)}`, null);
  // What is no reply belongs to no exchange; its own words are kept here.
  return stop.reason === "garbage" ? [lineOf("reply", sentLine(stop.text), null), why] : [why];
}

function endingLines({ by }: Ending): readonly DialogLine[] {
  switch (by) {
    case "fin":
      return [lineOf("act", "S! fin", null)];
    case "reset":
      return [lineOf("act", "S! rst", null)];
    // The host said no more and left the end to us.
    case "timeout":
    case "deadline":
    case "abort":
    case "us":
      return [lineOf("act", "S! hang", null)];
    case "quit":
    case "failed":
      return [];
  }
}

function sentLine(line: string): string {
  return plain(line) ? `S: ${line}` : `S| ${escaped(`${line}\r\n`)}`;
}

function lineOf(kind: DialogLine["kind"], text: string, exchange: Exchange | null): DialogLine {
  return { kind, text, exchange };
}

/** Whether a line can stand in the notation as it is: nothing a terminal obeys or hides, nothing an editor strips. */
function plain(line: string): boolean {
  return line !== "" && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]|^\s|\s$/u.test(line);
}

function shown(line: string): string {
  return plain(line) ? line : escaped(line);
}

/** The octets of a line, escaped: as UTF-8, or as the Latin-1 that they were. */
function octets(line: string, reply: Reply): string {
  return [...Buffer.from(line, isLatin(line, reply) ? "latin1" : "utf8")].map(octetEscape).join("");
}

function isLatin(line: string, reply: Reply): boolean {
  return reply.anomalies.includes("latin-1") && /[\x80-\xff]/.test(line) && !/[^\0-\xff]/.test(line);
}

function escaped(text: string): string {
  return [...Buffer.from(text, "utf8")].map(octetEscape).join("");
}

function octetEscape(octet: number): string {
  if (octet === 0x0d) return "\\r";
  if (octet === 0x0a) return "\\n";
  if (octet === 0x5c) return "\\\\";
  if (octet > 0x1f && octet < 0x7f) return String.fromCharCode(octet);
  return `\\x${octet.toString(16).padStart(2, "0")}`;
}
