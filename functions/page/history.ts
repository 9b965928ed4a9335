// What the table knows of the providers over an alarm's egress, and of its set-up. What cannot be read in time is left
// out, and said so: a page does not wait for its history.
import { pairsOf, type Config } from "../config/config.ts";
import type { Alarm } from "../report/alarms.ts";
import { faultText } from "../report/log.ts";
import { statesOf, type Block } from "../state/pairs.ts";
import { lastSelfCheck, type StoredSelfCheck } from "../state/self-checks.ts";
import type { Table } from "../state/table.ts";
import { findVerdict, lastVerdicts, type StoredVerdict } from "../state/verdicts.ts";
import { inTime } from "./time-limit.ts";

/** What is known of a provider over the alarm's egress. */
export interface PairHistory {
  readonly provider: string;
  readonly egress: string;
  readonly block: Block | null;
  /** The last ones, the newest first. */
  readonly verdicts: readonly StoredVerdict[];
  /** The verdict that the block began with, where it is older than these. */
  readonly blockedFirst: StoredVerdict | null;
}

export interface History {
  readonly histories: readonly PairHistory[];
  /** The last of the egress; null: there is none, or the alarm is not about its set-up. */
  readonly selfCheck: StoredSelfCheck | null;
  /** Why something is missing; null: nothing is. */
  readonly fault: string | null;
}

/** Of the provider that the alarm is about, and of each other one. */
const ownVerdicts = 10;
const otherVerdicts = 3;

export async function historyOf(alarm: Alarm, config: Config, limitMs: number, table: Table): Promise<History> {
  const { egress } = alarm;
  if (egress === null || alarm.kind === "failures") return { histories: [], selfCheck: null, fault: null };
  const pairs = pairsOf(config).filter((each) => each.egress.name === egress);
  const providers = [...new Set(pairs.map(({ target }) => target.provider))];
  const empty = providers.map((provider) => ({ provider, egress, block: null, verdicts: [], blockedFirst: null }));
  const found = new Map<string, PairHistory>(empty.map((each) => [each.provider, each]));
  const faults: string[] = [];
  let selfCheck: StoredSelfCheck | null = null;
  const trying = async (read: () => Promise<void>): Promise<void> => {
    await read().catch((error: unknown) => faults.push(faultText(error)));
  };
  const reading = Promise.allSettled([
    ...providers.map((provider) =>
      trying(async () => {
        found.set(provider, await pairHistory(provider, egress, alarm.provider === provider, table));
      }),
    ),
    ...(isAboutSetUp(alarm) ? [trying(async () => void (selfCheck = await lastSelfCheck(egress, table)))] : []),
  ]);
  await inTime(reading, limitMs).catch((error: unknown) => faults.unshift(faultText(error)));
  return { histories: providers.flatMap((provider) => found.get(provider) ?? []), selfCheck, fault: faults[0] ?? null };
}

function isAboutSetUp({ kind }: Alarm): boolean {
  return kind === "self-check" || kind === "misconfigured";
}

async function pairHistory(provider: string, egress: string, isOwn: boolean, table: Table): Promise<PairHistory> {
  const [states, verdicts] = await Promise.all([
    statesOf([{ provider, egress }], table),
    lastVerdicts(provider, egress, isOwn ? ownVerdicts : otherVerdicts, table),
  ]);
  const block = states[0]?.block ?? null;
  const isHere = block === null || verdicts.some(({ id }) => id === block.id);
  return { provider, egress, block, verdicts, blockedFirst: isHere ? null : await findVerdict(block.id, table) };
}
