// The sweep over what is due of sends: asks their runners to look. The row first: its wake is moved on before the message
// leaves, so that of two sweeps one alone sends it, and so that one that is lost is sent again. It looks at no row itself.
import { slotMs } from "../queue/due.ts";
import { homeOf, UnsentFault, type Outgoing, type Queues } from "../queue/queues.ts";
import type { WakeMessage } from "../queue/send-request.ts";
import type { Context, HandlerDeps } from "../handler.ts";
import { faultText } from "../report/log.ts";
import type { Table } from "../state/table.ts";
import { dueWakes, postponeWake, type Waking } from "../state/wakes.ts";

export interface Sweep {
  readonly deps: HandlerDeps;
  readonly queues: Queues;
  readonly table: Table;
}

/** Until a message of which nothing came is sent again. */
const againMs = 900_000;
/** More comes with the next slot. */
const dueLimit = 10_000;
const atATime = 50;
/** Of the invocation's time, for a last few messages. */
const reserveMs = 10_000;

/**
 * Wakes what is due before the slot's end, in its order, as far as the invocation's time goes.
 * @returns how many
 * @throws Error where a queue took none; what is for other queues is sent all the same
 */
export async function sweep(slot: string, context: Context, { deps, queues, table }: Sweep): Promise<number> {
  if (deps.config.sends === null) return 0;
  const fromMs = Date.parse(slot);
  const due: Waking[] = [];
  for await (const each of dueWakes(fromMs + slotMs, dueLimit, table)) due.push(each);
  warnOfStrangers(due, deps);
  const faults = new Map<string, string>();
  let [woken, seen] = [0, 0];
  for (; seen < due.length && context.getRemainingTimeInMillis() > reserveMs; seen += atATime) {
    const some = due.slice(seen, seen + atATime).filter(({ egress }) => !faults.has(queueOf(egress, deps)));
    const ours = await postponed(some, fromMs, table);
    woken += ours.length - (await wake(ours, faults, { deps, queues, table }));
  }
  const left = Math.max(0, due.length - seen);
  if (left > 0) deps.log({ level: "warn", event: "wakes-left", slot, left, more: due.length === dueLimit });
  if (woken > 0) deps.log({ level: "info", event: "woken", slot, woken });
  if (faults.size > 0) throw new Error([...faults.values()].join("; "));
  return woken;
}

/** Those that nobody else has woken since the index was read. */
async function postponed(some: readonly Waking[], fromMs: number, table: Table): Promise<readonly Waking[]> {
  const isOurs = await Promise.all(
    some.map(async (each) => await postponeWake(each, Math.max(fromMs, each.wakeAtMs) + againMs, table)),
  );
  return some.filter((_, index) => isOurs[index]);
}

/** @returns how many could not be sent; why, by queue, is put into `faults` */
async function wake(ours: readonly Waking[], faults: Map<string, string>, { deps, queues }: Sweep): Promise<number> {
  const byQueue = Map.groupBy(ours, ({ egress }) => queueOf(egress, deps));
  const unsent = [...byQueue].map(async ([queue, its]) => {
    try {
      await queues.send(
        queue,
        its.map((each) => messageOf(each, deps)),
      );
      return 0;
    } catch (error) {
      faults.set(queue, faultText(error));
      return error instanceof UnsentFault ? error.unsent.length : its.length;
    }
  });
  return (await Promise.all(unsent)).reduce((sum, each) => sum + each, 0);
}

/** At its time and never before: who looks too early finds nothing due, and it would wait until it is sent again. */
function messageOf({ id, domain, egress, wakeAtMs }: Waking, { now }: HandlerDeps): Outgoing {
  const message: WakeMessage = { v: 1, kind: "wake", id, domain, egress };
  const delayMs = Math.min(slotMs, Math.max(0, wakeAtMs - now().getTime()));
  return { body: JSON.stringify(message), attributes: {}, delayS: Math.ceil(delayMs / 1000) };
}

function queueOf(egress: string, { config }: HandlerDeps): string {
  return homeOf({ kind: "wake", egress }, config);
}

/** What leaves by an egress that is gone is looked at by the functions: whoever reads the row says what becomes of it. */
function warnOfStrangers(due: readonly Waking[], { config, log }: HandlerDeps): void {
  const known = new Set(config.egresses.map(({ name }) => name));
  const strangers = Map.groupBy(
    due.filter(({ egress }) => !known.has(egress)),
    ({ egress }) => egress,
  );
  for (const [egress, its] of strangers)
    log({ level: "warn", event: "wake-egress-unknown", egress, count: its.length });
}
