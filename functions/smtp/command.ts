// The commands that we send, built one way and checked at the door: no CR, LF or NUL ever reaches a command line.
import type { Exchange } from "./transcript.ts";

export interface Command {
  readonly stage: Exchange["stage"];
  /** Without CRLF. */
  readonly line: string;
  readonly recipient: string | null;
}

/** RFC 5321 §4.1.1.1. */
export function ehlo(name: string): Command {
  return command("ehlo", `EHLO ${name}`);
}

export function helo(name: string): Command {
  return command("ehlo", `HELO ${name}`);
}

/** RFC 3207 §4. */
export function startTls(): Command {
  return command("starttls", "STARTTLS");
}

/** RFC 5321 §4.1.1.2; `from` is empty for the null reverse-path. */
export function mail(from: string, parameters: readonly string[]): Command {
  return command("mail", ["MAIL", `FROM:<${from}>`, ...parameters].join(" "));
}

/** RFC 5321 §4.1.1.3. */
export function rcpt(to: string, parameters: readonly string[]): Command {
  return command("rcpt", ["RCPT", `TO:<${to}>`, ...parameters].join(" "), to);
}

/** RFC 5321 §4.1.1.4. */
export function data(): Command {
  return command("data", "DATA");
}

/** RFC 3030 §2: the last chunk's reply answers the message. */
export function bdatLast(octets: number): Command {
  return command("message", `BDAT ${octets} LAST`);
}

/** The lone dot that ends a message; its reply answers the message (RFC 5321 §4.1.1.4). */
export function finalDot(): Command {
  return command("message", ".");
}

/** RFC 5321 §4.1.1.10. */
export function quit(): Command {
  return command("quit", "QUIT");
}

function command(stage: Command["stage"], line: string, recipient: string | null = null): Command {
  // Callers say it better; this is the last door.
  if (/[\r\n\0]/.test(line)) throw new Error(`A command with CR, LF or NUL is never sent: ${JSON.stringify(line)}`);
  return { stage, line, recipient };
}
