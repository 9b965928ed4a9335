// What mail servers and their filters say by themselves, taken from their sources and documents, one group a software.
// It does not know who runs them, and leaves blocklists by name and general English wording to the files behind it.
import { oneOf, type RuleGroup } from "./rule.ts";

const postfix = "https://www.postfix.org/postconf.5.html";
const postscreen = "https://www.postfix.org/POSTSCREEN_README.html";
const verify = "https://www.postfix.org/ADDRESS_VERIFICATION_README.html";
const iredmail = "https://docs.iredmail.org/errors.html";
const exim = "https://github.com/Exim/exim/tree/master/src/src";
const eximDefault = "https://github.com/Exim/exim/blob/master/src/src/configure.default";
const debian = "https://salsa.debian.org/exim-team/exim4/-/tree/master/debian/debconf/conf.d/acl";
const cpanel = "https://docs.cpanel.net/whm/service-configuration/exim-configuration-manager/";
const sendmail = "https://github.com/freebsd/freebsd-src/blob/main/contrib/sendmail/cf/m4/proto.m4";
const sendmailDaemon = "https://github.com/freebsd/freebsd-src/tree/main/contrib/sendmail/src";
const qmail = "https://cr.yp.to/qmail.html";
const sagredo = "https://github.com/sagredo-dev/qmail/blob/main/qmail-smtpd.c";
const chkuser = "https://github.com/sagredo-dev/qmail/blob/main/chkuser_settings.h";
const spamdyke = "https://www.spamdyke.org/documentation/README.html";
const haraka = "https://github.com/haraka/Haraka/tree/master/plugins";
const stalwart = "https://github.com/stalwartlabs/stalwart/tree/main/crates/smtp/src/inbound";
const maddy = "https://github.com/foxcpp/maddy/tree/master/internal/check";
const exchange =
  "https://learn.microsoft.com/en-us/exchange/antispam-and-antimalware/antispam-protection/antispam-protection";
const momentum = "https://github.com/SparkPost/developers.sparkpost.com/blob/master/web-ref/responses-by-message.md";

/** A list is spoken of: what it means depends on the list, and on whether it could be asked. */
const aboutLists = /blocked using|black ?list|block ?list|spamhaus|dns[bw]l|\br[hb]s?bl\b|\blisted\b/;

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

