// Which of an egress's series sends alone feed: they are drawn apart, and cost nothing where none are taken.
import type { egressMetrics } from "../../functions/report/names.ts";

export const sendSeries = [
  "Delivered",
  "Failed",
  "Expired",
  "Unknown",
  "Held",
] as const satisfies readonly (keyof typeof egressMetrics)[];
