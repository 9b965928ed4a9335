// What mailbox providers of the Americas document or have been seen to say: cable and telephone companies, hosters,
// forwarders. It does not know the gateways that filter for them, nor who answered.
import type { RuleGroup } from "./rule.ts";

export const america: readonly RuleGroup[] = [
  comcast(),
  cox(),
  charter(),
  att(),
  earthlink(),
  godaddy(),
  rackspace(),
  facebook(),
  improvmx(),
  cloudflare(),
  ses(),
  fastmail(),
  synchronoss(),
];

/** The digits of BL codes are a sum: 1 Spamhaus ZEN, 10 Cloudmark CSI, 100 Sender Score. The lowest gives the list. */
function comcast(): RuleGroup {
  const source = "https://postmaster.comcast.net/smtp-error-codes.php";
  const xfinity = "https://www.xfinity.com/support/articles/email-errors";
  const smtpfield = "https://smtpfieldmanual.com/provider/comcast";
  const only = ["comcast"] as const;
  // prettier-ignore
  return {
    name: "comcast", providers: only,
    rules: [
      { id: "comcast-bl-zen", class: "ip-reputation", text: /\bbl[01]{5}1\b/, blocklist: "spamhaus-zen", source },
      { id: "comcast-bl-csi", class: "ip-reputation", text: /\bbl[01]{4}10\b/, blocklist: "cloudmark-csi", source },
      { id: "comcast-bl-senderscore", class: "ip-reputation", text: /\bbl[01]{3}100\b/, blocklist: "senderscore", source },
      { id: "comcast-bl", class: "ip-reputation", text: /\bbl[01]{6}\b|comcast block(?:ed)? for spam/, source },
      { id: "comcast-dynamic", class: "ip-reputation", text: /\bes0000[01]{2}\b/, source },
      { id: "comcast-rl", class: "rate-limit", text: /\brl0000\d{2}\b/, source },
      { id: "comcast-dm", class: "authentication", text: /\bdm0000\d{2}\b|message rejected due to dmarc/, source },
      { id: "comcast-ptr", class: "reverse-dns", text: /comcast requires that all mail servers|smtp-error-codes(?:\.php)?#554\b/, source },
      { id: "comcast-rdns", class: "reverse-dns", at: only, words: /reverse dns (?:failure|lookup)|ptr (?:record|lookup)/, source: xfinity },
      { id: "comcast-rate", class: "rate-limit", at: only, words: /throttled|too many (?:sessions|recipients|emails)/, source: xfinity },
      { id: "comcast-unallocated", class: "mailbox-unknown", words: /\bnot our customer\b|mailbox unallocated/, source: smtpfield },
      { id: "comcast-quota", class: "mailbox-full", words: /(?:extended|recipient) quota violation/, source: smtpfield },
      { id: "comcast-unavailable", class: "mailbox-disabled", at: only, words: /recipient temporarily unavailable|account not available/, source: smtpfield },
    ],
  };
}

/** IPBL: 1 Spamhaus ZEN, 10 Return Path, 100 Invaluement, 1000 Cloudmark CSI; URLBL: 1 SURBL, 10 DBL, 100 ivmURI. */
function cox(): RuleGroup {
  const source = "https://www.cox.com/residential/support/email-error-codes.html";
  const only = ["cox"] as const;
  // prettier-ignore
  return {
    name: "cox", providers: only,
    rules: [
      { id: "cox-ipbl-zen", class: "ip-reputation", words: /\bipbl[01]{3,4}1\b/, blocklist: "spamhaus-zen", source },
      { id: "cox-ipbl-senderscore", class: "ip-reputation", words: /\bipbl[01]{2}10\b/, blocklist: "senderscore", source },
      { id: "cox-ipbl-invaluement", class: "ip-reputation", words: /\bipbl[01]100\b/, blocklist: "invaluement", source },
      { id: "cox-ipbl-csi", class: "ip-reputation", words: /\bipbl1000\b/, blocklist: "cloudmark-csi", source },
      { id: "cox-ipbl", class: "ip-reputation", words: /\bipbl\d{1,5}\b|\bcxbl\b|\bcdrbl\b/, source },
      { id: "cox-urlbl-dbl", class: "content-spam", words: /\burlbl(?:1001|[01]10)\b/, blocklist: "spamhaus-dbl", source },
      { id: "cox-urlbl-surbl", class: "content-spam", words: /\burlbl[01]{2}1\b/, blocklist: "surbl", source },
      { id: "cox-urlbl", class: "content-spam", words: /\burlbl\d{1,5}\b/, blocklist: "invaluement-uri", source },
      { id: "cox-cxdns", class: "reverse-dns", words: /\bcxdns\b|rejected - no rdns|dns check failure - try again/, source },
      { id: "cox-cxsndr", class: "authentication", words: /\bcxsndr\b/, source },
      { id: "cox-cxsmtp", class: "protocol", words: /\bcxsmtp\b|no data before greeting|cox too many bad commands/, source },
      { id: "cox-rate", class: "rate-limit", words: /\bcx(?:cnct|mxrt|thrt)\b/, source },
      { id: "cox-account", class: "sender-rejected", words: /\bcxmj\b/, source },
      { id: "cox-attachment", class: "message-format", words: /attachment extension is forbidden/, source },
      { id: "cox-busy", class: "system-error", at: only, words: /server temporarily not available/, source },
      { id: "cox-threshold", class: "rate-limit", at: only, words: /too many (?:sessions|invalid recipients)|threshold exceeded|aborted: try again later/, source },
      { id: "cox-sender", class: "sender-rejected", at: only, words: /sender rejected/, source },
      { id: "cox-recipient", class: "mailbox-unknown", at: only, words: /recipient rejected/, source },
    ],
  };
}

/** `AUP#In-1000`, `AUP#I-1000`, `AUP#Out-1000`, `AUP#1000`: Cloudmark's gateway says them, Spectrum gives them meaning. */
function charter(): RuleGroup {
  const source = "https://www.spectrum.net/support/internet/understanding-email-error-codes";
  const roadrunner = "http://security.rr.com/";
  // prettier-ignore
  return {
    name: "charter", providers: ["charter"],
    rules: [
      { id: "charter-blocked", class: "ip-reputation", words: /\baup#[a-z]{0,3}-?1000\b/, source },
      // Both are documented as blocks of an account. On the way in there is none: said of a sender it is the address.
      { id: "charter-account", class: "sender-rejected", words: [/\baup#[a-z]{0,3}-?10[1-8]\d\b/, /sender rejected|%addr/], source },
      { id: "charter-account-out", class: "sender-rejected", words: /\baup#o[a-z]{0,2}-?10[1-8]\d\b/, source },
      { id: "charter-suspicious", class: "ip-reputation", words: /\baup#[a-z]{0,3}-?10[1-8]\d\b/, source },
      { id: "charter-later", class: "system-error", words: /\baup#[a-z]{0,3}-?1090\b/, source },
      { id: "charter-rdns", class: "reverse-dns", words: /\baup#[a-z]{0,3}-?11[0-5]\d\b/, source },
      { id: "charter-domain-policy", class: "authentication", words: /\baup#[a-z]{0,3}-?11[6-9]\d\b/, source },
      { id: "charter-csi", class: "ip-reputation", words: /\baup#[a-z]{0,3}-?12[01]\d\b/, blocklist: "cloudmark-csi", source },
      { id: "charter-zen", class: "ip-reputation", words: /\baup#[a-z]{0,3}-?12[2-5]\d\b/, blocklist: "spamhaus-zen", source },
      { id: "charter-ipv6", class: "network", words: /\baup#[a-z]{0,3}-?1260\b/, source,
        remedy: { text: "Spectrum takes no mail over IPv6: connect to its IPv4 addresses.", url: source } },
      { id: "charter-rate", class: "rate-limit", words: /\baup#[a-z]{0,3}-?1(?:3\d\d|4\d\d|5[4-9]\d)\b/, source },
      { id: "charter-from", class: "sender-rejected", words: /\baup#[a-z]{0,3}-?15[012]\d\b/, source },
      { id: "charter-size", class: "message-format", words: /\baup#[a-z]{0,3}-?153\d\b/, source },
      { id: "charter-rr-rdns", class: "reverse-dns", words: /no or mismatched reverse dns/, source: roadrunner },
      { id: "charter-rr-refused", class: "ip-reputation", text: [/\bmail refused\b/, /\bsecurity\.rr\.com|spamhaus/], source: roadrunner },
    ],
  };
}

/** Prodigy, BellSouth and the other names of AT&T. */
function att(): RuleGroup {
  const source = "https://smtpfieldmanual.com/provider/att";
  const seen = "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt";
  const only = ["att"] as const;
  // prettier-ignore
  return {
    name: "att", providers: only,
    rules: [
      { id: "att-rbl", class: "ip-reputation", text: /\bdnsbl: ?(?:att)?rbl\b|>_is_blocked|att\.net\/blocks/, source: seen },
      { id: "att-ldap", class: "ip-reputation", text: /blocked by ldap:ou=rblmx/, source: seen },
      { id: "att-abuse", class: "ip-reputation", at: only, words: /blocked for (?:abuse|spam)/, source: seen },
      { id: "att-fix-rdns", class: "reverse-dns", words: /fix reverse dns for|without a valid sender domain/, source },
      { id: "att-dns", class: "reverse-dns", words: /^-?failure in dns look-?up/, source: seen },
      { id: "att-busy", class: "system-error", words: /busy--please try again/, source: seen },
      { id: "att-suspend", class: "mailbox-disabled", words: /\[suspend\]|mailbox currently suspended/, source: seen },
      { id: "att-sender", class: "sender-rejected", words: /requires valid sender domain|sender rejected aup/, source: seen },
      { id: "att-unknown", class: "mailbox-unknown", words: /addressee unknown, relay=|blank mailhost - invalid address/, source },
      { id: "att-permfail", class: "mailbox-unknown", words: /\[permfail\] destination not valid/, source: seen },
    ],
  };
}

/** Its own words; its codes (ELNK_nnn) are those of its filter, Vade. */
function earthlink(): RuleGroup {
  // prettier-ignore
  return {
    name: "earthlink", providers: ["earthlink"],
    rules: [
      { id: "earthlink-blocked", class: "ip-reputation", text: /\bblocked by earthlink\b|earthlink\.net\/block\b/,
        source: "https://support.earthlink.net/articles/email/email-blocked-by-earthlink.php" },
      { id: "earthlink-dynamic", class: "ip-reputation", words: /dynamic\/zombied\/spam ips blocked/,
        source: "https://lists.freebsd.org/pipermail/freebsd-doc/2009-October/016377.html" },
    ],
  };
}

function godaddy(): RuleGroup {
  const source = "https://www.godaddy.com/help/fix-rejected-email-with-a-bounce-error-40685";
  const only = ["godaddy"] as const;
  // prettier-ignore
  return {
    name: "godaddy", providers: only,
    rules: [
      { id: "godaddy-csi", class: "ip-reputation", words: /\bib103\b/, blocklist: "cloudmark-csi", source },
      { id: "godaddy-sbl", class: "ip-reputation", words: /\bib104\b/, blocklist: "spamhaus-sbl", source },
      { id: "godaddy-xbl", class: "ip-reputation", words: /\bib105\b/, blocklist: "spamhaus-xbl", source },
      { id: "godaddy-pbl", class: "ip-reputation", words: /\bib106\b/, blocklist: "spamhaus-pbl", source },
      { id: "godaddy-rdns", class: "reverse-dns", words: /\bib108\b/, source },
      { id: "godaddy-blocked", class: "ip-reputation", words: /\bib1(?:02|07|09|1\d)\b/, source },
      { id: "godaddy-busy", class: "system-error", words: /\bib10[01]\b/, source },
      { id: "godaddy-rate", class: "rate-limit", words: /\bib(?:00\d|504|51\d|60\d)\b/, source },
      { id: "godaddy-spf", class: "authentication", words: /\bib508\b/, source },
      { id: "godaddy-from", class: "sender-rejected", words: /\bib50[1-7]\b/, source },
      { id: "godaddy-content", class: "content-spam", words: /\bib(?:2\d\d|7\d\d)\b/, source },
      { id: "godaddy-auth", class: "relay-denied", words: /\bib4\d\d\b/, source },
      { id: "godaddy-rbl", class: "ip-reputation", text: /\brbl reject\b|unblock\.secureserver\.net/, source },
      { id: "godaddy-link", class: "ip-reputation", at: only, text: /spamhaus\.org\/query/, source },
      { id: "godaddy-unknown", class: "mailbox-unknown", at: only, words: /recipient not found|account does not exist/, source },
      { id: "godaddy-full", class: "mailbox-full", at: only, words: /account storage limit/, source },
      { id: "godaddy-disabled", class: "mailbox-disabled", at: only, words: /account disabled/, source },
      { id: "godaddy-loop", class: "relay-denied", words: /already has my delivered-to line/, source },
      { id: "godaddy-spam", class: "content-spam", at: only, words: /rejected for spam or virus content/, source },
    ],
  };
}

/** `(Gnn)` in hexadecimal at the end; in front of it may stand a `(Znn/nnn)`, which says nothing to us. */
function rackspace(): RuleGroup {
  const source = "https://postmaster.emailsrvr.com/system-info/response-codes";
  const only = ["rackspace"] as const;
  // prettier-ignore
  return {
    name: "rackspace", providers: only,
    rules: [
      { id: "rackspace-new-ip", class: "ip-reputation", words: /\(g28\)|from a new or untrusted ip/, source },
      { id: "rackspace-acl", class: "ip-reputation", text: /\bacl dns_rbl\b|\bblagr\.emailsrvr\.com/, source },
      { id: "rackspace-throttled", class: "ip-reputation", words: /throttled - too much spam from your mail server/,
        source: "https://docs.rackspace.com/docs/common-email-bounces" },
      { id: "rackspace-ptr", class: "reverse-dns", words: /\(g1f\)/, source },
      { id: "rackspace-rate", class: "rate-limit", words: /\(g(?:2|30)\)|mailbox received too much email/, source },
      { id: "rackspace-unknown", class: "mailbox-unknown", words: /\(g8\)|could not be found, or was misspelled/, source },
      { id: "rackspace-loop", class: "relay-denied", words: /\(g16\)/, source },
      { id: "rackspace-temporary", class: "system-error", words: /\(g(?:6|1e)\)/, source },
    ],
  };
}

/** Three letters, P for permanent or T for temporary, and a number. */
function facebook(): RuleGroup {
  const source = "https://www.facebook.com/postmaster/response_codes";
  // prettier-ignore
  return {
    name: "facebook", providers: ["facebook"],
    rules: [
      // Where the link is Spamhaus's own, that is what the reply names; else the code stands for the PBL.
      { id: "facebook-spamhaus", class: "ip-reputation", text: [/\bpol-p1\b/, /spamhaus/], source },
      { id: "facebook-pbl", class: "ip-reputation", words: /\bpol-p1\b/, blocklist: "spamhaus-pbl", source },
      { id: "facebook-ip", class: "ip-reputation", words: /\bpol-(?:p[2-4]|t\d)\b/, source },
      { id: "facebook-auth", class: "authentication", words: /\bpol-p7\b/, source },
      { id: "facebook-content", class: "content-spam", words: /\bpol-p(?:[568]|9)\b/, source },
      { id: "facebook-rdns", class: "reverse-dns", words: /\bdns-(?:p3|t2)\b/, source },
      { id: "facebook-sender", class: "sender-rejected", words: /\bdns-(?:p[12]|t1)\b/, source },
      { id: "facebook-rate", class: "rate-limit", words: /\bcon-t\d\b|\bmsg-t1\b/, source },
      { id: "facebook-unknown", class: "mailbox-unknown", words: /\brcp-p1\b|\bint-p[134]\b/, source },
      { id: "facebook-preferences", class: "policy", words: /\brcp-p[23]\b/, source },
      { id: "facebook-deactivated", class: "mailbox-disabled", words: /\brcp-[pt]4\b/, source },
      { id: "facebook-full", class: "mailbox-full", words: /\bint-p7\b/, source },
      { id: "facebook-format", class: "message-format", words: /\bmsg-p[123]\b|\bint-p2\b/, source },
      { id: "facebook-internal", class: "system-error", words: /\bint-t\d{1,2}\b|\brcp-t[123]\b/, source },
    ],
  };
}

function improvmx(): RuleGroup {
  const source = "https://smtpfieldmanual.com/provider/improvmx";
  // prettier-ignore
  return {
    name: "improvmx", providers: ["improvmx"],
    rules: [
      { id: "improvmx-loop", class: "relay-denied", words: /#id-5\.9\.0\b/, source },
      { id: "improvmx-domain", class: "relay-denied", words: /#id-5\.9\.2\b/, source },
      { id: "improvmx-later", class: "greylist", words: /#id-5\.9\.4\b/, source },
      { id: "improvmx-database", class: "system-error", words: /#id-5\.9\.[35]\b/, source },
      { id: "improvmx-reputation", class: "domain-reputation", words: /low reputation of the sending domain/, source },
      { id: "improvmx-spam", class: "content-spam", at: ["improvmx"], words: /considered as spam/, source },
    ],
  };
}

function cloudflare(): RuleGroup {
  const source = "https://developers.cloudflare.com/email-routing/postmaster/";
  // prettier-ignore
  return {
    name: "cloudflare", providers: ["cloudflare"],
    rules: [
      { id: "cloudflare-abusix", class: "ip-reputation", words: /found on one or more (?:dns|r)bls? \(abusix/, blocklist: "abusix", source },
      { id: "cloudflare-rbl", class: "ip-reputation", at: ["cloudflare"], words: /found on one or more (?:dns|r)bls?/, source },
      { id: "cloudflare-upstream", class: "system-error", at: ["cloudflare"], words: /^upstream error\b/, source },
      { id: "cloudflare-unknown", class: "mailbox-unknown", at: ["cloudflare"], words: /^address does not exist\b/, source },
    ],
  };
}

/** Its receipt rules answer with the templates that its customer chose. */
function ses(): RuleGroup {
  const source = "https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-bounce.html";
  const only = ["ses-inbound"] as const;
  // prettier-ignore
  return {
    name: "ses-inbound", providers: only,
    rules: [
      { id: "ses-inbound-unknown", class: "mailbox-unknown", at: only, status: /^5\.1\.1$/, source },
      { id: "ses-inbound-full", class: "mailbox-full", at: only, status: /^5\.2\.2$/, source },
      { id: "ses-inbound-size", class: "message-format", at: only, status: /^5\.3\.4$/, source },
      { id: "ses-inbound-content", class: "content-spam", at: only, status: /^5\.6\.1$/, source },
      { id: "ses-inbound-filtered", class: "policy", at: only, words: /message filtered/, source },
      { id: "ses-inbound-temporary", class: "unspecified", at: only, words: /^temporary failure$/, source },
    ],
  };
}

function fastmail(): RuleGroup {
  // prettier-ignore
  return {
    name: "fastmail", providers: ["fastmail"],
    rules: [
      { id: "fastmail-helo", class: "helo", words: /helo string \S{1,40} not accepted|use a real hostname\/ip/,
        source: "https://github.com/AfterShip/email-verifier" },
    ],
  };
}

/** The mail platform of Optimum and others. */
function synchronoss(): RuleGroup {
  // prettier-ignore
  return {
    name: "optimum", providers: ["optimum"],
    rules: [
      { id: "optimum-restricted", class: "ip-reputation", words: /\bresources restricted\b/,
        source: "https://github.com/forwardemail/forwardemail.net" },
    ],
  };
}
