// Runs rounds on a stack until the alarms that must follow have led to their pages, and tells what came of it. What must
// follow, the lab's dialogs and the configuration say; what is shown of it, the caller.
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../../functions/config/config.ts";
import { findVerdict } from "../../../functions/state/verdicts.ts";
import { standing } from "../../../functions/verdict/incident.ts";
import type { Verdict } from "../../../functions/verdict/verdict.ts";
import { surprises } from "../mail/dialog-probe.ts";
import { isSinkRoute, missingOf, type Standing } from "./expected-alarms.ts";
import { addSeen, emptyScene, type Scene } from "./scene.ts";
import type { SeenPage, SeenVerdict } from "./seen.ts";
import type { Received } from "../sink.ts";
import type { Stack, StackEvent } from "../stack.ts";
import { onSeen, tableOf } from "./watch.ts";
import type { Row } from "./verdict-table.ts";

export interface Rounds {
  /** The last verdict of each provider over each egress. */
  readonly rows: readonly Row[];
  /** In the order in which they came. */
  readonly pages: readonly SeenPage[];
  /** What is not as it should be, for people; empty: nothing. */
  readonly complaints: readonly string[];
}

export interface OnceOptions {
  readonly blocked: readonly string[];
  /** Of the machine's time. */
  readonly limitMs: number;
  /** Ends it before that, with a complaint. */
  readonly ending: Promise<string>;
}

export async function runRounds(stack: Stack, { blocked, limitMs, ending }: OnceOptions): Promise<Rounds> {
  const { config } = stack;
  const verdicts: SeenVerdict[] = [];
  const reached = new Map<string, Set<string>>();
  let scene = emptyScene(config);
  const ended: string[] = [];
  void ending.then((why) => ended.push(why));

  const toldBefore = new Set(standingOf(stack, reached, new Set()).firing.keys());
  stack.onEvent((event) => noteRoutes(event, config, reached));
  onSeen(stack, (seen) => {
    scene = addSeen(scene, seen);
    if (seen.kind === "verdict") verdicts.push(seen);
  });
  const missing = (): readonly string[] => [
    ...unprobed(scene),
    ...missingOf(config, blocked, standingOf(stack, reached, toldBefore)),
  ];
  const startedMs = performance.now();
  while (missing().length > 0 && ended.length === 0 && performance.now() - startedMs < limitMs) await sleep(50);

  const judged = await Promise.all(verdicts.map((seen) => judgedOf(seen, stack)));
  const lasts = scene.pairs.map(({ provider, egress, last }) => {
    const verdict = judged.find(({ id }) => id === last?.id)?.verdict ?? null;
    return { provider, egress, verdict };
  });
  return {
    rows: lasts,
    pages: scene.pages.toReversed(),
    complaints: [
      ...ended.map((why) => `ended by ${why}`),
      ...new Set(judged.flatMap(({ complaints }) => complaints)),
      ...(await leftScripts(stack)),
      ...missing(),
    ],
  };
}

function unprobed({ pairs }: Scene): readonly string[] {
  return pairs
    .filter(({ last }) => last === null)
    .map(({ provider, egress }) => `${provider} was not probed over ${egress}`);
}

function standingOf({ cloudWatch }: Stack, reached: Standing["reached"], toldBefore: Standing["toldBefore"]): Standing {
  const firing = cloudWatch.alarms().filter(({ state }) => state === "ALARM");
  return {
    firing: new Map(firing.map(({ name, suppressed }) => [name, { isSuppressed: suppressed }])),
    reached,
    toldBefore,
  };
}

/** What the sink received, by its kind; what went to a topic, by the page function's own word. */
function noteRoutes(event: StackEvent, config: Config, reached: Map<string, Set<string>>): void {
  if (event.kind === "page") {
    const alarm = alarmIn(event.received);
    const routes = config.onCall.routes.filter(({ type }) => type === event.received.kind);
    if (alarm !== null) for (const { name } of routes) note(alarm, name, reached);
  }
  if (event.kind !== "log" || event.entry.event !== "page") return;
  // As functions/page.ts logs it.
  const { alarm, state, deliveries } = event.entry as unknown as {
    readonly alarm: string;
    readonly state: string;
    readonly deliveries: readonly { readonly route: string; readonly ok: boolean }[];
  };
  if (state === "recovered") return;
  const topics = config.onCall.routes.filter((route) => !isSinkRoute(route)).map(({ name }) => name);
  for (const { route, ok } of deliveries) if (ok && topics.includes(route)) note(alarm, route, reached);
}

function note(alarm: string, route: string, reached: Map<string, Set<string>>): void {
  reached.set(alarm, (reached.get(alarm) ?? new Set()).add(route));
}

/** The alarm that fires, which every page names; null: it tells of a recovery. */
function alarmIn({ title, text, body }: Received): string | null {
  if (/^(?:DRILL: )?Recovered: |^resolve /.test(title)) return null;
  const { dedup_key: key } = body as { readonly dedup_key?: unknown };
  if (typeof key === "string") return key;
  return /^Alarm: (\S+), since/m.exec(text)?.[1] ?? null;
}

interface Judged {
  readonly id: string;
  readonly verdict: Verdict | null;
  readonly complaints: readonly string[];
}

/** Beside what its dialog expects, where the provider blocks us; else a yes as far as was asked. */
async function judgedOf(seen: SeenVerdict, stack: Stack): Promise<Judged> {
  const { id, provider, egress } = seen;
  const verdict = (await findVerdict(id, tableOf(stack)))?.verdict ?? null;
  const complain = (text: string): string => `${provider} over ${egress}: ${text}`;
  if (verdict === null) return { id, verdict, complaints: [complain(`the table has no verdict of request ${id}`)] };
  const dialog = stack.lab.hosts.find((each) => each.dialog.provider === provider)?.dialog;
  const isBlocked = stack.providers.some(({ name, blocked }) => name === provider && blocked);
  if (dialog !== undefined && isBlocked) return { id, verdict, complaints: surprises(dialog, verdict).map(complain) };
  const wanted = standing("accepted", verdict.depth);
  const got = standing(verdict.outcome, verdict.primary.stage);
  return { id, verdict, complaints: wanted === got ? [] : [complain(`expected ${wanted}, and got ${got}`)] };
}

/** Where a client said what a host's dialog does not have: then it was another conversation. */
async function leftScripts({ lab }: Stack): Promise<readonly string[]> {
  const told = await Promise.all(lab.hosts.map(async ({ host }) => await host.result()));
  return told.flat();
}
