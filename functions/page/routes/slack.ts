// A page as a message of Slack's incoming webhooks. What others wrote stands in plain_text objects, where Slack reads no
// markup, mention or link; only our own links are markup.
import type { ConfigRoute } from "../../config/config.ts";
import type { Secrets } from "../../secrets.ts";
import { quoteLines, shortened } from "../quote.ts";
import type { Page } from "../text.ts";
import { post, type Sent } from "./post.ts";

type SlackRoute = Extract<ConfigRoute, { readonly type: "slack" }>;

export async function sendSlack(route: SlackRoute, page: Page, secrets: Secrets, signal: AbortSignal): Promise<Sent> {
  const url = await secrets.read(route.url, signal);
  return await post({ url, headers: {}, body: slackMessage(page), secrets: [] }, signal);
}

/** Slack's limits of a header's text, of a section's, and of a message's blocks. */
const headerLimit = 150;
const sectionLimit = 3000;
const blocksLimit = 50;
/** Slack documents none for all blocks together, and refuses a message of more than some 13,000 characters. */
const messageLimit = 10_000;

export function slackMessage(page: Page): object {
  const { title, quotes, action, facts, command, links } = page;
  const blocks = [
    { type: "header", text: plain(title, headerLimit) },
    ...(escaped(title).length > headerLimit ? [section(title)] : []),
    ...quotes.map((each) => section(quoteLines(each).join("\n"))),
    section(`Do: ${action.text}`),
    ...(action.url === null ? [] : [link("Do this", action.url)]),
    section(facts.map(({ label, value }) => `${label}: ${value}`).join("\n")),
    ...(command === null ? [] : [section(`See it all: ${command}`)]),
    ...links.map(({ text, url }) => link(text, url)),
  ];
  // The fallback, which notifications show.
  return { text: escaped(title), mrkdwn: false, unfurl_links: false, unfurl_media: false, blocks: fitting(blocks) };
}

/** What is last is least. */
function fitting(blocks: readonly object[]): readonly object[] {
  let room = messageLimit;
  return blocks.slice(0, blocksLimit).filter((block) => (room -= JSON.stringify(block).length) >= 0);
}

function section(text: string): object {
  return { type: "section", text: plain(text, sectionLimit) };
}

/** Without `emoji: false`, `:name:` becomes a picture. */
function plain(text: string, limit: number): object {
  return { type: "plain_text", text: escapedWithin(text, limit), emoji: false };
}

/** With `verbatim`, nothing but our link is made one. */
function link(text: string, url: string): object {
  const safe = new URL(url).href.replaceAll("|", "%7C").replaceAll(">", "%3E");
  return { type: "section", text: { type: "mrkdwn", text: `<${escaped(safe)}|${escaped(text)}>`, verbatim: true } };
}

/** Slack decodes these three in every text, and asks that they come like this. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Cut before it is escaped, so that no escape is cut in two. */
function escapedWithin(text: string, limit: number): string {
  for (let length = limit; ; length -= Math.ceil(length / 10)) {
    const whole = escaped(shortened(text, length));
    if (whole.length <= limit) return whole;
  }
}
