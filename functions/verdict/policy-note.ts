// What is to be said of the TLS policies of the recipient's domain beside the answer that decided: a policy that nobody
// could read is otherwise a green verdict for ever. Pure.
import type { DomainPolicy, Transcript } from "../smtp/transcript.ts";

interface Judged {
  readonly primary: { readonly text: string };
  readonly attempts: readonly Pick<Transcript, "host" | "policy">[];
}

const names: Readonly<Record<DomainPolicy["by"], string>> = { "mta-sts": "MTA-STS", dane: "DANE" };

/**
 * A line for each policy that could not be learnt, and for each host that is not as one asks; none twice, and none for
 * what the primary answer says itself.
 */
export function policyNotes({ primary, attempts }: Judged): readonly string[] {
  const notes = attempts.flatMap(({ host, policy }) => {
    if (policy === null) return [];
    const { by, mode, text, fault } = policy;
    if (mode === "unknown") return [`${names[by]} is not known, and nothing was asked of TLS: ${text}`];
    if (fault === null || primary.text.includes(fault)) return [];
    const consequence = mode === "testing" ? ", which refuses nothing while it is in testing" : "";
    return [`${host} is not as ${names[by]} asks${consequence}: ${fault}`];
  });
  return [...new Set(notes)];
}
