// The figures of sends besides those of their verdicts: what became of recipients, and what was held. Pure. What was said
// to a send, figures.ts counts as it does a probe's.
import type { Stamped } from "./metrics.ts";
import type { Delivery, EventName } from "../state/deliveries.ts";
import type { Figure } from "./figures.ts";
import { egressMetrics } from "./names.ts";

/** What became of recipients, only where there is one of a kind. One that still waits has no end to count. */
export function sendFigures(egress: string, told: readonly { readonly event: EventName }[]): readonly Figure[] {
  const ends = told.map(({ event }) => metricOf[event]).filter((each) => each !== null);
  return [...Map.groupBy(ends, (end) => end)].map(([end, its]) => figure(end, egress, its.length));
}

/** Of what has become of recipients between two states of a delivery: counted when it does, told when it can be. */
export function eventFigures(before: Pick<Delivery, "untold">, after: Delivery, at: Date): readonly Stamped[] {
  const fresh = after.untold.filter((each) => !before.untold.includes(each));
  return fresh.length === 0 ? [] : [{ at, figures: sendFigures(after.egress, fresh) }];
}

/** Whoever is unknown and tried again is told to nobody, and counted all the same. */
export function triedAgainFigures(egress: string, unknown: number): readonly Figure[] {
  return unknown === 0 ? [] : [figure("Unknown", egress, unknown)];
}

/** A delivery that was due, and waits because something holds it. */
export function heldFigure(egress: string): Figure {
  return figure("Held", egress, 1);
}

const metricOf = {
  delivered: "Delivered",
  failed: "Failed",
  expired: "Expired",
  unknown: "Unknown",
  delayed: null,
} as const satisfies Readonly<Record<EventName, keyof typeof egressMetrics | null>>;

function figure(name: keyof typeof egressMetrics, egress: string, value: number): Figure {
  return { name, unit: egressMetrics[name].unit, dimensions: { Egress: egress }, value };
}
