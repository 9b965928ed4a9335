// Postfix's own words, postscreen's, and those of every server that verifies an address by asking another.
// It knows no list by name: listings.ts does.
import { aboutLists } from "./listings.ts";
import { oneOf, type RuleGroup } from "./rule.ts";

const postfix = "https://www.postfix.org/postconf.5.html";
const postscreen = "https://www.postfix.org/POSTSCREEN_README.html";
const verify = "https://www.postfix.org/ADDRESS_VERIFICATION_README.html";
const exim = "https://github.com/Exim/exim/tree/master/src/src";

/** Address verification quotes another host's reply: whose address was tried tells, not what the other host said. */
const verification: RuleGroup = {
  name: "verification",
  providers: [],
  rules: [
    {
      id: "verification-sender",
      class: "sender-rejected",
      words: /sender address rejected: un(?:deliverable|verified) address/,
      source: verify,
    },
    {
      id: "verification-recipient-full",
      class: "mailbox-full",
      words: [
        /recipient address rejected: undeliverable address/,
        /\bquota\b|mailbox (?:is )?full|over ?quota|storage space/,
      ],
      source: verify,
    },
    {
      id: "verification-recipient",
      class: "mailbox-unknown",
      words: /recipient address rejected: undeliverable address/,
      source: verify,
    },
    // Not yet believed, but the host behind has said it for good.
    {
      id: "verification-recipient-said",
      class: "mailbox-unknown",
      words: [
        /recipient address rejected: unverified address/,
        /\bsaid: 5\d\d\b.{0,80}(?:user unknown|unknown (?:user|recipient)|no such|not exist|not found|invalid (?:user|recipient))/,
      ],
      source: verify,
    },
    {
      id: "verification-recipient-later",
      class: "system-error",
      words: /recipient address rejected: unverified address/,
      source: verify,
    },
    {
      id: "verification-callout-sender",
      class: "sender-rejected",
      words: oneOf(
        /sender verif(?:y|ication) (?:failed|callout)|complete sender verify/,
        /sender address verification (?:failed|in progress)/,
      ),
      unless: oneOf(aboutLists, /\bno (?:\w{1,8} )?rdns\b|reverse dns/),
      source: exim,
    },
    {
      id: "verification-callout-later",
      class: "system-error",
      words: /could not complete recipient verify/,
      source: exim,
    },
    {
      id: "verification-callout",
      class: "mailbox-unknown",
      words: /callout verification fail(?:ed|ure)/,
      source: exim,
    },
  ],
};

