// A self-check for people: who was looked at and how that stands, then a line for each check with what to do next. It
// checks nothing, and shows no text of DNS or of a host as it came.
import type { Check, Standing } from "../self-check/found.ts";
import type { SelfCheck } from "../self-check/self-check.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import type { Form } from "./print.ts";
import { wrapped } from "./wrap.ts";

const marks: Readonly<Record<Standing, string>> = { ok: "ok", fault: "FAULT", unknown: "?" };

const statuses: Readonly<Record<Standing, number>> = { ok: 0, fault: 1, unknown: 3 };

/** The self-check as text, safe for a terminal. */
export function printSelfCheck(document: SelfCheck, { json, pretty, alone }: Form): string {
  if (json) return `${visibleJson(JSON.stringify(document, null, pretty && alone ? 2 : 0))}\n`;
  const { checks } = document;
  const lines = [
    ...wrapped(headline(document)),
    ...checks.flatMap((each, at) => checkLines(each, checks.slice(0, at))),
  ];
  // Line by line: a line feed inside a text would forge a line of ours.
  const text = lines.map((line) => `${visibleLine(line)}\n`).join("");
  return alone ? text : `${text}\n`;
}

/** Of several a fault, which somebody can mend, before what is unknown. */
export function selfCheckStatusOf(standings: readonly Standing[]): number {
  const worst = (["fault", "unknown"] as const).find((each) => standings.includes(each)) ?? "ok";
  return statuses[worst];
}

function headline({ egress, helo, sender, checks }: SelfCheck): string {
  const address = egress.address ?? "address not known";
  const from = sender === "" ? "the null sender" : `sender ${sender}`;
  return `${summary(checks)}: egress ${egress.name} (${address}), EHLO ${helo ?? "an address literal"}, ${from}`;
}

function summary(checks: readonly Check[]): string {
  const faults = checks.filter(({ standing }) => standing === "fault").length;
  const unknowns = checks.filter(({ standing }) => standing === "unknown").length;
  const parts = [
    ...(faults === 0 ? [] : [`${faults} ${faults === 1 ? "fault" : "faults"}`]),
    ...(unknowns === 0 ? [] : [`${unknowns} not known`]),
  ];
  return parts.length === 0 ? "ok" : parts.join(", ");
}

/** As wide as the widest mark and name. */
const markWidth = 5;
const nameWidth = "reverse-dns".length;
const margin = " ".repeat(markWidth + nameWidth + 4);

/** @param before those that were told before it: what is to be done for one of them is not told again */
function checkLines({ check, standing, text, remedy }: Check, before: readonly Check[]): readonly string[] {
  const first = `${marks[standing].padEnd(markWidth)}  ${check.padEnd(nameWidth)}  ${text}`;
  const lines = wrapped(first, margin);
  if (remedy === null) return lines;
  const same = before.find((each) => each.remedy?.text === remedy.text && each.remedy.url === remedy.url);
  if (same !== undefined) return [...lines, `${margin}do: as for ${same.check}`];
  return [
    ...lines,
    ...wrapped(`${margin}do: ${remedy.text}`, `${margin}    `),
    ...(remedy.url === null ? [] : [`${margin}see: ${remedy.url}`]),
  ];
}
