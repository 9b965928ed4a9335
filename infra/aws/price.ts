// What a month of a configuration costs, reckoned on paper: what is there is counted from the configuration, what flows is
// assumed (price-list.ts). Pure. It knows nobody's discounts, nor what else an account has.
import { pairsOf, type Config, type Pair } from "../../functions/config/config.ts";
import { sendConcurrency } from "../../functions/config/send-concurrency.ts";
import { sendEgresses } from "../../functions/config/send-faults.ts";
import { secretFields } from "../../functions/config/secret-fields.ts";
import { slotMs } from "../../functions/queue/due.ts";
import { runnersOf } from "../../functions/queue/queues.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { egressMetrics, pairMetrics } from "../../functions/report/names.ts";
import { shapes } from "./function-shapes.ts";
import { assumed, priceDate, prices } from "./price-list.ts";
import { sendSeries } from "./send-series.ts";

export interface PriceRow {
  readonly item: string;
  readonly quantity: number;
  /** What the quantity counts, and the price is of. */
  readonly unit: string;
  readonly unitUsd: number;
  readonly usdPerMonth: number;
}

export interface Estimate {
  readonly rows: readonly PriceRow[];
  readonly totalUsd: number;
  /** Of the price list. */
  readonly date: string;
}

const hours = 730;
const days = hours / 24;
const kB = 1_000;
const GB = 1_000_000_000;

/** What a month costs, row by row. */
export function estimateOf(config: Config): Estimate {
  const flow = flowOf(config);
  const rows = [...watching(config, flow), ...running(config, flow), ...keeping(config, flow), ...leaving(flow)];
  return { rows, totalUsd: rows.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0), date: priceDate };
}

/** The estimate as a table for a terminal. */
export function estimateText({ rows, totalUsd, date }: Estimate): string {
  const cells = [
    ...rows.map(({ item, quantity, unit, unitUsd, usdPerMonth }) => {
      return [item, `${figure(quantity)} ${unit}`, `$${figure(unitUsd)}`, `$${usdPerMonth.toFixed(2)}`] as const;
    }),
    ["Total", "", "", `$${totalUsd.toFixed(2)}`] as const,
  ];
  const width = (column: 0 | 1 | 2 | 3): number => Math.max(...cells.map((each) => each[column].length));
  const lines = cells.map(
    ([item, quantity, price, usd]) =>
      `  ${item.padEnd(width(0))}  ${quantity.padEnd(width(1))}  ${price.padStart(width(2))}  ${usd.padStart(width(3))}`,
  );
  const title = `A month costs about $${Math.ceil(totalUsd)} (us-east-1, list prices of ${date}, no free tier taken off):`;
  return [title, ...lines].join("\n");
}

/** What happens in a month. */
interface Flow {
  readonly slots: number;
  /** Probes and self-checks: of all, and of those that the functions work on, and that leave by the VPC. */
  readonly requests: number;
  readonly ofFunctions: number;
  readonly byVpc: number;
  readonly hasVpc: boolean;
  /** The same of sends, all of which are taken to leave by the preferred egress. */
  readonly sends: number;
  readonly sendsOfFunctions: number;
  readonly sendsByVpc: number;
}

function flowOf(config: Config): Flow {
  const { egresses } = config;
  const requestsOver = (isMeant: (egress: Pair["egress"]) => boolean): number => {
    const probes = pairsOf(config).filter(({ egress }) => isMeant(egress));
    const checks = egresses.filter(isMeant).length * days;
    return checks + probes.reduce((sum, { target }) => sum + (hours * 60) / target.everyMinutes, 0);
  };
  const [preferred] = sendEgresses(config);
  const out = egresses.find(({ name }) => name === preferred);
  const sends = config.sends === null ? 0 : assumed.sends;
  return {
    slots: (hours * 3_600_000) / slotMs,
    requests: requestsOver(() => true),
    ofFunctions: requestsOver(({ runner }) => runner === "functions"),
    byVpc: requestsOver(({ via }) => via.type === "vpc"),
    hasVpc: egresses.some(({ via }) => via.type === "vpc"),
    sends,
    sendsOfFunctions: out?.runner === "functions" ? sends : 0,
    sendsByVpc: out?.via.type === "vpc" ? sends : 0,
  };
}

/** Every series that the names file knows, though some are told only where there is something to tell. */
export function seriesCount(config: Config): number {
  const pairs = new Set(pairsOf(config).map(({ target, egress }) => `${target.provider} ${egress.name}`)).size;
  const perPair = Object.keys(pairMetrics).length + assumed.rejectionsPerPair;
  const perEgress = Object.keys(egressMetrics).length - sendSeries.length;
  const ofSends = sendEgresses(config).length * sendSeries.length;
  return pairs * perPair + config.egresses.length * perEgress + ofSends;
}

