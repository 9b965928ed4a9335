// What a queue message asks of the send function: a message for some recipients, or to look at what is due of one that was
// taken before. Its shape, and whether the configuration lets it. It does not know what becomes of one.
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { about } from "../config/about.ts";
import type { Config } from "../config/config.ts";
import { sendEgresses } from "../config/send-faults.ts";
import { checked, type Checked } from "../config/shape-faults.ts";
import { parseAddress, type Address } from "../smtp/address.ts";
import { id, readFrom, readTime, time, version } from "./request-fields.ts";

/** SQS's own limit of a message, attributes and all. */
export const sendOctets = 1_048_576;
/** How long a send may be tried at all. Who has a clock holds `expiresAtMs` against it. */
export const longestExpiryMs = 14 * 86_400_000;

const text = z.string().check(
  z.minLength(1, "a message with a header and a body"),
  // No UTF-8 can say one.
  z.refine((each) => each.isWellFormed(), "text without lone surrogates; octets that are no Unicode go as base64"),
);
const base64 = z
  .string()
  .check(z.regex(/^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "base64, without line ends"));
const objectName = z.strictObject({
  bucket: about("Of those that the configuration lists in requests.buckets.", z.string().check(z.minLength(3), z.maxLength(63))), // prettier-ignore
  key: about("The object's.", z.string().check(z.minLength(1), z.maxLength(1_024))),
});

export const sendSchema = z.strictObject({
  v: version,
  kind: about("Asks that a message be delivered to its recipients, once to each.", z.literal("send")),
  id: about("The message's own: what comes again with the same is not sent again; with another content it is a fault.", id), // prettier-ignore
  from: about("The envelope's sender, of those that the configuration allows; empty for the null sender.", z.string()),
  to: about("The recipients, none twice.", z.array(z.string()).check(z.minLength(1), z.maxLength(100))),
  egress: about("One of the configuration's that sends; else whichever it prefers.", z.optional(z.string())),
  expires: about("Until when it is tried, 14 days at most; else as long as the configuration says.", z.optional(time)),
  onUnknown: about(
    "What becomes of a recipient whose host took the whole message and never answered: stop, which may lose it, or retry, which may repeat it.",
    z.optional(z.enum(["stop", "retry"])),
  ),
  priority: about("What goes first where not all can go at once: normal where nothing is said.", z.optional(z.enum(["high", "normal", "low"]))), // prettier-ignore
  message: about(
    "The message (RFC 5322): its text, its octets in base64, or an object in Amazon S3 that holds them.",
    z.union([
      text,
      z.strictObject({ base64: about("Its octets.", base64) }),
      z.strictObject({ s3: about("Where its octets are.", objectName) }),
    ]),
  ),
});

export const wakeSchema = z.strictObject({
  v: version,
  kind: about("The runners' own: asks to look at what is due of a message to one domain.", z.literal("wake")),
  id: about("The message's.", id),
  domain: about("The recipients'.", z.string().check(z.minLength(1), z.maxLength(255))),
  egress: about("By which it is tried next.", z.string().check(z.minLength(1), z.maxLength(40))),
});

/** As producers write it. */
export type SendMessage = z.infer<typeof sendSchema>;
export type WakeMessage = z.infer<typeof wakeSchema>;

export interface Send {
  readonly kind: "send";
  readonly id: string;
  /** Empty for the null sender. */
  readonly from: string;
  /** None twice. */
  readonly to: readonly Address[];
  /** Null: any of those that send. */
  readonly egress: string | null;
  /** Milliseconds since the epoch; null: as the configuration says. */
  readonly expiresAtMs: number | null;
  readonly onUnknown: "stop" | "retry";
  readonly priority: "high" | "normal" | "low";
  readonly message: MessageSource;
  /** Of all that is asked for, and of an object by its name alone; not of how long. */
  readonly digest: string;
}

export type MessageSource =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "s3"; readonly bucket: string; readonly key: string };

/** Says only where to look: the row is the truth. */
export interface Wake {
  readonly kind: "wake";
  readonly id: string;
  readonly domain: string;
  readonly egress: string;
}

export function readSend(value: unknown, config: Config): Checked<Send> {
  if (config.sends === null) return noSends;
  const shape = checked(sendSchema, value);
  if (shape.value === null) return shape;
  const { kind, id, from, to, egress, expires, onUnknown = "stop", priority = "normal", message } = shape.value;
  const faults: string[] = [];
  const asked = {
    from: readFrom(from, config, faults),
    to: readRecipients(to, faults),
    egress: readEgress(egress, config, faults),
    onUnknown,
    priority,
    message: readMessage(message, config, faults),
  };
  if (faults.length > 0) return { value: null, faults };
  return { value: { kind, id, ...asked, expiresAtMs: readTime(expires), digest: digestOf(asked) }, faults: null };
}

/** Whether its egress is still there the row's reader sees. */
export function readWake(value: unknown, config: Config): Checked<Wake> {
  if (config.sends === null) return noSends;
  const shape = checked(wakeSchema, value);
  if (shape.value === null) return shape;
  const { kind, id, domain, egress } = shape.value;
  return { value: { kind, id, domain, egress }, faults: null };
}

const noSends = {
  value: null,
  faults: ["kind: this system takes no sends, since its configuration has no section sends; add one, then redrive"],
} as const;

/** One that is wrong counts as none, so that the others are told what is wrong with them. */
export function readRecipients(texts: readonly string[], faults: string[]): readonly Address[] {
  const found = new Map<string, number>();
  return texts.flatMap((text, index) => {
    const address = parseAddress(text);
    if ("fault" in address) {
      faults.push(`to[${index}]: ${address.fault}`);
      return [];
    }
    const first = found.get(address.text);
    if (first === undefined) found.set(address.text, index);
    else faults.push(`to[${index}]: the same as to[${first}]`);
    return [address];
  });
}

function readEgress(name: string | undefined, config: Config, faults: string[]): string | null {
  if (name === undefined) return null;
  const names = sendEgresses(config);
  if (!names.includes(name)) faults.push(`egress: expected one of ${names.join(", ")}, by which sends leave`);
  return name;
}

function readMessage(given: SendMessage["message"], { requests }: Config, faults: string[]): MessageSource {
  if (typeof given === "string") return { kind: "inline", bytes: Buffer.from(given) };
  if ("base64" in given) return { kind: "inline", bytes: Buffer.from(given.base64, "base64") };
  const { bucket, key } = given.s3;
  if (!requests.buckets.includes(bucket)) {
    faults.push("message.s3.bucket: it is none of the configuration's requests.buckets");
  }
  return { kind: "s3", bucket, key };
}

/** The same however it is written: as text or in base64, with what is usual or without. */
function digestOf({ message, to, ...asked }: Omit<Send, "kind" | "id" | "expiresAtMs" | "digest">): string {
  const { from, egress, onUnknown, priority } = asked;
  const content = message.kind === "s3" ? [message.bucket, message.key] : sha256(message.bytes);
  const recipients = to.map((each) => each.text);
  return sha256(JSON.stringify([from, recipients, egress, onUnknown, priority, content]));
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
