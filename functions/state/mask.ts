// Takes recipients' local parts out of a verdict that is to be kept or shown, where the configuration wants it. Hosts
// repeat addresses in their replies. It changes nothing else: code, status and the words around stay as said.
import type { Verdict } from "../verdict/verdict.ts";

/** The verdict with `p***@example.com` for the recipient `probe@example.com`, wherever it stands. */
export function masked(verdict: Verdict): Verdict {
  const mask = maskOfAll(verdict.recipients.map(({ address }) => address));
  return walk(verdict, mask) as Verdict;
}

/** The same for a text in which hosts may have named these. */
export function maskedText(text: string, addresses: readonly string[]): string {
  return maskOfAll(addresses)(text);
}

function maskOfAll(addresses: readonly string[]): (text: string) => string {
  const rows = [...new Set(addresses)].map((address) => {
    const local = address.slice(0, address.lastIndexOf("@"));
    return { pattern: patternOf(local, address.slice(local.length + 1)), to: maskOf(local) };
  });
  return (text) => rows.reduce((all, { pattern, to }) => all.replaceAll(pattern, to), text);
}

export function maskedAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${maskOf(address.slice(0, at))}${address.slice(at)}`;
}

/** The local part before its domain, in a host's spelling; and in angle brackets or quotes alone. */
function patternOf(local: string, domain: string): RegExp {
  const name = escaped(local);
  return new RegExp(`(?<![\\w.+-])${name}(?=@${escaped(domain)})|(?<=[<"'])${name}(?=[>"'])`, "giu");
}

function maskOf(local: string): string {
  return `${/^./u.exec(local)?.[0] ?? ""}***`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function walk(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((each) => walk(each, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each, change)]));
}
