// What to do next about a refusal: a sentence and, where there is one, a link with our address filled in.
// It does not know the reply's class; that is told to it. Pure.
import type { Stop } from "../smtp/transcript.ts";
import { blocklists } from "./blocklists.ts";
import { classes, type Class } from "./classes.ts";
import type { Classification } from "./classify.ts";
import { isPublic } from "./own-address.ts";
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
  /** The address that the host sees us come from, where it is known. */
  readonly own: string | null;
}

/** The rule's own remedy, else the list's, else the provider's, else the class's. */
export function remedyFor(refused: Refused): Remedy {
  const { text, url } = templateFor(refused);
  return { text, url: ticketIn(refused.text) ?? (url === null ? null : filled(url, refused.own)) };
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

/** Where we went no further before a host could say a word; null: its class's own will do. */
export function remedyOfStop(reason: Stop["reason"]): Remedy | null {
  const text = remediesOfStops[reason];
  return text === undefined ? null : { text, url: null };
}

const remediesOfStops: Readonly<Partial<Record<Stop["reason"], string>>> = {
  "no-mail-here": "Check the recipient's domain: as DNS has it, nobody takes its mail from here.",
  "no-address": "Tell the domain's owner that its MX record names a host without an address.",
  "no-family":
    "Probe it over an egress of the other IP version: the host has no address of the one that this egress leaves by.",
  "own-host": "Take this machine out of the domain's MX records, or ask from one that is not among them.",
  "dns-failed": "See that our resolver answers; if it does for other domains, this one's DNS is for its owner to mend.",
  guarded:
    "Tell the domain's owner that its MX record leads to an address that is not on the Internet; in a lab allow those (--allow-private, requests.privateAddresses).",
  proxy:
    "See that the proxy runs, takes our credentials, and may itself connect to port 25. It says nothing of the host.",
  "proxy-refused":
    "See that the proxy's rules and network let it connect to port 25; if it reaches others, this host is down.",
  uncommitted: "See that our table takes what is written to it. It says nothing of the host.",
  "out-of-time": "Give all hosts together more time, or see why those before took so long.",
  "left-out": "Name those that matter with --mx to have them asked.",
  "tls-not-offered":
    "Tell the host's postmaster that it offers no STARTTLS; send nothing there that must not be read on the way.",
  "tls-policy":
    "Tell the domain's postmaster: the host is not as the domain's own policy asks, by mistake or because another answers in its place. Send nothing there without TLS.",
};

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

/** Without an address that anybody can look up, the page itself. */
function filled(template: string, address: string | null): string {
  if (!template.includes("{ip}")) return template;
  if (address === null || !isPublic(address)) return `${new URL(template).origin}/`;
  return template.replaceAll("{ip}", encodeURIComponent(address));
}
