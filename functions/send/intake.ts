// Taking on a send: its message is checked and written down with a delivery for each domain, before anybody is asked. The
// order is rows, messages, acknowledgement: a process can die between any two, and the record comes again.
import { createHash } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { longestExpiryMs, type Send } from "../queue/send-request.ts";
import type { Address } from "../smtp/address.ts";
import { normalise } from "../smtp/message.ts";
import { putDeliveryOnce, type Delivery } from "../state/deliveries.ts";
import {
  contentDigest,
  findMessage,
  inlineLimit,
  putMessageOnce,
  type NewMessage,
  type StoredBody,
  type StoredMessage,
} from "../state/messages.ts";
import { bury } from "./bury.ts";
import { lookAt } from "./deliver.ts";
import { signerFor } from "./dkim.ts";
import { authorDomain, fieldsOf, headerFaults } from "./header.ts";
import { getMessage, putMessage } from "./objects.ts";
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
  const taken = known === null ? await takeMessage(asked, runs) : again(asked, known);
  if (taken.kind === "faults") return await bury(record, taken.faults, runs);
  const deliveries = deliveriesOf(asked, taken.message, runs);
  for (const each of deliveries) await putDeliveryOnce(each, table);
  const [first, ...others] = deliveries;
  if (first === undefined) return done;
  for (const each of others) await sendTo(each.egress, wakeMessage(each, 0), runs);
  return await lookAt(first, runs);
}

type Taken =
  | { readonly kind: "message"; readonly message: NewMessage }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

/** What comes again is looked at again: its process may have died before the rest was written. */
function again(asked: Asked, known: StoredMessage): Taken {
  if (known.asked === asked.digest) return { kind: "message", message: known };
  return { kind: "faults", faults: [`id: ${JSON.stringify(asked.id)} was used before, for another send`] };
}

async function takeMessage(asked: Asked, runs: Runs): Promise<Taken> {
  const { now } = runs.deps;
  const { expiresAtMs } = asked;
  if (expiresAtMs !== null && expiresAtMs > now().getTime() + longestExpiryMs) {
    return { kind: "faults", faults: ["expires: 14 days from now or less"] };
  }
  const found = await contentOf(asked, runs);
  if (found.fault !== null) return { kind: "faults", faults: [found.fault] };
  const body = normalise(found.bytes);
  const faults = headerFaults(body);
  const fromDomain = authorDomain(fieldsOf(body));
  if (faults.length > 0 || fromDomain === null) return { kind: "faults", faults };
  const stored = await storedBody(asked, body, found.etag, runs);
  if ("fault" in stored) return { kind: "faults", faults: [stored.fault] };
  return await written(asked, { body, stored, fromDomain }, runs);
}

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

interface Checked {
  readonly body: Uint8Array;
  readonly stored: StoredBody;
  readonly fromDomain: string;
}

async function written(asked: Asked, { body, stored, fromDomain }: Checked, runs: Runs): Promise<Taken> {
  const { deps, sends, table } = runs;
  const { id, from, digest, to } = asked;
  const now = deps.now();
  const message: NewMessage = {
    id,
    asked: digest,
    content: contentDigest(body),
    from,
    domains: [...new Set(to.map(({ domain }) => domain))],
    createdAt: now.toISOString(),
    expiresAtMs: asked.expiresAtMs ?? now.getTime() + sends.expiresHours * 3_600_000,
    body: stored,
    octets: body.length,
    fromDomain,
    dkimDomain: signerFor(fromDomain, sends.dkim)?.domain ?? null,
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
  // Named after its content too: the same id with another message, which is a fault, overwrites nothing.
  const key = `sends/${createHash("sha256").update(id).digest("hex")}/${contentDigest(body)}`;
  const put = await putMessage(bucket, key, body, await deps.clients.s3());
  return { kind: "s3", bucket, key, etag: put.etag };
}

/** One a domain, its recipients together: they share a transaction. */
function deliveriesOf(asked: Asked, message: NewMessage, runs: Runs): readonly Delivery[] {
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
  return { address: text, state: "waiting", nextAtMs, attempts: [], word: null };
}
