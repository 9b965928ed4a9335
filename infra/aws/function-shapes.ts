// How large each function is and how long it may take, from the configuration. Pure; what they cost, price.ts reckons.
import type { Config } from "../../functions/config/config.ts";
import { invocationS } from "../../functions/config/invocation.ts";

export type FunctionName = "schedule" | "probe" | "send" | "page";

export interface FunctionShape {
  readonly memoryMB: number;
  readonly timeoutS: number;
  readonly about: string;
}

export function shapes(config: Config): Readonly<Record<FunctionName, FunctionShape>> {
  return {
    schedule: { memoryMB: 512, timeoutS: 60, about: "Puts what is due on the runners' queues, every five minutes" },
    // The processor grows with the memory: TLS, and the SDK's import before the first session, want some.
    probe: {
      memoryMB: 1_024,
      timeoutS: invocationS(config),
      about: "Probes what its queue asks for, writes the verdicts down and counts them",
    },
    // Lambda's longest: the answer to a message alone may take ten minutes (RFC 5321 §4.5.3.2.6).
    send: {
      memoryMB: 1_024,
      timeoutS: 900,
      about: "Delivers what its queue asks for, once to each recipient, and tells what became of it",
    },
    page: { memoryMB: 512, timeoutS: 60, about: "Makes one page of an alarm's change, and brings it by every route" },
  };
}
