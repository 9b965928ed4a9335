// What the gateways document that filter in front of other people's mail hosts. Their customers' rules speak through
// them. It does not know whose mail they filter, nor the blocklists that they merely name.
import type { RuleGroup } from "./rule.ts";

export const gateways: readonly RuleGroup[] = [
  mimecast(),
  proofpoint(),
  cloudmark(),
  vade(),
  barracuda(),
  cisco(),
  trendmicro(),
  messagelabs(),
  sophos(),
  trellix(),
  spamexperts(),
  hornetsecurity(),
  zerospam(),
  junkemailfilter(),
  fortimail(),
  mailchannels(),
];

/** Mostly with a link to the page of codes (`community.mimecast.com/docs/DOC-1369#550`): words anybody says need it. */
function mimecast(): RuleGroup {
  const source = "https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691";
  const link = /mimecast(?:support\.zendesk)?\.com/;
  // prettier-ignore
  return {
    name: "mimecast", providers: ["mimecast"],
    rules: [
      { id: "mimecast-zen", class: "ip-reputation", text: /\bzen\.mimecast\.org/, blocklist: "spamhaus-zen", source },
      { id: "mimecast-csi", class: "ip-reputation", text: /\bcsi\.mimecast\.org/, blocklist: "cloudmark-csi", source },
      { id: "mimecast-rbl", class: "ip-reputation", text: /\b\w{2,20}\.mimecast\.org/, source },
      { id: "mimecast-poor", class: "ip-reputation", text: [/poor reputation sender/, link], source },
      { id: "mimecast-reputation", class: "ip-reputation", words: /local ct ip reputation|^ip temporarily blacklisted/, source },
      // The documented meaning: too many invalid connections came from the IP.
      { id: "mimecast-recipient-busy", class: "ip-reputation", text: [/recipient temporarily unavailable/, link], source },
      { id: "mimecast-auth", class: "authentication", words: /(?:spf|dkim|dmarc) sender invalid/, source },
      { id: "mimecast-tls", class: "tls", words: /this route requires (?:encryption|tls|high-strength)|configuration is invalid for this certificate/, source },
      { id: "mimecast-security", class: "content-spam", words: /email rejected due to security policies/, source },
      { id: "mimecast-greylist", class: "greylist", words: /internal resources? (?:are |is )?temporarily unavailable/, source },
      { id: "mimecast-rate", class: "rate-limit", words: /account service is temporarily unavailable|exceeding outbound thread limit/, source },
      { id: "mimecast-recipients", class: "rate-limit", text: [/too many recipients/, link], source },
      { id: "mimecast-unknown", class: "mailbox-unknown", text: [/invalid recipient|invalid address|user unknown/, link], source },
      { id: "mimecast-relay", class: "relay-denied", words: /^open relay not allowed/, source },
      { id: "mimecast-relay-linked", class: "relay-denied", text: [/mail loop detected|incorrect authentication data/, link], source },
      { id: "mimecast-size", class: "message-format", words: /maximum email size exceeded/, source },
      { id: "mimecast-busy", class: "system-error", words: /unable to process (?:a )?(?:connection|command|an email) at this time|^unable to process command/, source },
      { id: "mimecast-ended", class: "protocol", words: /^message ended early/, source },
      { id: "mimecast-blocked", class: "policy", words: /envelope (?:blocked|rejected)\b|header.?based (?:manually )?(?:blocked|anti-spoofing)|anti-spoofing policy/, source },
      { id: "mimecast-policy", class: "policy", words: /host network not allowed|content examination policy|account (?:in|out)bounds disabled/, source },
      { id: "mimecast-policy-linked", class: "policy", text: [/sender address blocked|hostname is not authorized|journal message past expiration/, link], source },
      { id: "mimecast-other", class: "policy", text: link, code: [550, 554], source },
    ],
  };
}

/** Protection Server, on demand (pphosted.com) and Essentials (ppe-hosted.com). */
function proofpoint(): RuleGroup {
  const source = "https://www.proofpoint.com/us/postmaster";
  const manual = "https://smtpfieldmanual.com/provider/proofpoint";
  const both = ["proofpoint", "proofpoint-essentials"] as const;
  // prettier-ignore
  return {
    name: "proofpoint", providers: both,
    rules: [
      { id: "proofpoint-pdr", class: "ip-reputation", text: /\bprs\.proofpoint\.com|ipcheck\.proofpoint\.com|dnsbl-lookup\.cgi|proofpoint (?:dynamic )?reputation/, blocklist: "proofpoint-pdr", source },
      { id: "proofpoint-marked", class: "mailbox-unknown", words: /email address is marked as invalid|not a valid email address\. please verify/, source: manual },
      { id: "proofpoint-local", class: "policy", at: both, words: /local policy violation/, source: "https://github.com/forwardemail/forwardemail.net" },
      { id: "proofpoint-ports", class: "system-error", at: both, words: /all (?:screening|server) ports are busy/, source: manual },
    ],
  };
}

