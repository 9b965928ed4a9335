// What to do next about a refusal: a sentence and, where there is one, a link with our address filled in.
// It does not know the reply's class; that is told to it. Pure.
import { blocklists } from "./blocklists.ts";
import { classes, type Class } from "./classes.ts";
import type { Classification } from "./classify.ts";
import { findProvider } from "./providers.ts";

export interface Remedy {
  /** The next action, in a sentence or two. */
  readonly text: string;
  /** Where to take it; null where it is no page's. */
  readonly url: string | null;
}

/** What the remedy is for. */
export interface Refused {
  readonly class: Class;
  /** Null where no refusal was read. */
  readonly classification: Classification | null;
  readonly provider: string | null;
  /** The reply, verbatim. */
  readonly text: string;
  /** Our own address on the connection, where it is known. */
  readonly own: string | null;
}

/** The rule's own remedy, else the list's, else the provider's, else the class's. */
export function remedyFor(refused: Refused): Remedy {
  const { text, url } = templateFor(refused);
  return { text, url: ticketIn(refused.text) ?? (url === null ? null : filled(url, judgedAddress(refused))) };
}

function templateFor({ class: kind, classification, provider }: Refused): Remedy {
  if (classification?.remedy != null) return classification.remedy;
  const list = blocklists.find(({ id }) => id === classification?.blocklist);
  const runs = provider === null ? null : findProvider(provider);
  if (list !== undefined && kind !== "content-spam") {
    // A list of the provider's own: its page knows the ticket.
    const url = list.says === null ? (runs?.unblock?.url ?? list.url) : list.url;
    return { text: `${list.name}: ${list.remedy}`, url };
  }
  if (kind === "ip-reputation" && runs?.unblock != null) return runs.unblock;
  return { text: classes[kind].remedy, url: runs?.postmaster ?? null };
}

/**
 * The ticket that a reply gives (`https://postmaster.gmx.net/en/case?c=…`). A host's text is untrusted: a link is repeated
 * only to hosts where nobody but their owner has pages, by https, and with nothing that may be taken for another.
 */
function ticketIn(reply: string): string | null {
  const found = reply.match(/https:\/\/[^\s<>"')\]]{1,500}/g) ?? [];
  return found.map((each) => each.replace(/[.,;:!?]+$/, "")).find((each) => isTicket(each)) ?? null;
}

function isTicket(url: string): boolean {
  if (!/^https:\/\/[a-z0-9.-]+\/[!-[\]-~]*$/.test(url) || !URL.canParse(url)) return false;
  return ticketHosts.includes(new URL(url).host);
}

/** United Internet's: GMX, web.de, mail.com, IONOS. */
const ticketHosts: readonly string[] = [
  "postmaster.gmx.net",
  "postmaster.gmx.com",
  "postmaster.web.de",
  "postmaster.mail.com",
  "postmaster.1und1.de",
  "postmaster.kundenserver.de",
  "postmaster.ionos.com",
];

/** Without an address the page itself. */
function filled(template: string, address: string | null): string {
  if (!template.includes("{ip}")) return template;
  return address === null ? `${new URL(template).origin}/` : template.replaceAll("{ip}", encodeURIComponent(address));
}

/** The address that was judged: ours, or, behind NAT, the only public one that the host names. */
function judgedAddress({ text, own }: Refused): string | null {
  if (own !== null && !notPublic.test(own)) return own;
  const named = new Set(text.match(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g) ?? []);
  const [only] = named;
  return named.size === 1 && only !== undefined && isPublic(only) ? only : null;
}

function isPublic(address: string): boolean {
  return !notPublic.test(address) && address.split(".").every((each) => Number(each) <= 255);
}

/** RFC 1918, loopback, link-local, RFC 6598's shared range, multicast, and IPv6's own (RFC 4193 §3.1, RFC 4291 §2.5). */
const notPublic =
  /^(?:0|10|127|2[3-9]\d|22[4-9]|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^(?:::1?$|f[cdef])/i;
