// Telling what became of recipients: one message each on the results' topic, at least once, with an id that is the same
// however often it is told. It decides nothing.
import { faultText } from "../report/log.ts";
import { eventIdOf, verdictIdOf, type Delivery, type EventName, type Told } from "../state/deliveries.ts";
import { maskedAddress, maskedText } from "../state/mask.ts";
import { findVerdict, fitted } from "../state/verdicts.ts";
import { judge, type Verdict } from "../verdict/verdict.ts";
import type { Authentication } from "./authentication.ts";
import { authenticationFor } from "./own-authentication.ts";
import { reasonFor } from "./outcome.ts";
import type { Runs } from "./runs.ts";
import { resultsTopicArn } from "./results-topic.ts";

/** What is told of a recipient: JSON on the topic `<name>-results`. */
export interface SendResult {
  readonly v: 1;
  /** The same for the same send, recipient and event. */
  readonly eventId: string;
  readonly id: string;
  readonly recipient: string;
  readonly event: EventName;
  /** RFC 3339. */
  readonly at: string;
  /** How many there were that were for this recipient, and when the last ones were. */
  readonly attempts: number;
  readonly attemptTimes: readonly string[];
  /** The most telling answer of all attempts in a line, or what happened, in our words. */
  readonly reason: string;
  /** How receivers can verify whose the message is. */
  readonly authentication: Authentication;
  /** Of the attempt that gave that answer, for this recipient; null: no host gave one that is kept. */
  readonly verdict: Verdict | null;
}

/** Of the attempt that was just made, so that nobody has to look it up. */
export interface Fresh {
  readonly number: number;
  readonly verdict: Verdict;
}

/** SNS takes 256 KiB a message. */
const documentLimit = 200_000; // octets
const timesLimit = 50;
/** Calls at a time. */
const together = 8;

/** @returns those that could not be told */
export async function publish(delivery: Delivery, fresh: Fresh | null, runs: Runs): Promise<readonly Told[]> {
  const { untold } = delivery;
  if (untold.length === 0) return [];
  const { deps } = runs;
  const left: Told[] = [];
  try {
    const topic = await resultsTopicArn(runs);
    const authentication = await authenticationFor(delivery, delivery.egress, runs);
    const queue = untold.values();
    const lane = async (): Promise<void> => {
      for (const told of queue) {
        if (!(await tell(told, { delivery, fresh, topic, authentication }, runs))) left.push(told);
      }
    };
    await Promise.all(Array.from({ length: together }, lane));
    return left;
  } catch (error) {
    deps.log({ level: "error", event: "results-untold", id: delivery.id, fault: faultText(error) });
    return untold;
  }
}

interface Telling {
  readonly delivery: Delivery;
  readonly fresh: Fresh | null;
  readonly topic: string;
  readonly authentication: Authentication;
}

async function tell(told: Told, { delivery, fresh, topic, authentication }: Telling, runs: Runs): Promise<boolean> {
  const { deps } = runs;
  const { id, attempts, recipients } = delivery;
  const { recipient, event, at } = told;
  const reason = reasonFor(told, delivery);
  const tried = recipients.find(({ address }) => address === recipient)?.attempts ?? [];
  const result: SendResult = {
    v: 1,
    eventId: eventIdOf(id, told),
    id,
    recipient,
    event,
    at,
    attempts: tried.length,
    attemptTimes: tried.slice(-timesLimit).flatMap((number) => attempts[number - 1]?.at ?? []),
    reason,
    authentication,
    verdict: await verdictFor(told, delivery, fresh, runs),
  };
  const attribute = (StringValue: string): { readonly DataType: "String"; readonly StringValue: string } => {
    return { DataType: "String", StringValue };
  };
  const { maskRecipients } = deps.config.history;
  const shown = maskRecipients ? maskedAddress(recipient) : recipient;
  const logged = maskRecipients ? maskedText(reason, [recipient]) : reason;
  try {
    await deps.clients.sns.publish({
      TopicArn: topic,
      Message: JSON.stringify(result),
      MessageAttributes: { event: attribute(event), id: attribute(id) },
    });
    deps.log({
      level: levels[event],
      event: "result",
      id,
      recipient: shown,
      result: event,
      attempts: tried.length,
      reason: logged,
    });
    return true;
  } catch (error) {
    deps.log({ level: "error", event: "result-untold", id, recipient: shown, result: event, fault: faultText(error) });
    return false;
  }
}

const levels = { delivered: "info", delayed: "info", failed: "warn", expired: "warn", unknown: "warn" } as const;

/** The verdict of the attempt that told it, for that recipient alone, as a message can hold it. */
async function verdictFor(told: Told, delivery: Delivery, fresh: Fresh | null, runs: Runs): Promise<Verdict | null> {
  const { attempt, recipient } = told;
  if (attempt === null) return null;
  if (fresh?.number === attempt) return within(ofRecipient(fresh.verdict, recipient));
  const stored = await findVerdict(verdictIdOf(delivery, attempt), runs.table);
  if (stored === null) return null;
  if (!runs.deps.config.history.maskRecipients) return within(ofRecipient(stored.verdict, recipient));
  // Masked alike, one's verdict may be another's.
  const masked = maskedAddress(recipient);
  const alike = delivery.recipients.filter(({ address }) => maskedAddress(address) === masked);
  return alike.length > 1 ? null : within(ofRecipient(stored.verdict, masked));
}

/** Nobody's answer is stamped on another: the sessions, judged for one recipient. */
function ofRecipient(verdict: Verdict, recipient: string): Verdict {
  const attempts = verdict.attempts.flatMap((each) =>
    each.recipients.includes(recipient) ? [{ ...each, recipients: [recipient] }] : [],
  );
  return attempts.length === 0 ? verdict : judge(attempts, verdict.egress);
}

function within(verdict: Verdict): Verdict {
  const fitting = fitted(verdict);
  if (Buffer.byteLength(JSON.stringify(fitting)) <= documentLimit) return fitting;
  // The dialogs are with the attempt's verdict in the table.
  return { ...fitting, attempts: [], consequences: [] };
}
