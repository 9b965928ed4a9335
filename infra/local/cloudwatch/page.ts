// A long list told by pages: the token of a page is where it begins. It knows nothing of what is listed.
import { Refusal } from "./protocol.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** To be spread into an answer: the last page has no token. */
  readonly next: { readonly NextToken?: string };
}

/** Throws InvalidNextToken for one that is none of ours. */
export function pageOf<T>(all: readonly T[], size: number, token: string | undefined): Page<T> {
  const start = Number(token ?? 0);
  if (token !== undefined && !(Number.isInteger(start) && start > 0)) {
    throw new Refusal("InvalidNextToken", `The token ${token} is not one of this list`);
  }
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? { NextToken: String(end) } : {} };
}
