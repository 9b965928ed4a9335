// One step of a dialog, and how its line is read: what is sent, awaited or done.
// It knows neither the steps around it nor how any of them is played.
import { count, duration, Misreading, oneOf, quote } from "./dialog-value.ts";

/** One step of a script. `source` is its line as written, without the margin; `lineNumber` is its line in the file. */
export type Step = Where &
  (
    | { readonly kind: "send"; readonly octets: Uint8Array } //    S: and S|
    | { readonly kind: "line"; readonly text: string } //          C:
    | { readonly kind: "pattern"; readonly pattern: RegExp } //    C~, unanchored
    | { readonly kind: "body" } //                                 C... to the lone dot, or as many octets as BDAT said
    | { readonly kind: "act"; readonly act: Act } //               S!
  );

interface Where {
  readonly source: string;
  readonly lineNumber: number;
}

export type Act =
  | { readonly name: "fin" | "rst" | "close" | "hang" }
  | { readonly name: "tls"; readonly version: TlsVersion | null }
  | { readonly name: "wait"; readonly waitMs: number }
  | { readonly name: "dribble"; readonly octets: number }
  | { readonly name: "flood"; readonly times: number; readonly text: string }
  | { readonly name: "junk"; readonly octets: number };

export type TlsVersion = (typeof tlsVersions)[keyof typeof tlsVersions];

/**
 * Reads a step's line, which has no margin any more. Whether it may stand where it stands, the script says.
 * @throws Misreading
 */
export function readStep(line: string, lineNumber: number): Step {
  const where = { source: line, lineNumber };
  const rest = line.slice(2).replace(/^ /, "");
  switch (line.slice(0, 2)) {
    case "S:":
      return { ...where, kind: "send", octets: Buffer.from(`${rest}\r\n`) };
    case "S|":
      return { ...where, kind: "send", octets: unescape(rest) };
    case "S!":
      return { ...where, kind: "act", act: readAct(rest.trim()) };
    case "C:":
      return { ...where, kind: "line", text: rest };
    case "C~":
      return { ...where, kind: "pattern", pattern: readPattern(rest) };
    default:
      if (/^C\.\.\.\s*$/.test(line)) return { ...where, kind: "body" };
      throw new Misreading(`cannot read ${quote(line)}: a line begins with # S: S| S! C: C~ C... => @ or is --`);
  }
}

function readPattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new Misreading(`${quote(source)} is no regular expression: ${String(error)}`);
  }
}

const escapes: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", 0: "\0", "\\": "\\" };

function unescape(text: string): Uint8Array {
  const pieces = text.split(/(\\x[\da-fA-F]{2}|\\.?)/s).map((piece) => {
    if (!piece.startsWith("\\")) return Buffer.from(piece);
    if (piece.length === 4) return Buffer.from(piece.slice(2), "hex");
    const octet = escapes[piece.slice(1)];
    if (octet === undefined) throw new Misreading(`${quote(piece)} is no escape: use \\r \\n \\t \\0 \\\\ or \\xNN`);
    return Buffer.from(octet);
  });
  return Buffer.concat(pieces);
}

const tlsVersions = { "1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2", "1.3": "TLSv1.3" } as const;

function readAct(text: string): Act {
  const [, name = "", rest = ""] = /^(\S*)\s*(.*)$/.exec(text) ?? [];
  switch (name) {
    case "fin":
    case "rst":
    case "close":
    case "hang":
      if (rest !== "") throw new Misreading(`S! ${name} takes nothing after it`);
      return { name };
    case "tls":
      return { name, version: rest === "" ? null : readTlsVersion(rest) };
    case "wait":
      return { name, waitMs: duration(rest, "S! wait") };
    case "dribble":
    case "junk":
      return { name, octets: count(rest, `S! ${name} N, in octets`) };
    case "flood": {
      const [, times = "", line = ""] = /^(\S*) ?(.*)$/.exec(rest) ?? [];
      return { name, times: count(times, "S! flood N TEXT"), text: line };
    }
    default:
      throw new Misreading(`${quote(name)} is no act: S! fin, rst, close, hang, tls, wait, dribble, flood or junk`);
  }
}

function readTlsVersion(text: string): TlsVersion {
  return tlsVersions[oneOf(["1.0", "1.1", "1.2", "1.3"], text, "the TLS version")];
}

/** The command that a step awaits, or ""; of a pattern, its source without the anchor and the backslashes. */
export function wordsOf(step: Step): string {
  if (step.kind === "line") return step.text;
  return step.kind === "pattern" ? step.pattern.source.replace(/^\^/, "").replaceAll(/\\(?=\W)/g, "") : "";
}
