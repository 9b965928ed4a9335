// Replies that name a blocklist: whether it is our IP, a domain or a link that is listed, or the receiver's own look-up
// that failed. It does not know the lists; blocklists.ts does.
import { anyOf } from "../blocklists.ts";
import { oneOf, type RuleGroup } from "./rule.ts";

const ipList = anyOf("ip");
const domainList = anyOf("domain");
const anyList = oneOf(ipList, domainList);

/** A list in general: what stands on it is told by the words around. */
const list = oneOf(
  /blocked using (?:%fqdn|[a-z0-9-]{1,40}\.)|\b(?:dns|ip|rhs|ur)?[rb]bls?\b|\bdns-?[rb]?bls?\b/,
  /black-? ?list|block-? ?list|deny-? ?list|\blisted\b/,
);
const listing = oneOf(
  /black-? ?list|block|list(?:ed|ing)\b|\b[rb]bl|dnsbl|reject|refus|denied|deny|found|reputation|policy/,
  /spam source/,
);

/** Words of a list, whatever else is said: other families leave such replies to this one. */
export const aboutLists = /blocked using|black ?list|block ?list|spamhaus|dns[bw]l|\br[hb]s?bl\b|\blisted\b/;

/** The look-up's own failure: nothing is said about us. */
const lookup = oneOf(
  /\w{0,12}bl_blocked\b|quer(?:y|ies) to [\w .%-]{0,40} (?:was|were) (?:blocked|refused)|open resolver/,
  /public resolver|quer(?:y|ies) (?:was |has been )?(?:refused|limit)|refused your quer/,
  /127\.255\.255\.2|returnc\/pub|returnc\/vol|uribl\.com\/refused|typing error/,
  /excessive (?:number of )?queries|quer(?:y|ies) [\w .%-]{0,60}fail|key not valid/,
  /(?:service|server)[\w .%-]{0,40} (?:is unreachable|could not be reached|not reachable)|fehler bei/,
  /zeituberschreitung|look-?up (?:error|fail|timed? ?out|problem|of .{0,60} (?:failed|timed))/,
  /lookup_defer|error looking up/,
  /(?:time-?d? ?out|servfail|temporary (?:dns|lookup|look-up|rbl|dnsbl)[\w ]{0,10}(?:failure|error)|unable to (?:query|contact|look)|could not (?:query|contact|look)|cannot (?:query|contact|look)|fail(?:ed|ure) (?:to|in|while|during) (?:query|contact|look|dnsb?l))/,
);

/** What is in the message, not who sends it. */
const inMessage = oneOf(
  /\b(?:urls?|uris?|links?|hyperlinks?)\b/,
  /in (?:the |this |your |its )?(?:message|mail|email|body|content|text)(?: body)?\b|message contain/,
  /contains? (?:a |an )?(?:blacklisted|blocklisted|listed|spam|bad|blocked|domain|link|host)/,
  /body (?:contain|domain)|spamvertised|web ?site/,
);

