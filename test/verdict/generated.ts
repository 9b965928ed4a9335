// Transcripts such as sessions keep, with anything for answers: what a peer could have said to each command, and where
// it stopped.
import fc from "fast-check";
import type { Ending, Exchange, Transcript } from "../../functions/smtp/transcript.ts";
import { transcriptOf } from "./transcripts.ts";

/** Replies of every kind, most of them such as servers give. */
export const replies = fc.constantFrom(
  "250 ok",
  "250 2.1.5 ok",
  "251 forwarded",
  "354 go on",
  "220 mx.example",
  "221 bye",
  "150 wait",
  "650 what",
  "421 4.7.0 closing connection",
  "421 4.7.0 too many connections from your IP",
  "421 4.7.1 198.51.100.7 is listed in bl.example",
  "450 4.2.0 greylisted",
  "450 4.7.25 cannot find your reverse hostname, [198.51.100.7]",
  "451 no",
  "452 4.5.3 too many recipients",
  "500 what",
  "502 5.5.1 unknown command",
  "503 5.5.1 bad sequence",
  "550 5.1.1 no such user",
  "550 5.7.1 listed in zen.spamhaus.org",
  "550 5.7.26 unauthenticated mail is not accepted",
  "550 no",
  "552 too many recipients",
  "552 5.2.2 quota exceeded",
  "554 no valid recipients",
  "554 5.7.1 content rejected",
);

const names = ["a@mx.example", "b@mx.example", "c@mx.example"];
const endings: readonly Ending["by"][] = ["quit", "us", "fin", "reset", "timeout", "deadline", "abort"];

interface Plan {
  readonly recipients: number;
  readonly depth: Transcript["depth"];
  readonly lead: "none" | "helo" | "starttls";
  readonly way: "data" | "bdat";
  readonly answers: readonly string[];
  readonly quits: boolean;
  readonly cut: boolean;
  readonly unwritten: boolean;
  readonly extra: Exchange["stage"] | null;
  readonly by: Ending["by"];
  readonly tlsPolicy: Transcript["tlsPolicy"];
}

export const transcripts: fc.Arbitrary<Transcript> = fc
  .record<Plan>(
    {
      recipients: fc.integer({ min: 1, max: 3 }),
      depth: fc.constantFrom("greeting", "ehlo", "rcpt", "rcpt", "message", "message"),
      lead: fc.constantFrom("none", "none", "helo", "starttls"),
      way: fc.constantFrom("data", "bdat"),
      answers: fc.array(fc.oneof(fc.constant("250 ok"), replies), { maxLength: 9, size: "max" }),
      quits: fc.boolean(),
      cut: fc.boolean(),
      unwritten: fc.boolean(),
      extra: fc.constantFrom(null, null, null, "mail", "rcpt", "data", "message", "quit"),
      by: fc.constantFrom(...endings),
      tlsPolicy: fc.constantFrom("never", "opportunistic", "require"),
    },
    { noNullPrototype: true },
  )
  .map(transcriptFrom);

/** Every command of the plan, and as many answers as there are: the rest stays without. */
function transcriptFrom(plan: Plan): Transcript {
  const { depth, answers, cut, extra, by, tlsPolicy } = plan;
  const recipients = names.slice(0, plan.recipients);
  const texts = answers.map((each, index) => (cut && index === answers.length - 1 ? `<~ ${each}` : `< ${each}`));
  const lines = ["< 220 mx.example", ...leads[plan.lead], ...commandsOf(plan, recipients), ...texts];
  if (extra !== null) lines.push(`<${extra} 554 5.7.1 listed in zen.spamhaus.org`);
  return transcriptOf([...lines, `! ${by}`].join("\n"), { recipients, depth, tlsPolicy });
}

const leads: Readonly<Record<Plan["lead"], readonly string[]>> = {
  none: ["> EHLO probe.example", "< 250 mx.example"],
  helo: ["> EHLO probe.example", "< 502 5.5.1 unknown command", "> HELO probe.example", "< 250 mx.example"],
  starttls: ["> EHLO probe.example", "< 250 mx.example", "> STARTTLS", "< 454 4.7.0 not now"],
};

function commandsOf({ depth, way, unwritten, quits }: Plan, recipients: readonly string[]): readonly string[] {
  const quit = quits ? ["> QUIT"] : [];
  if (depth === "greeting" || depth === "ehlo") return quit;
  const envelope = ["> MAIL FROM:<p@s.example>", ...recipients.map((each) => `> RCPT TO:<${each}>`)];
  if (depth === "rcpt") return [...envelope, ...quit];
  const mark = unwritten ? ">!" : ">";
  return [...envelope, ...(way === "data" ? ["> DATA", `${mark} .`] : [`${mark} BDAT 9 LAST`]), ...quit];
}
