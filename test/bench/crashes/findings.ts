// What came of each send whose process died, held against what is promised: by where the crash lay, the hosts' ledger, and
// what was told. Pure.
import { isOpen, type Delivery } from "../../../functions/state/deliveries.ts";
import type { Ledger } from "../sends/ledger.ts";
import { isFinal } from "../sends/promises.ts";
import type { Result } from "../sends/results.ts";
import type { Crash } from "./process.ts";

/** One send, in one process. */
export interface Case {
  readonly id: string;
  readonly domain: string;
  readonly recipients: readonly string[];
  readonly crash: Crash;
}

const places = [
  "before the row",
  "before the commit",
  "in the window",
  "between attempts",
  "before it was told",
  "after all",
] as const;
/** Where a crash lay, by what the table then holds. */
export type Place = (typeof places)[number];

export interface Findings {
  readonly places: Readonly<Record<Place, number>>;
  readonly delivered: number;
  readonly unknown: number;
  /** Of the unknown ones, those that have the message. */
  readonly unknownTaken: number;
  /** A line for each promise that was broken. */
  readonly broken: readonly string[];
}

/** What is known of a send. */
export interface Known {
  readonly one: Case;
  /** As the crash had left it; null: there was no row. */
  readonly delivery: Delivery | null;
  readonly told: readonly Result[];
}

export function findingsOf(known: readonly Known[], ledger: Pick<Ledger, "of">): Findings {
  const checked = known.map((each) => checkedCase(each, ledger));
  const finals = checked.flatMap((each) => each.finals);
  const unknown = finals.filter(({ event }) => event === "unknown");
  const count = (place: Place): number => checked.filter((each) => each.place === place).length;
  return {
    places: Object.fromEntries(places.map((place) => [place, count(place)])) as Record<Place, number>,
    delivered: finals.filter(({ event }) => event === "delivered").length,
    unknown: unknown.length,
    unknownTaken: unknown.reduce((sum, { copies }) => sum + copies, 0),
    broken: checked.flatMap((each) => each.broken),
  };
}

interface Checked {
  readonly place: Place;
  readonly finals: readonly { readonly event: Result["event"] | null; readonly copies: number }[];
  readonly broken: readonly string[];
}

function checkedCase({ one, delivery, told }: Known, ledger: Pick<Ledger, "of">): Checked {
  const place = placeOf(delivery);
  const broken: string[] = [];
  const finals = one.recipients.map((recipient) => {
    const events = told.flatMap((each) => (each.recipient === recipient && isFinal(each.event) ? [each.event] : []));
    const copies = ledger.of(recipient).length;
    const state = delivery?.recipients.find(({ address }) => address === recipient)?.state;
    // In the window nobody can know; everywhere else there is no doubt.
    const [must, least] = state === "committing" ? ["unknown", 0] : ["delivered", 1];
    if (events.length !== 1 || events[0] !== must || copies > 1 || copies < least) {
      const where = `${recipient} (continuation ${one.crash.at}, ${place})`;
      broken.push(`${where}: told ${events.join(" and ") || "nothing"}, must be ${must}; taken ${copies} times`);
    }
    return { event: events[0] ?? null, copies };
  });
  const names = new Set(one.recipients.flatMap((each) => ledger.of(each).map(({ messageId }) => messageId)));
  if (names.size > 1) broken.push(`${one.id}: it came under ${names.size} names`);
  if (!one.recipients.every((each) => ledger.of(each).every(({ isWhole }) => isWhole))) {
    broken.push(`${one.id}: it came otherwise than it was sent`);
  }
  return { place, finals, broken };
}

function placeOf(delivery: Delivery | null): Place {
  if (delivery === null) return "before the row";
  const { recipients, attempts, untold } = delivery;
  if (recipients.some(({ state }) => state === "committing")) return "in the window";
  if (untold.length > 0) return "before it was told";
  if (attempts.length === 0) return "before the commit";
  return recipients.some(isOpen) ? "between attempts" : "after all";
}
