// A verdict for people: the answer in a line, each recipient's own, then every attempt's dialog with the deciding line
// marked and what it cost. It judges nothing, and shows no text of a host's as it came.
import { dialogLines, type DialogLine } from "../smtp/dialog.ts";
import type { Exchange, Retry, TlsFacts, Transcript } from "../smtp/transcript.ts";
import { standing } from "../verdict/incident.ts";
import { egressNote } from "../verdict/own-address.ts";
import { policyNotes } from "../verdict/policy-note.ts";
import type { RecipientVerdict, Verdict } from "../verdict/verdict.ts";
import { meaningLines, reservation } from "./meaning.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";

/** How a verdict is shown. */
export interface Form {
  /** As a JSON document, for programs. */
  readonly json: boolean;
  /** Whether a document that stands alone is indented: on a terminal. */
  readonly pretty: boolean;
  /** Whether it is the only one; else documents come one a line, and people are told the domain of each. */
  readonly alone: boolean;
}

/** The verdict as text, safe for a terminal. */
export function print(verdict: Verdict, { json, pretty, alone }: Form): string {
  if (!json) return alone ? printVerdict(verdict) : `${subjectOf(verdict)}:\n${printVerdict(verdict)}\n`;
  return `${visibleJson(JSON.stringify(verdict, null, pretty && alone ? 2 : 0))}\n`;
}

/**
 * The whole of it, safe for a terminal, each line ended.
 * @param meaning what stands for class and remedy, where another verdict has told them
 */
export function printVerdict(verdict: Verdict, meaning: readonly string[] = meaningLines(verdict)): string {
  const deciding = decidingOf(verdict);
  const lines = [
    ...headline(verdict),
    ...meaning,
    ...[egressNote(verdict) ?? []].flat(),
    ...policyNotes(verdict),
    ...[reservation(verdict) ?? []].flat(),
    ...findingLines(verdict),
    ...recipientLines(verdict.recipients),
    ...verdict.attempts.flatMap((attempt) => ["", ...attemptLines(attempt, deciding)]),
  ];
  // Line by line: a line feed inside a stored text would forge a line of ours.
  return lines.map((line) => `${visibleLine(line)}\n`).join("");
}

/** The domain that a verdict is about, to tell it from others. */
function subjectOf(verdict: Verdict): string {
  const recipient = verdict.recipients[0]?.address;
  return visibleLine(recipient === undefined ? verdict.primary.host : recipient.slice(recipient.lastIndexOf("@") + 1));
}

function headline(verdict: Verdict): readonly string[] {
  const { primary } = verdict;
  const [first = "", ...more] = primary.text.split("\n");
  const who = primary.stage === "dns" ? `for ${primary.host}` : `by ${peerOf(primary)}`;
  const cut = primary.partial ? ["  (cut short: the reply never ended)"] : [];
  return [
    `${standing(verdict.outcome, primary.stage)} ${who}: ${first}`,
    ...more.map((line) => `  ${line}`),
    ...cut,
    ...(primary.stage === "dns" && primary.status !== null
      ? [`status: ${primary.status} (ours: no host said it)`]
      : []),
  ];
}

/** What pages besides the primary: another host's refusal, or one that lost to a wider one. */
function findingLines({ findings, primary }: Verdict): readonly string[] {
  const others = findings.filter(
    ({ text, stage, host, address }) =>
      text !== primary.text || stage !== primary.stage || host !== primary.host || address !== primary.address,
  );
  return others.flatMap((each) => [
    `also at ${each.stage} by ${peerOf(each)}: ${each.text.replaceAll("\n", " / ")}`,
    ...meaningLines(each).map((line) => `  ${line}`),
  ]);
}

function recipientLines(recipients: readonly RecipientVerdict[]): readonly string[] {
  if (recipients.length < 2) return [];
  const width = Math.max(...recipients.map((each) => visibleLine(each.address).length));
  return [
    "recipients:",
    ...recipients.map(
      ({ address, outcome, stage, text }) =>
        `  ${visibleLine(address).padEnd(width)}  ${standing(outcome, stage)}: ${text.replaceAll("\n", " / ")}`,
    ),
  ];
}

/** What decided, among the attempts: an exchange, or, where nothing was said, the attempt that failed. */
interface Deciding {
  readonly attempt: Transcript | null;
  readonly exchange: Exchange | null;
}