const client = oneOf(
  /(?:your|client|sending|source|remote|connecting|originating|this|the|sender'?s?) (?:smtp |mail |ip |mta )?(?:ip|host|server|network|mta|relay|client|system|machine)/,
  /\bips?\b|%ip|%own|\bhost \[|client \[|\bhost (?:is|was|are) |remote ?host/,
);

/** No IP has such an address, and no list has a mailbox. */
const mailbox = oneOf(
  /user unknown|unknown user|no such (?:user|mailbox|recipient|address)/,
  /mailbox (?:not found|unavailable: user)/,
  /(?:user|mailbox|recipient|account) (?:does not exist|doesn'?t exist|not found|unknown)/,
  /relay(?:ing)? (?:access )?(?:denied|not)/,
);

/** Before all else, the providers' own rules too: a false page of a listing that nobody made. */
export const lookups: readonly RuleGroup[] = [
  {
    name: "listing-lookup",
    providers: [],
    rules: [
      {
        id: "listing-lookup-failed",
        class: "system-error",
        text: [oneOf(anyList, list), lookup],
        unless: /querymx|getaddrinfo/,
        remedy: {
          text: "The receiver's own look-up at the blocklist fails, nothing says that you are listed: tell its postmaster to ask the list by a resolver of its own.",
          url: null,
        },
        source:
          "https://www.spamhaus.com/resource-center/successfully-accessing-spamhauss-free-block-lists-using-a-public-dns/",
      },
    ],
  },
];

export const listings: readonly RuleGroup[] = [
  {
    name: "listing",
    providers: [],
    rules: [
      {
        id: "listing-link-in-message",
        class: "content-spam",
        text: [anyList, listing],
        words: inMessage,
        unless: /client host|your ip|sending ip|ip address|mailfrom|helo/,
        source: "https://surbl.org/guidelines",
      },
      {
        id: "listing-domain-spamhaus",
        class: "domain-reputation",
        text: [/(?<!zrd\.(?:dq\.)?)spamhaus/, listing],
        words: [
          oneOf(
            /(?:sender|mailfrom|mail from|from|helo|ehlo|envelope|return-?path|dkim|rdns|reverse|your)[\w'. ]{0,20}\bdomain/,
            /sender address|helo command|unverified client host|\brhsbl\b|dbl\b/,
          ),
        ],
        unless: mailbox,
        blocklist: "spamhaus-dbl",
        source: "https://www.spamhaus.org/blocklists/domain-blocklist/",
      },
      {
        // A zone of names (RHSBL) of a list of addresses, too.
        id: "listing-domain",
        class: "domain-reputation",
        text: [oneOf(domainList, /\brhsbl\b/), listing],
        unless: mailbox,
        stage: ["greeting", "ehlo", "mail", "rcpt", "data", null],
        source: "https://www.postfix.org/postconf.5.html#reject_rhsbl_sender",
      },
      {
        id: "listing-domain-in-message",
        class: "domain-reputation",
        text: [anyList, listing],
        words: oneOf(
          /(?:sender|mailfrom|mail from|from|envelope|return-?path|dkim|author)[\w' ]{0,12}\b(?:domain|address)\b/,
          /helo command|\brhsbl\b/,
        ),
        unless: oneOf(mailbox, /client host|your ip|sending ip/),
        source: "https://www.postfix.org/postconf.5.html#reject_rhsbl_sender",
      },
      {
        id: "listing-url-list",
        class: "content-spam",
        text: [domainList, listing],
        source: "https://surbl.org/guidelines",
      },
      {
        id: "listing-ip",
        class: "ip-reputation",
        text: [ipList, oneOf(listing, client)],
        unless: mailbox,
        source: "https://www.postfix.org/postconf.5.html#reject_rbl_client",
      },
      {
        id: "listing-link",
        class: "ip-reputation",
        text: [ipList, /https?:\/\//],
        unless: mailbox,
        source: "https://www.godaddy.com/help/email-bounceback-error-codes-5568",
      },
      {
        id: "listing-unnamed-message",
        class: "content-spam",
        words: [list, inMessage],
        unless: /client host|your ip|sending ip|ip address|mailfrom|helo|user|recipient|mailbox/,
        source: "https://spamassassin.apache.org/old/tests_3_3_x.html",
      },
      {
        id: "listing-unnamed-ip",
        class: "ip-reputation",
        words: [list, client],
        unless: oneOf(
          mailbox,
          /sender verif|verification failed for|(?:sender|recipient|from|user|email|mail) address (?:is |was )?(?:on |in |black|block)|not listed|whitelist|grey|gr[ae]ylist/,
        ),
        source: "https://www.exim.org/exim-html-current/doc/html/spec_html/ch-access_control_lists.html",
      },
      {
        // Such lists are of addresses, where nothing else is said to stand on them.
        id: "listing-unnamed",
        class: "ip-reputation",
        words: [
          /blocked using %fqdn|\b(?:dns|ip)?rbls?\b|\bdns-?bls?\b|multi-?black-?list|real-?time (?:black|block)/,
          /block|listed|reject|refus|den(?:y|ied)\b|found|\b(?:in|on) (?:an?|the|our)\b/,
        ],
        unless: oneOf(
          mailbox,
          inMessage,
          /sender|from address|domain|helo|ehlo|user|recipient|gr[ae]y|white-?list|not listed|score|%addr/,
        ),
        source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
      },
      {
        // It asks many lists at once: one of them has us.
        id: "listing-look-up-page",
        class: "ip-reputation",
        text: oneOf(
          /\bmultirbl\.valli\.org|\bopenrbl\.org|\bmxtoolbox\.com\/\S{0,60}blacklist|\bwhatismyipaddress\.com\/blacklist/,
          /\brobtex\.com\/\S{0,60}(?:rbl|blacklist)|\bdnsbl\.info|\banti-abuse\.org\/multi-rbl/,
        ),
        unless: oneOf(mailbox, inMessage, /domain|helo|gr[ae]y/),
        source: "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt",
      },
      {
        // "listed in bl.example", and no more: who connects is what lists are mostly of.
        id: "listing-bare",
        class: "ip-reputation",
        words: oneOf(
          /\b(?:black-?|block-?)?listed (?:in|at|on|by|with) (?:%fqdn|%href|\w{0,12}[rb]bl\b)/,
          /\b(?:black-?|block-?)?listed (?:in|at|on|by) (?:our|an?|the|some|several) (?:\w{1,12} ){0,2}(?:list|database|blocklist|blacklist)\b/,
          /^\W{0,3}(?:black-?|block-?)?listed\b(?! (?:as|below|in|at|on|by)\b)/,
        ),
        unless: oneOf(
          mailbox,
          /not (?:black|block)?-? ?listed|%fqdn\W{0,3} (?:is |was )?(?:black-?|block-?)?listed|user|recipient|mailbox|member|director|ldap|below|white-? ?list/,
          /domain|sender|helo|ehlo|from address|e?-?mail address|\burls?\b|\blinks?\b|message|content|%addr/,
        ),
        source: "https://www.rfc-editor.org/rfc/rfc5782#section-2.1",
      },
      {
        // Before MAIL the receiver knows nothing of us but our address and our name.
        id: "listing-unnamed-early",
        class: "ip-reputation",
        stage: ["greeting", "ehlo"],
        words: list,
        unless: /helo|ehlo|not (?:black-? ?|block-? ?)?listed|gr[ae]y|white-? ?list/,
        source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
      },
    ],
  },
];
