// What iCloud answers. Apple publishes no list of its codes: these were seen, with what their words say.
// It does not know what [CS..] and [HM..] stand for beyond Apple's `local policy`.
import type { RuleGroup } from "./rule.ts";

const help = "https://support.apple.com/en-us/102322";
const seen = "https://smtpfieldmanual.com/provider/apple";
const proofpoint = "https://github.com/docker-mailserver/docker-mailserver/issues/22";

// prettier-ignore
const rules: RuleGroup["rules"] = [
  { id: "icloud-listed", class: "ip-reputation", source: seen,
    words: /mail from ip .{0,48}rejected due to listing in/ },
  { id: "icloud-domain-listed", class: "domain-reputation", source: seen, blocklist: "spamhaus-dbl",
    words: /due to having a domain present in/ },
  { id: "icloud-proofpoint", class: "ip-reputation", source: proofpoint, blocklist: "proofpoint-pdr", at: ["icloud"],
    text: /support\.proofpoint\.com|ipcheck\.proofpoint\.com/ },
  { id: "icloud-no-connections", class: "ip-reputation", source: seen, code: [554],
    text: /\b(?:me|icloud|apple)\.com esmtp not accepting (?:connections|messages)/ },
  { id: "icloud-unauthenticated", class: "authentication", source: help,
    words: /\[hme\d\]|failing both spf and dkim/ },
  { id: "icloud-dmarc", class: "authentication", source: help,
    words: /message was rejected due to .{0,90}dmarc policy/ },
  { id: "icloud-volume", class: "rate-limit", source: help,
    words: /messages to %addr deferred due to excessive volume/ },
  { id: "icloud-local-policy", class: "policy", source: help,
    text: /\[(?:cs|hm|hcm|bs)\d{1,2}\]/ },
  { id: "icloud-local-policy-link", class: "policy", source: help,
    text: [/local policy/, /support\.apple\.com/] },
  { id: "icloud-inactive", class: "mailbox-disabled", source: seen,
    words: /%addr>?: inactive email address/ },
  { id: "icloud-unknown", class: "mailbox-unknown", source: seen,
    words: /unknown or illegal alias|recipient no longer on server/ },
  { id: "icloud-full", class: "mailbox-full", source: seen,
    words: /%addr>?: user is over quota/ },
  { id: "icloud-later", class: "system-error", source: seen, at: ["icloud"], code: [421, 451],
    words: /service unavailable - try again later/ },
  { id: "icloud-errors", class: "protocol", source: seen,
    text: /\b(?:me|icloud)\.com error: too many errors/ },
];

export const apple: readonly RuleGroup[] = [{ name: "icloud", providers: ["icloud"], rules }];
