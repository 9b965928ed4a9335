// A page as an event of PagerDuty's Events API v2: a firing triggers, its recovery resolves by the same key.
import type { ConfigRoute } from "../../config/config.ts";
import type { Secrets } from "../../secrets.ts";
import { quoteLines, shortened } from "../quote.ts";
import type { Page } from "../text.ts";
import { post, type Sent } from "./post.ts";

type PagerDutyRoute = Extract<ConfigRoute, { readonly type: "pagerduty" }>;

export async function sendPagerDuty(
  route: PagerDutyRoute,
  page: Page,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<Sent> {
  const routingKey = await secrets.read(route.routingKey, signal);
  const body = { routing_key: routingKey, ...pagerDutyEvent(page) };
  return await post({ url: route.url, headers: {}, body, secrets: [routingKey] }, signal);
}

/** "The maximum permitted length of this property is 1024 characters." */
const summaryLimit = 1024;

/** Without its key. The whole is far below the 512 KB that an event may have: a page's texts are cut. */
export function pagerDutyEvent(page: Page): object {
  const { state, dedupKey, title, at, severity, kind, alarm, facts, quotes, action, command, links } = page;
  if (state === "recovered") return { event_action: "resolve", dedup_key: dedupKey };
  const said = quotes.map((each) => quoteLines(each).join("\n"));
  return {
    event_action: "trigger",
    dedup_key: dedupKey,
    client: "delivery-probe",
    payload: {
      summary: shortened(title, summaryLimit),
      source: facts.find(({ label }) => label === "From")?.value ?? alarm,
      severity,
      timestamp: at,
      component: alarm,
      class: kind,
      custom_details: {
        ...(said.length === 0 ? {} : { Said: said.join("\n") }),
        Do: action.text,
        ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
        ...(command === null ? {} : { "See it all": command }),
      },
    },
    links: [...(action.url === null ? [] : [{ href: action.url, text: "Do this" }]), ...links.map(linkOf)],
  };
}

function linkOf({ text, url }: Page["links"][number]): object {
  return { href: url, text };
}
