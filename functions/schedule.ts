// The schedule: in each slot, one request for every target and egress that is due, and for every egress whose self-check
// is; and of sends, a word to look at what is due and has no message of its own. What is left out on purpose, because
// somebody paused it or the provider asked us to slow down, is counted as Skipped. It probes nobody itself.
import { overAfter, tableOf, type Context, type HandlerDeps } from "./handler.ts";
import { tellRunning } from "./note-running.ts";
import { dueIn, selfChecksIn, type Due, type DueSelfCheck } from "./queue/due.ts";
import { Queues, queueNames, runnerOf, type Outgoing } from "./queue/queues.ts";
import { faultText } from "./report/log.ts";
import { metricEntries, putFigures } from "./report/metrics.ts";
import { skippedFigure } from "./report/probed.ts";
import { sweep, type Sweep } from "./schedule/sweep.ts";
import { isMarked, setMark, type Mark } from "./state/marks.ts";
import { statesOf } from "./state/pairs.ts";
import { pausesOf, type Paused } from "./state/pauses.ts";
import type { Table } from "./state/table.ts";

export interface ScheduleResult {
  readonly slot: string;
  readonly sent: number;
  readonly skipped: number;
  /** Whether the slot's probes had been sent before, so that none were. */
  readonly already: boolean;
  /** Deliveries that somebody was asked to look at. */
  readonly woken: number;
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
    // Sends do not wait for probes that cannot be asked for.
    const [probes] = await Promise.allSettled([askForProbes(slot, context, { deps, queues, table })]);
    const [woken] = await Promise.allSettled([sweep(slot, context, { deps, queues, table })]);
    if (probes.status === "fulfilled" && woken.status === "fulfilled") return { ...probes.value, woken: woken.value };
    const reasons = [probes, woken].flatMap((each) => (each.status === "rejected" ? [faultText(each.reason)] : []));
    throw new Error(reasons.join("; "));
  };
}

async function askForProbes(
  slot: string,
  context: Context,
  { deps, queues, table }: Sweep,
): Promise<Omit<ScheduleResult, "woken">> {
  const mark: Mark = { kind: "slot", slot };
  if (await isMarked(mark, table)) return { slot, sent: 0, skipped: 0, already: true };
  await tellRunning("schedule", deps, table);
  const due = [...dueIn(slot, deps.config), ...selfChecksIn(slot, deps.config)].map(itemOf);
  const reasons = await reasonsToSkip(due, table);
  const wanted = due.filter((each) => !reasons.has(each));
  await send(wanted, queues, deps);
  await countSkipped(reasons, deps, context);
  await setMark(mark, table);
  deps.log({ level: "info", event: "scheduled", slot, sent: wanted.length, skipped: reasons.size });
  return { slot, sent: wanted.length, skipped: reasons.size, already: false };
}

function slotOf(event: unknown): string {
  const slot = (event as { readonly slot?: unknown } | null)?.slot;
  if (typeof slot === "string" && !Number.isNaN(Date.parse(slot))) return new Date(slot).toISOString();
  throw new Error('the event holds no slot; the Scheduler\'s input is {"slot": "<aws.scheduler.scheduled-time>"}');
}

/** What is due, of either kind. */
interface Item extends Pick<DueSelfCheck, "egress" | "atMs" | "delayS"> {
  readonly request: Due["request"] | DueSelfCheck["request"];
  /** Null: it is about no one of them. */
  readonly provider: string | null;
}

function itemOf(due: Due | DueSelfCheck): Item {
  if (!("pair" in due)) return { ...due, provider: null };
  const { pair, request, atMs, delayS } = due;
  return { provider: pair.target.provider, egress: pair.egress.name, request, atMs, delayS };
}

/** Why one that is due is left out now; nothing for the others. */
async function reasonsToSkip(due: readonly Item[], table: Table): Promise<ReadonlyMap<Item, string>> {
  const pairs = due.flatMap(({ provider, egress }) => (provider === null ? [] : [{ provider, egress }]));
  const [states, pauses] = [await statesOf(pairs, table), await pausesOf(due.flatMap(pausable), table)];
  const reasons = new Map<Item, string>();
  for (const each of due) {
    const { provider, egress, atMs } = each;
    const pause = pauses.find((one) => pausable(each).some(({ kind, name }) => one.kind === kind && one.name === name));
    const state = states.find((one) => one.provider === provider && one.egress === egress);
    const notBefore = state?.notBefore ?? null;
    if (pause !== undefined) reasons.set(each, `paused until ${pause.until}: ${pause.reason}`);
    else if (notBefore !== null && Date.parse(notBefore) > atMs) reasons.set(each, `backing off until ${notBefore}`);
  }
  return reasons;
}

function pausable({ provider, egress }: Item): readonly Paused[] {
  const its = { kind: "egress", name: egress } as const;
  return provider === null ? [its] : [{ kind: "provider", name: provider }, its];
}

async function send(due: readonly Item[], queues: Queues, { config }: HandlerDeps): Promise<void> {
  const byQueue = Map.groupBy(due, ({ egress }) => queueNames(config, runnerOf(egress, config)).probe);
  const sending = [...byQueue].map(([queue, its]) => queues.send(queue, its.map(outgoing)));
  const faults = (await Promise.allSettled(sending)).filter((each) => each.status === "rejected");
  if (faults.length > 0) throw new Error(faults.map(({ reason }) => faultText(reason)).join("; "));
}

function outgoing({ request, delayS }: Item): Outgoing {
  return { body: JSON.stringify(request), attributes: {}, delayS };
}

/** A figure that cannot be sent is no reason to probe anybody twice. */
async function countSkipped(
  reasons: ReadonlyMap<Item, string>,
  { clients, now, log }: HandlerDeps,
  context: Context,
): Promise<void> {
  for (const [{ request }, reason] of reasons) log({ level: "info", event: "skipped", id: request.id, reason });
  const figures = [...reasons.keys()].map(({ egress }) => skippedFigure(egress, 1));
  if (figures.length === 0) return;
  try {
    await putFigures([{ at: now(), figures }], clients.cloudWatch, overAfter(context.getRemainingTimeInMillis()));
  } catch (error) {
    log({ level: "error", event: "figures-unsent", fault: faultText(error) });
    for (const entry of metricEntries(figures, now())) log(entry);
  }
}
