// The message that wakes a delivery. It says only where to look: the row is the truth.
import type { Outgoing } from "../queue/queues.ts";
import type { WakeMessage } from "../queue/send-request.ts";
import type { Delivery } from "../state/deliveries.ts";

/** SQS delays no longer; who waits longer is woken by the sweep. */
export const longestDelayS = 900;

export function wakeMessage({ id, domain, egress, attempts }: Delivery, delayS: number): Outgoing {
  const wake: WakeMessage = { v: 1, kind: "wake", id, domain, egress };
  const number = { DataType: "Number", StringValue: String(attempts.length + 1) };
  const delay = Math.min(longestDelayS, Math.max(0, Math.ceil(delayS)));
  return { body: JSON.stringify(wake), attributes: { Attempt: number }, delayS: delay };
}
