// Pages' facts for tests: sessions that were refused, and histories of them, short to write and whole in shape.
import { checkConfig, type Config } from "../../functions/config/config.ts";
import type { AlarmChange } from "../../functions/page/alarm-change.ts";
import type { PairHistory } from "../../functions/page/history.ts";
import { pageOf, type Page, type PageFacts } from "../../functions/page/text.ts";
import { alarmsOf, type Alarm, type AlarmKind } from "../../functions/report/alarms.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import type { Check } from "../../functions/self-check/found.ts";
import type { SelfCheck } from "../../functions/self-check/self-check.ts";
import { standingSince, type Since, type StoredSelfCheck } from "../../functions/state/self-checks.ts";
import type { StoredVerdict } from "../../functions/state/verdicts.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { ehlo, exchange, greeting, transcript } from "../cli/sample.ts";

const settings = {
  name: "probes",
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "mail-1", runner: "worker", address: "192.0.2.25" }],
  targets: ["icloud", "outlook", "gmx"].map((provider) => ({ provider, recipient: `probe@${provider}.example` })),
  onCall: { runbook: "https://runbook.example/dp" },
};

export function configWith(more: object = {}): Config {
  const { value, faults } = checkConfig({ ...settings, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

/** A session whose RCPT is answered so, by a host of that name. */
export function session(host: string, lines: string | readonly string[], more: Partial<Transcript> = {}): Transcript {
  const recipient = "probe@icloud.example";
  return transcript(
    [
      greeting,
      ehlo,
      exchange("mail", "MAIL FROM:<probe@sender.example>", "250 2.1.0 ok", { group: 2 }),
      exchange("rcpt", `RCPT TO:<${recipient}>`, lines, { group: 2 }),
    ],
    { host, address: "198.51.100.7", recipients: [recipient], ...more },
  );
}

export const icloudWords = [
  "550-5.7.1 192.0.2.25 is in Spamhaus PBL: refused.",
  "550 5.7.1 To have it taken out: https://spamhaus.example/pbl?ip=192.0.2.25",
];
export const icloudBlocks = session("mx01.mail.icloud.com", icloudWords);
export const gmxBlocks = session("mx00.gmx.net", "554 5.7.1 192.0.2.25 is listed in zen.spamhaus.org");
export const accepts = session("mx.example", "250 2.1.5 ok");
export const noReverseDns = session("mx00.gmx.net", "550 5.7.25 The IP has no PTR record, reverse DNS is required");
export const domainListed = session("mx01.mail.icloud.com", "550 5.7.1 sender.example is listed in Spamhaus DBL");
export const unreachable = transcript([], {
  host: "mx01.mail.icloud.com",
  address: "198.51.100.7",
  localAddress: null,
  recipients: ["probe@icloud.example"],
  ending: { by: "failed", stage: "connect", text: "no connection to 198.51.100.7:25 within 30 s" },
  timings: { connectedMs: null, decidedMs: 30_000, endedMs: 30_000 },
});

/** Verdicts of a provider, the newest first, a quarter of an hour apart; the last ends at 11:30. */
export function historyOf(
  provider: string,
  transcripts: readonly (Transcript | readonly Transcript[])[],
  more: Partial<PairHistory> = {},
): PairHistory {
  const verdicts = transcripts.map((each, index) => stored(provider, [each].flat(), index));
  return { provider, egress: "mail-1", block: null, verdicts, blockedFirst: null, ...more };
}

export function stored(provider: string, attempts: readonly Transcript[], index = 0): StoredVerdict {
  const at = new Date(Date.parse("2026-11-24T11:30:00Z") - index * 900_000).toISOString();
  return {
    id: `${provider}-${index}`,
    provider,
    egress: "mail-1",
    recipient: attempts[0]?.recipients[0] ?? "",
    at,
    verdict: judge(attempts, { name: "mail-1", address: null }),
    blocked: null,
    digest: "",
    reported: true,
    duplicates: 0,
  };
}

const allChecks = ["address", "helo", "reverse-dns", "sender", "spf", "port-25", "blocklists"] as const;

/** A self-check of mail-1 in which all is well but for these. */
export function selfCheckOf(...others: readonly Check[]): SelfCheck {
  const checks = allChecks.map((check): Check => {
    return (
      others.find((each) => each.check === check) ?? { check, standing: "ok", text: "as it must be", remedy: null }
    );
  });
  const standings = checks.map(({ standing }) => standing);
  return {
    v: 1,
    at: "2026-11-24T11:29:00.000Z",
    egress: { name: "mail-1", address: "192.0.2.25", seen: null },
    helo: "probe.example",
    sender: "probe@sender.example",
    standing: (["fault", "unknown"] as const).find((each) => standings.includes(each)) ?? "ok",
    checks,
  };
}

/** As it was stored at 11:30. */
export function storedSelfCheck(selfCheck: SelfCheck, before: Since = {}): StoredSelfCheck {
  const at = "2026-11-24T11:30:00.000Z";
  const since = standingSince(selfCheck.checks, before, at);
  return { id: "self-check-1", egress: "mail-1", at, selfCheck, since, reported: true };
}

export const noPtr: Check = {
  check: "reverse-dns",
  standing: "fault",
  text: "192.0.2.25 has no PTR",
  remedy: { text: "Ask whoever gave you 192.0.2.25 for the PTR probe.example.", url: "https://ptr.example/set" },
};
export const notInSpf: Check = {
  check: "spf",
  standing: "fault",
  text: 'SPF of sender.example says fail for 192.0.2.25:\n"v=spf1 -all"',
  remedy: { text: "Add ip4:192.0.2.25 to the record.", url: null },
};
export const silentLists: Check = {
  check: "blocklists",
  standing: "unknown",
  text: "zen.spamhaus.org does not answer public resolvers (127.255.255.254)",
  remedy: { text: "Ask through a resolver of your own.", url: null },
};

export const changed: AlarmChange = {
  alarmName: "",
  from: "OK",
  to: "ALARM",
  at: "2026-11-24T11:31:00.000Z",
  reason: "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (24/11/26 11:15:00)] were …",
  description: null,
  suppressed: null,
  via: "lambda",
};

export function alarmOf(kind: AlarmKind, config: Config, more: Partial<Alarm> = {}): Alarm {
  const found = alarmsOf(config).find((each) => each.kind === kind && each.pages && fits(each, more));
  if (found === undefined) throw new Error(`there is no alarm ${kind} like ${JSON.stringify(more)}`);
  return found;
}

function fits(alarm: Alarm, more: Partial<Alarm>): boolean {
  return Object.entries(more).every(([name, value]) => Reflect.get(alarm, name) === value);
}

export interface Given {
  readonly config?: Config;
  readonly change?: Partial<AlarmChange>;
  readonly alarm?: Partial<Alarm>;
  readonly histories?: readonly PairHistory[];
  readonly selfCheck?: StoredSelfCheck;
  readonly historyFault?: string;
  readonly firedAt?: string;
  readonly wasDrill?: boolean;
}

export function factsOf(kind: AlarmKind, given: Given = {}): PageFacts {
  const config = given.config ?? configWith();
  const alarm = alarmOf(
    kind,
    config,
    given.alarm ?? (kind === "blocked" || kind === "refused" ? { provider: "icloud" } : {}),
  );
  return {
    change: { ...changed, alarmName: alarm.name, ...given.change },
    alarm,
    config,
    histories: given.histories ?? [],
    selfCheck: given.selfCheck ?? null,
    historyFault: given.historyFault ?? null,
    firedAt: given.firedAt ?? null,
    wasDrill: given.wasDrill ?? false,
  };
}

export function page(kind: AlarmKind, given: Given = {}): Page {
  return pageOf(factsOf(kind, given));
}
