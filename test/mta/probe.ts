// Runs the command line's `probe` as a process of its own against a real server, and reads the document that it prints.
// What the right verdict is, the tests know.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import path from "node:path";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import type { Stage } from "../../functions/smtp/transcript.ts";

/** What is asked of a server, and what it says: a row of a server's table. */
export interface Case {
  readonly name: string;
  readonly port: number;
  readonly to: string;
  readonly options?: readonly string[];
  readonly depth: "rcpt" | "message";
  readonly outcome: Verdict["outcome"];
  readonly exitStatus: number;
  readonly stage: Stage;
  readonly code: number;
  readonly status: string | null;
  /** Words that only the server knows. */
  readonly words: string;
  /** Whether the refusal comes before STARTTLS could. */
  readonly beforeTls?: true;
}

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");

/** Asserts that the verdict is the server's own word, in the clear or under STARTTLS. */
export async function checkCase(each: Case, tls: "never" | "require"): Promise<void> {
  const from = each.options?.includes("--from") ? [] : ["--from", "probe@sender.example"];
  const options = ["--mx", `127.0.0.1:${each.port}`, "--depth", each.depth, "--tls", tls, "--timeout", "20", "--json"];
  const child = spawn(process.execPath, [launcher, "probe", each.to, ...from, ...options, ...(each.options ?? [])], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [exitStatus]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  assert.notEqual(stdout, "", stderr);
  const verdict = JSON.parse(stdout) as Verdict;
  const { stage, code, status, text: words } = verdict.primary;
  const { outcome } = verdict;
  assert.deepEqual(
    { outcome, exitStatus, stage, code, status },
    { outcome: each.outcome, exitStatus: each.exitStatus, stage: each.stage, code: each.code, status: each.status },
    stdout,
  );
  assert.ok(words.includes(each.words), `${JSON.stringify(words)} holds ${JSON.stringify(each.words)}`);
  const secured = verdict.attempts.at(-1)?.tls;
  if (tls === "require" && each.beforeTls !== true)
    assert.deepEqual(secured?.certificate?.names.includes("mx.example"), true);
  else assert.equal(secured, null);
}
