// Which alarms must follow when providers of the lab block us, and what is missing of them and of their pages. Pure. How
// an alarm comes to its state, it does not know.
import type { Config } from "../../../functions/config/config.ts";
import { alarmsOf, type Alarm } from "../../../functions/report/alarms.ts";
import { sinkKinds } from "../sink-routes.ts";

/** How things stand. */
export interface Standing {
  /** The names of those in ALARM, with whether their actions are held back, for good or for a while. */
  readonly firing: ReadonlyMap<string, { readonly isSuppressed: boolean }>;
  /** By alarm: the routes by which its page has come, by name. */
  readonly reached: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those of which on-call was told by an earlier run. */
  readonly toldBefore: ReadonlySet<string>;
}

/** The alarms that page about these providers. */
export function alarmsAfterBlocking(config: Config, blocked: readonly string[]): readonly Alarm[] {
  const paging = alarmsOf(config).filter(({ pages }) => pages);
  const single = paging.filter(
    ({ kind, provider }) => kind === "blocked" && provider !== null && blocked.includes(provider),
  );
  const wide = paging.filter(
    ({ kind, egress }) =>
      kind === "blocked-widely" && single.filter((each) => each.egress === egress).length >= config.alarms.widely,
  );
  return [...wide, ...single];
}

/** A line for each alarm that should stand and does not, and for each page that should have come; empty: all is there. */
export function missingOf(config: Config, blocked: readonly string[], standing: Standing): readonly string[] {
  const must = alarmsAfterBlocking(config, blocked);
  const silent = must.filter(({ name }) => !standing.firing.has(name)).map(({ name }) => `${name} is not in ALARM`);
  const firing = alarmsOf(config).filter(({ name, pages }) => pages && standing.firing.has(name));
  return [...silent, ...firing.flatMap((alarm) => missingPage(alarm, config, standing))];
}

/** A wider alarm that stands speaks for those that it holds back. */
function missingPage(alarm: Alarm, config: Config, { firing, reached, toldBefore }: Standing): readonly string[] {
  const { name } = alarm;
  const wider = alarm.type === "composite" ? (alarm.suppressor?.alarm ?? null) : null;
  const isSpokenFor = firing.get(name)?.isSuppressed === true && wider !== null && firing.has(wider);
  if (isSpokenFor || toldBefore.has(name)) return [];
  const routes = config.onCall.routes.map((route) => route.name);
  const without = routes.filter((route) => reached.get(name)?.has(route) !== true);
  return without.length === 0 ? [] : [`no page of ${name} by ${without.join(", ")}`];
}

/** How long all this can take, of the machine's time: rounds until the alarm, and what holds a page back. */
export function limitMsFor(config: Config, blocked: readonly string[], speed: number): number {
  const targets = config.targets.filter(({ provider }) => blocked.includes(provider));
  // A provider that puts us off is left alone meanwhile.
  const roundMinutes = Math.max(config.limits.backOffMinutes, ...targets.map(({ everyMinutes }) => everyMinutes));
  const minutes = roundMinutes * (config.alarms.blocked.datapoints + 1) + spareMinutes;
  return Math.max(leastMs, (minutes * 60_000) / speed);
}

const spareMinutes = 10;
const leastMs = 20_000;

/** Whether a route of the configuration is one that the sink receives; the others are topics. */
export function isSinkRoute({ type }: Config["onCall"]["routes"][number]): boolean {
  return (sinkKinds as readonly string[]).includes(type);
}
