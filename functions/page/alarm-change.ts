// A change of an alarm's state, as CloudWatch tells it: by invoking a function directly, or through an SNS topic. Both
// come to the same change, with the same time. It does not know which alarms there are, nor who must hear of it.

export const alarmStates = ["OK", "ALARM", "INSUFFICIENT_DATA"] as const;
export type AlarmState = (typeof alarmStates)[number];

export interface AlarmChange {
  readonly alarmName: string;
  readonly from: AlarmState;
  readonly to: AlarmState;
  /** RFC 3339, UTC, with milliseconds: with the name it tells one change from every other, whichever way it came. */
  readonly at: string;
  /** CloudWatch's, or that of whoever called SetAlarmState. */
  readonly reason: string;
  readonly description: string | null;
  /**
   * What had kept a composite alarm from telling the state that it comes from: `WaitPeriod`, `ExtensionPeriod` or
   * `Alarm`. Null: nothing had, or the way it came does not say.
   */
  readonly suppressed: string | null;
  /** `lambda` says whether the state before was suppressed; `sns` does not. */
  readonly via: "lambda" | "sns";
}

/** Whoever rehearses a page sets the alarm's state with a reason that begins with this word. */
export const drillReason = "drill";

export function isDrill({ reason }: AlarmChange): boolean {
  return new RegExp(`^${drillReason}\\b`, "i").test(reason);
}

/** An event that is no alarm's change; the message says what came instead. */
export class AlarmChangeFault extends Error {
  override readonly name = "AlarmChangeFault";
}

/**
 * CloudWatch's event to a Lambda function, its JSON for SNS, or that JSON inside what delivers it: SNS's event to a
 * function, SNS's envelope, an SQS record, each with or without raw delivery.
 * @throws AlarmChangeFault
 */
export function alarmChangeOf(event: unknown): AlarmChange {
  const value = unwrapped(event);
  if (isObject(value["alarmData"])) return fromLambda(value["alarmData"]);
  if ("AlarmName" in value) return fromSns(value);
  throw new AlarmChangeFault(`no change of an alarm's state: ${shapeOf(value)}`);
}

/** "Lambda action payload" of CloudWatch's user guide: `alarmData` with `state`, `previousState` and `configuration`. */
function fromLambda(data: Fields): AlarmChange {
  const state = objectIn(data, "state", "alarmData.state");
  const previous = isObject(data["previousState"]) ? data["previousState"] : {};
  const configuration = isObject(data["configuration"]) ? data["configuration"] : {};
  return {
    alarmName: textIn(data, "alarmName", "alarmData.alarmName"),
    from: stateBefore(previous["value"], "alarmData.previousState.value"),
    to: stateOf(state["value"], "alarmData.state.value"),
    at: timeIn(state, "timestamp", "alarmData.state.timestamp"),
    reason: textOr(state["reason"], ""),
    description: textOr(configuration["description"], null),
    suppressed: textOr(previous["actionsSuppressedBy"], null),
    via: "lambda",
  };
}

/** "Schema of Amazon SNS notifications when an alarm changes state"; composite and metric alarms share these fields. */
function fromSns(message: Fields): AlarmChange {
  return {
    alarmName: textIn(message, "AlarmName", "AlarmName"),
    from: stateBefore(message["OldStateValue"], "OldStateValue"),
    to: stateOf(message["NewStateValue"], "NewStateValue"),
    at: timeIn(message, "StateChangeTime", "StateChangeTime"),
    reason: textOr(message["NewStateReason"], ""),
    description: textOr(message["AlarmDescription"], null),
    suppressed: null,
    via: "sns",
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** What is inside all envelopes; each is smaller than the one around it. */
function unwrapped(event: unknown): Fields {
  const value = typeof event === "string" ? parsed(event) : event;
  if (!isObject(value)) throw new AlarmChangeFault(`no change of an alarm's state: ${shapeOf(value)}`);
  if (Array.isArray(value["Records"])) return unwrapped(contentOf(value["Records"]));
  // SNS's own envelope, where an SQS queue subscribes without raw delivery.
  if (value["Type"] === "Notification" && typeof value["Message"] === "string") return unwrapped(value["Message"]);
  return value;
}

/** SNS invokes a function with one record, always. */
function contentOf(records: readonly unknown[]): string {
  const [record, ...more] = records;
  if (more.length > 0)
    throw new AlarmChangeFault(`one record is a change of an alarm's state, and ${records.length} came`);
  if (!isObject(record)) throw new AlarmChangeFault(`no change of an alarm's state: ${shapeOf(record)} as a record`);
  const content = isObject(record["Sns"]) ? record["Sns"]["Message"] : record["body"];
  if (typeof content === "string") return content;
  throw new AlarmChangeFault(`no change of an alarm's state: a record that is ${shapeOf(record)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AlarmChangeFault(`no change of an alarm's state, and no JSON: ${JSON.stringify(shortened(text))}`);
  }
}

/** An alarm that is new has no state before. */
function stateBefore(value: unknown, path: string): AlarmState {
  return value === undefined ? "INSUFFICIENT_DATA" : stateOf(value, path);
}

function stateOf(value: unknown, path: string): AlarmState {
  const state = alarmStates.find((each) => each === value);
  if (state !== undefined) return state;
  throw new AlarmChangeFault(`${path}: one of ${alarmStates.join(", ")}, not ${shapeOf(value)}`);
}

/**
 * CloudWatch writes `2019-10-02T17:04:40.985+0000`, a form of ISO 8601 that RFC 3339 does not have; people write others.
 */
function timeIn(fields: Fields, name: string, path: string): string {
  const given = textIn(fields, name, path);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)$/.exec(given);
  const [, local = "", zone = ""] = match ?? [];
  const ms = Date.parse(local + zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2"));
  if (match === null || Number.isNaN(ms)) {
    throw new AlarmChangeFault(`${path}: a time such as 2019-10-02T17:04:40.985+0000, not ${shapeOf(given)}`);
  }
  return new Date(ms).toISOString();
}

function objectIn(fields: Fields, name: string, path: string): Fields {
  const value = fields[name];
  if (isObject(value)) return value;
  throw new AlarmChangeFault(`${path}: an object, not ${shapeOf(value)}`);
}

function textIn(fields: Fields, name: string, path: string): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AlarmChangeFault(`${path}: a text, not ${shapeOf(value)}`);
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === "string" ? value : otherwise;
}

/** What came, for a person to recognise. */
function shapeOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (!isObject(value)) return shortened(JSON.stringify(value) ?? typeof value);
  const keys = Object.keys(value);
  return keys.length === 0 ? "an empty object" : `an object with ${shortened(keys.join(", "))}`;
}

function shortened(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 120)}…`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
