// Taking on a send: its message is checked, completed and signed once, and written down with a delivery for each domain,
// before anybody is asked. The order is rows, messages, acknowledgement: a process can die between any two, and the record
// comes again.
import { createHash } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import type { ConfigSecret } from "../config/config.ts";
import { laterMessage } from "../queue/record.ts";
import { longestExpiryMs, type Send } from "../queue/send-request.ts";
import { faultText } from "../report/log.ts";
import { SecretFault } from "../secrets/fault.ts";
import type { Address } from "../smtp/address.ts";
import { putDeliveryOnce, type Delivery } from "../state/deliveries.ts";
import {
  contentDigest,
  findMessage,
  inlineLimit,
  putMessageOnce,
  type StoredBody,
  type StoredMessage,
} from "../state/messages.ts";
import { bury } from "./bury.ts";
import { lookAt } from "./deliver.ts";
import { openSigner, type Signer } from "./dkim.ts";
import { getMessage, putMessage } from "./objects.ts";
import { prepare } from "./prepare.ts";
import { done, sendTo, type Result, type Runs } from "./runs.ts";
import { wakeMessage } from "./wake.ts";

/** A request, and the way out that was chosen for it. */
export interface Asked extends Omit<Send, "egress"> {
  readonly egress: string;
  readonly anyEgress: boolean;
}

export async function takeOn(record: SQSRecord, asked: Asked, runs: Runs): Promise<Result> {
  const { table } = runs;
  const known = await findMessage(asked.id, table);
  const taken = known === null ? await takeMessage(record, asked, runs) : again(asked, known);
  if (taken.kind === "faults") return await bury(record, taken.faults, runs);
  if (taken.kind === "later") return done;
  const deliveries = deliveriesOf(asked, taken.message, runs);
  for (const each of deliveries) await putDeliveryOnce(each, table);
  const [first, ...others] = deliveries;
  if (first === undefined) return done;
  for (const each of others) await sendTo(each.egress, wakeMessage(each, 0), runs);
  return await lookAt(first, runs);
}

type Taken =
  | { readonly kind: "message"; readonly message: StoredMessage }
  | { readonly kind: "faults"; readonly faults: readonly string[] }
  /** Something of ours could not be reached: the request was put back. */
  | { readonly kind: "later" };

/** What comes again is looked at again: its process may have died before the rest was written. */
function again(asked: Asked, known: StoredMessage): Taken {
  if (known.asked === asked.digest) return { kind: "message", message: known };
  return { kind: "faults", faults: [`id: ${JSON.stringify(asked.id)} was used before, for another send`] };
}

async function takeMessage(record: SQSRecord, asked: Asked, runs: Runs): Promise<Taken> {
  const { now } = runs.deps;
  const { expiresAtMs } = asked;
  if (expiresAtMs !== null && expiresAtMs > now().getTime() + longestExpiryMs) {
    return { kind: "faults", faults: ["expires: 14 days from now or less"] };
  }
  const found = await contentOf(asked, runs);
  if (found.fault !== null) return { kind: "faults", faults: [found.fault] };
  try {
    return await prepared(asked, found, runs);
  } catch (error) {
    if (!(error instanceof SecretFault)) throw error;
    // A key that cannot be read now is ours to mend, and no reason to give up a send.
    runs.deps.log({ level: "error", event: "unsigned", id: asked.id, fault: faultText(error) });
    await sendTo(asked.egress, laterMessage(record, secretAgainS), runs);
    return { kind: "later" };
  }
}

const secretAgainS = 300;

interface Content {
  readonly bytes: Uint8Array;
  readonly fault: null;
  readonly etag: string | null;
}

async function contentOf({ message }: Asked, { deps }: Runs): Promise<Content | { readonly fault: string }> {
  if (message.kind === "inline") return { bytes: message.bytes, fault: null, etag: null };
  const { bucket, key } = message;
  const got = await getMessage({ bucket, key, etag: null }, await deps.clients.s3());
  return "fault" in got ? { fault: `message.s3: ${got.fault}` } : { bytes: got.bytes, fault: null, etag: got.etag };
}

async function prepared(asked: Asked, { bytes, etag }: Content, runs: Runs): Promise<Taken> {
  const { deps, sends, table } = runs;
  const { id, from, digest } = asked;
  const now = deps.now();
  const { helo } = deps.config.identity;
  const read = async (secret: ConfigSecret): Promise<string> => await deps.secrets.read(secret);
  const signer = async (domain: string): Promise<Signer | null> => await openSigner(domain, sends.dkim, read);
  const made = await prepare({ id, message: bytes, helo, now, signer });
  if (made.kind === "unfit") return { kind: "faults", faults: made.faults };
  const { head, body, fromDomain, dkimDomain } = made;
  const stored = await storedBody(asked, body, etag, runs);
  if ("fault" in stored) return { kind: "faults", faults: [stored.fault] };
  const message: StoredMessage = {
    id,
    asked: digest,
    content: contentDigest(body),
    from,
    domains: [...new Set(asked.to.map(({ domain }) => domain))],
    createdAt: now.toISOString(),
    expiresAtMs: asked.expiresAtMs ?? now.getTime() + sends.expiresHours * 3_600_000,
    head,
    body: stored,
    octets: head.length + body.length,
    fromDomain,
    dkimDomain,
  };
  if (await putMessageOnce(message, table)) return { kind: "message", message };
  // Another copy of the request was quicker.
  const known = await findMessage(id, table);
  if (known === null) throw new Error(`the message ${id} is neither new nor there`);
  return again(asked, known);
}

async function storedBody(
  { id, message }: Asked,
  body: Uint8Array,
  etag: string | null,
  { deps, sends }: Runs,
): Promise<StoredBody | { readonly fault: string }> {
  if (body.length <= inlineLimit) return { kind: "inline", bytes: body };
  if (message.kind === "s3") return { kind: "s3", bucket: message.bucket, key: message.key, etag };
  const { bucket } = sends;
  if (bucket === null) {
    return {
      fault: `message: it has ${body.length} octets, and more than ${inlineLimit} wait in S3: name a bucket in the configuration's sends.bucket, or send it as {"s3": …}`,
    };
  }
  const key = `sends/${createHash("sha256").update(id).digest("hex")}`;
  const put = await putMessage(bucket, key, body, await deps.clients.s3());
  return { kind: "s3", bucket, key, etag: put.etag };
}

/** One a domain, its recipients together: they share a transaction. */
function deliveriesOf(asked: Asked, message: StoredMessage, runs: Runs): readonly Delivery[] {
  const { id, from, to, egress, anyEgress, onUnknown, priority } = asked;
  const { createdAt, expiresAtMs, fromDomain, dkimDomain } = message;
  const nowMs = Date.parse(createdAt);
  return [...Map.groupBy(to, ({ domain }) => domain)].map(([domain, addresses]) => ({
    id,
    domain,
    egress,
    anyEgress,
    from,
    fromDomain,
    dkimDomain,
    onUnknown,
    priority,
    createdAt,
    expiresAtMs,
    attempts: [],
    recipients: addresses.map((address) => waitingRecipient(address, nowMs)),
    heldBy: null,
    isDelayTold: false,
    untold: [],
    lease: null,
    // Should no message ever bring it up, the sweep does.
    wakeAtMs: runs.deps.now().getTime() + unheardOfMs,
    written: "",
  }));
}

const unheardOfMs = 300_000;

function waitingRecipient({ text }: Address, nextAtMs: number): Delivery["recipients"][number] {
  return { address: text, state: "waiting", nextAtMs, attempts: 0, word: null };
}
