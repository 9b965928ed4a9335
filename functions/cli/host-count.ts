// The hosts of a domain in a line: how many addresses say what, those that somebody is woken for first, and which hosts
// nobody could ask. It repeats no host's words.
import type { Families } from "../route/egress.ts";
import type { Stop } from "../smtp/transcript.ts";
import type { Outcome } from "../verdict/reconcile.ts";
import type { Verdict } from "../verdict/verdict.ts";

/**
 * @param hosts a verdict for each address, and for each host without one
 * @param families what may be dialled
 */
export function hostCount({ recipients, depth }: Verdict, hosts: readonly Verdict[], families: Families): string {
  const recipient = recipients[0]?.address ?? "";
  const domain = recipient.slice(recipient.lastIndexOf("@") + 1);
  const asked = hosts.filter((each) => leftBecause(each) === null);
  const left = leftTexts(hosts, families);
  if (asked.length > 0) {
    const names = new Set(asked.map(({ primary }) => `${primary.host} ${primary.port}`));
    const whom = `${many(asked.length, "address", "addresses")} of ${many(names.size, "host", "hosts")}`;
    return [`${domain}: ${whom} up to ${depth}: ${saidTexts(asked).join(", ")}`, ...left].join("; ");
  }
  const isNowhere = hosts.every((each) => leftBecause(each) === "no-mail-here");
  return `${domain}: ${isNowhere ? "there is no address to ask" : `nobody was asked: ${left.join("; ")}`}`;
}

/** Why a host was not even dialled; null: it was. */
export function leftBecause({ attempts }: Verdict): Stop["reason"] | null {
  const last = attempts.at(-1);
  const reason = last?.stop?.reason;
  return reason !== undefined && last?.timings.connectedMs === null && reason in leftWords ? reason : null;
}

/** Whether somebody is woken for it, also where it accepted in the end. */
export function isPage({ severity, findings }: Verdict): boolean {
  return severity === "page" || findings.length > 0;
}

/** In the order in which they are told, after those that page. */
const saidWords: Readonly<Record<Outcome, readonly [one: string, several: string]>> = {
  rejected: ["refuses us", "refuse us"],
  deferred: ["defers", "defer"],
  unknown: ["unknown", "unknown"],
  unanswered: ["unanswered", "unanswered"],
  accepted: ["accepts", "accept"],
};

function saidTexts(asked: readonly Verdict[]): readonly string[] {
  const order = Object.keys(saidWords);
  const rank = (each: Verdict): number => (isPage(each) ? 0 : order.length) + order.indexOf(each.outcome);
  const groups = Map.groupBy(
    asked.toSorted((a, b) => rank(a) - rank(b)),
    (each) => `${rank(each)} ${classesOf(each)}`,
  );
  return [...groups.values()].map((its) => {
    const [first] = its as [Verdict, ...Verdict[]];
    const classes = classesOf(first);
    return `${many(its.length, ...saidWords[first.outcome])}${classes === "" ? "" : ` (${classes})`}`;
  });
}

/** Of refusals, and of whatever somebody is woken for. */
function classesOf({ outcome, severity, class: kind, findings }: Verdict): string {
  const own = outcome === "rejected" || severity === "page" ? [kind] : [];
  return [...new Set([...own, ...findings.map((each) => each.class)])].join(", ");
}

type LeftWords = (count: number, families: Families) => string;

const withoutAddress: LeftWords = (count) => `${many(count, "host", "hosts")} without address`;

/** In the order in which they are told. */
const leftWords: Readonly<Partial<Record<Stop["reason"], LeftWords>>> = {
  "no-mail-here": withoutAddress,
  "no-address": withoutAddress,
  "no-family": (count, families) => `${many(count, "host", "hosts")} without IPv${families} address`,
  "own-host": (count) => `${many(count, "host is", "hosts are")} this machine`,
  "dns-failed": (count) => `DNS fails for ${many(count, "host", "hosts")}`,
  "tls-policy": (count) => `${many(count, "host is", "hosts are")} not as the TLS policy asks`,
  guarded: (count) => `${many(count, "address", "addresses")} not dialled`,
  "out-of-time": (count) => `${count} not asked`,
  "left-out": () => "more than we ask left out",
};

function leftTexts(hosts: readonly Verdict[], families: Families): readonly string[] {
  const groups = Map.groupBy(hosts, leftBecause);
  return Object.entries(leftWords).flatMap(([reason, words]) => {
    const count = groups.get(reason as Stop["reason"])?.length ?? 0;
    return count === 0 ? [] : [words(count, families)];
  });
}

function many(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
