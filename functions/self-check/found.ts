// What a check found, and how words of others are quoted in it. It knows no check.
import type { Check } from "./self-check.ts";

/** A check without its name. */
export type Found = Omit<Check, "check">;

export function ok(text: string): Found {
  return { standing: "ok", text, remedy: null };
}

export function fault(text: string, remedy: string, url: string | null = null): Found {
  return { standing: "fault", text, remedy: { text: remedy, url } };
}

export function unknown(text: string, remedy: string, url: string | null = null): Found {
  return { standing: "unknown", text, remedy: { text: remedy, url } };
}

/** What cannot be asked without the egress's address. */
export function addressNeeded(what: string): Found {
  return unknown(
    `${what} cannot be looked up: the egress's address is not known`,
    "Configure the egress's address: the one that hosts see mail come from.",
  );
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

/** The first few of many. */
export function listed(words: readonly string[], limit = 4): string {
  const shown = words.slice(0, limit).map(quoted);
  return (words.length > limit ? [...shown, `${words.length - limit} more`] : shown).join(", ");
}
