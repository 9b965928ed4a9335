// The schedule: in each slot, one request for every target and egress that is due. What is left out on purpose, because
// somebody paused it or the provider asked us to slow down, is counted as Skipped. It probes nobody itself.
import { overAfter, tableOf, type Context, type HandlerDeps } from "./handler.ts";
import { dueIn, type Due } from "./queue/due.ts";
import { Queues, queueNames, runnerOf, type Outgoing } from "./queue/queues.ts";
import { skippedFigure } from "./report/figures.ts";
import { faultText } from "./report/log.ts";
import { metricEntries, putFigures } from "./report/metrics.ts";
import { isMarked, setMark, type Mark } from "./state/marks.ts";
import { statesOf } from "./state/pairs.ts";
import { pausesOf } from "./state/pauses.ts";
import type { Table } from "./state/table.ts";

export interface ScheduleResult {
  readonly slot: string;
  readonly sent: number;
  readonly skipped: number;
  /** Whether the slot had been done before, so that nothing was. */
  readonly already: boolean;
}

export type Schedule = (event: unknown, context: Context) => Promise<ScheduleResult>;

/**
 * @returns the handler of `{ "slot": "<aws.scheduler.scheduled-time>" }`. It throws where requests could not be sent, so
 *   that it is called again; those that were sent have the same ids then, and are not probed twice.
 */
export function createSchedule(deps: HandlerDeps): Schedule {
  const queues = new Queues(deps.clients.sqs);
  const table = tableOf(deps);
  return async (event, context) => {
    const slot = slotOf(event);
    const mark: Mark = { kind: "slot", slot };
    if (await isMarked(mark, table)) return { slot, sent: 0, skipped: 0, already: true };
    const due = dueIn(slot, deps.config);
    const reasons = await reasonsToSkip(due, table);
    const wanted = due.filter((each) => !reasons.has(each));
    await send(wanted, queues, deps);
    await countSkipped(reasons, deps, context);
    await setMark(mark, table);
    deps.log({ level: "info", event: "scheduled", slot, sent: wanted.length, skipped: reasons.size });
    return { slot, sent: wanted.length, skipped: reasons.size, already: false };
  };
}

function slotOf(event: unknown): string {
  const slot = (event as { readonly slot?: unknown } | null)?.slot;
  if (typeof slot === "string" && !Number.isNaN(Date.parse(slot))) return new Date(slot).toISOString();
  throw new Error('the event holds no slot; the Scheduler\'s input is {"slot": "<aws.scheduler.scheduled-time>"}');
}

/** Why one that is due is not probed now; nothing for the others. */
async function reasonsToSkip(due: readonly Due[], table: Table): Promise<ReadonlyMap<Due, string>> {
  const pairs = due.map(({ pair }) => ({ provider: pair.target.provider, egress: pair.egress.name }));
  const states = await statesOf(pairs, table);
  const pauses = await pausesOf(
    pairs.flatMap(({ provider, egress }) => [
      { kind: "provider" as const, name: provider },
      { kind: "egress" as const, name: egress },
    ]),
    table,
  );
  const reasons = new Map<Due, string>();
  for (const [index, each] of due.entries()) {
    const { target, egress } = each.pair;
    const pause = pauses.find(({ kind, name }) => name === (kind === "provider" ? target.provider : egress.name));
    const notBefore = states[index]?.notBefore ?? null;
    if (pause !== undefined) reasons.set(each, `paused until ${pause.until}: ${pause.reason}`);
    else if (notBefore !== null && Date.parse(notBefore) > each.atMs)
      reasons.set(each, `backing off until ${notBefore}`);
  }
  return reasons;
}

async function send(due: readonly Due[], queues: Queues, { config }: HandlerDeps): Promise<void> {
  const byQueue = Map.groupBy(due, ({ pair }) => queueNames(config, runnerOf(pair.egress.name, config)).probe);
  const sending = [...byQueue].map(([queue, its]) => queues.send(queue, its.map(outgoing)));
  const faults = (await Promise.allSettled(sending)).filter((each) => each.status === "rejected");
  if (faults.length > 0) throw new Error(faults.map(({ reason }) => faultText(reason)).join("; "));
}

function outgoing({ request, delayS }: Due): Outgoing {
  return { body: JSON.stringify(request), attributes: {}, delayS };
}

/** A figure that cannot be sent is no reason to probe anybody twice. */
async function countSkipped(
  reasons: ReadonlyMap<Due, string>,
  { clients, now, log }: HandlerDeps,
  context: Context,
): Promise<void> {
  for (const [{ request }, reason] of reasons) log({ level: "info", event: "skipped", id: request.id, reason });
  const figures = [...reasons.keys()].map(({ pair }) => skippedFigure(pair.egress.name, 1));
  if (figures.length === 0) return;
  try {
    await putFigures([{ at: now(), figures }], clients.cloudWatch, overAfter(context.getRemainingTimeInMillis()));
  } catch (error) {
    log({ level: "error", event: "figures-unsent", fault: faultText(error) });
    for (const entry of metricEntries(figures, now())) log(entry);
  }
}
