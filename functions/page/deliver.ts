// Brings a page to on-call by every route there is. Each fails alone, and is tried again as long as that can help and there
// is time. It does not know what a page says, nor whether it was brought before.
import type { SNS } from "@aws-sdk/client-sns";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigRoute } from "../config/config.ts";
import type { Secrets } from "../secrets.ts";
import { SecretFault } from "../secrets/fault.ts";
import { sendPagerDuty } from "./routes/pagerduty.ts";
import type { Sent } from "./routes/post.ts";
import { sendSlack } from "./routes/slack.ts";
import { sendSns } from "./routes/sns.ts";
import { sendTeams } from "./routes/teams.ts";
import { sendWebhook } from "./routes/webhook.ts";
import type { Page } from "./text.ts";

export interface Delivery {
  /** The route's name in the configuration. */
  readonly route: string;
  readonly ok: boolean;
  readonly tries: number;
  readonly elapsedMs: number;
  /** The last try's, without the route's secrets; null: it was delivered. */
  readonly fault: string | null;
  /** Whether trying again is of no use: the service understood, and refused. */
  readonly isLasting: boolean;
}

export interface Ways {
  readonly sns: Pick<SNS, "publish">;
  /** What reads the routes' secrets. */
  readonly secrets: Secrets;
  /** For all routes, which go at once. */
  readonly limitMs: number;
}

const maxTries = 3;
const tryLimitMs = 10_000;
const backOffMs = 500;

/** In the order of the routes. Never throws. */
export async function deliver(page: Page, routes: readonly ConfigRoute[], ways: Ways): Promise<readonly Delivery[]> {
  const deadlineMs = performance.now() + ways.limitMs;
  return await Promise.all(routes.map((route) => deliverBy(route, page, ways, deadlineMs)));
}

async function deliverBy(route: ConfigRoute, page: Page, ways: Ways, deadlineMs: number): Promise<Delivery> {
  const startMs = performance.now();
  let tries = 0;
  let sent: Sent = { ok: false, fault: "there was no time to try", isLasting: false, retryAfterMs: null };
  for (let waitMs = 0; tries < maxTries;) {
    const leftMs = deadlineMs - performance.now() - waitMs;
    if (leftMs <= 0) break;
    if (waitMs > 0) await sleep(waitMs);
    tries += 1;
    // The tries to come have their share.
    sent = await tryOnce(route, page, ways, Math.min(tryLimitMs, leftMs / (maxTries - tries + 1)));
    if (sent.ok || sent.isLasting) break;
    waitMs = Math.max(sent.retryAfterMs ?? 0, backOffOf(tries));
  }
  const elapsedMs = Math.round(performance.now() - startMs);
  const { fault, isLasting } = sent.ok ? { fault: null, isLasting: false } : sent;
  return { route: route.name, ok: sent.ok, tries, elapsedMs, fault, isLasting };
}

/** Twice as long each time, and never the same for two that failed together. */
function backOffOf(tries: number): number {
  return backOffMs * 2 ** (tries - 1) * (0.5 + Math.random());
}

async function tryOnce(route: ConfigRoute, page: Page, { sns, secrets }: Ways, limitMs: number): Promise<Sent> {
  const signal = AbortSignal.timeout(Math.ceil(limitMs));
  try {
    switch (route.type) {
      case "sns":
        return await sendSns(route, page, sns, signal);
      case "pagerduty":
        return await sendPagerDuty(route, page, secrets, signal);
      case "slack":
        return await sendSlack(route, page, secrets, signal);
      case "teams":
        return await sendTeams(route, page, secrets, signal);
      case "webhook":
        return await sendWebhook(route, page, secrets, signal);
    }
  } catch (error) {
    // A secret that cannot be read: where it is stands in the message, and nothing else of it.
    const fault = error instanceof Error ? error.message : String(error);
    return { ok: false, fault, isLasting: !(error instanceof SecretFault) || error.isLasting, retryAfterMs: null };
  }
}
