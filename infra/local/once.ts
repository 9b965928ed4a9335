// `npm start -- --once`: waits until every target was probed and every alarm that must follow has been paged by every
// route, then tells the verdicts and the pages, and whether all is as it should be. It blocks nobody by itself.
import { setTimeout as sleep } from "node:timers/promises";
import { pairsOf } from "../../functions/config/config.ts";
import type { Entry } from "../../functions/report/log.ts";
import { standing } from "../../functions/verdict/incident.ts";
import type { Outcome } from "../../functions/verdict/reconcile.ts";
import type { Stage } from "../../functions/smtp/transcript.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import type { Board } from "./board.ts";
import { aligned, cut } from "./live-view.ts";
import { askNodemailer } from "./other-client.ts";
import type { Stack } from "./stack.ts";

export interface OnceResult {
  readonly lines: readonly string[];
  /** What is missing or other than it should be; nothing: all is well. */
  readonly complaints: readonly string[];
}

const width = 100;
/** The case that the project was born from. */
const founder = "icloud";

/** @param board what stands, at each call */
export async function once(stack: Stack, board: () => Board, speed: number): Promise<OnceResult> {
  const untilMs = Date.now() + limitMs(stack, speed);
  while (complaintsOf(stack, board()).length > 0 && Date.now() < untilMs) await sleep(100);
  const { pairs, pages } = board();
  const complaints = complaintsOf(stack, board());
  const lines = [
    ...aligned([heads, ...pairs.map(({ provider, egress, last }) => [provider, egress, ...cells(last)])]),
    "",
    ...pages.toReversed().flatMap(({ text }) => [`${"-".repeat(8)} page`, ...text.trimEnd().split("\n"), ""]),
    ...(await comparison(stack, board())),
  ];
  return { lines: lines.map(visibleLine), complaints };
}

/** The rounds that a block takes to be believed, and what comes after them; a message is hourly. */
function limitMs({ config, providers }: Stack, speed: number): number {
  const blocked = providers.filter((each) => each.blocked).map(({ name }) => name);
  const its = config.targets.filter(({ provider }) => blocked.includes(provider));
  const longestS = Math.max(0, ...config.targets.map(({ everyMinutes }) => everyMinutes * 60));
  const blockS = Math.max(0, ...its.map(({ everyMinutes }) => everyMinutes * 60 * config.alarms.blocked.of));
  return 20_000 + (Math.max(longestS, blockS) / speed) * 1_000;
}

function complaintsOf(stack: Stack, { pairs }: Board): readonly string[] {
  const { config, providers, sink } = stack;
  const verdicts = pairs.flatMap(({ provider, egress, last }) => {
    const isBlocked = providers.some(({ name, blocked }) => name === provider && blocked);
    const wanted = isBlocked ? "ip-reputation" : "accepted";
    if (last === null) return [`${provider} over ${egress} was not probed`];
    const got = isBlocked ? last["class"] : last["outcome"];
    return got === wanted ? [] : [`${provider} over ${egress} should be ${wanted}, and is ${String(got)}`];
  });
  const received = sink.received();
  const kinds = [...new Set(config.onCall.routes.map(({ type }) => type))].filter((type) => type !== "sns");
  const missing = alarmsWanted(stack).flatMap((alarm) =>
    kinds
      .filter((kind) => !received.some((each) => each.kind === kind && JSON.stringify(each.body).includes(alarm)))
      .map((kind) => `no page for ${alarm} came by ${kind}`),
  );
  return [...verdicts, ...missing];
}

/** Of an egress that as many block as make it wide, the wide one; else each. */
function alarmsWanted({ config, providers }: Stack): readonly string[] {
  const blocked = new Set(providers.filter((each) => each.blocked).map(({ name }) => name));
  const pairs = pairsOf(config).filter(({ target }) => blocked.has(target.provider));
  const byEgress = Map.groupBy(pairs, ({ egress }) => egress.name);
  return [...byEgress].flatMap(([egress, its]) => {
    const names = [...new Set(its.map(({ target }) => target.provider))];
    if (names.length >= config.alarms.widely) return [`${config.name}-blocked-widely-${egress}`];
    return names.map((name) => `${config.name}-blocked-${name}-${egress}`);
  });
}

const heads = ["provider", "egress", "verdict", "reply", "class", "ms", "first words"] as const;

function cells(last: Entry | null): readonly string[] {
  if (last === null) return ["not probed", "", "", "", ""];
  const { outcome, stage, code, status, text } = last as unknown as {
    readonly outcome: Outcome;
    readonly stage: Stage;
    readonly code: number | null;
    readonly status: string | null;
    readonly text: string;
  };
  const [first = ""] = text.split("\n");
  return [
    standing(outcome, stage),
    [code ?? "-", ...(status === null ? [] : [status])].join(" "),
    String(last["class"] ?? "-"),
    String(last["decidedMs"]),
    cut(first.replace(/^\d{3}[ -]?(?:\d\.\d{1,3}\.\d{1,3} )?/, ""), 40),
  ];
}

/** What is told of the founding case, by us and by another client. */
async function comparison({ lab, providers }: Stack, { pairs }: Board): Promise<readonly string[]> {
  const host = lab.hosts.find(({ dialog }) => dialog.provider === founder);
  const last = pairs.find(({ provider }) => provider === founder)?.last ?? null;
  const isBlocked = providers.some(({ name, blocked }) => name === founder && blocked);
  if (host === undefined || last === null || !isBlocked) return [];
  const { version, says } = await askNodemailer(host);
  const [first = ""] = String(last["text"]).split("\n");
  return [
    `The same conversation with ${founder}, in one line:`,
    cut(`  delivery-probe reports:     ${String(last["outcome"])} at ${String(last["stage"])}: ${first}`, width),
    cut(`  ${`nodemailer ${version} reports:`.padEnd(27)} ${says}`, width),
  ];
}
