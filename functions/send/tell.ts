// What others learn of an attempt: the table of verdicts, the block that stands between us and a provider, what is held, the
// log; and its figures. The delivery's own row does not depend on it: what fails here fails alone, and is logged.
import { unknownProvider } from "../probe/site.ts";
import { figuresOf } from "../report/figures.ts";
import { faultText } from "../report/log.ts";
import type { Stamped } from "../report/metrics.ts";
import { verdictEntry } from "../report/recording.ts";
import { triedAgainFigures } from "../report/send-figures.ts";
import { verdictIdOf, type Delivery, type Recipient } from "../state/deliveries.ts";
import type { Hold } from "../state/holds.ts";
import { masked, maskedAddress } from "../state/mask.ts";
import { keptUntilS, senderDomainOf, type StoredMessage } from "../state/messages.ts";
import { fitted, putVerdict, type StoredVerdict } from "../state/verdicts.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { noteBlock } from "./note-block.ts";
import { noteHolds } from "./note-holds.ts";
import type { Runs } from "./runs.ts";
import type { Turn } from "./turn.ts";

interface Tried {
  readonly delivery: Delivery;
  readonly due: readonly Recipient[];
  readonly message: StoredMessage;
  readonly turn: Turn;
}

interface Judged {
  readonly verdict: Verdict;
  readonly number: number;
  readonly at: Date;
}

/** @returns its figures, and what holds such sends after it */
export async function tellOthers(
  { delivery, due, message, turn }: Tried,
  { verdict, number, at }: Judged,
  runs: Runs,
): Promise<{ readonly stamped: readonly Stamped[]; readonly holds: readonly Hold[] }> {
  const { deps, table } = runs;
  const { egress, site } = turn;
  const id = verdictIdOf(delivery, number);
  const provider = site.provider ?? verdict.provider ?? unknownProvider;
  const whose = { provider, egress };
  const { maskRecipients } = deps.config.history;
  const addresses = due.map(({ address }) => (maskRecipients ? maskedAddress(address) : address));
  const facts = {
    ...whose,
    id,
    recipient: addresses.join(", ").slice(0, 1_000),
    at: at.toISOString(),
    verdict: fitted(maskRecipients ? masked(verdict) : verdict),
    digest: message.asked,
  };
  const blocked = await orNull(async () => await noteBlock({ ...facts, verdict }, table), "block-unnoted", runs);
  const stored: StoredVerdict = { ...facts, blocked, reported: true, duplicates: 0 };
  deps.log({ ...verdictEntry(stored), attempt: number });
  const days = Math.ceil((keptUntilS(message) * 1000 - at.getTime()) / 86_400_000);
  await orNull(
    async () => await putVerdict(stored, { ...table, days: Math.max(days, table.days) }),
    "row-unwritten",
    runs,
  );
  const holding = { provider: site.name, egress, domain: senderDomainOf(message), id, at: facts.at };
  const noted = await orNull(async () => await noteHolds(facts.verdict, holding, table), "holds-unnoted", runs);
  const again = delivery.onUnknown === "retry" ? verdict.recipients.filter(({ outcome }) => outcome === "unknown") : [];
  const stamped = [
    { at, figures: [...figuresOf(verdict, whose, blocked), ...triedAgainFigures(egress, again.length)] },
  ];
  return { stamped, holds: noted?.standing ?? [] };
}

async function orNull<T>(run: () => Promise<T>, event: string, { deps }: Runs): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    deps.log({ level: "error", event, fault: faultText(error) });
    return null;
  }
}
