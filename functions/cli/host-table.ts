// Every host of a domain for itself, for people: a table of what each address answers, and all that is to be said of
// those that did not accept. One host of ten that refuses is a finding. It asks nobody.
import { standing } from "../verdict/incident.ts";
import { judge, type Verdict } from "../verdict/verdict.ts";
import { visibleLine } from "../verdict/visible.ts";
import { printVerdict } from "./print.ts";

/** A verdict for each address that was tried, in the order of the attempts. */
export function hostVerdicts({ attempts, egress }: Verdict): readonly Verdict[] {
  const byAddress = Map.groupBy(attempts, ({ host, address, port }) => `${host} ${address} ${port}`);
  return [...byAddress.values()].map((each) => judge(each, egress));
}

/** The whole of it, safe for a terminal, each line ended. */
export function printHosts(verdict: Verdict): string {
  const hosts = hostVerdicts(verdict);
  // Of one that was not asked the table says it all.
  const others = hosts.filter((each) => each.outcome !== "accepted" && isAsked(each));
  const lines = [headline(verdict, hosts), "", ...table(hosts)];
  const told = others.map((each) => `\n${printVerdict(each)}`);
  return lines.map((line) => `${visibleLine(line)}\n`).join("") + told.join("");
}

function headline({ recipients, depth }: Verdict, hosts: readonly Verdict[]): string {
  const recipient = recipients[0]?.address ?? "";
  const domain = recipient.slice(recipient.lastIndexOf("@") + 1);
  if (hosts.every(({ primary }) => primary.stage === "dns")) return `${domain}: there is no address to ask`;
  const accepted = hosts.filter(({ outcome }) => outcome === "accepted").length;
  const left = hosts.filter((each) => !isAsked(each)).length;
  const those = hosts.length === 1 ? "address accepts" : "addresses accept";
  const rest = left === 0 ? "" : `; ${left} not asked`;
  return `${domain}: ${accepted} of ${hosts.length} ${those} up to ${depth}${rest}`;
}

/** Whether its turn came before the time for all was over. */
function isAsked({ attempts }: Verdict): boolean {
  return !attempts.every(({ stop }) => stop?.reason === "out-of-time");
}

function table(hosts: readonly Verdict[]): readonly string[] {
  const rows = hosts.map(rowOf);
  const widths = titles.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  return [titles, ...rows].map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const titles = ["", "host", "address", "answer", "class", "TLS", "decided ms", "words"];

function rowOf(verdict: Verdict): readonly string[] {
  const { primary, outcome, attempts, class: kind } = verdict;
  const { host, address, port, stage, text } = primary;
  const last = attempts.at(-1);
  const isDecided = last !== undefined && isAsked(verdict);
  return [
    outcome === "accepted" ? " " : "▶",
    visibleLine(port === 25 ? host : `${host}:${port}`),
    address ?? "-",
    isAsked(verdict) ? standing(outcome, stage) : "not asked",
    kind ?? "-",
    last?.tls?.version ?? "-",
    isDecided ? last.timings.decidedMs.toFixed(1) : "-",
    wordsOf(text),
  ];
}

/** More is told below the table. */
const wordsLimit = 60;

function wordsOf(text: string): string {
  const line = visibleLine(text.replaceAll("\n", " / "));
  return line.length <= wordsLimit ? line : `${line.slice(0, wordsLimit).toWellFormed().trimEnd()}…`;
}
