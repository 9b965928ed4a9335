// The words of the other mail servers: Haraka, the younger ones, mailbox stores, Exchange on premise, office servers.
// It knows no list by name: listings.ts does.
import { oneOf, type RuleGroup } from "./rule.ts";

const haraka = "https://github.com/haraka/Haraka/tree/master/plugins";
const stalwart = "https://github.com/stalwartlabs/stalwart/tree/main/crates/smtp/src/inbound";
const maddy = "https://github.com/foxcpp/maddy/tree/master/internal/check";
const exchange =
  "https://learn.microsoft.com/en-us/exchange/antispam-and-antimalware/antispam-protection/antispam-protection";
const momentum = "https://github.com/SparkPost/developers.sparkpost.com/blob/master/web-ref/responses-by-message.md";

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

export const otherServers: readonly RuleGroup[] = [
  harakaGroup,
  modern,
  mailboxes,
  unix,
  exchangeGroup,
  office,
  momentumGroup,
];
