// What requests of all kinds have in common: their id, their times, who they may come from. It knows no kind of them.
import * as z from "zod/mini";
import { about } from "../config/about.ts";
import type { Config } from "../config/config.ts";
import { parseSender, type Address } from "../smtp/address.ts";

/** Ours of a key, which our rows' keys hold; any characters that can be seen. */
export const id = z.string().check(z.regex(/^[\x21-\x7e]{1,200}$/, "1 to 200 visible ASCII characters"));
export const time = z.iso.datetime({ offset: true, error: "an RFC 3339 time such as 2026-11-24T17:00:00Z" });
export const version = about("The version of requests.", z.literal(1));

/** @returns milliseconds since the epoch; null: none is given */
export function readTime(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

/** A sender that the configuration lists, as it is on the wire; empty, with a fault, where it lists none such. */
export function readFrom(text: string, { identity, requests }: Config, faults: string[]): string {
  const sender = parseSender(text);
  if ("fault" in sender) {
    faults.push(`from: ${sender.fault}`);
    return "";
  }
  if (![identity.sender, ...requests.senders].some((each) => isListed(sender, each))) {
    faults.push("from: it is none of the configuration's identity.sender and requests.senders");
  }
  return sender.text;
}

/**
 * Whether this is who the configuration names: a mailbox, or all of a domain by `@example.com`. What stands there may be
 * spelt otherwise: with "<" and ">", or a domain in capitals.
 */
export function isListed({ text, domain }: Address, each: string): boolean {
  const isAll = each.startsWith("@");
  const listed = parseSender(isAll ? `anybody${each}` : each);
  return "text" in listed && (isAll ? listed.domain === domain : listed.text === text);
}