function watching(config: Config, flow: Flow): readonly PriceRow[] {
  const { requests, slots, ofFunctions, sends, sendsOfFunctions } = flow;
  const alarms = alarmsOf(config);
  const metrics = alarms.reduce((sum, each) => sum + (each.type === "metric" ? each.metrics.length : 0), 0);
  const logGB = ((ofFunctions + sendsOfFunctions + slots + assumed.pages) * assumed.logKB * kB) / GB;
  return [
    row("CloudWatch metrics", seriesCount(config), "series", prices.series),
    row("CloudWatch alarms", metrics, "metrics of alarms", prices.alarmMetric),
    row(
      "CloudWatch composite alarms",
      alarms.filter(({ type }) => type === "composite").length,
      "alarms",
      prices.composite,
    ),
    row("CloudWatch PutMetricData", (requests + sends + slots) / 1_000, "thousand calls", prices.putCalls),
    row("CloudWatch dashboard", 1, "dashboard", prices.dashboard),
    row("Logs taken in", logGB, "GB", prices.logsIn),
    row("Logs kept", (logGB * config.aws.logDays) / days, "GB", prices.logsKept),
  ];
}

function running(config: Config, flow: Flow): readonly PriceRow[] {
  const { requests, slots, ofFunctions, sends, sendsOfFunctions } = flow;
  const { schedule, probe, send, page } = shapes(config);
  const gbSeconds =
    slots * assumed.seconds.schedule * (schedule.memoryMB / 1_024) +
    ofFunctions * assumed.seconds.probe * (probe.memoryMB / 1_024) +
    sendsOfFunctions * assumed.seconds.send * (send.memoryMB / 1_024) +
    assumed.pages * assumed.seconds.page * (page.memoryMB / 1_024);
  const polls = (pollersOf(config) * hours * 3_600) / assumed.pollS;
  const asked = requests * assumed.queueRequests + sends * assumed.send.queueRequests;
  const calls = slots + ofFunctions + sendsOfFunctions * assumed.send.calls + assumed.pages;
  return [
    row("Lambda calls", calls / 1e6, "million", prices.calls),
    row("Lambda time", gbSeconds, "GB-seconds", prices.gbSeconds),
    row("SQS requests", (polls + asked) / 1e6, "million", prices.queueRequests),
    row("EventBridge Scheduler", slots / 1e6, "million calls", prices.timetable),
    row("SNS e-mails", (assumed.pages * config.aws.emails.length) / 1e5, "hundred thousand", prices.emails),
    ...(sends === 0 ? [] : [row("SNS results of sends", sends / 1e6, "million", prices.published)]),
  ];
}

/** Long polls at a time, of all queues. */
function pollersOf(config: Config): number {
  const { functions, worker } = assumed.pollers;
  const sending = config.sends === null ? null : { functions, worker: sendConcurrency(config.sends) };
  const each = runnersOf(config).map((runner) => {
    return runner === "functions" ? functions + (sending?.functions ?? 0) : worker + (sending?.worker ?? 0);
  });
  return each.reduce((sum, pollers) => sum + pollers, 0);
}

function keeping(config: Config, { requests, slots, sends }: Flow): readonly PriceRow[] {
  const { rowKB, send, sendKeptDays, writeUnits, readUnits } = assumed;
  const kept = requests * rowKB * (config.history.days / days) + sends * send.rowKB * (sendKeptDays / days);
  const rowsGB = (kept * kB) / GB;
  const written = requests * writeUnits + sends * send.writeUnits + slots;
  const read = requests * readUnits + sends * send.readUnits + slots;
  const secrets = secretNames(config).length;
  // Each is read again after five minutes, at most.
  const secretCalls = secrets * hours * 12;
  return [
    row("DynamoDB writes", written / 1e6, "million units", prices.writes),
    row("DynamoDB reads", read / 1e6, "million units", prices.reads),
    row("DynamoDB rows kept", rowsGB, "GB", prices.rowsKept),
    row("KMS key", 1, "key", prices.key),
    row("KMS requests", ((assumed.pages + sends) * 2) / 1e4, "ten thousand", prices.keyRequests),
    ...(secrets === 0
      ? []
      : [
          row("Secrets Manager", secrets, "secrets", prices.secret),
          row("Secrets Manager calls", secretCalls / 1e4, "ten thousand", prices.secretCalls),
        ]),
  ];
}

function leaving({ ofFunctions, byVpc, hasVpc, sendsOfFunctions, sendsByVpc }: Flow): readonly PriceRow[] {
  const { outKB, natKB, send } = assumed;
  const out = ofFunctions * outKB + sendsOfFunctions * send.outKB;
  const nat = byVpc * natKB + sendsByVpc * send.natKB;
  return [
    row("Data to the internet", (out * kB) / GB, "GB", prices.dataOut),
    ...(hasVpc
      ? [
          row("NAT gateway", hours, "hours", prices.natHours),
          row("NAT gateway, data", (nat * kB) / GB, "GB", prices.natData),
          row("Public IPv4 address", hours, "hours", prices.addressHours),
        ]
      : []),
  ];
}

function row(item: string, quantity: number, unit: string, unitUsd: number): PriceRow {
  return { item, quantity, unit, unitUsd, usdPerMonth: quantity * unitUsd };
}

/** Each once, wherever it is named. Parameters of SSM, where they are standard ones, cost nothing. */
function secretNames(config: Config): readonly string[] {
  const names = secretFields(config).flatMap(({ secret }) =>
    typeof secret === "object" && "secretsManager" in secret ? [secret.secretsManager] : [],
  );
  return [...new Set(names)];
}

function figure(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: value >= 1_000 ? 6 : 3 });
}