function decidingOf({ primary, attempts }: Verdict): Deciding {
  const asked = attempts.filter(
    ({ host, address, port }) => host === primary.host && address === primary.address && port === primary.port,
  );
  if (primary.code === null) {
    // The words of a failure hold those of the session that failed.
    const failures = asked.map((attempt) => ({ attempt, words: attempt.stop?.text ?? attempt.ending.text }));
    const told = failures.find(({ words }) => words !== "" && primary.text.includes(words))?.attempt;
    return { attempt: told ?? asked.at(-1) ?? null, exchange: null };
  }
  const said = asked.flatMap((attempt) =>
    attempt.exchanges
      .filter((exchange) => exchange.reply?.code === primary.code && exchange.reply.lines.join("\n") === primary.text)
      .map((exchange) => ({ attempt, exchange })),
  );
  const answer = said.find(({ exchange }) => exchange.command === primary.command) ?? said[0];
  return answer ?? { attempt: null, exchange: null };
}

function attemptLines(attempt: Transcript, deciding: Deciding): readonly string[] {
  const { ending, retry, timings } = attempt;
  const silent = deciding.attempt === attempt && deciding.exchange === null;
  // Without a connection the ending says it all.
  const dialog = timings.connectedMs === null ? [] : dialogLines(attempt);
  const rows = dialog.map((line, index) => {
    const decided = line.exchange === null ? silent && index === dialog.length - 1 : isDeciding(line, deciding);
    return row(line, dialog[index - 1] ?? null, decided, attempt);
  });
  return [
    `${peerOf(attempt)}, ${attempt.startedAt}${attempt.localAddress === null ? "" : `, from ${attempt.localAddress}`}`,
    ...(retry === null ? [] : [`  ${retries[retry]}`]),
    ...(rows.length === 0 ? [] : ["  trip       ms"]),
    ...rows,
    ...tlsLines(attempt),
    ...policyLines(attempt),
    `${silent && rows.length === 0 ? mark : " "} ended: ${ending.text || ending.by}`,
    `  decided after ${timings.decidedMs} ms, gone after ${timings.endedMs} ms`,
  ];
}

const mark = "▶";

const retries: Readonly<Record<Retry, string>> = {
  "lock-step": "asked again lock-step, because it refused commands that were pipelined",
  "without-chunking": "asked again with DATA, because it refused BDAT, which it had announced",
  "in-clear": "asked again in the clear, because TLS failed",
  "more-recipients": "asked again, because it takes no more recipients in one transaction",
};

function isDeciding(line: DialogLine, deciding: Deciding): boolean {
  return line.kind === "reply" && line.exchange === deciding.exchange;
}

/** The mark, the round trip where one begins, the time to the reply where one begins, and the line. */
function row(line: DialogLine, before: DialogLine | null, decided: boolean, attempt: Transcript): string {
  const { exchange } = line;
  const group =
    exchange !== null && exchange.group > 0 && exchange.group !== before?.exchange?.group ? exchange.group : "";
  const begins = line.kind === "reply" && (before?.kind !== "reply" || before.exchange !== exchange);
  const ms = begins && exchange !== null ? elapsed(exchange, attempt) : "";
  return `${decided ? mark : " "} ${String(group).padStart(4)} ${ms.padStart(8)}  ${line.text}`;
}

/** From the command, or the connection, to its reply. Empty for a reply to nothing. */
function elapsed({ command, sentMs, repliedMs, stage }: Exchange, { timings }: Transcript): string {
  const since = command === null && stage === "greeting" ? timings.connectedMs : sentMs;
  return since === null || repliedMs === null ? "" : Math.max(0, repliedMs - since).toFixed(1);
}

function tlsLines({ tls, exchanges }: Transcript): readonly string[] {
  if (tls !== null) return [`  TLS: ${tls.version}, ${tls.cipher}; ${certificateText(tls.certificate)}`];
  return exchanges.some(({ stage }) => stage === "mail") ? ["  TLS: none"] : [];
}

function policyLines({ policy }: Transcript): readonly string[] {
  if (policy === null) return [];
  const name = policy.mode === "unknown" ? "TLS policy, not known" : "TLS policy";
  return [`  ${name}: ${policy.text}`, ...(policy.fault === null ? [] : [`  not as it asks: ${policy.fault}`])];
}

function certificateText(certificate: TlsFacts["certificate"]): string {
  if (certificate === null) return "no certificate";
  const { names, issuer, validFrom, validTo, verified, fault } = certificate;
  const trust = verified ? "verified" : `not verified (${fault ?? "no reason given"})`;
  const shown = names.length > 4 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return `certificate for ${shown.join(", ")}, by ${issuer}, valid from ${validFrom} to ${validTo}, ${trust}`;
}

/** A host as texts name it: `mx.example [192.0.2.1]`, with another port than 25 `mx.example [192.0.2.1]:2525`. */
export function peerOf(peer: {
  readonly host: string;
  readonly address: string | null;
  readonly port: number;
}): string {
  const address = peer.address === null ? "" : ` [${peer.address}]`;
  return `${peer.host}${address}${peer.port === 25 ? "" : `:${peer.port}`}`;
}
