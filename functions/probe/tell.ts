// What a batch comes to: the figures of all its verdicts and self-checks in one call, and for what could not be written or
// told a message, so that it is done later. It asks no provider, and writes no verdict.
import type { SQSRecord } from "aws-lambda";
import { overAfter, type Context } from "../handler.ts";
import { recordedMessage, untoldMessage } from "../queue/record.ts";
import { queueNames } from "../queue/queues.ts";
import type * as figures from "../report/figures.ts";
import { faultText } from "../report/log.ts";
import { tellFigures, type Stamped } from "../report/metrics.ts";
import { probedFigure } from "../report/probed.ts";
import { markSelfCheckReported } from "../state/self-checks.ts";
import { markReported } from "../state/verdicts.ts";
import { againS, type ProbeDeps, type Result, type Runs } from "./runs.ts";

/** What has a row. */
type Judged = Extract<Result, { kind: "verdict" | "self-check" }>;

/** @returns the records that failed: those that come again by themselves */
export async function tell(results: readonly Result[], context: Context, runs: Runs): Promise<readonly SQSRecord[]> {
  const judged = results.filter((each) => each.kind === "verdict" || each.kind === "self-check");
  const others = results.flatMap((each) => (each.kind === "done" ? each.figures : []));
  const fresh = judged.filter(({ stored }) => !stored.reported);
  const stamped = [...(await stampedOf(fresh, runs.deps)), { at: runs.deps.now(), figures: others }];
  // Something of the time is left for what must be put back when CloudWatch takes all of its own.
  const isTold = await tellFigures(stamped, runs.deps, overAfter(context.getRemainingTimeInMillis() * 0.6));
  const failed = await Promise.all(
    judged.map(async (each) => ((await finish(each, isTold || each.stored.reported, runs)) ? [] : [each.record])),
  );
  return [...results.filter((each) => each.kind === "failed").map(({ record }) => record), ...failed.flat()];
}

const minuteMs = 60_000;

/** By the minute of the verdict: one that is told late is of its own time, and fires no alarm of today. */
async function stampedOf(judged: readonly Judged[], deps: ProbeDeps): Promise<readonly Stamped[]> {
  if (judged.length === 0) return [];
  // It reads transcripts by the rules: where a host was asked they are here, and nobody else has to wait for them.
  const count = await import("../report/figures.ts");
  const minutes = Map.groupBy(judged, ({ stored }) => Math.floor(Date.parse(stored.at) / minuteMs));
  return [...minutes.values()].flatMap((its) => {
    const [first] = its;
    if (first === undefined) return [];
    return [{ at: new Date(first.stored.at), figures: its.flatMap((each) => figuresFor(each, count, deps)) }];
  });
}

type Count = typeof figures;

/** What is stored and cannot be counted is a fault of ours, and none of the others'. */
function figuresFor(judged: Judged, count: Count, { log }: ProbeDeps): readonly figures.Figure[] {
  try {
    if (judged.kind === "self-check") return count.selfCheckFigures(judged.stored);
    const { stored } = judged;
    return [...count.figuresOf(stored.verdict, stored, stored.blocked), probedFigure(stored.egress)];
  } catch (error) {
    log({ level: "error", event: "uncounted", id: judged.stored.id, fault: faultText(error) });
    return [];
  }
}

/** @returns false where not even a message could be sent: then the record comes again by itself */
async function finish({ kind, record, stored, isWritten }: Judged, reported: boolean, runs: Runs): Promise<boolean> {
  const { deps, table, queues } = runs;
  const queue = queueNames(deps.config, deps.runner).probe;
  try {
    if (!isWritten)
      await queues.send(queue, [recordedMessage(record, { ...stored, reported }, await runs.key(), againS)]);
    else if (!reported) await queues.send(queue, [untoldMessage(record, againS)]);
    else if (!stored.reported) {
      await (kind === "verdict" ? markReported(stored.id, table) : markSelfCheckReported(stored.id, table));
    }
    return true;
  } catch (error) {
    deps.log({ level: "error", event: "unfinished", id: stored.id, fault: faultText(error) });
    return false;
  }
}
