// The page: an alarm's change becomes one page by every route of on-call, once. It judges no alarm, and what a page says
// and how it travels, functions/page knows.
//
// When it throws: while a route that may still work has not got the page, so that whoever called it calls again (Lambda
// twice more); then that route alone is tried. After that Lambda's failure destination gets the plain alarm. A route that
// understood and refused (a key that is revoked) is logged, and no reason to throw as long as another has the page. If
// the table does not answer, the page goes out all the same, and it throws only if no route took it: better twice than never.
import { randomUUID } from "node:crypto";
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import { tableOf, type Context } from "./handler.ts";
import { alarmChangeOf, type AlarmChange } from "./page/alarm-change.ts";
import { deliver, type Delivery } from "./page/deliver.ts";
import { historyOf } from "./page/history.ts";
import {
  begin,
  beginUnknown,
  BusyFault,
  isPageState,
  settle,
  type Silence,
  type Teller,
  type Telling,
} from "./page/telling.ts";
import { pageOf, plainText, type Page, type PageFacts } from "./page/text.ts";
import { alarmsOf, type Alarm } from "./report/alarms.ts";
import { faultText, type Log } from "./report/log.ts";
import type { Secrets } from "./secrets.ts";
import type { Table } from "./state/table.ts";

export interface PageDeps {
  readonly config: Config;
  readonly clients: Pick<Clients, "dynamo" | "sns">;
  /** Of rows. Claims and the time that is left are in the machine's own. */
  readonly now: () => Date;
  /** What reads the routes' secrets. */
  readonly secrets: Secrets;
  readonly log: Log;
}

export interface PageResult {
  /** Null: nothing was to be told. */
  readonly page: Page | null;
  /** By every route, in the configuration's order; what was delivered by an earlier call too. */
  readonly deliveries: readonly Delivery[];
  readonly why: "delivered" | "no-routes" | "not-ours" | "no-page-state" | Silence;
}

export type PageHandler = (event: unknown, context: Context) => Promise<PageResult>;

/** No route took the page, or one that may still work did not. */
export class PageFault extends Error {
  override readonly name = "PageFault";
}

/** @returns the handler of CloudWatch's alarm events, direct or by SNS; see above for when it throws */
export function createPage(deps: PageDeps): PageHandler {
  const table = tableOf(deps);
  const alarms = alarmsOf(deps.config);
  return async (event, context) => {
    const change = alarmChangeOf(event);
    const alarm = alarms.find(({ name, pages }) => pages && name === change.alarmName);
    if (alarm === undefined) return silent(change, "not-ours", deps);
    if (!isPageState(change)) return silent(change, "no-page-state", deps);
    const teller = tellerFor(context);
    const telling = await beginOrGoOn(change, alarm, teller, table, deps);
    if (typeof telling === "string") return silent(change, telling, deps);
    const history = await historyOf(alarm, deps.config, teller.tableLimitMs, table);
    const page = readablePage({
      change,
      alarm,
      config: deps.config,
      histories: history.histories,
      selfCheck: history.selfCheck,
      historyFault: history.fault,
      firedAt: telling.firedAt,
      wasDrill: telling.wasDrill,
    });
    const deliveries = await deliverMissing(page, telling, context, deps);
    await report(change, page, { deliveries, telling, teller }, table, deps);
    return { page, deliveries, why: deliveries.length === 0 ? "no-routes" : "delivered" };
  };
}

/** A stored verdict that cannot be read must not keep a page from being told. */
function readablePage(facts: PageFacts): Page {
  try {
    return pageOf(facts);
  } catch (error) {
    return pageOf({ ...facts, histories: [], selfCheck: null, historyFault: faultText(error) });
  }
}

/** What the table is waited for at most, of the time that there is: most of that is the routes'. */
const tableShare = 0.1;
const tableLimitMs = 3_000;

function tellerFor(context: Context): Teller {
  const leftMs = context.getRemainingTimeInMillis();
  return { owner: randomUUID(), holdMs: leftMs, tableLimitMs: Math.min(tableLimitMs, leftMs * tableShare) };
}

/** What goes on without the table has `isKnown` false: nothing is noted of it. */
type Going = Telling & { readonly isKnown: boolean };

async function beginOrGoOn(
  change: AlarmChange,
  alarm: Alarm,
  teller: Teller,
  table: Table,
  { log }: PageDeps,
): Promise<Going | Silence> {
  try {
    const telling = await begin(change, alarm, teller, table);
    return typeof telling === "string" ? telling : { ...telling, isKnown: true };
  } catch (error) {
    if (error instanceof BusyFault) throw error;
    log({ level: "error", event: "page-unmarked", alarm: change.alarmName, at: change.at, fault: faultText(error) });
    const telling = beginUnknown(change);
    return typeof telling === "string" ? telling : { ...telling, isKnown: false };
  }
}

async function deliverMissing(
  page: Page,
  { delivered }: Telling,
  context: Context,
  { config, clients, secrets }: PageDeps,
): Promise<readonly Delivery[]> {
  const { routes } = config.onCall;
  const before = new Map(delivered.map((each) => [each.route, each]));
  const limitMs = context.getRemainingTimeInMillis() * (1 - tableShare);
  const missing = routes.filter(({ name }) => !before.has(name));
  const now = new Map(
    (await deliver(page, missing, { sns: clients.sns, secrets, limitMs })).map((each) => [each.route, each]),
  );
  return routes.flatMap(({ name }) => before.get(name) ?? now.get(name) ?? []);
}

interface Outcome {
  readonly deliveries: readonly Delivery[];
  readonly telling: Going;
  readonly teller: Teller;
}

/** @throws PageFault */
async function report(
  change: AlarmChange,
  page: Page,
  { deliveries, telling, teller }: Outcome,
  table: Table,
  { log }: PageDeps,
): Promise<void> {
  const isAny = deliveries.length === 0 || deliveries.some(({ ok }) => ok);
  const isDone = isAny && deliveries.every(({ ok, isLasting }) => ok || isLasting);
  const noteFault = telling.isKnown ? await noteOf(change, teller, { deliveries, isDone }, table) : null;
  const isWhole = deliveries.length > 0 && deliveries.every(({ ok }) => ok);
  log({
    level: isWhole ? "info" : deliveries.length === 0 ? "warn" : "error",
    event: "page",
    alarm: page.alarm,
    at: page.at,
    state: page.state,
    title: page.title,
    deliveries,
    ...(noteFault === null ? {} : { noteFault }),
    // Where nobody is told, the log is all there is.
    ...(isAny && deliveries.length > 0 ? {} : { text: plainText(page) }),
  });
  if (isDone || (isAny && !telling.isKnown)) return;
  const missing = deliveries.filter(({ ok }) => !ok).map(({ route, fault }) => `${route}: ${fault}`);
  throw new PageFault(`${page.alarm} at ${page.at} was not delivered everywhere: ${missing.join("; ")}`);
}

/** A page that is delivered and cannot be noted may come again; that is no reason to say it failed. */
async function noteOf(
  change: AlarmChange,
  teller: Teller,
  told: Parameters<typeof settle>[2],
  table: Table,
): Promise<string | null> {
  try {
    await settle(change, teller, told, table);
    return null;
  } catch (error) {
    return faultText(error);
  }
}

function silent({ alarmName, from, to, at }: AlarmChange, why: PageResult["why"], { log }: PageDeps): PageResult {
  log({ level: "info", event: "no-page", alarm: alarmName, from, to, at, why });
  return { page: null, deliveries: [], why };
}
