// Whether the egress's address is on a blocklist, asked of the lists' DNS zones through our own resolver (RFC 5782). Which
// zones there are, and how one leaves a list, others know.
import { isIPv6 } from "node:net";
import { ask } from "../route/dns.ts";
import { specialRange } from "../smtp/address-range.ts";
import { blocklists } from "../verdict/blocklists.ts";
import { isPublic } from "../verdict/own-address.ts";
import { dnsLists, type DnsList } from "./dns-lists.ts";
import { addressNeeded, fault, ok, quoted, translatedRemedy, unanswered, unknown, type Found } from "./found.ts";
import { reversed } from "../smtp/reverse-name.ts";
import type { SelfCheckOptions } from "./options.ts";

/** A list that has said nothing by then says nothing to those who refuse mail either. */
const listMs = 10_000;

const askYourself = "Ask through a resolver of your own: lists do not answer public ones, nor busy ones.";

/** Whether the address is on a list; all are asked at once. What a list did not say makes it unknown, and hides no listing. */
export async function checkBlocklists(address: string | null, options: SelfCheckOptions): Promise<Found> {
  if (address === null) return addressNeeded("blocklists");
  if (!isPublic(address)) {
    const text = `${address} is ${specialRange(address) ?? "special"}: no list has it`;
    return options.allowPrivate ? ok(text) : unknown(text, translatedRemedy);
  }
  const asked = dnsLists.filter(({ ipv6 }) => ipv6 || !isIPv6(address));
  const lookup = { ...options.lookup, timeoutMs: Math.min(listMs, options.lookup.timeoutMs) };
  const standings = await Promise.all(asked.map((list) => standingOn(list, address, lookup)));
  const said = <Kind extends OnList["kind"]>(kind: Kind): readonly Extract<OnList, { kind: Kind }>[] =>
    standings.filter((each): each is Extract<OnList, { kind: Kind }> => each.kind === kind);
  const [clear, listings, silent] = [said("clear"), said("listed"), said("silent")];
  const rest = [
    ...said("misanswered").map(({ text }) => text),
    ...(silent[0] === undefined ? [] : [`${answerless(silent)} (${silent[0].text})`]),
    ...said("unregistered").map((each) => `${answerless([each])}, which registered resolvers alone have`),
  ];
  if (listings.length > 0) return told(listings, address, rest);
  const isOn =
    clear.length === 0 ? `no list says whether it has ${address}` : `${address} is not on ${namesOf(clear).join(", ")}`;
  const text = [isOn, ...rest].join("; ");
  const isAll = silent.length + said("misanswered").length === 0;
  if (isAll && clear.length > 0) return ok(text);
  // Where none answers at all, it is the resolver that does not.
  return silent.length > 0 && silent.length + said("unregistered").length === asked.length
    ? unanswered(text)
    : unknown(text, askYourself);
}

/** Every one knows its list. `misanswered`: what it said is no listing. */
type OnList = { readonly id: string } & (
  | { readonly kind: "clear" }
  | { readonly kind: "listed"; readonly ids: readonly string[]; readonly words: string }
  | { readonly kind: "misanswered"; readonly text: string }
  | { readonly kind: "silent"; readonly text: string }
  | { readonly kind: "unregistered" }
);

async function standingOn(list: DnsList, address: string, lookup: SelfCheckOptions["lookup"]): Promise<OnList> {
  const { id, zone } = list;
  const name = `${reversed(address)}.${zone}`;
  const answer = await ask("A", name, lookup, (resolver) => resolver.resolve4(name));
  if (answer.kind === "failed") return answerlessOn(list, answer.text);
  if (answer.kind === "absent") return await clearOn(list, lookup);
  const misanswer = answer.records.map((each) => misanswerOf(each, list)).find((each) => each !== null);
  if (misanswer !== undefined) return { id, kind: "misanswered", text: misanswer };
  const [everybody, words] = await Promise.all([listsEverybody(list, address, lookup), wordsOf(name, lookup)]);
  if (everybody) {
    return { id, kind: "misanswered", text: `${zone} has the address that no list may have: it is out of order` };
  }
  const ids = new Set(answer.records.map((each) => list.codes[each] ?? id));
  return { id, kind: "listed", ids: [...ids], words };
}