const postfixGroup: RuleGroup = {
  name: "postfix",
  providers: [],
  rules: [
    {
      id: "postfix-client-name",
      class: "reverse-dns",
      words: /cannot find your (?:reverse )?host ?name/,
      source: postfix,
    },
    // What the postmaster wrote into the map of names: the reason is the range.
    {
      id: "postfix-helo-dynamic",
      class: "ip-reputation",
      words: /helo command rejected:.{0,120}\b(?:dynamic (?:ip|address|range|pool)|dial-?up|residential)/,
      source: postfix,
    },
    {
      id: "postfix-helo",
      class: "helo",
      words: /helo command rejected:(?! server configuration)/,
      unless: aboutLists,
      source: postfix,
    },
    {
      id: "postfix-sender",
      class: "sender-rejected",
      words:
        /sender address rejected: (?:domain not found|need fully-qualified|user unknown|not logged in|not owned by|malformed dns|domain \S{1,80} does not accept mail)/,
      source: postfix,
    },
    {
      id: "postfix-recipient-domain",
      class: "relay-denied",
      words: /recipient address rejected: (?:domain not found|malformed dns|domain \S{1,80} does not accept mail)/,
      source: postfix,
    },
    {
      id: "postfix-recipient",
      class: "mailbox-unknown",
      words: oneOf(
        /user unknown in (?:local recipient|virtual alias|virtual mailbox|relay recipient) table/,
        /recipient address rejected: (?:user unknown|need fully-qualified)|^(?:<%addr>: )?unknown user: "/,
      ),
      source: postfix,
    },
    // The SRS of forwarders: what comes back to a rewritten address that they never made, or long ago.
    {
      id: "postfix-srs",
      class: "mailbox-unknown",
      words: oneOf(
        /hash (?:invalid|too short) in srs address|srs.{0,20}time ?stamp out of date/,
        /time ?stamp out of date.{0,20}srs/,
      ),
      source: "https://github.com/roehling/postsrsd",
    },
    {
      id: "postfix-quota",
      class: "mailbox-full",
      words:
        /recipient address rejected: (?:over ?quota|(?:user |mailbox |disk )?quota (?:is )?exceeded|mailbox (?:is )?(?:over ?quota|full))/,
      source: "https://doc.dovecot.org/2.3/configuration_manual/quota_plugin/",
    },
    {
      id: "postfix-slower",
      class: "rate-limit",
      words: /client host rejected: .{0,20}(?:slower|too fast|slow down)/,
      source: "https://github.com/sisimai/set-of-emails",
    },
    { id: "postfix-relay", class: "relay-denied", words: /relay access denied/, unless: aboutLists, source: postfix },
    { id: "postfix-loop", class: "relay-denied", words: /loops back to myself|error: too many hops/, source: postfix },
    { id: "postfix-bounce", class: "policy", words: /rejected: multi-recipient bounce/, source: postfix },
    {
      id: "postfix-protocol",
      class: "protocol",
      words: oneOf(
        /improper use of smtp command pipelining/,
        /\berror: (?:no valid recipients|need (?:mail|rcpt) command|nested mail|command not|send helo|bare <|too many errors|queueing|multiple spaces)/,
      ),
      source: "https://github.com/vdukhovni/postfix/blob/master/postfix/src/smtpd/smtpd.c",
    },
    {
      id: "postfix-limit",
      class: "rate-limit",
      words: /\berror: too (?:much mail|many (?:connections|recipients|auth|new tls))/,
      source: "https://www.postfix.org/TUNING_README.html",
    },
    {
      id: "postfix-tls",
      class: "tls",
      words:
        /must issue a starttls command|session encryption is required|tls not available due to (?:local|temporary)/,
      source: "https://www.postfix.org/TLS_README.html",
    },
    { id: "postfix-timeout", class: "network", words: /\berror: timeout exceeded/, source: postfix },
    {
      id: "postfix-system",
      class: "system-error",
      words: oneOf(
        /server configuration (?:error|problem)|temporary lookup failure$|queue file write error/,
        /service unavailable - try again later$/,
      ),
      source: postfix,
    },
    {
      id: "postfix-size",
      class: "message-format",
      words: /message size exceeds fixed limit|message file too big|message header size exceeds limit/,
      source: postfix,
    },
    {
      id: "postfix-8bit",
      class: "message-format",
      words: /improper (?:use of )?8-bit data|mime nesting exceeds|8-bit data in message header/,
      source: postfix,
    },
    {
      id: "postfix-content",
      class: "content-spam",
      words: /message content rejected/,
      source: "https://www.postfix.org/header_checks.5.html",
    },
    {
      id: "postfix-client-denied",
      class: "ip-reputation",
      words: /client host rejected: access denied/,
      source: "https://www.postfix.org/access.5.html",
    },
    {
      id: "postfix-sender-denied",
      class: "sender-rejected",
      words: /sender address rejected: access denied/,
      source: "https://www.postfix.org/access.5.html",
    },
    // Microsoft's own, with status 5.4.1, is an unknown mailbox and told before this.
    {
      id: "postfix-recipient-denied",
      class: "policy",
      words: /recipient address rejected: access denied/,
      source: "https://www.postfix.org/access.5.html",
    },
  ],
};

const postscreenGroup: RuleGroup = {
  name: "postscreen",
  providers: [],
  rules: [
    {
      id: "postscreen-busy",
      class: "system-error",
      words: /all (?:server|screening) ports (?:are )?busy/,
      source: postscreen,
    },
    {
      id: "postscreen-not-yet",
      class: "greylist",
      words: /not (?:yet )?passed the postscreen tests/,
      source: postscreen,
    },
    // The tests after the greeting end with this answer; a client that passed them is let in next time.
    {
      id: "postscreen-tested",
      class: "greylist",
      code: [450],
      words: /^service currently unavailable\.?$/,
      source: postscreen,
    },
    {
      id: "postscreen-unavailable",
      class: "system-error",
      code: [421, 451],
      words: /^(?:%fqdn )?service currently unavailable\.?$/,
      source: postscreen,
    },
    { id: "postscreen-protocol", class: "protocol", words: /^protocol error\.?$/, source: postscreen },
  ],
};

export const postfixServers: readonly RuleGroup[] = [verification, postfixGroup, postscreenGroup];
