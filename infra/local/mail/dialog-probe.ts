// What a dialog asks of `probe`, and how the verdict that comes differs from the one it expects.
// It plays nothing: the mail host does.
import { usualRequest, type ProbeRequest } from "../../../functions/route/probe-request.ts";
import { direct } from "../../../functions/route/egress.ts";
import { memoryCache } from "../../../functions/route/mta-sts.ts";
import { parseAddress, type Address } from "../../../functions/smtp/address.ts";
import type { Verdict } from "../../../functions/verdict/verdict.ts";
import type { Setup } from "./dialog-setup.ts";
import type { Dialog, Expectation } from "./dialog.ts";

/** Where a dialog says nothing of it. */
const timeoutMs = 30_000;

/** The request that a dialog's setup makes to the host that plays it: named by hand, nothing looked up in DNS. */
export function requestOf(setup: Setup, host: { readonly address: string; readonly port: number }): ProbeRequest {
  return {
    ...usualRequest,
    recipients: setup.recipients.map(addressOf),
    hosts: [{ name: host.address, port: host.port, named: "by-hand" }],
    from: setup.from,
    helo: setup.helo,
    depth: setup.depth,
    message: messageOf(setup.message),
    commit: commitOf(setup.commit),
    bodyMs: setup.bodyMs,
    tls: setup.tls,
    timeoutMs: setup.timeoutMs ?? timeoutMs,
    resolver: null,
    egress: direct,
    policies: memoryCache(),
    allowPrivate: false,
  };
}

/** Null: our own small message. */
function messageOf(kind: Setup["message"]): Buffer | null {
  switch (kind) {
    case "small":
      return null;
    case "given":
      return Buffer.from("Subject: given\n\n.a line that begins with a dot\nthe end\n");
    case "8bit":
      return Buffer.from("Subject: 8-bit\r\n\r\nGrüße\r\n");
    case "utf8":
      return Buffer.from("Subject: Grüße\r\n\r\nGrüße\r\n");
    case "large":
      return Buffer.concat([Buffer.from("Subject: large\r\n\r\n"), Buffer.alloc(8_000_000, "0123456789abcdef\r\n")]);
  }
}

function commitOf(commit: Setup["commit"]): ProbeRequest["commit"] {
  switch (commit) {
    case null:
      return async () => await Promise.resolve(true);
    case "no":
      return async () => await Promise.resolve(false);
    case "never":
      return async () => await new Promise(() => {});
  }
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new Error(address.fault);
  return address;
}

/** How a verdict differs from what the dialog expects, for people; empty when it does not. */
export function surprises(
  { expected, recipients }: Pick<Dialog, "recipients"> & { readonly expected: Expectation },
  verdict: Verdict,
): readonly string[] {
  const { clauses } = expected;
  const { outcome, primary } = verdict;
  const got = { outcome, stage: primary.stage, code: primary.code, status: primary.status };
  const own = recipients.map(({ address, ...wanted }) => {
    const found = verdict.recipients.find((each) => each.address === address);
    return differs(answerText(wanted), found === undefined ? "no verdict" : answerText(found), `for ${address}: `);
  });
  return [
    differs(answerText(expected), answerText(got), ""),
    ...Object.entries(clauses).map(([key, value]) => clauseDiffers(key, value, verdict)),
    ...own,
  ].flatMap((each) => each ?? []);
}

function clauseDiffers(key: string, value: string, verdict: Verdict): string | null {
  const { primary, attempts, consequences } = verdict;
  switch (key) {
    case "text":
      return primary.text.includes(value) ? null : `expected words with "${value}", and heard "${primary.text}"`;
    case "partial":
      return primary.partial ? null : "expected a partial reply, and it was whole";
    case "class":
      return differs(value, verdict.class ?? "none", "class ");
    case "ended":
      // The acts may be named as well: a close over unread octets, and rst, both reset.
      return differs(value.replace(/^(?:close|rst)$/, "reset"), attempts.at(-1)?.ending.by ?? "never", "an end by ");
    case "retry":
      return differs(value, attempts.at(-1)?.retry ?? "none", "a retry ");
    case "consequences":
      return differs(value, String(consequences.length), "consequences ");
    case "attempts":
      return differs(value, String(attempts.length), "attempts ");
    default:
      return `there is no clause "${key}"`;
  }
}

function differs(expected: string, got: string, what: string): string | null {
  return expected === got ? null : `expected ${what}${expected}, and got ${got}`;
}

function answerText({ outcome, stage, code, status }: Omit<Expectation, "clauses">): string {
  return [outcome, stage, code ?? "-", ...(status === null ? [] : [status])].join(" ");
}
