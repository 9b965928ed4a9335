// What Outlook.com, Exchange Online and Exchange on one's own servers answer. The detail of a status with three digits is
// Microsoft's own numbering. It does not know the rules of a tenant, which may answer any text with 5.7.1 or 5.7.9xx.
import { oneOf, type RuleGroup } from "./rule.ts";

const ndr =
  "https://learn.microsoft.com/en-us/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online";
const server =
  "https://learn.microsoft.com/en-us/exchange/mail-flow/non-delivery-reports-and-bounce-messages/non-delivery-reports-and-bounce-messages";
const outlook = "https://sendersupport.olc.protection.outlook.com/pm/troubleshooting";
const throttled =
  "https://learn.microsoft.com/en-us/troubleshoot/exchange/email-delivery/ndr/fix-error-code-451-4-7-500-699-asxxx-in-exchange-online";
const tenant =
  "https://learn.microsoft.com/en-us/troubleshoot/exchange/email-delivery/ndr/fix-error-code-5-7-700-through-5-7-750";
const ipv6 = "https://learn.microsoft.com/en-us/defender-office-365/mail-flow-inbound-mail-over-ipv6";
const dane = "https://learn.microsoft.com/en-us/purview/how-smtp-dane-works";
const receive = "https://learn.microsoft.com/en-us/exchange/mail-flow/message-rate-limits";
const field = "https://smtpfieldmanual.com/provider/outlook";

/** Both name the service that answers, at the end. */
const marked = /\.prod\.(?:protection\.)?outlook\.com|exosmtperrors|\bas\(\d+\)|\(as\d+\)/;