/** Words of filters that say no more than that it is to be tried again, each in exactly these words. */
const greylistGroup: RuleGroup = {
  name: "greylisting",
  providers: [],
  rules: [
    {
      id: "greylisting-postgrey",
      class: "greylist",
      words: /rejected: (?:%fqdn )?gr[ea]y-?list/,
      source: "https://postgrey.schweikert.ch",
    },
    {
      id: "greylisting-for",
      class: "greylist",
      words: /\bgr[ea]y-?listed(?:,|\.| \(| for \d| by |$)/,
      unless: oneOf(aboutLists, /reverse dns|\brdns\b/),
      source: "https://www.spam-mail-blocker.de/greylisted.html",
    },
    {
      id: "greylisting-milter",
      class: "greylist",
      words: /gr[ea]y-?listing (?:is )?in (?:action|effect|progress)|deferred due to gr[ea]y-?listing/,
      source: "https://packages.debian.org/sid/milter-greylist",
    },
    {
      id: "greylisting-policyd",
      class: "greylist",
      words: /(?:intentional )?policy rejection(?:-|, )\s?please try (?:again )?later/,
      source: iredmail,
    },
    {
      id: "greylisting-rspamd",
      class: "greylist",
      code: [450, 451],
      status: /^4\.7\.1$/,
      words: /^try again later\.?$/,
      source: "https://github.com/rspamd/rspamd/issues/1776",
    },
    {
      id: "greylisting-spamd",
      class: "greylist",
      code: [451],
      words: /^temporary failure, please try again later\.?$/,
      source: "https://man.openbsd.org/spamd.8",
    },
    {
      id: "greylisting-hmailserver",
      class: "greylist",
      code: [451],
      stage: ["rcpt", "data", null],
      words: /^please try again later\.?$/,
      source: "https://www.hmailserver.com/documentation/latest/?page=reference_errors",
    },
    {
      id: "greylisting-exim",
      class: "greylist",
      words: /not yet authorized to deliver/,
      source: "ddgrey's section of exim.conf",
    },
  ],
};

const policyd: RuleGroup = {
  name: "policyd",
  providers: [],
  rules: [
    {
      id: "policyd-weight-listed",
      class: "ip-reputation",
      words: /in too many dnsbls?/,
      source: "https://www.policyd-weight.org",
    },
    {
      id: "policyd-weight-helo",
      class: "helo",
      words: /helo\/hostname mismatch/,
      source: "https://www.policyd-weight.org",
    },
    {
      id: "policyd-weight-dns",
      class: "reverse-dns",
      words: /no dns entries for your mta/,
      source: "https://www.policyd-weight.org",
    },
    // The score is made of lists, names and HELO of the client; the message is not looked at.
    {
      id: "policyd-weight",
      class: "ip-reputation",
      words: /appeared to be spam or forged/,
      source: "https://www.policyd-weight.org",
    },
    {
      id: "policyd-weight-fast",
      class: "rate-limit",
      words: /retrying too fast/,
      source: "https://www.policyd-weight.org",
    },
    {
      id: "policyd-spf",
      class: "authentication",
      text: /open-?spf\.(?:org|net|com)\/|spf\.pobox\.com/,
      source: "https://launchpad.net/pypolicyd-spf",
    },
    {
      id: "policyd-spf-result",
      class: "authentication",
      words: oneOf(
        /spf (?:hard ?|soft)?fail - not authorized|(?:failed|due to:) spf/,
        /message rejected due to: .{0,40}(?:domain owner|spf)/,
      ),
      source: "https://launchpad.net/pypolicyd-spf",
    },
    {
      id: "policyd-helo",
      class: "helo",
      words: /invalid helo\/ehlo/,
      source: "https://gitlab.com/policyd/cluebringer",
    },
    {
      id: "policyd-quota",
      class: "rate-limit",
      words: /policy rejection[-;,] ?.{0,30}quota exceeded/,
      source: "https://gitlab.com/policyd/cluebringer",
    },
    {
      id: "policyd-auth",
      class: "relay-denied",
      words: /smtp auth is required|policy rejection not logged in/,
      source: iredmail,
    },
  ],
};

/** Milters for SPF, DKIM and DMARC, and the wording that other servers took from them. */
const authentication: RuleGroup = {
  name: "milter",
  providers: [],
  rules: [
    {
      id: "milter-dmarc",
      class: "authentication",
      words: oneOf(
        /reject(?:ed|ing|ion)? (?:by|per|due to) (?:the )?(?:%fqdn )?dmarc|set by dmarc/,
        /dmarc (?:check|policy|verification|evaluation) (?:failed|reject)/,
      ),
      source: "https://github.com/trusteddomainproject/OpenDMARC",
    },
    {
      id: "milter-dkim",
      class: "authentication",
      words: /(?:bad|no) dkim signature|dkim adsp|no passing dkim/,
      source: "https://github.com/trusteddomainproject/OpenDKIM",
    },
    {
      id: "milter-senderid",
      class: "authentication",
      words: /sender id \(pra\)|purported responsible address/,
      source: exchange,
    },
  ],
};

const scanners: RuleGroup = {
  name: "scanner",
  providers: [],
  rules: [
    {
      id: "scanner-amavis-spam",
      class: "content-spam",
      words: /\bid=[\w/+-]{3,40},? - (?:spam|infected|virus|clean)/,
      source: "https://www.ijs.si/software/amavisd/",
    },
    {
      id: "scanner-amavis-format",
      class: "message-format",
      words: /\bid=[\w/+-]{3,40},? - (?:banned|bad[-_ ]?header|oversized|unchecked)/,
      source: "https://www.ijs.si/software/amavisd/",
    },
    {
      id: "scanner-amavis-error",
      class: "system-error",
      words: /\bid=[\w/+-]{3,40},? (?:- )?(?:temporary mta failure|.{0,30}failed)|^error in processing, id=/,
      source: "https://www.ijs.si/software/amavisd/",
    },
    {
      id: "scanner-spamassassin",
      class: "content-spam",
      words: oneOf(
        /(?:blocked|rejected|flagged|identified) by spam-?assassin|spam-?assassin (?:considers|score|says)/,
        /scored (?:as spam|[\d.]+ spam points)|spam score (?:exceed|of|too|is)|\d spam-hits/,
      ),
      source: "https://savannah.nongnu.org/projects/spamass-milt/",
    },
    {
      id: "scanner-rspamd",
      class: "content-spam",
      words: /^spam message rejected\.?$|^gtube pattern|virus found: "/,
      source: "https://github.com/rspamd/rspamd/issues/3174",
    },
    {
      id: "scanner-rspamd-limit",
      class: "rate-limit",
      words: /\bratelimit "?\w{1,40}"? ?exceeded/,
      source: "https://rspamd.com/doc/modules/ratelimit.html",
    },
    {
      id: "scanner-rspamd-map-from",
      class: "sender-rejected",
      words: /^matched map: \w{0,30}from_/,
      source: "https://rspamd.com/doc/modules/multimap.html",
    },
    {
      id: "scanner-rspamd-map",
      class: "policy",
      words: /^matched map: /,
      source: "https://rspamd.com/doc/modules/multimap.html",
    },
    {
      id: "scanner-clamav",
      class: "content-spam",
      words: /detected by clam|clamav|(?:message|mail) (?:is |was )?infected|contains (?:a )?(?:virus|malware)/,
      source: "https://docs.clamav.net",
    },
    {
      id: "scanner-simscan",
      class: "content-spam",
      words: /your email (?:is considered spam|was rejected because it contains the)/,
      source: "https://github.com/qmail/simscan",
    },
    {
      id: "scanner-assp",
      class: "content-spam",
      words: /mail appears to be unsolicited/,
      source: "https://sourceforge.net/projects/assp/",
    },
    {
      id: "scanner-community",
      class: "content-spam",
      words: /matches a profile .{0,40}consider spam/,
      source: "https://github.com/sisimai/p5-sisimai/blob/main/lib/Sisimai/Reason/SpamDetected.pm",
    },
    {
      id: "scanner-subjectpass",
      class: "content-spam",
      words: /message resembles spam|\(subjectpass/,
      source: "https://github.com/mjl-/mox/tree/main/subjectpass",
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

const spamdykeGroup: RuleGroup = {
  name: "spamdyke",
  providers: [],
  rules: [
    { id: "spamdyke-ip", class: "ip-reputation", words: /refused\. your ip address is/, source: spamdyke },
    {
      id: "spamdyke-reverse",
      class: "reverse-dns",
      words: /refused\. (?:your|you have no) reverse dns entry/,
      source: spamdyke,
    },
    { id: "spamdyke-domain", class: "domain-reputation", words: /refused\. your domain name is/, source: spamdyke },
    {
      id: "spamdyke-content",
      class: "content-spam",
      words: /refused\. your message has been blocked/,
      source: spamdyke,
    },
    {
      id: "spamdyke-sender",
      class: "sender-rejected",
      words: /refused\. (?:your sender address|the domain (?:%fqdn |\S{1,80} )?of your sender)/,
      source: spamdyke,
    },
    {
      id: "spamdyke-relay",
      class: "relay-denied",
      words: /refused\. (?:sending to remote|authentication is required)/,
      source: spamdyke,
    },
    {
      id: "spamdyke-policy",
      class: "policy",
      words: /refused\. (?:access is denied|identical sender|mail is not being accepted)/,
      source: spamdyke,
    },
    {
      id: "spamdyke-protocol",
      class: "protocol",
      words: /refused\. you (?:are not following|must specify at least)/,
      source: spamdyke,
    },
    { id: "spamdyke-recipients", class: "rate-limit", words: /try the remaining addresses/, source: spamdyke },
    { id: "spamdyke-recipient", class: "mailbox-unknown", words: /improper recipient address/, source: spamdyke },
    { id: "spamdyke-timeout", class: "network", words: /talk faster next time/, source: spamdyke },
  ],
};

const harakaGroup: RuleGroup = {
  name: "haraka",
  providers: [],
  rules: [
    {
      id: "haraka-reverse",
      class: "reverse-dns",
      words: /no fcrdns|rejected; (?:no rdns|generic rdns|invalid tld)|rdns lookup (?:error|timeout)/,
      source: haraka,
    },
    { id: "haraka-karma", class: "ip-reputation", words: /karma penalty|very bad karma/, source: haraka },
    { id: "haraka-access", class: "ip-reputation", words: /^you are not allowed to connect/, source: haraka },
    {
      id: "haraka-helo",
      class: "helo",
      words: oneOf(
        /helo (?:must have|is dynamic|ip literal|is not allowed)|invalid address format in helo/,
        /not who you say you are|helo argument|that helo is not allowed/,
      ),
      source: haraka,
    },
    {
      id: "haraka-limit",
      class: "rate-limit",
      words: oneOf(
        /too many concurrent connections for you|too many recipients \(\d+\) for/,
        /connection (?:concurrency|rate) limit exceeded/,
      ),
      source: haraka,
    },
    {
      id: "haraka-sender",
      class: "sender-rejected",
      words: /mx without a records|no mx for your from address|that sender cannot send mail here/,
      source: haraka,
    },
    { id: "haraka-denied", class: "policy", words: /^mail to <?%addr>? is denied\b/, source: haraka },
    {
      id: "haraka-bounce",
      class: "policy",
      words: oneOf(
        /no bounces accepted|bounce message does not have|bounce (?:with|without) |does not accept bounces/,
        /that recipient is not allowed/,
      ),
      source: haraka,
    },
    {
      id: "haraka-headers",
      class: "message-format",
      words: oneOf(
        /required header '?\w{1,40}'? missing|only one \S{1,30} header allowed|header .{0,20}too far in the/,
        /unacceptable attachment/,
      ),
      source: haraka,
    },
    {
      id: "haraka-deliver",
      class: "relay-denied",
      words: /i cannot deliver mail for/,
      source: "https://github.com/haraka/Haraka",
    },
    { id: "haraka-early", class: "protocol", words: /you talk too soon/, source: haraka },
    { id: "haraka-resolver", class: "system-error", words: /temp(?:orary|\.) resolver error/, source: haraka },
  ],
};

/** Stalwart, maddy, mox and chasquid. */
const modern: RuleGroup = {
  name: "stalwart",
  providers: [],
  rules: [
    {
      id: "stalwart-maddy-list",
      class: "ip-reputation",
      words: /client identity (?:is )?listed in the used dnsbl/,
      source: maddy,
    },
    {
      id: "stalwart-reverse",
      class: "reverse-dns",
      words: /reverse dns validation failed|validating reverse dns|no ptr record found|rdns name does not match/,
      source: stalwart,
    },
    {
      id: "stalwart-auth",
      class: "authentication",
      words: /spf validation failed|spf validation error|arc validation failed|rejected per dmarc/,
      source: stalwart,
    },
    { id: "stalwart-spam", class: "content-spam", words: /excessive spam score/, source: stalwart },
    {
      id: "stalwart-limit",
      class: "rate-limit",
      code: [451, 452],
      words: /^rate limit exceeded, try again later/,
      source: stalwart,
    },
    {
      id: "stalwart-sender",
      class: "sender-rejected",
      words: /(?:null mx|mx) record(?: found)? (?:for|in|present).{0,20}(?:domain|mail from)|domain in mail from has/,
      source: maddy,
    },
    {
      id: "stalwart-loop",
      class: "relay-denied",
      words: /too many received headers|^relay not allowed/,
      source: stalwart,
    },
    // A domain that was seen with TLS is not taken back to plain text.
    {
      id: "stalwart-chasquid-level",
      class: "tls",
      words: /security level check failed/,
      source: "https://blitiri.com.ar/p/chasquid/docs/sec-levels/",
    },
    { id: "stalwart-verify", class: "system-error", words: /unable to verify address at this time/, source: stalwart },
    { id: "stalwart-errors", class: "protocol", words: /too many errors, disconnecting/, source: stalwart },
    { id: "stalwart-parse", class: "message-format", words: /^failed to parse message/, source: stalwart },
  ],
};

const mailboxes: RuleGroup = {
  name: "mailbox-server",
  providers: [],
  rules: [
    {
      id: "mailbox-server-dovecot-full",
      class: "mailbox-full",
      words: /quota exceeded \(mailbox for user is full\)|mailbox is full \/ blocked|not enough disk (?:space|quota)/,
      source: "https://doc.dovecot.org/2.3/configuration_manual/quota_plugin/",
    },
    {
      id: "mailbox-server-dovecot-user",
      class: "mailbox-unknown",
      words: /user doesn't exist: /,
      source: "https://github.com/dovecot/core/tree/main/src/lmtp",
    },
    {
      id: "mailbox-server-dovecot-error",
      class: "system-error",
      words: /internal error occurred|temporary internal error/,
      source: "https://github.com/dovecot/core/tree/main/src/lmtp",
    },
    {
      id: "mailbox-server-cyrus",
      class: "mailbox-unknown",
      words: /no mailbox associated with this name/,
      source: "https://github.com/cyrusimap/cyrus-imapd",
    },
    {
      id: "mailbox-server-cyrus-data",
      class: "message-format",
      words: /message contains (?:nul characters|bare newlines|non-ascii|invalid header)/,
      source: "https://github.com/cyrusimap/cyrus-imapd",
    },
    {
      id: "mailbox-server-sieve",
      class: "policy",
      words: /rejected by dovecot|sieve (?:script|filter) reject/,
      source: "https://doc.dovecot.org/2.3/configuration_manual/sieve/",
    },
  ],
};

/** Courier, OpenSMTPD and OpenBSD's spamd. */
const unix: RuleGroup = {
  name: "unix",
  providers: [],
  rules: [
    // spamd holds the line for minutes, then says whose list it was: the trap's, or one that it fetched.
    {
      id: "unix-spamd",
      class: "ip-reputation",
      words: /your address %(?:ip|own) (?:is in the|has sent (?:mail|spam))/,
      source: "https://man.openbsd.org/spamd.conf.5",
    },
    {
      id: "unix-courier-spf",
      class: "authentication",
      words: /does not pass the sender policy framework/,
      source: "https://www.courier-mta.org/courier.html",
    },
    {
      id: "unix-courier-domain",
      class: "sender-rejected",
      code: [517],
      words: /domain does not exist|invalid domain/,
      source: "https://www.courier-mta.org/courier.html",
    },
    {
      id: "unix-courier-size",
      class: "message-format",
      words: /message length \(.{0,30}exceeds administrative|exceeds policy limit|8bit data in headers/,
      source: "https://www.courier-mta.org/courier.html",
    },
    {
      id: "unix-courier-later",
      class: "system-error",
      code: [432, 435, 450],
      words: /^service temporarily unavailable/,
      source: "https://www.courier-mta.org/courier.html",
    },
    {
      id: "unix-opensmtpd-recipient",
      class: "mailbox-unknown",
      words: /^invalid recipient(?:: |$)/,
      source: "https://github.com/OpenSMTPD/OpenSMTPD/blob/master/usr.sbin/smtpd/smtp_session.c",
    },
  ],
};

const exchangeGroup: RuleGroup = {
  name: "exchange",
  providers: [],
  rules: [
    {
      id: "exchange-header",
      class: "message-format",
      words: /message header size exceeds fixed/,
      source: "https://learn.microsoft.com/en-us/exchange/mail-flow/message-size-limits",
    },
    {
      id: "exchange-timeout",
      class: "network",
      words: /timed out waiting for client input|^connection timed out\.?$/,
      code: [421, 451],
      source: exchange,
    },
  ],
};

/** Servers for Windows and for offices: MailEnable, hMailServer, MDaemon, IceWarp, Kerio, SmarterMail, Domino, CommuniGate. */
const office: RuleGroup = {
  name: "office",
  providers: [],
  rules: [
    {
      id: "office-mailenable-ip",
      class: "ip-reputation",
      words: /mailenable service, version: .{0,20}denied access/,
      source:
        "https://www.liquidweb.com/help-docs/troubleshooting-rbls-and-email-delivery-problems-rejected-email-messages",
    },
    {
      id: "office-communigate-ip",
      class: "ip-reputation",
      words: /your host \[?%(?:ip|own)\]? is blacklisted/,
      source: "https://support.mailspec.com/en/guides/communigate-pro-manual",
    },
    {
      id: "office-domino-ip",
      class: "ip-reputation",
      words: /connection (?:from \S{1,80} )?(?:rejected|refused) for policy reasons|was found in the dns blacklist/,
      source: "https://help.hcl-software.com/domino/",
    },
    // SmarterMail refuses at MAIL or RCPT by the weights of lists, SPF and PTR: no content was seen yet.
    {
      id: "office-smartermail-weight",
      class: "ip-reputation",
      words: /sending address not accepted due to spam filter/,
      source: "https://help.smartertools.com/smartermail/",
    },
    {
      id: "office-icewarp-list",
      class: "ip-reputation",
      words: /(?:sender|client) refused by the dnsbl/,
      source:
        "https://docs.icewarp.com/Content/IceWarp-Server/Administration-Nodes/Status/Logs/Interpretation%20of%205xx%20Errors%20in%20Icewarp%20SMTP.htm",
    },
    {
      id: "office-hmailserver-helo",
      class: "helo",
      words: /host name specified in helo does not match/,
      source: "https://www.hmailserver.com/documentation/latest/",
    },
    {
      id: "office-hmailserver-sender",
      class: "sender-rejected",
      words: /sender does not have any mx records|^sender domain must exist/,
      source: "https://www.hmailserver.com/documentation/latest/",
    },
    {
      id: "office-domino-sender",
      class: "sender-rejected",
      words: /mail from \S{1,80} rejected for policy reasons|your address is not accepted for email/,
      source: "https://help.hcl-software.com/domino/",
    },
    {
      id: "office-mdaemon-spam",
      class: "content-spam",
      words: /message looks like spam/,
      source: "https://help.mdaemon.com/mdaemon/",
    },
    {
      id: "office-mdaemon-backscatter",
      class: "policy",
      words: /backscatter protection detected/,
      source: "https://help.mdaemon.com/mdaemon/",
    },
    {
      id: "office-domino-unknown",
      class: "mailbox-unknown",
      words: oneOf(
        /not listed in (?:domino|public name (?:&|and) address) (?:directory|book)?/,
        /no match found in name directory/,
      ),
      source:
        "https://www.sitepackage.de/service/dokumentation/auswertung/typische-fehlermeldungen-bei-unzustellbarkeit.html",
    },
    {
      id: "office-unknown",
      class: "mailbox-unknown",
      words: /unknown user account|<%addr>, recipient unknown|mailbox unavailable or (?:is )?not local/,
      source: "https://turbolab.it/email-54/principali-messaggi-derrore-quando-spedite-email-3010",
    },
    {
      id: "office-full",
      class: "mailbox-full",
      words: /account is full|mailbox is over its/,
      source: "https://support.mailspec.com/en/guides/communigate-pro-manual",
    },
    {
      id: "office-relay",
      class: "relay-denied",
      words: oneOf(
        /delivery is not allowed to this address|smtp authentication is required/,
        /requires authentication when attempting|authentication is required for relay/,
        /relay (?:rejected for policy|not authorized)|relaying to \S{1,80} denied|we do not relay/,
      ),
      source: "https://www.aspnethosting.co.uk/knowledgebase.php?action=displayarticle&id=185",
    },
    {
      id: "office-icewarp-access",
      class: "policy",
      words: /access to <?%addr>? not allowed/,
      source: "https://docs.icewarp.com",
    },
  ],
};

const momentumGroup: RuleGroup = {
  name: "momentum",
  providers: [],
  rules: [
    {
      id: "momentum-limit",
      class: "rate-limit",
      words: /service unavailable, (?:batch|concurrency|connection) limit/,
      source: momentum,
    },
    {
      id: "momentum-resources",
      class: "system-error",
      words: /resource limitations, please try later/,
      source: momentum,
    },
    { id: "momentum-rfc", class: "message-format", words: /\(see rfc ?2822 section/, source: momentum },
  ],
};

export const software: readonly RuleGroup[] = [
  verification,
  postfixGroup,
  postscreenGroup,
  greylistGroup,
  policyd,
  authentication,
  scanners,
  spamdykeGroup,
  qmailGroup,
  sendmailGroup,
  eximGroup,
  harakaGroup,
  modern,
  mailboxes,
  unix,
  exchangeGroup,
  office,
  momentumGroup,
];