/**
 * Cloudmark's gateway, which says `bizsmtp` or `cmsmtp` behind its name; at cloudfilter.net for many providers. What an
 * AUP code means is the provider's (Cox, Charter); of one that is not documented only the stage tells something.
 */
function cloudmark(): RuleGroup {
  const source = "https://www.cox.com/residential/support/email-error-codes.html";
  const seen = "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt";
  // prettier-ignore
  return {
    name: "cloudfilter", providers: ["cloudfilter"],
    rules: [
      { id: "cloudfilter-csi", class: "ip-reputation", text: [/\b(?:biz|cm)smtp\b/, /\bcm-csi-v\d|csi\.cloudmark\.com/], blocklist: "cloudmark-csi", source: seen },
      { id: "cloudfilter-listed", class: "ip-reputation", words: [/\b(?:biz|cm)smtp\b/, /\bblack ?list|\bblock ?list|\bspamhaus\b/], source: seen },
      { id: "cloudfilter-rate", class: "rate-limit", words: [/\b(?:biz|cm)smtp\b/, /too many (?:connections|sessions)|slow down/], source },
      { id: "cloudfilter-rdns", class: "reverse-dns", words: [/\b(?:biz|cm)smtp\b/, /reverse dns|\brdns\b/], source },
      { id: "cloudfilter-busy", class: "system-error", words: /\besmtp server temporarily not available/, source },
      { id: "cloudfilter-blocked", class: "ip-reputation", words: [/\b(?:biz|cm)smtp\b/, /%(?:ip|own) blocked\b|connection (?:rejected|refused)/], source: seen },
      { id: "cloudfilter-refused", class: "ip-reputation", words: /\besmtp server not available/, code: [550, 554], source },
      { id: "cloudfilter-aup-greeting", class: "ip-reputation", words: /\baup#/, unless: /host ?name|reverse|\bptr\b|\bdns\b/, stage: ["greeting"], code: [550, 553, 554], source },
      { id: "cloudfilter-aup", class: "policy", words: /\baup#/, code: [550, 552, 553, 554], source },
    ],
  };
}

/** ELNK_nnn at EarthLink, OXSUSnnnn_nnn and OXSEUnnnn_nnn at Open-Xchange: the number is the same. */
function vade(): RuleGroup {
  const source = "https://postmaster-earthlink.vadesecure.com/inbound_error_codes";
  const ox = "https://postmaster-oxsus.vadesecure.com/";
  // prettier-ignore
  return {
    name: "vade", providers: ["vade"],
    rules: [
      { id: "vade-zen", class: "ip-reputation", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_111\b/, blocklist: "spamhaus-zen", source },
      { id: "vade-validity", class: "ip-reputation", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_102\b/, code: [550], blocklist: "senderscore", source },
      { id: "vade-ip", class: "ip-reputation", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_(?:101|13[03])\b/, source },
      { id: "vade-busy", class: "system-error", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_10[23]\b/, source: ox },
      { id: "vade-rdns", class: "reverse-dns", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_10[58]\b/, source },
      { id: "vade-rate", class: "rate-limit", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_1(?:10|3[4-9]|4\d)\b/, source },
      { id: "vade-helo", class: "helo", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_20\d\b/, words: /\bhelo\b/, source },
      { id: "vade-spf", class: "authentication", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_(?:401|51[4-6])\b/, source: ox },
      { id: "vade-unknown", class: "mailbox-unknown", text: /(?:\b(?:elnk|ox[a-z]{1,4})\d{0,4}|error_codes\/?#)_403\b/, source: ox },
    ],
  };
}

function barracuda(): RuleGroup {
  const source = "https://smtpfieldmanual.com/provider/barracuda";
  const only = ["barracuda"] as const;
  // prettier-ignore
  return {
    name: "barracuda", providers: only,
    rules: [
      { id: "barracuda-reputation", class: "ip-reputation", at: only, text: /barracudanetworks\.com\/reputation|barracudacentral\.(?:com|org)|barracuda reputation/, unless: /\burls?\b/, blocklist: "barracuda", source: "https://www.barracudacentral.org/rbl" },
      // What the customer's own host said stands in parentheses; Microsoft's 5.4.1 is a missing mailbox.
      { id: "barracuda-quoted-541", class: "mailbox-unknown", text: [/for one or more recipients|\bcuda_nsu\b/, /\b5\.4\.1\b/], source },
      { id: "barracuda-blocked", class: "unspecified", words: /permanent failure for one or more recipients \(\S{1,40}:blocked\)/, source },
      { id: "barracuda-nsu", class: "mailbox-unknown", words: /\bcuda_nsu (?:user |5\.1\.1)/, source },
      { id: "barracuda-spoofed", class: "authentication", words: /^rejecting spoofed message/, source },
      { id: "barracuda-spam", class: "content-spam", words: /due to spam url in content|^rejecting banned content/, source },
      { id: "barracuda-ube", class: "content-spam", at: only, words: /message content rejected, ube\b/, source },
      { id: "barracuda-abuse", class: "policy", words: /policy rejection- ?abuse/, source },
      { id: "barracuda-license", class: "system-error", words: /^license expired/, source },
      { id: "barracuda-bare", class: "unspecified", at: only, words: /^blocked$/, source },
    ],
  };
}

/** IronPort, Secure Email Gateway and Cloud; behind the code a `#` and the enhanced status. */
function cisco(): RuleGroup {
  const source = "https://github.com/Mailu/Mailu/issues/1458";
  const seen = "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt";
  const only = ["cisco"] as const;
  // prettier-ignore
  return {
    name: "cisco", providers: only,
    rules: [
      { id: "cisco-domain", class: "domain-reputation", words: /poor reputation of a domain used in message transfer/, source },
      { id: "cisco-sbrs", class: "ip-reputation", words: /sending mta'?s poor reputation|\bsbrs score too low/, blocklist: "cisco-sbrs", source },
      { id: "cisco-access", class: "ip-reputation", words: /your access to (?:submit messages to )?this e?-?mail system has been rejected/, source: seen },
      { id: "cisco-rate", class: "rate-limit", words: /too many (?:connections (?:to|from) (?:this|your) (?:host|listener)|messages for this session|recipients received this hour)/, source },
      { id: "cisco-unknown", class: "mailbox-unknown", status: /^5\.1\.0$/, words: /^-?\s?address rejected/, source },
      { id: "cisco-unknown-dashes", class: "mailbox-unknown", words: /#-5\.1\.[01]-address rejected/, source: "https://github.com/sisimai/set-of-emails" },
    ],
  };
}

/** Email Security and InterScan: a word in capitals behind `Recipient address rejected:`. */
function trendmicro(): RuleGroup {
  const source = "https://success.trendmicro.com/en-US/solution/KA-0001346";
  const manual = "https://smtpfieldmanual.com/provider/trendmicro";
  const inspector =
    "https://docs.trendmicro.com/en-us/documentation/article/deep-discovery-email-inspector-51-online-help-smtp-error-codes";
  // prettier-ignore
  return {
    name: "trendmicro", providers: ["trendmicro"],
    rules: [
      { id: "trendmicro-ers", class: "ip-reputation", words: /\bers-(?:rbl|qil|dul)\b/, blocklist: "trendmicro-ers", source },
      { id: "trendmicro-service", class: "ip-reputation", text: /trend ?micro email reputation|ers\.trendmicro\.com|\bmail-abuse\.(?:com|org)|using trend ?micro rbl/, blocklist: "trendmicro-ers",
        source: "https://success.trendmicro.com/solution/1097055" },
      { id: "trendmicro-matches", class: "ip-reputation", words: /for (?:zombie|rbl\+?) matches/, blocklist: "trendmicro-ers", source: inspector },
      { id: "trendmicro-unknown", class: "mailbox-unknown", words: /address rejected: invalid-recipient\b/, source: manual },
      { id: "trendmicro-domain", class: "relay-denied", words: /address rejected: no-domain\b|domain of forward-path is not allowed/, source: manual },
      { id: "trendmicro-policy", class: "policy", words: /\bers-customized-block\b|address rejected: block-[a-z]{2,8}\b/, source: manual },
      { id: "trendmicro-filter", class: "policy", words: /block (?:temporarily|permanently) \(sender filtering/, source: inspector },
    ],
  };
}

/** Symantec, now Broadcom, Email Security.cloud. */
function messagelabs(): RuleGroup {
  const source = "https://knowledge.broadcom.com/external/article/169652";
  const link = /messagelabs\.com|symanteccloud\.com|knowledge\.broadcom\.com/;
  // prettier-ignore
  return {
    name: "messagelabs", providers: ["messagelabs"],
    rules: [
      { id: "messagelabs-pbl", class: "ip-reputation", words: /your ip is in the pbl\b/, blocklist: "spamhaus-pbl", source: "https://knowledge.broadcom.com/external/article/165165" },
      { id: "messagelabs-policy", class: "ip-reputation", words: /^connection rejected by policy\b/, source: "https://knowledge.broadcom.com/external/article/164955" },
      { id: "messagelabs-ip", class: "ip-reputation", words: [/sorry, your ip address\b/, /has been (?:blocked|blacklisted)/], source },
      { id: "messagelabs-zodiac", class: "ip-reputation", words: /^symantec zodiac/, source: "https://github.com/zone-eu/zone-mta/pull/251" },
      { id: "messagelabs-auth", class: "authentication", words: /domain authentication fail/, source: "https://knowledge.broadcom.com/external/article/175407" },
      { id: "messagelabs-tls", class: "tls", words: /tls\/sslv3 connection required/, source: "https://knowledge.broadcom.com/external/article/162152" },
      { id: "messagelabs-filtered", class: "content-spam", text: [/message filtered/, link], source: "https://knowledge.broadcom.com/external/article/173867" },
      { id: "messagelabs-filtered-at", class: "content-spam", at: ["messagelabs"], words: /message filtered|filtered by outbound scanning/, source },
      { id: "messagelabs-sender", class: "sender-rejected", words: [/sorry, your (?:domain|email address)\b/, /has been (?:blocked|blacklisted)/], source },
      { id: "messagelabs-envelope", class: "sender-rejected", words: /sender envelope domain not allowed/, source },
      { id: "messagelabs-relay", class: "relay-denied", words: /trying to use me \[|please turn on smtp authentication in your mail client/, source: "https://knowledge.broadcom.com/external/article/162137" },
      { id: "messagelabs-format", class: "message-format", words: /stray linefeeds in message|^requested action aborted \[4\]/, source },
      { id: "messagelabs-unknown", class: "mailbox-unknown", words: /recipient mailbox is not allowed|^invalid recipient <?%addr>? \(#5\.1\.1\)/, source: "https://knowledge.broadcom.com/external/article/165163" },
      { id: "messagelabs-rate", class: "rate-limit", words: /^too many messages \(#4\.3\.0\)/, source: "https://knowledge.broadcom.com/external/article/164767" },
    ],
  };
}

/** The words behind the code are always `Command rejected`. */
function sophos(): RuleGroup {
  const source =
    "https://docs.sophos.com/central/customer/help/en-us/ManageYourProducts/EmailSecurity/SMTPErrorCodes/index.html";
  // prettier-ignore
  return {
    name: "sophos", providers: ["sophos"],
    rules: [
      { id: "sophos-auth", class: "authentication", words: /\bxgemail_000[123]\b/, source },
      { id: "sophos-ip", class: "ip-reputation", words: /\bxgemail_0004\b/, source },
      { id: "sophos-domain", class: "domain-reputation", words: /\bxgemail_0005\b/, source },
      { id: "sophos-tls", class: "tls", words: /\bxgemail_0006\b/, source },
      { id: "sophos-license", class: "system-error", words: /\bxgemail_0007\b/, source },
      { id: "sophos-policy", class: "policy", words: /\bxgemail_000[89]\b/, source },
      { id: "sophos-relay", class: "relay-denied", words: /\bxgemail_0010\b/, source },
      { id: "sophos-unknown", class: "mailbox-unknown", words: /\bxgemail_0011\b/, source },
      { id: "sophos-size", class: "message-format", words: /\bxgemail_0012\b/, source },
      { id: "sophos-rate", class: "rate-limit", words: /\bxgemail_001[345]\b|\bmail flood detected/, source },
    ],
  };
}

/** FireEye's ETP. 100 to 199 are about the recipient; among 200 to 299, which are about the sender, words decide. */
function trellix(): RuleGroup {
  const source = "https://docs.trellix.com/data-and-email/docs/error-codes";
  const manual = "https://smtpfieldmanual.com/provider/fireeye";
  // prettier-ignore
  return {
    name: "trellix", providers: ["trellix"],
    rules: [
      { id: "trellix-unknown", class: "mailbox-unknown", words: /\betp10[123]\b/, source },
      { id: "trellix-relay", class: "relay-denied", words: /\betp10[045]\b/, source },
      { id: "trellix-busy", class: "system-error", words: /\betp106\b/, source },
      { id: "trellix-auth", class: "authentication", words: [/\betp\d{3}\b/, /\b(?:dmarc|spf|dkim)\b/], source: manual },
      { id: "trellix-listed", class: "ip-reputation", words: [/\betp\d{3}\b/, /your ip\b/], source: manual },
    ],
  };
}

/** SolarWinds, now N-able, Mail Assure. */
function spamexperts(): RuleGroup {
  const source = "https://spamrl.com/";
  const seen = "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt";
  // prettier-ignore
  return {
    name: "spamexperts", providers: ["spamexperts"],
    rules: [
      { id: "spamexperts-url", class: "content-spam", text: [/\ba url in this e-?mail\b/, /\bspamrl\b/], blocklist: "spamrl", source },
      { id: "spamexperts-ip", class: "ip-reputation", text: [/\bsending ip\b/, /\bspamrl\b/], blocklist: "spamrl", source },
      { id: "spamexperts-spam", class: "content-spam", words: /^high probability of spam|message looked like spam|reported as spam by other users/, source: seen },
      { id: "spamexperts-bounce", class: "policy", words: /legitimate bounces are never sent to more than one recipient/, source: "https://bastion.umanix.net/info" },
    ],
  };
}

/** The enhanced status alone tells which filter it was. */
function hornetsecurity(): RuleGroup {
  const source = "https://support.everycloud.com/support/solutions/articles/4000039509-workspace-reason-codes";
  const only = ["hornetsecurity"] as const;
  // prettier-ignore
  return {
    name: "hornetsecurity", providers: only,
    rules: [
      { id: "hornetsecurity-unblock", class: "ip-reputation", text: /cloud-security\.net\/unblock/, source: "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt" },
      { id: "hornetsecurity-ip", class: "ip-reputation", at: only, code: [554], status: /^5\.5\.4$/, source },
      { id: "hornetsecurity-spam", class: "content-spam", at: only, code: [554], status: /^5\.(?:5\.5|6\.[1-4])$/, source },
      { id: "hornetsecurity-early", class: "content-spam", at: only, code: [450], status: /^4\.5\.5$/, source },
      { id: "hornetsecurity-loop", class: "relay-denied", at: only, code: [554], status: /^5\.5\.6$/, source },
      { id: "hornetsecurity-attachment", class: "message-format", at: only, code: [552, 554], status: /^5\.5\.[237]$/, source },
      { id: "hornetsecurity-tls", class: "tls", at: only, code: [554], status: /^5\.6\.5$/, source },
      { id: "hornetsecurity-rule", class: "policy", at: only, status: /^5\.(?:6\.9|2\.2)$/, source },
      { id: "hornetsecurity-temporary", class: "system-error", at: only, code: [450], status: /^4\.5\.[67]$/, source },
    ],
  };
}

function zerospam(): RuleGroup {
  const source = "https://smtpfieldmanual.com/provider/zerospam";
  // prettier-ignore
  return {
    name: "zerospam", providers: ["zerospam"],
    rules: [
      { id: "zerospam-greylist", class: "greylist", words: /greylisted for .{1,20} by zerospam/, source },
      { id: "zerospam-unknown", class: "mailbox-unknown", words: /not in recipient list/, source },
    ],
  };
}

function junkemailfilter(): RuleGroup {
  // prettier-ignore
  return {
    name: "junkemailfilter", providers: ["junkemailfilter"],
    rules: [
      { id: "junkemailfilter-listed", class: "ip-reputation", text: /\bhostkarma\b|junkemailfilter/, blocklist: "hostkarma", source: "https://ipadmin.junkemailfilter.com/remove.php" },
    ],
  };
}

function fortimail(): RuleGroup {
  // prettier-ignore
  return {
    name: "fortimail", providers: [],
    rules: [
      { id: "fortimail-url", class: "content-spam", words: /contains forti(?:guard|spamshield)\b.{0,20}blocking url/, source: "Interspire Email Marketer, bounce rules" },
    ],
  };
}

function mailchannels(): RuleGroup {
  // prettier-ignore
  return {
    name: "mailchannels", providers: [],
    rules: [
      { id: "mailchannels-blocked", class: "ip-reputation", words: /^\[s\d{1,2}\] blocked$/, source: "mx1.mailchannels.net, in a public mail log of 2026" },
    ],
  };
}