/** A resolver may say of every list that it has nothing; but each has 127.0.0.2, to be tried by (RFC 5782 §5). */
async function clearOn(list: DnsList, lookup: SelfCheckOptions["lookup"]): Promise<OnList> {
  const { id, zone } = list;
  const name = `${reversed(testAddress)}.${zone}`;
  const answer = await ask("A", name, lookup, (resolver) => resolver.resolve4(name));
  if (answer.kind === "failed") return answerlessOn(list, answer.text);
  if (answer.kind === "records") return { id, kind: "clear" };
  const text = `${zone} has not even the address that every list has (${testAddress}): it is out of order, or the resolver answers in its place`;
  return { id, kind: "misanswered", text };
}

const testAddress = "127.0.0.2";

function answerlessOn({ id, registers }: DnsList, text: string): OnList {
  return registers ? { id, kind: "unregistered" } : { id, kind: "silent", text };
}

/** Why an answer is none of the list's, in a line; null: it is a listing. */
function misanswerOf(record: string, { zone }: DnsList): string | null {
  if (!record.startsWith("127.")) return `the resolver answers ${record} for ${zone}, which no list does`;
  if (record === "127.255.255.252") return `${zone} says that it was asked wrongly (${record}, a typing error)`;
  if (record === "127.255.255.254") return `${zone} does not answer public resolvers (${record})`;
  if (record === "127.255.255.255") return `${zone} was asked too often by this resolver (${record})`;
  // 127.0.0.1 is how others say the same (RFC 5782 §2.1 leaves it out of the codes).
  if (record.startsWith("127.255.255.") || record === "127.0.0.1") return `${zone} refuses to say (${record})`;
  return null;
}

/** RFC 5782 §5: 127.0.0.1 is on no list that works; abandoned ones answer to all. */
async function listsEverybody(
  { zone }: DnsList,
  address: string,
  lookup: SelfCheckOptions["lookup"],
): Promise<boolean> {
  const name = `${reversed(isIPv6(address) ? "::ffff:127.0.0.1" : "127.0.0.1")}.${zone}`;
  const answer = await ask("A", name, lookup, (resolver) => resolver.resolve4(name));
  return answer.kind === "records";
}

/** What the list says of the listing, if anything. */
async function wordsOf(name: string, lookup: SelfCheckOptions["lookup"]): Promise<string> {
  const answer = await ask("TXT", name, lookup, (resolver) => resolver.resolveTxt(name));
  const texts = answer.kind === "records" ? answer.records.map((chunks) => chunks.join("")) : [];
  return quoted(texts.join(" / "));
}

function told(
  listings: readonly Extract<OnList, { kind: "listed" }>[],
  address: string,
  rest: readonly string[],
): Found {
  const names = listings.map(({ ids, words }) => {
    const lists = ids.map(nameOf).join(" and ");
    return words === "" ? lists : `${lists} ("${words}")`;
  });
  const lists = listings.flatMap(({ ids }) => ids).flatMap((id) => blocklists.find((each) => each.id === id) ?? []);
  const ways = lists.map(({ name, remedy, url }) => ({
    text: `${name}: ${remedy}`,
    url: url === null ? null : url.replaceAll("{ip}", encodeURIComponent(address)),
  }));
  const urls = new Set(ways.map(({ url }) => url).filter((url) => url !== null));
  const texts = ways.map(({ text, url }) => (urls.size < 2 || url === null ? text : `${text} (${url})`));
  return fault([`${address} is on ${names.join(", ")}`, ...rest].join("; "), texts.join(" "), [...urls][0] ?? null);
}

function answerless(lists: readonly { readonly id: string }[]): string {
  return `${namesOf(lists).join(", ")} ${lists.length === 1 ? "gives" : "give"} no answer`;
}

function namesOf(lists: readonly { readonly id: string }[]): readonly string[] {
  return lists.map(({ id }) => nameOf(id));
}

function nameOf(id: string): string {
  return blocklists.find((each) => each.id === id)?.name ?? id;
}
