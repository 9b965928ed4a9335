// A reply as rules read it: one line, lower case, without prefixes, and with what only looks like words masked.
// It gives no meaning to any of it. Pure.

/** What a reply says. Folded over lines or flattened into one, it reads the same. */
export interface Words {
  /** Null where the text begins with no reply code: a failure's own words. */
  readonly code: number | null;
  /** The enhanced status (RFC 3463), also as `#5.7.1` and `(#5.7.1)`, or null. */
  readonly status: string | null;
  /** Without prefixes and diacritics; every mail address is `%addr`. Hosts, links and addresses of hosts stand. */
  readonly text: string;
  /** The text with hosts as `%fqdn`, links as `%href`, IP addresses as `%ip`, and our own as `%own`. */
  readonly words: string;
}

/** A reason stands at the beginning, or in the last line; what is longer is a page of help, or an attack. */
const headLimit = 3000;
const tailLimit = 1000;

/**
 * Reads a reply, with its code, or a failure's words.
 * @param own the address that we are judged by, where it is known: in the text it is evidence
 */
export function readWords(reply: string, own: string | null): Words {
  // Twice: one character may be eighteen when it is taken apart.
  const line = cut(cut(reply).normalize("NFKD"))
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[\s\0]+/g, " ")
    .trim();
  const code = /^(\d{3})(?:[ -]|$)/.exec(line)?.[1] ?? null;
  const status = statusOf(line);
  const text = withoutPrefixes(line, code).replaceAll(mailAddress, "%addr").replaceAll(brokenLink, "$1://");
  return { code: code === null ? null : Number(code), status, text, words: masked(text, own) };
}

function cut(text: string): string {
  if (text.length <= headLimit + tailLimit) return text;
  return `${text.slice(0, headLimit)} ${text.slice(-tailLimit)}`;
}

/** At the beginning, or behind a `#` (qmail and IronPort write `(#5.7.1)`): elsewhere it may be part of anything. */
function statusOf(line: string): string | null {
  const first = /^\d{3}[ -]\s?#?([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(line)?.[1];
  return first ?? /#([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(line)?.[1] ?? null;
}

/**
 * Prefixes repeat inside sentences where a reply of many lines was flattened (`is 550-5.7.1 likely`). The code stands
 * in front of each line with a hyphen, in front of the last with a space (RFC 5321 §4.2.1).
 */
function withoutPrefixes(line: string, code: string | null): string {
  if (code === null) return line;
  const prefix = new RegExp(`(?<=^| )${code}(?:[ -]|$)\\s?(?:#?[245]\\.\\d{1,3}\\.\\d{1,3}(?![\\d.])[ -]?)?`, "g");
  return line.replaceAll(prefix, " ").replaceAll(/ {2,}/g, " ").trim();
}

/** Local parts hold any word: `spamhaus@`, `blocked@`. */
const mailAddress = /(?:"[^"]{1,64}"|[^\s<>"'()[\],;:@]{1,64})@[^\s<>"'()[\],;:@]{1,255}/g;
/** A link that was folded (`https: //list.example`). */
const brokenLink = /\b(https?):\s?\/\//g;
const link = /\b(?:https?:\/\/|www\.)[^\s<>"')\]]{1,500}/g;
const ipv4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?(?![\d.]*\d)/g;
const ipv6 =
  /(?:(?<![\w:.])|(?<=\bipv6:))(?=[0-9a-f:]{0,40}(?:::|(?::[0-9a-f]{1,4}){3}))[0-9a-f:]{2,39}(?:(?<=:\d{1,3})(?:\.\d{1,3}){3})?(?:\/\d{1,3})?(?![\w:])/g;
const hostName = /(?<![\w.-])(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.){1,8}([a-z]{2,18})(?![\w-])/g;

/** The ends of names that are no words of a sentence: `blocked.please` is two words, not a host. */
const topLevel =
  /^(?:com|net|org|edu|gov|mil|int|info|biz|name|mobi|arpa|local|localdomain|internal|intranet|lan|example|test|invalid|localhost|cloud|app|dev|email|mail|online|site|shop|store|tech|xyz|club|host|hosting|network|systems|world|life|live|media|agency|support|services|solutions|group|center|zone|top|icu|work|pro|asia|tel|[a-z]{2})$/;
/** Two letters that are a country's and a word too: only behind two labels, or more, a host. */
const wordLike = /^(?:is|it|to|in|my|no|so|me|us|be|at|by|as|am|an|if|we|do|go|de|la|il|un|se|su|es|al|et|pm)$/;

/** What a refusal is for is no reason of it: "to protect our users from spam, mail from your IP …". */
const purpose =
  /\bto (?:best |better |help )?(?:protect|prevent|reduce|fight|combat|avoid|stop|limit)\b[^.,;:]{0,60}\b(?:spam|abuse|junk|viruses)\b/g;

function masked(text: string, own: string | null): string {
  return text
    .replaceAll(purpose, "")
    .replaceAll(link, "%href")
    .replaceAll(ipv6, (found) => ipMask(found, own))
    .replaceAll(ipv4, (found) => ipMask(found, own))
    .replaceAll(hostName, (found: string, end: string) => (isHost(found, end) ? "%fqdn" : found));
}

function ipMask(found: string, own: string | null): string {
  return found === own?.toLowerCase() ? "%own" : "%ip";
}

function isHost(found: string, end: string): boolean {
  if (!topLevel.test(end)) return false;
  return !wordLike.test(end) || found.split(".").length > 2 || /\d|-/.test(found);
}