// prettier-ignore
const ofTheIp: RuleGroup["rules"] = [
  { id: "microsoft-block-list", class: "ip-reputation", source: outlook,
    words: /part of their network is on our block ?list|\(a?s31[3-6]\d\)/ },
  { id: "microsoft-dynamic", class: "ip-reputation", source: outlook,
    text: /\bdy-00\d(?: \(| mail| unfort|$)/ },
  { id: "microsoft-blocked", class: "ip-reputation", source: outlook,
    text: /\b(?:sc|ou)-00\d(?: \(| mail| unfort|$)/ },
  // RP-001 and RP-003 are documented as limits for reputation; what the hosts say speaks of limits alone.
  { id: "microsoft-rate-reputation", class: "ip-reputation", source: outlook,
    text: [/\brp-00\d(?: \(| the| mail| unfort|$)/, /reputation/] },
  { id: "microsoft-rate", class: "rate-limit", source: outlook,
    words: /\brp-00\d(?: \(| the| mail| unfort|$)|weren.t sent\. please try again\. we have limits/ },
  { id: "microsoft-not-sent", class: "ip-reputation", source: outlook,
    words: /unfortunately, messages from .{0,48}weren.t sent/ },
  { id: "microsoft-ip-limited", class: "ip-reputation", source: outlook,
    words: /the mail server .{0,48}rate limited due to ip reputation/ },
  { id: "microsoft-mail-server-limit", class: "rate-limit", source: outlook,
    words: /the mail server .{0,48}has (?:exceeded|reached) the maximum/ },
  { id: "microsoft-sender-domain-listed", class: "domain-reputation", source: field, blocklist: "spamhaus-dbl",
    words: /\bmailfrom domain .{0,48}listed in spamhaus/ },
  { id: "microsoft-banned-ip-status", class: "ip-reputation", source: ndr,
    status: /^5\.7\.(?:511|60[6-9]|6[1-4]\d)$/ },
  { id: "microsoft-banned-ip", class: "ip-reputation", source: ndr,
    words: /banned sending ip|banned sender ?\[?%(?:ip|own)/ },
  { id: "microsoft-customer-list-status", class: "ip-reputation", source: ndr,
    status: /^5\.7\.(?:507|513)$/ },
  { id: "microsoft-customer-list", class: "ip-reputation", source: ndr,
    words: /blocked .{0,60}using customer block ?list|\bas\(?16012607\)/ },
  { id: "microsoft-spamhaus", class: "ip-reputation", source: field,
    words: /client host .{0,48}blocked using (?:spamhaus|blocklist \d|fblw\d)|\bas\(?16012611\)/ },
  { id: "microsoft-tenant-ip", class: "ip-reputation", source: tenant,
    words: /traffic not accepted from this ip/ },
  { id: "microsoft-busy-filter", class: "system-error", source: field,
    words: /\bpfa agent busy/ },
  // `Server busy` and `Access denied, please try again later` are documented as suspicion of the IP.
  { id: "microsoft-suspicious-ip", class: "ip-reputation", source: throttled,
    status: /^4\.7\.(?:[56]\d\d|8[5-9]\d)$/ },
  { id: "microsoft-suspicious-ip-words", class: "ip-reputation", source: throttled,
    words: /server busy\. please try again later from/ },
  { id: "microsoft-filtered-ip", class: "ip-reputation", source: "https://support.microsoft.com/kb/928123",
    words: /external client with ip address .{0,48}does not have permissions to submit/ },
  { id: "microsoft-exchange-block-list", class: "ip-reputation", source: server,
    words: /recipient not authorized, your ip has been found on a block list/ },
  { id: "microsoft-ipv6-ptr", class: "reverse-dns", source: ipv6,
    words: /sending ipv6 address .{0,48}must have a? ?reverse dns/ },
];

// prettier-ignore
const ofTheSender: RuleGroup["rules"] = [
  { id: "microsoft-helo-status", class: "helo", source: ndr,
    status: /^5\.7\.506$/ },
  { id: "microsoft-helo", class: "helo", source: ndr,
    words: /access denied, bad helo|^(?:helo ?\/ ?ehlo )?(?:invalid domain name|requires domain address)/ },
  { id: "microsoft-authentication-status", class: "authentication", source: ndr,
    status: /^5\.7\.(?:509|515)$/ },
  { id: "microsoft-authentication", class: "authentication", source: ndr,
    words: oneOf(/must pass either spf or dkim validation/, /does(?: not|n.t) (?:pass dmarc verification|meet the required authentication level)/) },
  { id: "microsoft-spf", class: "authentication", source: ndr,
    words: /sender policy framework violation|sender id \(pra\) not permitted/ },
  { id: "microsoft-banned-domain", class: "domain-reputation", source: ndr,
    status: /^5\.7\.800$/ },
  { id: "microsoft-tls", class: "tls", source: dane,
    status: /^[45]\.7\.32[1-5]$/ },
  { id: "microsoft-tls-required", class: "tls", source: ndr,
    words: /starttls is required to send mail|failed mta-sts validation|\btls 1\.0 and 1\.1 are not supported/ },
  { id: "microsoft-spam-elsewhere", class: "content-spam", source: server,
    words: oneOf(/rejected as spam by content filter|content filter agent quarantined/, /remote server returned message detected as spam/) },
  { id: "microsoft-banned-sender", class: "sender-rejected", source: ndr,
    words: /access denied, (?:banned sender|bad outbound sender|spam abuse detected)/ },
  { id: "microsoft-unregistered-domain", class: "sender-rejected", source: tenant,
    words: /blocked from sending from unregistered domains|client does not have permissions to send as this sender/ },
  { id: "microsoft-sender-denied", class: "sender-rejected", source: ndr, status: /^5\.1\.[078]$/,
    words: /^(?:sender denied|access denied|invalid address|unknown sender)/ },
  { id: "microsoft-tenant-threshold", class: "rate-limit", source: tenant,
    words: /access denied, tenant has exceeded threshold/ },
  { id: "microsoft-ipv6-range", class: "rate-limit", source: ndr,
    words: /has exceeded permitted limits within/ },
  { id: "microsoft-per-hour", class: "rate-limit", source: ndr,
    status: /^[45]\.2\.12[12]$/ },
  { id: "microsoft-submission-quota", class: "rate-limit", source: ndr,
    words: /submission quota (?:was )?exceeded|reached your daily limit for message recipients/ },
  { id: "microsoft-connections", class: "rate-limit", source: receive,
    words: /maximum number of concurrent .{0,40}exceeded a limit|message submission rate for this client has exceeded/ },
  { id: "microsoft-threads", class: "rate-limit", source: ndr,
    words: /recipient thread limit exceeded/ },
  { id: "microsoft-recipients", class: "rate-limit", source: ndr, status: /^[45]\.5\.3$/, text: marked },
];

// prettier-ignore
const ofTheRecipient: RuleGroup["rules"] = [
  { id: "microsoft-full", class: "mailbox-full", source: ndr,
    words: oneOf(/\bstoredrv\..{0,24}mailbox full|mailbox full; storedrv|shutoffquotaexceeded|quotaexceededexception/, /maxobjsexceeded/) },
  { id: "microsoft-disabled", class: "mailbox-disabled", source: server,
    words: /accountdisabledexception|aduserdisabled|mailboxdisabled|\bstoredrv\..{0,24}(?:mailbox|account) disabled/ },
  // The same words with 5.7.1 are Postfix's, and a rule.
  { id: "microsoft-edge-block", class: "mailbox-unknown", source: ndr, status: /^[45]\.4\.1$/,
    words: /recipient address(?:es)? rejected ?: ?access denied/ },
  { id: "microsoft-edge-block-quoted", class: "mailbox-unknown", source: ndr,
    text: /\b5\.4\.1\b.{0,90}recipient address(?:es)? rejected ?: ?access denied/ },
  { id: "microsoft-edge-block-marked", class: "mailbox-unknown", source: ndr, text: marked,
    words: /recipient address(?:es)? rejected ?: ?access denied/ },
  { id: "microsoft-recipient-status", class: "mailbox-unknown", source: ndr,
    status: /^5\.7\.50[45]$/ },
  // 5.1.10 alone is a null MX (RFC 7505 §4.2).
  { id: "microsoft-unknown", class: "mailbox-unknown", source: ndr,
    words: oneOf(/not found by smtp address lookup|resolver\.adr\.(?:ex)?recip(?:ient)?notfound/, /resolver\.adr\.(?:invalid|bad)|storedrv\.submit; ?invalid recipient/) },
  { id: "microsoft-unavailable", class: "mailbox-unknown", source: ndr, status: /^5\.5\.0$/,
    words: /requested action not taken: mailbox unavailable/ },
  { id: "microsoft-unavailable-consumer", class: "mailbox-unknown", source: ndr, at: ["outlook"],
    words: /requested action not taken: mailbox unavailable/ },
  { id: "microsoft-reserved", class: "mailbox-unknown", source: server,
    words: /recipient address reserved by rfc 2606|addresses in single label domains not accepted/ },
  { id: "microsoft-size", class: "message-format", source: server,
    words: /(?:recip|send)sizelimit|overadvertisedsizelimit/ },
  { id: "microsoft-format", class: "message-format", source: ndr,
    words: oneOf(/smtpsend\.(?:barelinefeeds|malformed|utf-?8|8bit)|x-dg-ref header|message must be rfc 5322/, /conversionfailed|violation detected \(as345\)/) },
  { id: "microsoft-format-status", class: "message-format", source: ndr,
    status: /^5\.(?:6\.11|7\.512)$/ },
  { id: "microsoft-poison", class: "message-format", source: server, status: /^5\.(?:3\.0|5\.6)$/,
    words: /too many related errors|invalid message content/ },
  { id: "microsoft-recipient-limit", class: "rate-limit", source: server,
    words: /resolver\.adr\.reciplimit/ },
  { id: "microsoft-restricted-status", class: "policy", source: ndr, code: [550],
    status: /^5\.7\.(?:12|124|129|13[3-6]|9\d\d)$/ },
  { id: "microsoft-restricted", class: "policy", source: ndr,
    words: oneOf(/resolver\.rst\.|sender not in allowed-senders|sender (?:was )?not authenticated (?:for|by)/, /transport\.rules|approval\.not/) },
  { id: "microsoft-connector", class: "policy", source: ndr,
    words: /tenantinboundattribution|restrictdomainsto(?:ipaddresses|certificate)/ },
  { id: "microsoft-tenant-policy", class: "policy", source: tenant,
    words: oneOf(/tenant allow ?\/?block list|does not allow external forwarding|does not accept e?mail over ipv6/, /journaling on-premises messages/) },
  { id: "microsoft-not-authorized", class: "policy", source: ndr,
    words: oneOf(/delivery not authorized, message refused/, /due to the current administrative policy by the destination server/) },
  { id: "microsoft-relay", class: "relay-denied", source: ndr,
    words: oneOf(/tenantattribution; ?relay|unable to relay|client was not authenticated/, /achieve exchange server authentication|hosted tenant which has no mail-enabled/) },
  { id: "microsoft-relay-status", class: "relay-denied", source: ndr, status: /^[45]\.4\.1$/,
    words: /relay access denied/ },
  { id: "microsoft-login", class: "relay-denied", source: ndr, code: [530, 535], text: marked },
  { id: "microsoft-wrong-region", class: "relay-denied", source: field,
    words: oneOf(/sent to the wrong (?:office 365|microsoft 365|exchange online) region|resolver\.fwd\.loop/, /routing\.(?:loop|noconnector)/) },
  { id: "microsoft-loop", class: "relay-denied", source: ndr, status: /^[45]\.4\.(?:6|14)$/,
    words: /hop count exceeded|\bloop\b/ },
  { id: "microsoft-no-such-domain", class: "relay-denied", source: server,
    words: /smtpsend\.dns\.nonexistentdomain|\bdns domain .{0,80}does not exist/ },
];

// prettier-ignore
const ofTheServer: RuleGroup["rules"] = [
  { id: "microsoft-server", class: "system-error", source: field,
    words: /temporary server error\. please try again later\.? ?(?:attr|prx)|\b(?:attr|prx)\d{1,2}\b/ },
  { id: "microsoft-server-temporary", class: "system-error", source: field,
    words: /temporary server error\. please try again later/ },
  { id: "microsoft-resources", class: "system-error", source: server,
    words: /insufficient system resources|message failed to be replicated|recipient deferred because there is no mdb/ },
  { id: "microsoft-inactive", class: "system-error", source: server, status: /^4\.3\.2$/,
    words: /service not a(?:ctive|vailable)|system not accepting network messages/ },
  { id: "microsoft-remote", class: "system-error", source: ndr,
    status: /^[45]\.4\.3[01]\d$/ },
  { id: "microsoft-remote-words", class: "system-error", source: field,
    words: /suspiciousremoteservererror|\bdns query failed\b/ },
  { id: "microsoft-configuration", class: "system-error", source: server,
    words: /^(?:mailing list expansion problem|misconfigured forwarding address|system incorrectly configured)/ },
  { id: "microsoft-ambiguous", class: "system-error", source: server,
    words: /resolver\.adr\.ambiguous|destination mailbox address ambiguous/ },
  { id: "microsoft-store", class: "system-error", source: server,
    words: /\bstoredrv\.|\bstoredrv;/ },
];

export const microsoft: readonly RuleGroup[] = [
  {
    name: "microsoft",
    providers: ["outlook", "office365"],
    rules: [...ofTheIp, ...ofTheSender, ...ofTheRecipient, ...ofTheServer],
  },
];
