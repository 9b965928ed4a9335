// The octets of a send as they go on the wire: what was asked for, behind what was added to it for the first attempt. They
// are the same for every attempt, wherever the message lies.
import type { ConfigSecret } from "../config/config.ts";
import { SecretFault } from "../secrets/fault.ts";
import { normalise } from "../smtp/message.ts";
import { contentDigest, fixHead, type StoredMessage } from "../state/messages.ts";
import { openSigner, type Signer } from "./dkim.ts";
import { getMessage } from "./objects.ts";
import { prepare } from "./prepare.ts";
import type { Runs } from "./runs.ts";

export type Octets =
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  /** There is no such message any more. */
  | { readonly kind: "gone"; readonly fault: string }
  /** What it takes to read or sign it is away: that is ours to mend. */
  | { readonly kind: "later"; readonly fault: string };

export async function octetsOf(message: StoredMessage, runs: Runs): Promise<Octets> {
  const body = await bodyOf(message, runs);
  if ("fault" in body) return { kind: body.isFinal ? "gone" : "later", fault: body.fault };
  try {
    const head = message.head ?? (await fixHead(message.id, await headOf(message, body.bytes, runs), runs.table));
    return { kind: "octets", octets: Buffer.concat([head, body.bytes]) };
  } catch (error) {
    if (error instanceof SecretFault) return { kind: "later", fault: error.message };
    throw error;
  }
}

/** What lies in S3 must still be what was taken on. */
async function bodyOf(
  { body, content }: StoredMessage,
  { deps }: Runs,
): Promise<{ readonly bytes: Uint8Array } | { readonly fault: string; readonly isFinal: boolean }> {
  if (body.kind === "inline") return { bytes: body.bytes };
  const got = await getMessage(body, await deps.clients.s3());
  if ("fault" in got) return { ...got, fault: `message.s3: ${got.fault}` };
  const bytes = normalise(got.bytes);
  if (contentDigest(bytes) === content) return { bytes };
  return { fault: "message.s3: the object was changed since the send was taken on", isFinal: true };
}

/** @throws SecretFault */
async function headOf({ id }: StoredMessage, message: Uint8Array, { deps, sends }: Runs): Promise<Uint8Array> {
  const read = async (secret: ConfigSecret): Promise<string> => await deps.secrets.read(secret);
  const signer = async (domain: string): Promise<Signer | null> => await openSigner(domain, sends.dkim, read);
  const made = await prepare({ id, message, helo: deps.config.identity.helo, now: deps.now(), signer });
  // It was looked through when it was taken on.
  if (made.kind === "unfit") throw new Error(`the message of ${id} is unfit: ${made.faults.join("; ")}`);
  return made.head;
}
