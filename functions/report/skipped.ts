// The figure of what was due and not probed. It is no verdict's, and is told where no verdict is at hand.
import type { Figure } from "./figures.ts";
import { egressMetrics } from "./names.ts";

/** What was due and not probed. */
export function skippedFigure(egress: string, value: number): Figure {
  return { name: "Skipped", unit: egressMetrics.Skipped.unit, dimensions: { Egress: egress }, value };
}
