// Reads what is to be explained, one JSON line each: the reply, its stage in our words or other tools', who said it.
// It gives it no meaning.
import net from "node:net";
import { stages } from "../smtp/transcript.ts";
import type { Said } from "../verdict/classify.ts";
import { findProvider, providers } from "../verdict/providers.ts";
import { nearest, quote, UsageFault } from "./options.ts";
import { isObject } from "./shape.ts";

/**
 * A line `{"reply", "stage", "mx", "address"}`; all but the reply may be absent or null, other fields are passed over.
 * @throws UsageFault
 */
export function readSaid(line: string, shared: Omit<Said, "text">): Said {
  return saidOf(parsed(line), shared);
}

/**
 * The same of a line that has been parsed.
 * @throws UsageFault
 */
export function saidOf(value: unknown, shared: Omit<Said, "text">): Said {
  if (!isObject(value))
    throw new UsageFault('this is no JSON object; write {"reply": "550 …", "stage": "rcpt", "mx": "host"}');
  const reply = field(value, "reply") ?? "";
  if (reply.trim() === "") throw new UsageFault('reply is missing; write "reply": "550 …"');
  const mx = field(value, "mx");
  return {
    text: reply,
    stage: readStage(field(value, "stage"), "") ?? shared.stage,
    provider: mx === null ? shared.provider : providerIdOf(mx),
    own: readAddress(field(value, "address"), "address ") ?? shared.own,
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

function field(value: Readonly<Record<string, unknown>>, name: string): string | null {
  const found = Object.hasOwn(value, name) ? value[name] : null;
  if (found === null || found === undefined || typeof found === "string") return found ?? null;
  throw new UsageFault(`${name} is ${JSON.stringify(found).slice(0, 80)}; write text, or null`);
}

/** Other tools' names for a stage. `unknown` is what it says. */
const otherStages: Readonly<Record<string, Said["stage"]>> = {
  // A reply to the connection is the greeting.
  connect: "greeting",
  banner: "greeting",
  helo: "ehlo",
  body: "message",
  eod: "message",
  quit: "quit",
  unknown: null,
};

export function readStage(text: string | null, what: string): Said["stage"] {
  if (text === null) return null;
  const word = text.toLowerCase();
  if (Object.hasOwn(otherStages, word)) return otherStages[word] ?? null;
  const stage = stages.find((each) => each === word);
  if (stage !== undefined) return stage;
  throw new UsageFault(`${what}${quote(text)} is no stage; write ${stages.join(", ")}, quit or unknown`);
}

function providerIdOf(mx: string | null): string | null {
  return mx === null ? null : (findProvider(mx)?.id ?? null);
}

/**
 * The same, as a person writes it: what has no dot and is no provider's short name is mistyped.
 * @throws UsageFault
 */
export function readProvider(mx: string | null): string | null {
  const id = providerIdOf(mx);
  if (mx === null || id !== null || mx.includes(".")) return id;
  const meant = nearest(
    mx.toLowerCase(),
    providers.map((each) => each.id),
  );
  throw new UsageFault(
    `--mx ${quote(mx)} is no host and no provider; write ${meant ?? "a host's name such as mx1.example.com"}`,
  );
}

export function readAddress(text: string | null, what: string): string | null {
  if (text === null || net.isIP(text) > 0) return text;
  throw new UsageFault(`${what}${quote(text)} is no IP address; write one such as 192.0.2.1`);
}
