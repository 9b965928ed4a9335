// What a queue message asks for (DESIGN §8): its shape, and whether the configuration lets it. Requests are untrusted.
// It does not know what becomes of one.
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import type { Config } from "../config/config.ts";
import { about } from "../config/about.ts";
import { parseHost, type NamedHost } from "../config/host.ts";
import { checked, type Checked } from "../config/shape-faults.ts";
import { version as programVersion } from "../config/version.ts";
import { parseAddress, type Address } from "../smtp/address.ts";
import { depths, type Depth } from "../smtp/transcript.ts";
import { id, isListed, readFrom, readTime, time, version } from "./request-fields.ts";
import { readSend, readWake, sendOctets, sendSchema, wakeSchema, type Send, type Wake } from "./send-request.ts";

export type { Send, Wake } from "./send-request.ts";

const notAfter = about("After this time it is not worked on any more.", z.optional(time));

const probeRequestSchema = z.strictObject({
  v: version,
  kind: about("Asks how a provider answers; nothing is delivered but at depth message.", z.literal("probe")),
  id: about("A request's own: one that comes again with the same is not probed again.", id),
  recipient: about("A mailbox that the configuration lists, in its targets or requests.recipients.", z.string()),
  egress: about("A way out of the configuration's; else its first one of the functions.", z.optional(z.string())),
  depth: about("How far a probe goes: rcpt where nothing is said.", z.optional(z.enum(depths))),
  from: about("The sender, of those that the configuration allows; else its identity.sender.", z.optional(z.string())),
  mx: about(
    "Hosts in the place of the domain's own: host, host:25 or [IPv6]:25.",
    z.optional(z.array(z.string()).check(z.minLength(1), z.maxLength(10))),
  ),
  notAfter,
});

const selfCheckRequestSchema = z.strictObject({
  v: version,
  kind: about("Asks whether our own set-up of an egress is right, before a provider says so.", z.literal("self-check")),
  id: about("A request's own: one that comes again with the same is not checked again.", id),
  egress: about("A way out of the configuration's.", z.string()),
  notAfter,
});

/** For what reads requests by their schema. */
export const requestSchema = z.discriminatedUnion("kind", [
  probeRequestSchema,
  selfCheckRequestSchema,
  sendSchema,
  wakeSchema,
]);

export type ProbeMessage = z.infer<typeof probeRequestSchema>;
export type SelfCheckMessage = z.infer<typeof selfCheckRequestSchema>;

/** A request that the configuration lets be carried out. */
export type Request = Probe | SelfCheckRequest | Send | Wake;

export interface Probe {
  readonly kind: "probe";
  readonly id: string;
  readonly recipient: Address;
  readonly egress: string;
  readonly depth: Depth;
  readonly from: string;
  /** Null: where the configuration or DNS says. */
  readonly mx: readonly NamedHost[] | null;
  /** Milliseconds since the epoch; null: whenever. */
  readonly notAfterMs: number | null;
  /** Of what was asked for, as it was written: another configuration reads the same request no otherwise. */
  readonly digest: string;
}

export interface SelfCheckRequest {
  readonly kind: "self-check";
  readonly id: string;
  readonly egress: string;
  /** Milliseconds since the epoch; null: whenever. */
  readonly notAfterMs: number | null;
}

/** Of those that hold no message: one that is put back takes its attributes along, within SQS's 1 MiB. */
const usualOctets = 65_536;

/** @returns the request, or every fault with the path of its field and what may stand there */
export function readRequest(body: string, config: Config): Checked<Request> {
  const octets = Buffer.byteLength(body);
  if (octets > sendOctets) return tooLong(sendOctets);
  const value = parsed(body);
  if (value === undefined) return { value: null, faults: ["$: this is no JSON; write one JSON object"] };
  const told = kindOf(value);
  if (told.kind === null) return { value: null, faults: [told.fault] };
  if (told.kind !== "send" && octets > usualOctets) return tooLong(usualOctets);
  return readers[told.kind](value, config);
}

function tooLong(octets: number): Checked<Request> {
  return { value: null, faults: [`$: it has more than ${octets} octets, which no request needs`] };
}

