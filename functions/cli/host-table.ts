// Every host of a domain for itself, for people: a line that counts them, a table of what each address answers, and what
// is to be said of those that did not accept. One host of ten that refuses is a finding. It asks nobody.
import { reachableFamilies, type Egress, type Families } from "../route/egress.ts";
import { standing } from "../verdict/incident.ts";
import { judge, type Verdict } from "../verdict/verdict.ts";
import { visibleLine } from "../verdict/visible.ts";
import { hostCount, isPage, leftBecause } from "./host-count.ts";
import { hostDetails, saysNo } from "./host-details.ts";

/** A verdict for each address that was tried, in the order of the attempts. */
export function hostVerdicts({ attempts, egress }: Verdict): readonly Verdict[] {
  const byAddress = Map.groupBy(attempts, ({ host, address, port }) => `${host} ${address} ${port}`);
  return [...byAddress.values()].map((each) => judge(each, egress));
}

/** The whole of it, safe for a terminal, each line ended. */
export function printHosts(verdict: Verdict, egress: Egress, hosts = hostVerdicts(verdict)): string {
  const families = dialledFamilies(egress);
  const note = familyNote(egress.name, families);
  const lines = [hostCount(verdict, hosts, families), ...(note === null ? [] : [note]), "", ...table(hosts)];
  return lines.map((line) => `${visibleLine(line)}\n`).join("") + hostDetails(hosts);
}

/** A proxy that is handed names dials what it likes. */
function dialledFamilies(egress: Egress): Families {
  const { via } = egress;
  return via.type !== "direct" && via.passesNames ? "both" : reachableFamilies(egress);
}

/** Who has one IP version does not see what hosts answer over the other. */
function familyNote(name: string, families: Families): string | null {
  if (families === "both") return null;
  return `note: egress ${name} dials IPv${families} alone; hosts' IPv${families === "4" ? "6" : "4"} addresses are left out`;
}

function table(hosts: readonly Verdict[]): readonly string[] {
  const rows = hosts.map(rowOf);
  const widths = titles.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  return [titles, ...rows].map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const titles = ["", "host", "address", "answer", "class", "TLS", "decided ms", "words"];

function rowOf(verdict: Verdict): readonly string[] {
  const { primary, outcome, attempts, class: kind } = verdict;
  const { host, address, port, stage, text } = primary;
  const last = attempts.at(-1);
  const left = leftBecause(verdict);
  const isAsked = left !== "out-of-time" && left !== "left-out";
  return [
    outcome === "accepted" && !isPage(verdict) ? " " : "▶",
    visibleLine(port === 25 ? host : `${host}:${port}`),
    address ?? "-",
    isAsked ? standing(outcome, stage) : "not asked",
    kind ?? "-",
    last?.tls?.version ?? "-",
    isAsked && last !== undefined ? last.timings.decidedMs.toFixed(1) : "-",
    wordsOf(text, outcome === "accepted" || saysNo(verdict)),
  ];
}

const wordsLimit = 60;

/** @param isCut whether more of them would tell nothing, or is told below the table */
function wordsOf(text: string, isCut: boolean): string {
  const line = visibleLine(text.replaceAll("\n", " / "));
  if (!isCut || line.length <= wordsLimit) return line;
  return `${line.slice(0, wordsLimit).toWellFormed().trimEnd()}…`;
}
