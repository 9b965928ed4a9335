// Who runs this configuration, as status tells it: the schedule, the functions and each worker, and whether one runs
// another or has not been heard of for longer than it may be silent. It does not know what differs.
import { pairsOf, type Config } from "../config/config.ts";
import { runningNameOf } from "../note-running.ts";
import { spanText } from "../page/said.ts";
import { slotMs } from "../queue/due.ts";
import { runnerOf } from "../queue/queues.ts";
import { runningOf, type RunningName } from "../state/running.ts";
import type { Table } from "../state/table.ts";

export interface RunningStatus {
  readonly runner: RunningName;
  /** The last that was heard of it; null: nothing, or so long ago that it is forgotten. */
  readonly hash: string | null;
  readonly version: string | null;
  readonly at: string | null;
  /** Whether it runs this very configuration. */
  readonly isThis: boolean;
  /** Whether more time has passed than between two rounds of what it works on. */
  readonly isSilent: boolean;
}

export async function runningStatuses(
  config: Config,
  hash: string,
  at: string,
  table: Table,
): Promise<readonly RunningStatus[]> {
  const expected = expectedOf(config);
  const heard = await runningOf(
    expected.map(({ runner }) => runner),
    table,
  );
  return expected.map(({ runner, everyMs }) => {
    const found = heard.find((each) => each.runner === runner);
    if (found === undefined) return { runner, hash: null, version: null, at: null, isThis: false, isSilent: true };
    const isSilent = Date.parse(at) - Date.parse(found.at) > 2 * everyMs + graceMs;
    return { runner, hash: found.hash, version: found.version, at: found.at, isThis: found.hash === hash, isSilent };
  });
}

/** A row is written every five minutes at most, and a batch may be long. */
const graceMs = 900_000;
/** What no target is probed over is checked once a day. */
const dayMs = 86_400_000;

interface Expected {
  readonly runner: RunningName;
  /** How often it has something to do. */
  readonly everyMs: number;
}

function expectedOf(config: Config): readonly Expected[] {
  const byRunner = Map.groupBy(config.egresses, ({ name }) => runningNameOf(runnerOf(name, config)));
  const runners = [...byRunner].map(([runner, egresses]) => {
    const targets = pairsOf(config).filter(({ egress }) => egresses.includes(egress));
    const everyMs = Math.min(dayMs, ...targets.map(({ target }) => target.everyMinutes * 60_000));
    return { runner, everyMs };
  });
  // The functions first, however the configuration has them.
  const inOrder = runners.toSorted((a, b) => Number(b.runner === "functions") - Number(a.runner === "functions"));
  return [{ runner: "schedule", everyMs: slotMs }, ...inOrder];
}

/** A line where everybody runs it; else one a runner that does not, or is silent, with what to do below it. */
export function runningLines(hash: string, running: readonly RunningStatus[], at: string): readonly string[] {
  const wrong = running.filter(({ isThis, isSilent }) => !isThis || isSilent);
  if (wrong.length === 0) return [`config ${hash} runs everywhere`];
  return [
    `config ${hash} ${wrong.length === running.length ? "is not known to run anywhere" : "does not run everywhere"}:`,
    ...wrong.flatMap((each) => wrongLines(each, at).map((line) => `  ${line}`)),
  ];
}

function wrongLines({ runner, hash, version, at: heardAt, isThis }: RunningStatus, at: string): readonly string[] {
  const [kind, worker] = runner.split("/");
  const who = worker === undefined ? `the ${kind}` : `worker ${worker}`;
  if (hash === null || heardAt === null) {
    const start = `start it: delivery-probe worker --egress ${worker}`;
    return [`${who}: never heard of`, `  ${worker === undefined ? "deploy it with this file" : start}`];
  }
  const span = spanText(heardAt, at);
  if (isThis) return [`${who}: silent for ${span}`, "  look whether it runs, and at its log"];
  return [
    `${who} ${kind === "functions" ? "run" : "runs"} another configuration (${hash}, version ${version}, ${span} ago)`,
    `  ${worker === undefined ? "deploy it again" : "restart it"} with this file`,
  ];
}