const readers = { probe: readProbe, "self-check": readSelfCheck, send: readSend, wake: readWake } satisfies {
  readonly [Kind in Request["kind"]]: (value: unknown, config: Config) => Checked<Request>;
};

function readProbe(value: unknown, config: Config): Checked<Probe> {
  const shape = checked(probeRequestSchema, value);
  if (shape.value === null) return shape;
  const { id, recipient, egress, depth, from, mx, notAfter } = shape.value;
  const faults: string[] = [];
  const probe = {
    kind: "probe" as const,
    id,
    recipient: readRecipient(recipient, config, faults),
    egress: readEgress(egress, config, faults),
    depth: depth ?? "rcpt",
    from: readFrom(from ?? config.identity.sender, config, faults),
    mx: mx === undefined ? null : mx.map((each, index) => readHost(each, `mx[${index}]`, config, faults)),
    notAfterMs: readTime(notAfter),
    digest: digestOf(shape.value),
  };
  return faults.length > 0 ? { value: null, faults } : { value: probe, faults: null };
}

function readSelfCheck(value: unknown, config: Config): Checked<SelfCheckRequest> {
  const shape = checked(selfCheckRequestSchema, value);
  if (shape.value === null) return shape;
  const { kind, id, egress, notAfter } = shape.value;
  const faults: string[] = [];
  const request = { kind, id, egress: readEgress(egress, config, faults), notAfterMs: readTime(notAfter) };
  return faults.length > 0 ? { value: null, faults } : { value: request, faults: null };
}

/** When it is over is no part of what is asked. */
function digestOf({ recipient, egress, depth, from, mx }: ProbeMessage): string {
  const asked = [recipient, egress ?? null, depth ?? null, from ?? null, mx ?? null];
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

type Kind = { readonly kind: Request["kind"] } | { readonly kind: null; readonly fault: string };

/** Of another version or kind the other fields say nothing. */
function kindOf(value: unknown): Kind {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: null, fault: "$: expected an object" };
  }
  const { v, kind } = value as { readonly v?: unknown; readonly kind?: unknown };
  if (v !== 1) return { kind: null, fault: versionFault(v) };
  if (typeof kind === "string" && Object.hasOwn(readers, kind)) return { kind: kind as Request["kind"] };
  return { kind: null, fault: 'kind: expected "probe", "self-check" or "send"' };
}

/** Requests of another version come from a newer producer, or the schedule, while runners are updated: runners go first. */
function versionFault(v: unknown): string {
  if (!Number.isInteger(v) || Number(v) <= 1) return "v: expected 1, the version of requests";
  return `v: ${Number(v)} is a version that this runner (${programVersion}) does not know; update it, then redrive`;
}

function readRecipient(text: string, config: Config, faults: string[]): Address {
  const address = parseAddress(text);
  if ("fault" in address) {
    faults.push(`recipient: ${address.fault}`);
    return nobody;
  }
  const where = "the configuration's targets or requests.recipients, which list our mailboxes";
  if (!isOurs(address, config)) faults.push(`recipient: it is none of ${where}`);
  return address;
}

const nobody: Address = { text: "", local: "", domain: "", needsSmtpUtf8: false };

function isOurs(address: Address, { targets, requests }: Config): boolean {
  const allowed = [...targets.map(({ recipient }) => recipient), ...requests.recipients];
  return allowed.some((each) => each === "*" || isListed(address, each));
}

/** Without a name: the only way out, or the first that the functions have. */
function readEgress(name: string | undefined, { egresses }: Config, faults: string[]): string {
  const names = egresses.map((each) => each.name);
  if (name === undefined) return egresses.find(({ runner }) => runner === "functions")?.name ?? names[0] ?? "";
  if (!names.includes(name)) faults.push(`egress: expected one of ${names.join(", ")}`);
  return name;
}

function readHost(text: string, path: string, { requests: { ports } }: Config, faults: string[]): NamedHost {
  const host = parseHost(text);
  if (host === null) {
    faults.push(`${path}: expected host, host:25 or [IPv6 address]:25`);
    return { name: "", port: 0 };
  }
  if (ports !== "any" && !ports.includes(host.port)) {
    const listed = "which the configuration's requests.ports lists";
    faults.push(`${path}: port ${host.port} is none of ${ports.join(", ")}, ${listed}`);
  }
  return host;
}
