// The words of qmail and its patches, Sendmail and Exim, with those of the panels that configure them.
// It knows no list by name: listings.ts does.
import { aboutLists } from "./listings.ts";
import { oneOf, type RuleGroup } from "./rule.ts";

const exim = "https://github.com/Exim/exim/tree/master/src/src";
const eximDefault = "https://github.com/Exim/exim/blob/master/src/src/configure.default";
const debian = "https://salsa.debian.org/exim-team/exim4/-/tree/master/debian/debconf/conf.d/acl";
const cpanel = "https://docs.cpanel.net/whm/service-configuration/exim-configuration-manager/";
const sendmail = "https://github.com/freebsd/freebsd-src/blob/main/contrib/sendmail/cf/m4/proto.m4";
const sendmailDaemon = "https://github.com/freebsd/freebsd-src/tree/main/contrib/sendmail/src";
const qmail = "https://cr.yp.to/qmail.html";
const sagredo = "https://github.com/sagredo-dev/qmail/blob/main/qmail-smtpd.c";
const chkuser = "https://github.com/sagredo-dev/qmail/blob/main/chkuser_settings.h";

const qmailGroup: RuleGroup = {
  name: "qmail",
  providers: [],
  rules: [
    {
      id: "qmail-location",
      class: "ip-reputation",
      words: /mail from your location|sorry, your (?:mail ?server|host|ip)\b.{0,60}(?:rejected|denied|refused)/,
      source: "https://github.com/sisimai/set-of-emails",
    },
    { id: "qmail-helo", class: "helo", words: /sorry, .{0,30}\bhelo\b/, source: sagredo },
    {
      id: "qmail-sender",
      class: "sender-rejected",
      words: oneOf(
        /envelope sender (?:is in my|has been denied|domain must exist|is invalid)|bad(?:mailfrom|sendermx)/,
        /sorry, invalid sender|valid mx for sender domain|null senders temporarily denied/,
        /invalid sender address format/,
      ),
      source: sagredo,
    },
    {
      id: "qmail-sender-syntax",
      class: "sender-rejected",
      status: /^5\.1\.7$/,
      words: /mailbox syntax not allowed/,
      source: chkuser,
    },
    {
      id: "qmail-chkuser-rate",
      class: "rate-limit",
      words: /reached maximum number of recipients|max rcpt limit exceeded|too many invalid addresses, goodbye/,
      source: chkuser,
    },
    { id: "qmail-chkuser-policy", class: "policy", words: /violating our security policies/, source: chkuser },
    {
      id: "qmail-recipient-denied",
      class: "policy",
      words: /envelope recipient (?:is in my badrcptto|has been denied)|\bbadrcptto\b/,
      source: sagredo,
    },
    {
      id: "qmail-full",
      class: "mailbox-full",
      words: /recipient(?:'s)? mailbox is (?:full|over ?quota)/,
      source: chkuser,
    },
    {
      id: "qmail-recipient",
      class: "mailbox-unknown",
      words: oneOf(
        /no mailbox here by that name|not in my validrcptto|mailbox syntax not allowed/,
        /sorry, you must specify a domain|invalid rcpt address format/,
      ),
      source: sagredo,
    },
    {
      id: "qmail-relay",
      class: "relay-denied",
      words: /list of allowed rcpthosts|valid mx for rcpt domain|^we don't relay/,
      source: qmail,
    },
    {
      id: "qmail-auth",
      class: "relay-denied",
      code: [530],
      words: /authori[sz]ation required|authentication required/,
      source: sagredo,
    },
    { id: "qmail-size", class: "message-format", words: /exceeds my databytes/, source: qmail },
    {
      id: "qmail-linefeed",
      class: "protocol",
      text: /\/docs\/smtplf|start afresh from mail|smtp protocol violation/,
      source: "https://cr.yp.to/docs/smtplf.html",
    },
    { id: "qmail-timeout", class: "network", words: /^timeout \(#4\.4\.2\)/, source: qmail },
    {
      id: "qmail-system",
      class: "system-error",
      words: oneOf(
        /\bqq (?:\w+ )?(?:failure|problem|trouble|temporary|unable)|\(#4\.3\.0\)|dns temporary failure/,
        /system temporar(?:y|ily) unavailable/,
      ),
      unless: /too many|\btls\b|certificate/,
      source: qmail,
    },
  ],
};

const sendmailGroup: RuleGroup = {
  name: "sendmail",
  providers: [],
  rules: [
    {
      id: "sendmail-lookup",
      class: "system-error",
      words: /temporary lookup failure (?:of|for) .{0,80} at \S/,
      source: "https://github.com/freebsd/freebsd-src/blob/main/contrib/sendmail/cf/feature/dnsbl.m4",
    },
    {
      id: "sendmail-reverse",
      class: "reverse-dns",
      words: oneOf(
        /fix reverse dns|possibly forged|client ip address \S{1,60} does not resolve|ip name lookup failed/,
        /cannot resolve ptr record/,
      ),
      unless: aboutLists,
      source: sendmail,
    },
    { id: "sendmail-helo", class: "helo", words: /bogus helo name/, source: sendmail },
    {
      id: "sendmail-sender",
      class: "sender-rejected",
      words: oneOf(
        /domain of sender address|domain name required for sender|(?:illegal|invalid) mx record for host/,
        /mx lookup failure for/,
      ),
      source: sendmail,
    },
    {
      id: "sendmail-disabled",
      class: "mailbox-disabled",
      words: /mailbox disabled for this recipient/,
      source: sendmail,
    },
    {
      id: "sendmail-relay",
      class: "relay-denied",
      words: oneOf(
        /relaying (?:temporarily )?denied|insecure mail relay|mx list for \S{1,80} points back/,
        /mail loops back to me/,
      ),
      unless: oneOf(aboutLists, /spammer|user unknown|unknown user/),
      source: sendmail,
    },
    { id: "sendmail-hops", class: "relay-denied", words: /too many hops|hop count exceeded/, source: sendmailDaemon },
    {
      id: "sendmail-rate",
      class: "rate-limit",
      words: /connection rate limit exceeded|too many open connections/,
      source: "https://github.com/freebsd/freebsd-src/blob/main/contrib/sendmail/cf/feature/ratecontrol.m4",
    },
    // Who was refused by name, or spoke before the greeting, hears this and then only 5xx.
    {
      id: "sendmail-greeting",
      class: "ip-reputation",
      code: [554],
      stage: ["greeting", null],
      words: /esmtp not accepting messages/,
      source: sendmailDaemon,
    },
    {
      id: "sendmail-load",
      class: "system-error",
      words: /rejecting connections on daemon|load average: ?\d|local configuration error/,
      source: sendmailDaemon,
    },
    {
      id: "sendmail-size",
      class: "message-format",
      words:
        /message (?:size )?exceeds (?:fixed )?maximum (?:fixed |message )?(?:size|value)|fixed maximum message size/,
      source: sendmailDaemon,
    },
    { id: "sendmail-tls", class: "tls", words: /encryption too weak|tls handshake failed/, source: sendmail },
    {
      id: "sendmail-protocol",
      class: "protocol",
      words:
        /polite people say|need (?:mail|rcpt) (?:before|\(recipient\))|sender already specified|nested mail command/,
      source: sendmailDaemon,
    },
    {
      id: "sendmail-unknown",
      class: "mailbox-unknown",
      words: /^<%addr>\.\.\. (?:user|addressee|recipient) unknown/,
      source: sendmailDaemon,
    },
  ],
};

const eximGroup: RuleGroup = {
  name: "exim",
  providers: [],
  rules: [
    {
      id: "exim-locally-listed",
      class: "ip-reputation",
      words: /sender ip address \S{1,60} is locally (?:black|block)listed/,
      source: debian,
    },
    {
      id: "exim-sender-listed",
      class: "sender-rejected",
      words: /sender envelope address \S{1,80} is locally (?:black|block)listed/,
      source: debian,
    },
    {
      id: "exim-reverse",
      class: "reverse-dns",
      words: oneOf(
        /sender ip reverse lookup|(?:no|could not find) (?:ip address|host name) found for/,
        /reverse dns lookup failed for host/,
      ),
      source: exim,
    },
    // cPanel says this of names that belong to the receiver, or that the PTR contradicts.
    {
      id: "exim-helo",
      class: "helo",
      words: oneOf(
        /bad helo|invalid helo|syntactically invalid (?:helo|ehlo)|helo should be|host impersonating/,
        /helo .{0,20}is (?:my|an ip|ip only)/,
      ),
      unless: aboutLists,
      source: cpanel,
    },
    {
      id: "exim-spf",
      class: "authentication",
      words: oneOf(
        /\[spf\]|^spf: |spf check failed|bad spf records/,
        /%(?:ip|own) is not (?:allowed|permitted|authorized) to send (?:mail|email)? ?(?:from|for)/,
        /doesn't allow sending mails? from/,
      ),
      source: debian,
    },
    {
      id: "exim-dictionary",
      class: "rate-limit",
      words: oneOf(
        /number of failed recipients exceeded|host is rate-?limited|sender rate [\d.]+ ?\//,
        /max(?:imum)? (?:emails|defers and failures) per hour/,
      ),
      source: cpanel,
    },
    {
      id: "exim-dictionary-attack",
      class: "rate-limit",
      words: /dictionary attack/,
      unless: /\bip\b|%ip|%own|black|list/,
      source: cpanel,
    },
    {
      id: "exim-concurrent",
      class: "rate-limit",
      words: /too many concurrent smtp connections|too many connections from your host/,
      source: exim,
    },
    // It advises REVERSE DNS, SPF and lists in one breath; the score was the message's.
    {
      id: "exim-directadmin-spam",
      class: "content-spam",
      words: /was classified as spam|detected your message as spam|message scored/,
      source: "https://help.directadmin.com",
    },
    {
      id: "exim-directadmin-list",
      class: "ip-reputation",
      words: /email blocked by (?:lbl|bshl)\b/,
      source: "https://help.directadmin.com",
    },
    {
      id: "exim-auth",
      class: "relay-denied",
      words: oneOf(
        /turn on smtp authentication|relay(?:ing)? through this server without authentication/,
        /relay not permitted|remote domains not supported/,
      ),
      unless: aboutLists,
      source: eximDefault,
    },
    {
      id: "exim-route",
      class: "relay-denied",
      words: oneOf(
        /un(?:routeable|routable) (?:mail |address|domain)|mx records? point(?:s|ed)? to/,
        /indicated no smtp service|lowest numbered mx/,
      ),
      unless: /\buser (?:unknown|not)|(?:unknown|no such) user/,
      source: exim,
    },
    {
      id: "exim-user",
      class: "mailbox-unknown",
      words: oneOf(
        /unknown local[- ]part|^(?:"|<%addr>:? )?(?:no such user here|unknown user)\b/,
        /restricted characters in (?:address|local part)/,
      ),
      source: eximDefault,
    },
    {
      id: "exim-headers",
      class: "message-format",
      words: oneOf(
        /message headers? fail(?:ed)? syntax check|maximum allowed line length/,
        /missing or malformed local part|message (?:size )?exceeds maximum permitted|attachment of a type/,
      ),
      source: debian,
    },
    {
      id: "exim-headers-sender",
      class: "sender-rejected",
      words: /no verifiable sender address in message headers/,
      source: debian,
    },
    {
      id: "exim-protocol",
      class: "protocol",
      words: oneOf(
        /smtp (?:protocol )?synchronization error/,
        /too many (?:syntax or protocol errors|nonmail commands|unrecogni[sz]ed commands)/,
        /helo or ehlo required|no helo given/,
      ),
      source: exim,
    },
    { id: "exim-timeout", class: "network", words: /smtp (?:command|incoming data) timeout/, source: exim },
    {
      id: "exim-host-refused",
      class: "ip-reputation",
      code: [554],
      stage: ["greeting", null],
      words: /^(?:%fqdn )?smtp service not available$/,
      source: exim,
    },
    { id: "exim-prohibition", class: "policy", words: /^(?:<%addr>:? )?administrative prohibition/, source: exim },
    {
      id: "exim-local-problem",
      class: "system-error",
      words: /temporary local problem|unexpected failure, please try later|space shortage, please try later/,
      source: exim,
    },
  ],
};

export const classicServers: readonly RuleGroup[] = [qmailGroup, sendmailGroup, eximGroup];
