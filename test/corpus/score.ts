// Prints how often the rules are right on labelled replies: `npm run score`, `npm run score -- file.jsonl`, and
// `npm run score -- --by-provider` without the rules of each reply's own provider. It passes no judgement on the figures.
import process from "node:process";
import { parseArgs } from "node:util";
import type { Class } from "../../functions/verdict/classes.ts";
import { classifyLabelled, readCorpus, repliesFile, type Labelled } from "./corpus.ts";

const { values, positionals } = parseArgs({
  options: { "by-provider": { type: "boolean", default: false } },
  allowPositionals: true,
});
const rows = readCorpus(positionals[0] ?? repliesFile).map((row) => ({
  row,
  got: classifyLabelled(row, values["by-provider"] ? "provider" : null),
}));
type Scored = (typeof rows)[number];

for (const line of [...misses(), "", ...confusion(), "", ...perClass(), "", ...totals()])
  process.stdout.write(`${line}\n`);

function misses(): readonly string[] {
  return rows.filter(isMiss).map(({ row, got }) => {
    const reply = row.reply.replaceAll("\n", " / ");
    return `${labelOf(row)} → ${labelOf(got)} by ${got.rule} [${row.stage}, ${row.mx ?? "-"}] ${reply.slice(0, 160)}`;
  });
}

function isMiss({ row, got }: Scored): boolean {
  return got.class !== row.class || (row.blocklist !== null && got.blocklist !== row.blocklist);
}

function labelOf({ class: kind, blocklist }: Pick<Labelled, "class" | "blocklist">): string {
  return blocklist === null ? kind : `${kind}/${blocklist}`;
}

/** Rows: the label; columns: the class given. Only what was labelled or given. */
function confusion(): readonly string[] {
  const names = [...new Set(rows.flatMap(({ row, got }) => [row.class, got.class]))].toSorted();
  const width = Math.max(...names.map((name) => name.length));
  const head = `${"label \\ given".padEnd(width)} ${names.map((_, index) => String(index + 1).padStart(4)).join("")}`;
  const lines = names.map((name, index) => {
    const counts = names.map((given) => count((each) => each.row.class === name && each.got.class === given));
    return `${name.padEnd(width)} ${counts.map((each) => (each === 0 ? "   ·" : String(each).padStart(4))).join("")}  ${index + 1}`;
  });
  return [head, ...lines];
}

function perClass(): readonly string[] {
  const names = [...new Set(rows.map(({ row }) => row.class))].toSorted();
  return names.map((name) => `${name.padEnd(17)}  ${precisionAndRecall(name)}`);
}

function precisionAndRecall(name: Class): string {
  const right = count(({ row, got }) => row.class === name && got.class === name);
  const given = count(({ got }) => got.class === name);
  const labelled = count(({ row }) => row.class === name);
  return `precision ${ratio(right, given)}  recall ${ratio(right, labelled)}`;
}

function totals(): readonly string[] {
  const named = rows.filter(({ row }) => row.blocklist !== null);
  const listed = named.filter(({ row, got }) => row.blocklist === got.blocklist).length;
  return [
    `accuracy       ${ratio(
      count(({ row, got }) => row.class === got.class),
      rows.length,
    )}`,
    `ip-reputation  ${precisionAndRecall("ip-reputation")}`,
    `blocklist      ${ratio(listed, named.length)} of those that name one`,
  ];
}

function count(test: (each: Scored) => boolean): number {
  return rows.filter(test).length;
}

function ratio(part: number, whole: number): string {
  return whole === 0 ? "  –  " : `${((100 * part) / whole).toFixed(1).padStart(5)} % (${part}/${whole})`;
}
