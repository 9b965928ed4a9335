// How a connection ended, in words that name what was awaited. Evidence only: whether it matters, others say.
import type { Ending, Exchange } from "./transcript.ts";

export interface EndingFacts {
  readonly by: Ending["by"];
  /** The stage reached where no command is left unanswered. */
  readonly stage: Exchange["stage"];
  /** The first command left unanswered. */
  readonly waiting: Exchange | null;
  /** The system's own word, such as `ECONNRESET`; empty where it said nothing. */
  readonly system: string;
  /** What was being connected to, while there was no connection yet; else null. */
  readonly connecting: string | null;
  /** The deadline that held last. */
  readonly deadline: { readonly ms: number; readonly of: "session" | "message" };
}

export function endingOf(facts: EndingFacts): Ending {
  const { by, waiting, connecting } = facts;
  const stage = connecting === null ? (waiting?.stage ?? facts.stage) : "connect";
  // What breaks before there is a connection has no connection to end.
  const isNone = connecting !== null && (by === "fin" || by === "reset");
  const ending = isNone ? "failed" : by;
  return { by: ending, stage, text: textOf(ending, doing(facts, stage), facts) };
}

function doing({ waiting, connecting }: EndingFacts, stage: Ending["stage"]): string {
  if (connecting !== null) return `connecting to ${connecting}`;
  if (waiting?.command != null) return `waiting for the reply to ${waiting.command}`;
  return stage === "greeting" ? "waiting for the greeting" : `at ${stage}`;
}

function textOf(by: Ending["by"], what: string, { system, deadline }: EndingFacts): string {
  const why = system === "" ? "" : ` (${system})`;
  switch (by) {
    case "quit":
      return "closed after QUIT";
    case "us":
      return `closed by us while ${what}${why}`;
    case "fin":
      return `connection closed by the peer while ${what}${why}`;
    case "reset":
      return `connection reset while ${what}${why}`;
    case "timeout":
      return `no answer while ${what}: our limit for it is over`;
    case "deadline":
      return `no answer while ${what}: our limit of ${Math.round(deadline.ms) / 1000} s for the ${deadline.of} is over`;
    case "abort":
      return `stopped by our caller while ${what}`;
    case "failed":
      return `no connection: failed ${what}${why}`;
  }
}
