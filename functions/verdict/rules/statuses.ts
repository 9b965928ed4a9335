// The last resort: what the enhanced status or the code alone says, where no wording did.
// It gives 5.7.1 and its like no meaning: receivers use them for anything.
import type { Rule, RuleGroup } from "./rule.ts";

/** RFCs and the registry of enhanced status codes that their rows follow. */
const rfc3463 = "https://www.rfc-editor.org/rfc/rfc3463#section-3";
const rfc5248 = "https://www.iana.org/assignments/smtp-enhanced-status-codes";
const rfc7372 = "https://www.rfc-editor.org/rfc/rfc7372#section-3";
const rfc7505 = "https://www.rfc-editor.org/rfc/rfc7505#section-4";
const rfc5321 = "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3";
const rfc7504 = "https://www.rfc-editor.org/rfc/rfc7504#section-4";

function row(id: string, kind: Rule["class"], status: RegExp, source: string): Rule {
  return { id: `status-${id}`, class: kind, status, source };
}

// prettier-ignore
export const statuses: readonly RuleGroup[] = [
  {
    name: "status",
    providers: [],
    rules: [
      row("5.7.25",  "reverse-dns",      /^[45]\.7\.25$/,                 rfc7372),
      row("5.7.20",  "authentication",   /^[45]\.7\.(?:2[0-46]|30|32)$/,  rfc7372),
      row("5.7.27",  "sender-rejected",  /^[45]\.(?:7\.27|1\.[78])$/,     rfc7505),
      row("5.7.10",  "tls",              /^[45]\.7\.(?:10|11|29)$/,       rfc5248),
      row("5.7.28",  "rate-limit",       /^[45]\.(?:7\.28|5\.3)$/,        rfc5248),
      row("5.1.10",  "relay-denied",     /^(?:[45]\.(?:1\.(?:2|10)|4\.[46])|5\.3\.5)$/, rfc7505),
      row("5.1.1",   "mailbox-unknown",  /^[45]\.1\.[01346]$/,            rfc3463),
      row("5.2.1",   "mailbox-disabled", /^[45]\.2\.1$/,                  rfc3463),
      row("5.2.2",   "mailbox-full",     /^[45]\.2\.2$/,                  rfc3463),
      row("5.3.4",   "message-format",   /^[45]\.(?:2\.3|3\.[34]|6\.\d+)$/, rfc3463),
      row("5.3.0",   "system-error",     /^(?:[45]\.(?:2\.4|3\.[12]|4\.[3579])|4\.(?:3\.[05]|4\.0))$/, rfc3463),
      row("4.4.1",   "network",          /^4\.4\.[12]$/,                  rfc3463),
      row("5.5.0",   "protocol",         /^[45]\.5\.[1245]$/,             rfc3463),
      { id: "status-code-556",  class: "relay-denied",    code: [556],           source: rfc7504 },
      { id: "status-code-521",  class: "relay-denied",    code: [521], stage: ["greeting"], source: rfc7504 },
      { id: "status-code-530",  class: "relay-denied",    code: [530, 534, 535], source: "https://www.rfc-editor.org/rfc/rfc4954#section-6" },
      { id: "status-code-syntax", class: "protocol",      code: [500, 501, 502, 503, 504, 555], source: rfc5321 },
      { id: "status-code-552",  class: "mailbox-full",    code: [552], stage: ["rcpt"],            source: rfc5321 },
      { id: "status-code-552-message", class: "message-format", code: [552], stage: ["mail", "data", "message", null], source: rfc5321 },
      { id: "status-code-421",  class: "system-error",    code: [421, 452],      source: rfc5321 },
    ],
  },
];
