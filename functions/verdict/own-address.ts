// The address that a host sees us come from: what is configured, what the connection shows, and what the host itself says,
// which behind NAT or a proxy nobody else knows. It does not know whether that address is refused. Pure.
import { specialRange } from "../smtp/address-range.ts";
import { canonical, isSameFamily, readLiteral } from "../smtp/ip-address.ts";
import type { Exchange, Transcript } from "../smtp/transcript.ts";
import { isNegative, isYes } from "../smtp/yes.ts";

/** What a host said, and its own address. */
export type Heard = Pick<Transcript, "address" | "exchanges">;

/**
 * The address that the host judges: the connection's own where that is public; else what the host says, which tells a NAT
 * that the configuration does not know of; else what is configured, where it is of the connection's family. A private one
 * only where nothing better is known; null: nothing is.
 */
export function ownAddress(attempt: Heard & Pick<Transcript, "egressAddress" | "localAddress">): string | null {
  const { egressAddress, localAddress, address } = attempt;
  if (localAddress !== null && isPublic(localAddress)) return localAddress;
  const seen = seenBy(attempt);
  if (seen !== null || egressAddress === null || !isSameFamily(egressAddress, address)) return seen ?? localAddress;
  return canonical(egressAddress);
}

/**
 * The address that the host says we come from, in its canonical spelling: by its answer to EHLO or HELO (`Hello
 * [203.0.113.7]`), else by a refusal (`Client host [203.0.113.7] blocked`). Null where none can be told for certain.
 */
export function seenBy({ address, exchanges }: Heard): string | null {
  const host = address === null ? null : readAddress(address);
  // What we said of ourselves it may only repeat.
  const claims = new Set(exchanges.map(claimOf));
  for (const text of [...greetings(exchanges), ...refusals(exchanges)]) {
    const found = onlyAddress(text, (each) => canBeOurs(each, host) && !claims.has(each));
    if (found !== null) return found;
  }
  return null;
}

/** The address of ours that a reply names on its own, verbatim: where nothing else is known of the session. */
export function addressIn(reply: string): string | null {
  const text = textOf(reply.split("\n", linesLimit));
  return ofOthers.test(text) ? null : onlyAddress(text, (each) => canBeOurs(each, null));
}

/** Whether an Internet host can see us come from there. Documentation's addresses (RFC 5737) stand for such ones. */
export function isPublic(address: string): boolean {
  return [null, "documentation"].includes(specialRange(address));
}

/** Tells, in a line, of a host that sees us come from another address than the egress has; null: none says so. */
export function egressNote(verdict: {
  readonly egress: { readonly address: string | null };
  readonly attempts: readonly (Heard & Pick<Transcript, "host">)[];
}): string | null {
  const { address } = verdict.egress;
  if (address === null) return null;
  const expected = canonical(address);
  for (const attempt of verdict.attempts) {
    const seen = seenBy(attempt);
    if (seen === null || seen === expected || !isSameFamily(seen, expected)) continue;
    return `${attempt.host} sees us come from ${seen}, not from ${expected}: NAT, or another way out`;
  }
  return null;
}

/** Who refuses more often has named our address by then, or never will. */
const repliesLimit = 20;
const linesLimit = 20;
/** RFC 5321 §4.5.3.1.5. */
const lineLimit = 512;

/** The first line of the answers to EHLO and HELO, without the host's own name (RFC 5321 §4.1.1.1). */
function greetings(exchanges: readonly Exchange[]): readonly string[] {
  const answers = exchanges.filter((each) => each.stage === "ehlo" && isYes(each)).slice(0, repliesLimit);
  return answers.map(({ reply }) => lineOf(reply?.lines[0] ?? "").replace(/^\S+/, ""));
}

/** Whole ones: what ends inside a reply may end inside an address. */
function refusals(exchanges: readonly Exchange[]): readonly string[] {
  const refused = exchanges.flatMap(({ reply }) => (isNegative(reply) && !reply.partial ? [reply] : []));
  const texts = refused.slice(0, repliesLimit).map(({ lines }) => textOf(lines));
  return texts.filter((text) => !ofOthers.test(text));
}

function textOf(lines: readonly string[]): string {
  return lines.slice(0, linesLimit).map(lineOf).join(" ");
}

