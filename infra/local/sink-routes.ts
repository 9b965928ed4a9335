// What each service that the sink stands for takes, as far as their documents say, what it answers, and what a person
// would see. It does no HTTP.

export const sinkKinds = ["slack", "teams", "webhook", "pagerduty"] as const;
export type SinkKind = (typeof sinkKinds)[number];

/** What was posted, for a person. */
export interface Posted {
  readonly body: unknown;
  readonly title: string;
  readonly text: string;
}

export interface SinkRoute {
  readonly kind: SinkKind;
  readonly path: string;
  /** Of a request that is taken. */
  readonly status: number;
  readonly answer: string;
  /** @returns what was posted, or why it is refused */
  readonly read: (body: string) => Posted | string;
}

export const routesOfSink: readonly SinkRoute[] = [
  { kind: "slack", path: "/slack", status: 200, answer: "ok", read: reader(slackFault, slackText) },
  { kind: "teams", path: "/teams", status: 202, answer: "", read: reader(teamsFault, teamsText) },
  { kind: "webhook", path: "/webhook", status: 204, answer: "", read: reader(webhookFault, webhookText) },
  {
    kind: "pagerduty",
    path: "/pagerduty/v2/enqueue",
    status: 202,
    answer: '{"status":"success","message":"Event processed"}',
    read: reader(pagerDutyFault, pagerDutyText),
  },
];

type Fields = Readonly<Record<string, unknown>>;
/** A title, and lines. */
type Shown = readonly [title: string, lines: readonly string[]];

function reader(
  faultOf: (body: Fields, json: string) => string | null,
  shown: (body: Fields) => Shown,
): SinkRoute["read"] {
  return (json) => {
    const body = parsed(json);
    if (body === null) return "invalid_payload: no JSON object";
    const fault = faultOf(body, json);
    if (fault !== null) return fault;
    const [title, lines] = shown(body);
    return { body, title, text: lines.join("\n") };
  };
}

function parsed(json: string): Fields | null {
  try {
    const value = JSON.parse(json) as unknown;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Slack's own limits: of blocks, a header, a section, its fields, and a message that it calls `msg_blocks_too_long`. */
function slackFault({ text, blocks }: Fields, json: string): string | null {
  if (blocks === undefined) return typeof text === "string" && text !== "" ? null : "no_text";
  if (!Array.isArray(blocks) || blocks.length > 50) return "invalid_blocks: 50 at most";
  if (json.length > 16_000) return "msg_blocks_too_long";
  const wrong = blocks.filter((each) => !isSlackBlock(each)).length;
  return wrong === 0 ? null : `invalid_blocks: ${wrong}`;
}

function isSlackBlock(block: unknown): boolean {
  if (!isObject(block)) return false;
  if (block["type"] === "divider") return true;
  const { text } = block;
  const limit = { header: 150, section: 3_000 }[String(block["type"])];
  if (limit === undefined || !isObject(text) || typeof text["text"] !== "string") return false;
  const isPlain = text["type"] === "plain_text";
  if (!isPlain && (text["type"] !== "mrkdwn" || block["type"] === "header")) return false;
  return text["text"].length > 0 && text["text"].length <= limit;
}

function slackText({ text, blocks }: Fields): Shown {
  const texts = list(blocks).flatMap((each) => (isObject(each["text"]) ? unescaped(String(each["text"]["text"])) : []));
  return [typeof text === "string" ? unescaped(text) : (texts[0] ?? ""), texts];
}

/** As Slack shows it. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Teams takes 28 KB, and of a workflow's message one Adaptive Card. */
function teamsFault({ type, attachments }: Fields, json: string): string | null {
  if (Buffer.byteLength(json) > 28 * 1024) return "the message is larger than 28 KB";
  const [first] = list(attachments);
  if (type !== "message" || first === undefined) return 'a "message" with an attachment is wanted';
  if (first["contentType"] !== "application/vnd.microsoft.card.adaptive") return "an Adaptive Card is wanted";
  const card = first["content"];
  if (!isObject(card) || card["type"] !== "AdaptiveCard" || !Array.isArray(card["body"])) return "no Adaptive Card";
  return null;
}

function teamsText({ attachments }: Fields): Shown {
  const card = list(attachments)[0]?.["content"];
  const body = isObject(card) ? list(card["body"]) : [];
  const actions = isObject(card) ? list(card["actions"]) : [];
  const lines = body.map((each) => ("inlines" in each ? list(each["inlines"]).map(textIn).join("") : textIn(each)));
  return [lines[0] ?? "", [...lines, ...actions.map(({ title, url }) => `${String(title)}: ${String(url)}`)]];
}

function webhookFault({ v, title }: Fields): string | null {
  return v === 1 && typeof title === "string" ? null : "v: 1 and a title are wanted";
}

function webhookText({ title, text }: Fields): Shown {
  return [
    String(title),
    String(text ?? title)
      .trimEnd()
      .split("\n"),
  ];
}

/** "Send an Alert Event" of PagerDuty's developer documentation. */
function pagerDutyFault(body: Fields): string | null {
  const { routing_key: key, event_action: action, dedup_key: dedup, payload } = body;
  if (typeof key !== "string" || key.length !== 32) return "invalid event: 'routing_key' must have 32 characters";
  if (dedup !== undefined && (typeof dedup !== "string" || dedup.length > 255)) return "invalid event: 'dedup_key'";
  if (action === "resolve" || action === "acknowledge") return dedup === undefined ? "'dedup_key' is missing" : null;
  if (action !== "trigger" || !isObject(payload)) return "invalid event: 'event_action' or 'payload'";
  const { summary, source, severity } = payload;
  if (typeof summary !== "string" || summary === "" || summary.length > 1024) return "invalid event: 'summary'";
  if (typeof source !== "string" || source === "") return "invalid event: 'source'";
  const isSeverity = ["critical", "error", "warning", "info"].includes(String(severity));
  return isSeverity ? null : "invalid event: 'severity'";
}

function pagerDutyText({ event_action: action, dedup_key: dedup, payload }: Fields): Shown {
  if (!isObject(payload)) return [`${String(action)} ${String(dedup)}`, []];
  const details = isObject(payload["custom_details"]) ? payload["custom_details"] : {};
  const lines = Object.entries(details).map(([name, value]) => `${name}: ${String(value)}`);
  return [String(payload["summary"]), [String(payload["summary"]), ...lines]];
}

function textIn({ text }: Fields): string {
  return typeof text === "string" ? text : "";
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
