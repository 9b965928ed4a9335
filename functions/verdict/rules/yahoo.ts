// What Yahoo and AOL answer (their codes stand in brackets), AOL's own codes of before 2018, and Yahoo Japan's, which is
// another company. It does not know what Yahoo leaves open: `policy reasons` without a code.
import { oneOf, type RuleGroup } from "./rule.ts";

const codes = "https://senders.yahooinc.com/smtp-error-codes";
const seen = "https://smtpfieldmanual.com/provider/yahoo";
const bl = "https://help.yahoo.com/kb/postmaster/SLN5070.html";
const unusual = "https://help.yahoo.com/kb/postmaster/SLN3434.html";
const aolCodes = "https://postmaster.aol.com/error-codes";
const japan = "https://vega.pgw.jp/~kabe/vsd/mail/yahoo421.html";

/** Its pages: `yahoo.com` alone may be anybody's sender. */
const marked = /\byahooinc\.com|\b(?:help|postmaster|senders)\.yahoo\.com/;

// prettier-ignore
const yahooJapan: RuleGroup["rules"] = [
  { id: "yahoo-jp-deferred", class: "ip-reputation", source: japan,
    text: /\bvs9\d-ip\d?\b/ },
  { id: "yahoo-jp-ip", class: "ip-reputation", source: japan,
    text: [/help\.yahoo\.co\.jp/, /messages? from .{0,48}deferred/] },
  { id: "yahoo-jp-unknown", class: "mailbox-unknown", source: codes,
    text: /doesn.t have an? yahoo\.co\.jp account/ },
];

// prettier-ignore
const yahooInc: RuleGroup["rules"] = [
  // [TSS07] is a Spamhaus listing too, and says so.
  { id: "yahoo-spamhaus", class: "ip-reputation", source: bl,
    text: /\[bl\d\d\]|ip is in spamhaus|connections (?:will )?not (?:be )?accepted from .{0,40}spamhaus/ },
  { id: "yahoo-deferred", class: "ip-reputation", source: unusual,
    text: /\[(?:ip)?tss?\d\d\]/ },
  { id: "yahoo-complaints", class: "ip-reputation", source: unusual,
    words: oneOf(/messages from .{0,40}deferred due to (?:user|excessive|unexpected)/, /all messages from .{0,40}permanently deferred/) },
  { id: "yahoo-greylist", class: "greylist", source: seen,
    text: /\[gl\d\d\]/ },
  { id: "yahoo-unknown-recipients", class: "ip-reputation", source: codes,
    text: /\bvs[s\d]\d?-ip\d?\b/ },
  { id: "yahoo-unknown-recipients-from", class: "sender-rejected", source: codes,
    text: /\bvs[s\d]\d?-mf\d?\b/ },
  { id: "yahoo-dkim", class: "authentication", source: codes,
    text: /\(au\d\d\)/ },
  { id: "yahoo-authentication-required", class: "authentication", source: codes,
    words: /yahoo requires .{0,24}senders to authenticate/ },
  { id: "yahoo-content", class: "content-spam", source: codes,
    text: /\[ph\d\d\]/ },
  { id: "yahoo-sender-domain", class: "sender-rejected", source: codes,
    words: /unresolvable rfc[. ]{0,2}532[12]/ },
  { id: "yahoo-not-rfc", class: "message-format", source: codes,
    words: /message not a(?:llowed|ccepted) .{0,40}\brfc\b/ },
  { id: "yahoo-unknown", class: "mailbox-unknown", source: codes,
    words: /\bdd this user doesn.t have|doesn.t have an? (?:yahoo|aol|%fqdn).{0,20} account|aborted, mailbox not found/ },
  { id: "yahoo-not-valid", class: "mailbox-disabled", source: seen,
    words: /\bdd %addr is no longer valid/ },
  { id: "yahoo-disabled", class: "mailbox-disabled", source: seen,
    words: /mailbox is disabled \(554\.30\)|this account has been disabled or discontinued/ },
  { id: "yahoo-full", class: "mailbox-full", source: codes,
    words: /your message to %addr cannot be delivered\. this account is over quota/ },
  { id: "yahoo-full-link", class: "mailbox-full", source: codes,
    text: /smtp-error-codes#mailbox-full/ },
  { id: "yahoo-rate", class: "rate-limit", source: seen,
    words: /\bmax messages? per connection reached|\buser is receiving mail too quickly/ },
  { id: "yahoo-busy", class: "system-error", source: codes,
    text: /\.yahoo\.com resources temporarily (?:un|not )available|resources temporarily .{0,60}#4\.16/ },
  { id: "yahoo-busy-host", class: "system-error", source: codes, at: ["yahoo"],
    words: /resources temporarily (?:un|not )available/ },
  // `[160]` and such: characteristics of spam, to the message; the IP is named where it is meant.
  { id: "yahoo-deferred-ip", class: "ip-reputation", source: unusual,
    words: /message from \(?%(?:ip|own)\)? temporarily deferred/ },
  { id: "yahoo-deferred-message", class: "content-spam", source: "https://help.yahoo.com/kb/SLN23996.html",
    words: /message temporarily deferred - \[?\d/ },
  { id: "yahoo-policy", class: "policy", source: codes,
    words: /message not allowed - \[?\d|e?-?mail not accepted for policy reasons/ },
  { id: "yahoo-policy-status", class: "policy", source: codes, text: marked,
    words: /not accepted (?:for|due to) policy/ },
  // Says nothing, and not that there is no such mailbox.
  { id: "yahoo-aborted", class: "unspecified", source: seen,
    words: /delivery error: dd requested mail action aborted/ },
];

// prettier-ignore
const aol: RuleGroup["rules"] = [
  { id: "yahoo-aol-dynamic", class: "ip-reputation", source: aolCodes, blocklist: "spamhaus-pbl",
    text: /\brtr: ?du\b/ },
  { id: "yahoo-aol-ptr", class: "reverse-dns", source: aolCodes,
    text: /\brtr: ?rd\b|\bdns: ?(?:nr|[bp]\d)\b/ },
  { id: "yahoo-aol-error", class: "system-error", source: aolCodes,
    text: /\brtr: ?ge\b/ },
  { id: "yahoo-aol-content", class: "content-spam", source: aolCodes,
    text: /\bhvu: ?[bu]\w?\b|\brly: ?(?:bd|ch\d?)\b/ },
  { id: "yahoo-aol-sender", class: "sender-rejected", source: aolCodes,
    text: /\brly: ?sn\b/ },
  // DYN:T is throttled, and RLY:B1 blocked for a day: both for complaints about the IP.
  { id: "yahoo-aol-ip", class: "ip-reputation", source: aolCodes,
    text: /\b(?:rtr: ?(?:b[bgl]|ch|sc)|rly: ?(?:b[\dl]|cs\d|ir|n[iw]|ob)|con: ?b\d|dyn: ?t\d)\b/ },
  { id: "yahoo-aol-dmarc", class: "authentication", source: aolCodes,
    text: /\(dmarc: ?\w{1,4}\)/ },
  { id: "yahoo-aol-future", class: "message-format", source: aolCodes,
    text: /\(mff: ?\w{1,4}\)/ },
  { id: "yahoo-aol-recipient-refuses", class: "policy", source: aolCodes,
    words: /is not accepting mail from this sender|aol will not accept delivery of this message/ },
];

export const yahoo: readonly RuleGroup[] = [
  { name: "yahoo-jp", providers: ["yahoo-jp"], rules: yahooJapan },
  { name: "yahoo", providers: ["yahoo"], rules: [...yahooInc, ...aol] },
];
