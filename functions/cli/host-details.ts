// What is to be told of hosts below their table: the dialog of each that said no, and what to do, once for all that it
// is to be done for. It judges nothing.
import { isNegative } from "../smtp/yes.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { visibleLine } from "../verdict/visible.ts";
import { isPage } from "./host-count.ts";
import { meaningLines } from "./meaning.ts";
import { peerOf, printVerdict } from "./print.ts";
import { wrapped } from "./wrap.ts";

/** Safe for a terminal, each line ended; those that somebody is woken for first. Empty where all accepted. */
export function hostDetails(hosts: readonly Verdict[]): string {
  const failed = hosts.filter((each) => each.outcome !== "accepted" || isPage(each));
  const inOrder = [...failed.filter(isPage), ...failed.filter((each) => !isPage(each))];
  // By the lines that tell it.
  const tellers = new Map<string, string>();
  const tell = (meaning: readonly string[], who: string): readonly string[] => {
    const teller = tellers.get(meaning.join("\n"));
    if (teller !== undefined) return [`do: as for ${teller}`];
    if (meaning.length > 0) tellers.set(meaning.join("\n"), who);
    return meaning;
  };
  const spoken = inOrder.filter(saysNo).map((each) => {
    return printVerdict(each, tell(meaningLines(each), peerOf(each.primary)));
  });
  const silent = Map.groupBy(
    inOrder.filter((each) => !saysNo(each)),
    (each) => meaningLines(each).join("\n"),
  );
  const others = [...silent.values()].map((its) => {
    const [first] = its as [Verdict, ...Verdict[]];
    const names = [...new Set(its.map(({ primary }) => peerOf(primary)))];
    const lines = [...wrapped(`${names.join(", ")}:`), ...tell(meaningLines(first), names[0] ?? "")];
    return lines.map((line) => `${visibleLine(line)}\n`).join("");
  });
  return [...spoken, ...others].map((each) => `\n${each}`).join("");
}

/**
 * Whether its dialog tells more than the table: it refused something, or what came was not what can come there. Of who was
 * not reached, or said yes until it fell silent, the table has all.
 */
export function saysNo({ attempts, outcome, findings }: Verdict): boolean {
  if (outcome === "accepted" && findings.length === 0) return false;
  return attempts.some(({ exchanges, stop, timings }) => {
    const isHeard = timings.connectedMs !== null;
    return isHeard && (stop !== null || exchanges.some(({ reply }) => isNegative(reply)));
  });
}
