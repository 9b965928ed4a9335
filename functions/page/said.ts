// How a page says who, where and when: providers, addresses, standings and times in a person's words. It decides nothing,
// and quotes nobody.
import type { Config } from "../config/config.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { blocklists } from "../verdict/blocklists.ts";
import { classes, type Class } from "../verdict/classes.ts";
import { standing } from "../verdict/incident.ts";
import { isPublic } from "../verdict/own-address.ts";
import { findProvider } from "../verdict/providers.ts";
import type { PairHistory } from "./history.ts";
import type { Fact } from "./text.ts";

/** Its short name: `iCloud`, `Outlook.com`; one that we do not know goes by its name in the configuration. */
export function providerName(id: string): string {
  const name = findProvider(id)?.name ?? id;
  return name.replace(/(?:,| and |:).*$/, "").replace(/ Mail$/, "");
}

const namesLimit = 6;

/** `Outlook.com, GMX and 3 more` */
function namesText(names: readonly string[]): string {
  if (names.length <= namesLimit) return names.join(", ");
  return `${names.slice(0, namesLimit).join(", ")} and ${names.length - namesLimit} more`;
}

/** The address that is judged, where it is known: by the host's word, the operator's, or a connection without NAT. */
export function addressOf(egress: string, stored: StoredVerdict | null, config: Config): string | null {
  const { address = null, seen = null } = stored?.verdict.egress ?? {};
  const [said, shown] = [seen, address].map((each) => (each !== null && isPublic(each) ? each : null));
  return said ?? configuredAddress(egress, config) ?? shown ?? null;
}

/** As the operator has it. */
export function configuredAddress(egress: string, { egresses }: Config): string | null {
  return egresses.find(({ name }) => name === egress)?.address ?? null;
}

/** `ip-reputation, on Spamhaus PBL: …` */
export function classText(kind: Class, blocklist: string | null): string {
  const list = blocklists.find(({ id }) => id === blocklist)?.name;
  return `${kind}${list === undefined ? "" : `, on ${list}`}: ${classes[kind].means}`;
}

/** What the last verdict comes to: `accepted up to rcpt`. */
export function lastText({ verdicts, block }: PairHistory): string {
  const [last] = verdicts;
  if (block !== null) return "blocked";
  return last === undefined ? "no verdict yet" : standing(last.verdict.outcome, last.verdict.primary.stage);
}

/** All providers by what their last verdicts come to: `blocked: iCloud, GMX; accepted up to rcpt: Yahoo`. */
export function lastsText(histories: readonly PairHistory[]): string {
  const groups = Map.groupBy(histories, lastText);
  const texts = [...groups].map(([text, each]) => `${text}: ${providerNames(each)}`);
  return texts.join("; ");
}

export function lastSeenFacts(histories: readonly PairHistory[]): readonly Fact[] {
  return histories.length === 0 ? [] : [{ label: "Last seen", value: lastsText(histories) }];
}

export function providerNames(each: readonly { readonly provider: string }[]): string {
  return namesText(each.map(({ provider }) => providerName(provider)));
}

/** `2026-11-24 11:30 UTC` */
export function timeText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** From one time to another: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function spanText(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} min`}`;
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? "" : ` ${hours % 24} h`}`;
}
