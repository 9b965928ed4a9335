import assert from "node:assert/strict";
import { test } from "node:test";
import { startSink, type Received } from "../../infra/local/sink.ts";

const key = "k".repeat(32);
const card = {
  type: "AdaptiveCard",
  body: [{ type: "RichTextBlock", inlines: [{ type: "TextRun", text: "iCloud blocks " }, { text: "us" }] }],
  actions: [{ type: "Action.OpenUrl", title: "Do this", url: "https://example.com/" }],
};
const payload = { summary: "iCloud blocks us", source: "mail-1", severity: "critical", custom_details: { Do: "ask" } };
const header = { type: "header", text: { type: "plain_text", text: "iCloud blocks &lt;us&gt;" } };
const event = { routing_key: key, event_action: "trigger", payload };

function teamsWith(content: object): object {
  return { type: "message", attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }] };
}

async function post(url: string, body: unknown, method = "POST"): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await fetch(url, method === "GET" ? { method } : { method, body: text });
}

const taken: readonly {
  readonly path: string;
  readonly body: object;
  readonly status: number;
  readonly title: string;
  readonly text: string;
}[] = [
  {
    path: "/slack",
    body: { text: "iCloud blocks &lt;us&gt;", blocks: [header] },
    status: 200,
    title: "iCloud blocks <us>",
    text: "iCloud blocks <us>",
  },
  { path: "/slack", body: { text: "no blocks" }, status: 200, title: "no blocks", text: "" },
  {
    path: "/teams",
    body: teamsWith(card),
    status: 202,
    title: "iCloud blocks us",
    text: "iCloud blocks us\nDo this: https://example.com/",
  },
  {
    path: "/webhook",
    body: { v: 1, title: "iCloud blocks us", text: "all of it\n" },
    status: 204,
    title: "iCloud blocks us",
    text: "all of it",
  },
  {
    path: "/pagerduty/v2/enqueue",
    body: event,
    status: 202,
    title: "iCloud blocks us",
    text: "iCloud blocks us\nDo: ask",
  },
  {
    path: "/pagerduty/v2/enqueue",
    body: { routing_key: key, event_action: "resolve", dedup_key: "dp-blocked" },
    status: 202,
    title: "resolve dp-blocked",
    text: "",
  },
];

test("the sink answers as each service does, keeps what came, and tells its listener", async () => {
  const told: Received[] = [];
  await using sink = await startSink({ port: 0, onPage: (received) => void told.push(received) });
  for (const { path, body, status } of taken) assert.equal((await post(`${sink.url}${path}`, body)).status, status);
  assert.deepEqual(
    told.map(({ title, text, body }) => ({ title, text, body })),
    taken.map(({ title, text, body }) => ({ title, text, body })),
  );
  assert.deepEqual(sink.received(), told);
  assert.ok(told.every(({ kind, at }, index) => taken[index]?.path.startsWith(`/${kind}`) && !Number.isNaN(Date.parse(at)))); // prettier-ignore
});

const refused: readonly (readonly [what: string, path: string, body: unknown, said: RegExp])[] = [
  ["no JSON", "/slack", "{", /invalid_payload/],
  ["an array", "/webhook", "[]", /invalid_payload/],
  ["Slack: nothing to show", "/slack", {}, /no_text/],
  ["Slack: 51 blocks", "/slack", { blocks: Array.from({ length: 51 }, () => header) }, /invalid_blocks: 50/],
  ["Slack: a header of 151", "/slack", { blocks: [slackBlock("header", 151)] }, /invalid_blocks: 1/],
  ["Slack: a section of 3,001", "/slack", { blocks: [slackBlock("section", 3001)] }, /invalid_blocks: 1/],
  ["Slack: a section of nothing", "/slack", { blocks: [slackBlock("section", 0)] }, /invalid_blocks: 1/],
  ["Slack: a header of markup", "/slack", { blocks: [{ ...header, text: { type: "mrkdwn", text: "x" } }] }, /invalid_blocks: 1/], // prettier-ignore
  ["Slack: too long a message", "/slack", { blocks: Array.from({ length: 6 }, () => slackBlock("section", 2900)) }, /msg_blocks_too_long/], // prettier-ignore
  ["Teams: more than 28 KB", "/teams", teamsWith({ ...card, more: "x".repeat(28 * 1024) }), /28 KB/],
  ["Teams: no attachment", "/teams", { type: "message" }, /attachment is wanted/],
  ["Teams: no card", "/teams", teamsWith({ type: "AdaptiveCard" }), /no Adaptive Card/],
  ["a webhook's document without a version", "/webhook", { title: "x" }, /v: 1/],
  ["PagerDuty: a short key", "/pagerduty/v2/enqueue", { ...event, routing_key: "k" }, /routing_key/],
  ["PagerDuty: no end without what ends", "/pagerduty/v2/enqueue", { routing_key: key, event_action: "resolve" }, /dedup_key/], // prettier-ignore
  ["PagerDuty: a key of 256", "/pagerduty/v2/enqueue", { ...event, dedup_key: "k".repeat(256) }, /dedup_key/],
  ["PagerDuty: a summary of 1,025", "/pagerduty/v2/enqueue", { ...event, payload: { ...payload, summary: "x".repeat(1025) } }, /summary/], // prettier-ignore
  ["PagerDuty: a severity of ours", "/pagerduty/v2/enqueue", { ...event, payload: { ...payload, severity: "page" } }, /severity/], // prettier-ignore
  ["PagerDuty: no payload", "/pagerduty/v2/enqueue", { routing_key: key, event_action: "trigger" }, /payload/],
  ["more than any service takes", "/webhook", { v: 1, title: "x".repeat(600_000) }, /too large/],
];

function slackBlock(type: string, length: number): object {
  return { type, text: { type: "plain_text", text: "x".repeat(length) } };
}

test("the sink refuses what the services refuse, and keeps none of it", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  for (const [what, path, body, said] of refused) {
    const response = await post(`${sink.url}${path}`, body);
    assert.equal(response.status, 400, what);
    assert.match(await response.text(), said, what);
  }
  assert.deepEqual(sink.received(), []);
});

test("what is no webhook of the sink's is not found", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  assert.equal((await post(`${sink.url}/slack/more`, { text: "x" })).status, 404);
  assert.equal((await post(`${sink.url}/slack`, null, "GET")).status, 404);
});

test("a sink that is told to fail does so for as many requests, and takes the next", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  sink.fail({ status: 503, times: 2 });
  const statuses = [];
  for (const text of ["one", "two", "three"]) statuses.push((await post(`${sink.url}/slack`, { text })).status);
  assert.deepEqual(statuses, [503, 503, 200]);
  assert.deepEqual(sink.received().map(({ title }) => title), ["three"]); // prettier-ignore
});

test("a sink keeps the last thousand", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  for (let count = 0; count < 1_003; count++) await post(`${sink.url}/slack`, { text: String(count) });
  const titles = sink.received().map(({ title }) => title);
  assert.deepEqual([titles.length, titles[0], titles.at(-1)], [1_000, "3", "1002"]);
});

test("a port that is taken is an error", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  await assert.rejects(startSink({ port: sink.port, onPage: () => {} }), /EADDRINUSE/);
});
