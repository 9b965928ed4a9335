// The figures that tell whether the schedule works: what was due and probed, and what was due and was not. They are no
// verdict's, and are told where no verdict is at hand.
import type { Figure } from "./figures.ts";
import { egressMetrics } from "./names.ts";

/** A probe was made, whatever came of it. */
export function probedFigure(egress: string): Figure {
  return { name: "Probes", unit: egressMetrics.Probes.unit, dimensions: { Egress: egress }, value: 1 };
}

/** What was due and not probed. */
export function skippedFigure(egress: string, value: number): Figure {
  return { name: "Skipped", unit: egressMetrics.Skipped.unit, dimensions: { Egress: egress }, value };
}
