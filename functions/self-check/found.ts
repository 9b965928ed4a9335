// What a check found, and how words of others are quoted in it. It knows no check.

/** `fault`: somebody has to mend it. `unknown`: it could not be learnt. */
export type Standing = "ok" | "fault" | "unknown";

/** One thing that providers look at, and how it stands. */
export interface Check {
  readonly check: "address" | "helo" | "reverse-dns" | "sender" | "spf" | "port-25" | "blocklists";
  readonly standing: Standing;
  /** What was found, in a line or more. It quotes DNS and hosts: untrusted text. */
  readonly text: string;
  /** What to do next; null when ok. */
  readonly remedy: { readonly text: string; readonly url: string | null } | null;
}

/** A check without its name. */
export type Found = Omit<Check, "check">;

/** All is as it must be. */
export function ok(text: string): Found {
  return { standing: "ok", text, remedy: null };
}

/** Somebody has to mend it: what is to be done, and where. */
export function fault(text: string, remedy: string, url: string | null = null): Found {
  return { standing: "fault", text, remedy: { text: remedy, url } };
}

/** It could not be learnt: what makes it known. */
export function unknown(text: string, remedy: string): Found {
  return { standing: "unknown", text, remedy: { text: remedy, url: null } };
}

/** Whoever checks has options, a configuration, or both. */
export const addressRemedy =
  "Set the egress's address, the one that hosts see mail come from: egresses[].address in the configuration, or --egress where this machine has it.";
export const translatedRemedy =
  "Set the public address that it is translated to: egresses[].address in the configuration.";

/** What cannot be asked without the egress's address. */
export function addressNeeded(what: string): Found {
  return unknown(`${what} cannot be looked up: the egress's address is not known`, addressRemedy);
}

/** What DNS did not say. */
export function unanswered(text: string): Found {
  return unknown(text, "See that the resolver answers; the next check asks again.");
}

/** More of a text of DNS or of a host says no more, and would fill whatever keeps it. */
const quoteLimit = 300;

/** Words of others, cut; they stay as they are otherwise, so that whoever shows them has to make them visible. */
export function quoted(text: string): string {
  const cut = text.length <= quoteLimit ? text : `${text.slice(0, quoteLimit)}…`;
  return cut.toWellFormed();
}

const listedLimit = 4;

/** The first few of many. */
export function listed(words: readonly string[]): string {
  const shown = words.slice(0, listedLimit).map(quoted);
  return (words.length > listedLimit ? [...shown, `${words.length - listedLimit} more`] : shown).join(", ");
}
