// What filters beside a mail server say: greylisting, policy daemons, SPF, DKIM and DMARC milters, scanners, spamdyke.
// It knows no list by name: listings.ts does.
import { aboutLists } from "./listings.ts";
import { oneOf, type RuleGroup } from "./rule.ts";

const iredmail = "https://docs.iredmail.org/errors.html";
const spamdyke = "https://www.spamdyke.org/documentation/README.html";
const exchange =
  "https://learn.microsoft.com/en-us/exchange/antispam-and-antimalware/antispam-protection/antispam-protection";

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

export const filters: readonly RuleGroup[] = [greylistGroup, policyd, authentication, scanners, spamdykeGroup];
