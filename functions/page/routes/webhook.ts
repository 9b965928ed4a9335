// A page as JSON for a program of the operator's own: all that it holds, and as text.
import type { ConfigRoute, ConfigSecret } from "../../config/config.ts";
import type { Secrets } from "../../secrets.ts";
import { plainText, type Page } from "../text.ts";
import { post, type Sent } from "./post.ts";

type WebhookRoute = Extract<ConfigRoute, { readonly type: "webhook" }>;

export async function sendWebhook(
  route: WebhookRoute,
  page: Page,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<Sent> {
  const read = async (given: ConfigSecret): Promise<string> => await secrets.read(given, signal);
  const reading = Object.entries(route.headers).map(async ([name, given]) => [name, await read(given)] as const);
  const [url, ...named] = await Promise.all([read(route.url), ...reading]);
  const values = named.map(([, value]) => value);
  return await post({ url, headers: Object.fromEntries(named), body: webhookDocument(page), secrets: values }, signal);
}

/**
 * The document that is posted; `v` changes when a field of it changes its meaning or goes.
 * ```
 * { "v": 1,
 *   "state": "firing" | "recovered" | "drill",
 *   "kind": "blocked" | "blocked-widely" | "refused" | "egress-down" | "probe-silent" | "misconfigured" | "failures",
 *   "alarm": "…", "at": "RFC 3339 time", "severity": "critical" | "error" | "info", "dedupKey": "…",
 *   "title": "…",
 *   "quotes": [ { "by": "iCloud said at rcpt (…)", "lines": ["550 5.7.1 …"], "more": 0 } ],
 *   "action": { "text": "…", "url": "…" or null },
 *   "facts": [ { "label": "Since", "value": "…" } ],
 *   "command": "…" or null,
 *   "links": [ { "text": "Runbook: blocked", "url": "…" } ],
 *   "text": "all of it, in lines" }
 * ```
 * Quoted lines are a host's: show them as text, never as markup; `more` were left out. `at` and `alarm` tell one page from every other.
 */
export function webhookDocument(page: Page): Page & { readonly text: string } {
  return { ...page, text: plainText(page) };
}