/** Without its code, and cut between words only: a piece of an address is another address. */
function lineOf(line: string): string {
  const text = line.replace(/^\d{3}[ -]?/, "");
  return text.length <= lineLimit ? text : text.slice(0, text.lastIndexOf(" ", lineLimit) + 1);
}

/** Tells of another connection: a relay's to the mailbox, a callout to the sender's host. */
const ofOthers =
  /\bsaid:|\bcalled: |\bnext ?hop\b|\bfrom mta ?\(|\bconnect(?:ing|ed|ion)? (?:refused |attempt |made )?to \S{0,255}\d/i;

/** The one address of the text that fits; null: none does, or several do. */
function onlyAddress(text: string, fits: (address: string) => boolean): string | null {
  const bare = text.replaceAll(link, " ").replaceAll(mailAddress, " ");
  const found = [...bare.matchAll(ipv4), ...bare.matchAll(ipv6)].flatMap(({ 1: spelt = "", index }) => {
    const address = readAddress(spelt.replace(/(?<!:):$/, ""));
    const isOther = otherwise.test(bare.slice(Math.max(0, index - contextSize), index));
    return address !== null && !isOther && fits(address) ? [address] : [];
  });
  const [only = null, ...more] = new Set(found);
  return more.length === 0 ? only : null;
}

/** Also a link that was folded (`https: //list.example`), and one without its scheme. */
const link = /\b(?:https?: ?\/\/|www\.)\S+|(?<![^\s<("'])[\w.-]{1,255}\.[a-z]{2,24}\/\S*/gi;
const mailAddress = /(?<![^\s<>()[\]])[^\s<>()[\]@]{1,64}@(?:\[[^\]\s]{0,64}\]|[^\s<>()[\],;]*)/g;
/**
 * Neither a network (`/24`), nor part of a name (`7.113.0.203.list.example`), of a longer number, or of an IPv6 address;
 * nor a reason as Yahoo counts them (`- 4.16.55.1;`).
 */
const ipv4 = /(?<![\w.%/-]|:[\da-f]{0,4}:)(?!(?<=- )[\d.]+;)(\d{1,3}(?:\.\d{1,3}){3})(?!\w|[.-]\w|\/\d)/gi;
const ipv6 =
  /(?<![\w.:%/-])(?:ip(?:v6)?[:=])?(?=[\da-f]{0,4}:)([\da-f:]{2,39}(?:(?:\.\d{1,3}){3})?)(?!\w|[.-]\w|\/\d)/gi;

/** What stands before a version or a section, and before an address that the sentence says is not ours. */
const otherwise =
  /(?:\b(?:version|ver|v|build|release|rev|patch)[.:=]? ?|\b(?:sendmail|postfix|exim|exchange|icewarp|mdaemon|kerio(?: connect)?) v?|\be?smtp (?:(?!(?:from|for|of|ip|host|client|address|connections?|sessions?)\b)[a-z]\w* ){0,2}|\brfc[ -]?\d{3,5},? |\b(?:dns ip|resolver|use me|(?:resolves?|points?) to|section|sec\.)[:=]? ?|§ ?)[[(<]?$/i;
const contextSize = 80;

/** The address literal that we said HELO with. */
function claimOf({ stage, command }: Exchange): string | null {
  const literal = stage === "ehlo" ? readLiteral((command ?? "").replace(/^(?:EHLO|HELO) /i, "")) : null;
  return literal === null ? null : canonical(literal);
}

/** Of the connection's family, not the host's own, and a private one only of a host that is itself in no public range. */
function canBeOurs(address: string, host: string | null): boolean {
  if (address === host || !isSameFamily(address, host)) return false;
  if (isPublic(address)) return true;
  if (host === null || isPublic(host)) return false;
  const range = specialRange(address) ?? "";
  // Lists answer with 127.0.0.2 and the like: it is an address only where the host itself is on this machine.
  return range === "loopback" ? specialRange(host) === range : privateRanges.has(range);
}

const privateRanges: ReadonlySet<string> = new Set(["private", "shared (CGNAT)", "link-local", "unique local"]);

/** In its one spelling; null: no address. */
function readAddress(text: string): string | null {
  return specialRange(text) === "not an IP address" ? null : canonical(text);
}
