// A page as a message for a Teams workflow's webhook: one Adaptive Card. A TextBlock or a fact would read Markdown in what
// others wrote; a TextRun reads none, so that all text stands in these.
import type { ConfigRoute } from "../../config/config.ts";
import type { Secrets } from "../../secrets.ts";
import { cutTo, quoteLines } from "../quote.ts";
import type { Page } from "../text.ts";
import { post, type Sent } from "./post.ts";

type TeamsRoute = Extract<ConfigRoute, { readonly type: "teams" }>;

export async function sendTeams(route: TeamsRoute, page: Page, secrets: Secrets, signal: AbortSignal): Promise<Sent> {
  const url = await secrets.read(route.url, signal);
  return await post({ url, headers: {}, body: teamsMessage(page), secrets: [] }, signal);
}

/** Teams takes 28 KB a message. */
const messageLimit = 27_000; // octets

/** With as many of the quoted lines as there is room for. */
export function teamsMessage(page: Page): object {
  const limits = [Number.POSITIVE_INFINITY, 6, 3, 1, 0];
  const messages = limits.map((lines) => message({ ...page, quotes: page.quotes.map((each) => cutTo(each, lines)) }));
  const fits = messages.find((each) => Buffer.byteLength(JSON.stringify(each)) <= messageLimit);
  return fits ?? message({ ...page, facts: [], quotes: [] });
}

function message({ title, quotes, action, facts, command, links }: Page): object {
  const opens = [...(action.url === null ? [] : [{ text: "Do this", url: action.url }]), ...links];
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    msteams: { width: "Full" },
    body: [
      text([run(title, { weight: "Bolder", size: "Medium" })], "Default"),
      ...quotes.flatMap((each) =>
        quoteLines(each).map((line, index) =>
          index === 0 ? text([run(line, {})], "Default") : text([run(line, { fontType: "Monospace" })], "None"),
        ),
      ),
      text([bold("Do: "), run(action.text, {})], "Default"),
      ...facts.map(({ label, value }, index) =>
        text([bold(`${label}: `), run(value, {})], index === 0 ? "Default" : "None"),
      ),
      ...(command === null ? [] : [text([bold("See it all: "), run(command, { fontType: "Monospace" })], "Default")]),
    ],
    actions: opens.map((each) => ({ type: "Action.OpenUrl", title: each.text, url: each.url })),
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card };
  return { type: "message", attachments: [attachment] };
}

function text(inlines: readonly object[], spacing: "Default" | "None"): object {
  return { type: "RichTextBlock", spacing, inlines };
}

function run(words: string, style: Readonly<Record<string, string>>): object {
  return { type: "TextRun", text: words, ...style };
}

function bold(words: string): object {
  return run(words, { weight: "Bolder" });
}
