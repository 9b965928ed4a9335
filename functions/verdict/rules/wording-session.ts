// Families of English wording about who connects and how: the IP, its names, our domain, TLS, our pace. Cause before
// verdict. Refusals that name a list are in listings.ts, other languages in languages.ts.
import { oneOf, type RuleGroup } from "./rule.ts";

/** Who connects. */
const client = oneOf(
  /(?:your|client|sending|source|remote|connecting|originating|this|sender'?s?|peer) (?:smtp |mail ?|e-?mail |ip |mta |dynamic |static )?(?:ips?\b|host\b(?!name)|servers?\b|network\b|netblock|subnet|range|mta\b|relay\b|client\b|system\b|machine\b|location\b|isp\b|ip ?address|address(?:es)? range|provider)/,
  /(?<!%)\bips?\b|%ip|%own|(?<!%)\bhost \[|client \[|address %ip/,
);

const refused = oneOf(
  /\bblock(?:ed|ing|s)?\b|\bban(?:ned)?\b|reject|refus|den(?:y|ied)\b/,
  /not (?:allowed|accepted|permitted|welcome|authori[sz]ed)|prohibit|restricted|suspended|forbidden/,
  /disallow|no (?:access|entry)|unwelcome|untrusted|suspicious|bad host|filtered|blacklist/,
);

const recipient = /\b(?:user|mailbox|recipient|account|addressee|rcpt)\b/;

export const failures: RuleGroup = {
  name: "failure",
  providers: [],
  rules: [
    {
      id: "failure-tls",
      class: "tls",
      words: /certificate|\bssl\b|\btls\b|handshake|unsupported protocol|wrong version number|altname|cipher/,
      code: [null],
      source: "https://nodejs.org/api/errors.html#openssl-error-codes",
    },
    {
      id: "failure-network",
      class: "network",
      code: [null],
      text: oneOf(
        /\be(?:connrefused|connreset|timedout|hostunreach|netunreach|pipe|connaborted|addrnotavail|notfound|ai_again|hostdown|netdown|servfail|nodata|socket|dns|refused|connection|timeout|ai_\w+)\b/,
        /getaddrinfo|query(?:mx|a)\b|enotfound|time-?d? ?out|timeout|greeting never/,
        /connection (?:closed|refused|reset|lost|dropped|terminated|failed|to )|lost connection/,
        /conversation with|(?:read|write) error|unexpected(?:ly)? (?:eof|close|end)|socket (?:closed|hang)/,
        /no route to host|network is unreachable|host (?:not found|is down|unreachable)|no mx/,
        /could not connect|broken pipe|eof\b/,
      ),
      source: "https://nodejs.org/api/errors.html#common-system-errors",
    },
  ],
};

export const reverseDns: RuleGroup = {
  name: "reverse-dns",
  providers: [],
  rules: [
    {
      id: "reverse-dns",
      class: "reverse-dns",
      words: oneOf(
        /\bptr\b/,
        /\breverse[- ](?:dns|lookup|look-up|hostname|host name|name|resolution|ip|mapping|record|domain|map|entry|address)/,
        /\brdns(?:\b|_)|host ?name (?:of|for) (?:%ip|%own|your ip)[\w ]{0,20}(?:not|cannot|unknown)/,
        /\bfcrdns\b|\bfc-rdns\b|\breverse\b.{0,30}\b(?:resolve|lookup|dns|match)/,
        /cannot find your (?:reverse )?host ?name|cannot resolve your (?:ip|host|address)/,
        /(?:no|missing|invalid|without|lacks?|bad) (?:a )?(?:valid )?(?:reverse|rdns|ptr|forward[- ]confirmed)/,
        /forward[- ]confirmed|generic (?:host ?name|rdns|ptr|reverse)|in-addr\.arpa/,
        /unresolvable (?:ip|client|host)/,
        /(?:ip|client|host|address) .{0,30}(?:does not|doesn'?t|must|not|cannot|can'?t|could not) (?:be )?(?:resolved?|reverse)/,
        /possibly forged|dns look-?up (?:of|for|failure).{0,20}(?:your|client|ip)|name[- ]?less host/,
        /hosts? without (?:a )?name|no host ?name (?:for|found)/,
      ),
      unless:
        /(?:sender|from|recipient|mail|e-mail) (?:address )?domain|domain of sender|helo|ehlo|reverse[- ]path|spf/,
      source: "https://www.rfc-editor.org/rfc/rfc7372#section-3.3",
    },
    {
      id: "reverse-dns-and-more",
      class: "reverse-dns",
      words: /\bptr\b|\breverse[- ]dns|\brdns\b|reverse (?:lookup|hostname)/,
      unless: /reverse[- ]path/,
      source: "https://www.rfc-editor.org/rfc/rfc7372#section-3.3",
    },
  ],
};

export const helo: RuleGroup = {
  name: "helo",
  providers: [],
  rules: [
    {
      id: "helo",
      class: "helo",
      words: /\b(?:helo|ehlo)\b(?! (?:first|before|is required|required|not|command (?:first|expected)|or))/,
      unless: oneOf(
        /(?:send|say|need|issue|expect(?:s|ed|ing)?|polite|no|missing|without|use|before|requires?|introduce|must)[\w ,'":]{0,12} (?:helo|ehlo)(?:\/(?:helo|ehlo))?(?:$|\W{0,3}(?:$|first|command first|again|before))/,
        /duplicate|helo\/ehlo first|already|out of (?:sequence|order)|bad sequence|nested|spf|starttls|tls/,
        /auth\b/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.4",
    },
  ],
};

export const authentication: RuleGroup = {
  name: "authentication",
  providers: [],
  rules: [
    {
      // Mechanisms name domains: "unsolicited mail originating from your DKIM domain".
      id: "authentication-domain-reputation",
      class: "domain-reputation",
      words: oneOf(
        /(?:unsolicited|\bspam\b|complaints?|reputation)[\w -]{0,40}(?:dkim|spf|sending|sender|from|your|mail from)(?:'s)? domain/,
        /(?:dkim|spf|sending|sender) domain[\w ()%-]{0,30}(?:reputation|unsolicited|black-?list)/,
      ),
      source: "https://support.google.com/a/answer/3726730",
    },
    {
      id: "authentication",
      class: "authentication",
      words: oneOf(
        /(?<!%)\b(?:spf\d?|dkim|dmarc|arc-seal|domainkeys|adsp|senderid|sender[- ]id|sender policy framework|dmarcian)\b/,
        /unauthenticated (?:e-?mail|mail|message|sender)/,
        /(?:sender|message|mail|e-mail|email) (?:is |was )?(?:unauthenticated|not authenticated)/,
        /sender authentication/,
        /authentication (?:checks?|results?|policy|policies|protocols?) (?:fail|did|not|of)/,
        /(?:message|email|domain) authentication|spoof|impersonat/,
        /not (?:authori[sz]ed|allowed|permitted|designated) to (?:send|use|relay)[\w ]{0,20}(?:on behalf|in the name|from (?:the |this |that )?(?:%fqdn|%host|domain|%addr)|for (?:domain|%host))/,
        /forged (?:sender|from|address)|sender (?:address )?(?:is )?forged/,
        /(?:domain|%host|owner|organi[sz]ation).{0,30}does(?: not|n't) (?:allow|permit|designate)/,
      ),
      unless: oneOf(
        /gr[ae]y-?list|authentication is required|must authenticate/,
        /reputation of (?:the |your )?(?:sending )?(?:spf|dkim)|relaying denied|smtp auth|helo command/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc7372#section-3",
    },
  ],
};

export const greylist: RuleGroup = {
  name: "greylist",
  providers: [],
  rules: [
    {
      id: "greylist",
      class: "greylist",
      words: oneOf(
        /gr[ae]y-? ?list|gr[ae]y(?:ed|listing)\b|\bgr[ae]y\.\w/,
        /(?:try|retry) (?:another|the next|a different|our other) (?:server|mx|host)/,
        /first[- ]time (?:sender|connection|connecting)|not (?:yet )?(?:known|seen) (?:before|yet)/,
        /unknown (?:triplet|sender.{0,10}triplet)/,
        /please (?:try|retry)[\w ]{0,12} in \d+ (?:seconds?|minutes?) (?:to|for) (?:verify|confirm)/,
        /new (?:sender|triplet)|temporar\w* (?:rejected|deferred|delayed)[\w ,:;-]{0,20}(?:first|new|unknown)/,
        /anti-?spam (?:delay|deferral)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc6647",
    },
  ],
};

export const ip: RuleGroup = {
  name: "ip",
  providers: [],
  rules: [
    {
      id: "ip-dynamic",
      class: "ip-reputation",
      words: oneOf(
        /dynamically (?:assigned|allocated)|dynamic\/|(?:spam|dynamic|zombied?|residential) ips?\b/,
        /dynamic[- ]?(?:assigned |allocated |looking )?(?:ips?\b|address|range|pool|host|client|addresses|dns|space|network|%ip|residential|and residential)/,
        /dial-?up|\bdul\b|\bdynablock|residential (?:ip|range|address|network)/,
        /(?:direct[- ]to[- ]mx|end[- ]user ip|consumer ip|home connection|broadband)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
    },
    {
      id: "ip-reputation",
      class: "ip-reputation",
      words: [
        oneOf(
          /reputation|\brbl\b|trust level|trustworth/,
          /(?:bad|poor|low|negative) (?:ip |sender )?(?:score|history|record)/,
        ),
        client,
      ],
      unless: oneOf(
        /(?:domain|url|link|content|file|from address)(?:'s)? (?:has |with |name )?(?:[\w-]{1,12} ){0,3}reputation/,
        /reputation of (?:the |your |a |its )?(?:sending |sender |from |spf |dkim )?(?:domain|url|link)/,
      ),
      source: "https://www.m3aawg.org/sites/default/files/document/M3AAWG_Sending_Practices.pdf",
    },
    {
      id: "ip-harvest",
      class: "ip-reputation",
      words: oneOf(
        /too many (?:invalid|unknown|bad|non-?existent|wrong|undeliverable) (?:\w{1,12} ){0,3}from (?:this|your|the)? ?(?:ip|host|server|%ip|network|address)/,
        /(?:new|untrusted|unknown) (?:or \w+ )?ip\b/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-7.3",
    },
    {
      id: "ip-spam-source",
      class: "ip-reputation",
      words: [
        oneOf(
          /(?<!anti-? ?)\bspam(?:s|mers?|ming|my)?\b/,
          /\babus(?:e|ive)\b|complain(?:ts?)?\b|unsolicited|unwanted (?:mail|e-?mail|messages?|traffic)/,
          /\bjunk\b|\buce\b|\bube\b|malicious|attack|infected|compromised|botnet|open (?:proxy|relay)|\btor\b/,
          /harvest|dictionary|virus(?:es)? (?:sent|from)/,
        ),
        oneOf(
          /\b(?:from|by|of|at|on|your|this|client|sending|source|in) (?:\w{1,14} ){0,3}(?:ips?\b|hosts?\b(?!ed)|servers?\b|networks?\b|netblock|subnet|range|location|mta\b|isp\b|system\b|machine\b|%ip|%own|\[%ip|\(%ip|<%ip|\[%own)/,
          /(?:%ip|%own)\W{0,3} (?:is|has|was|seems|appears|sen[dt]|due|looks)/,
          /(?<!%)\bip(?: address)?\W{0,2}(?:%ip|%own)?\W{0,3} (?:is|has|was|seems|appears|sen[dt]|due|looks)/,
        ),
      ],
      unless: oneOf(
        /(?:message|mail|email|content) (?:looks|seems|appears|was|is|has been|identified|classified|detected|contains?|rejected|considered|marked|refused)[\w ]{0,30} (?:spam|junk|unsolicited|abuse)/,
        /spam (?:score|content|message rejected|url)|user (?:unknown|not found)/,
        /abuse (?:desk|team|department|contact)|to (?:report|contact) abuse/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
    },
    {
      id: "ip-administrative",
      class: "ip-reputation",
      words: oneOf(
        /\b(?:your|client|this|sending|remote|connecting) (?:ip|host|server|network|location|ip address|\[?%ip\]?)\W{0,3}(?:\[?(?:%ip|%own)\]?\W{0,3})?(?:is|was|has been|have been|are) (?:\w{1,14} ){0,2}(?:denied|banned|black-? ?listed|block-? ?listed|blocked|locked out|prohibited|blackholed|on (?:our|a|the) [\w ]{0,12}(?:list|block))/,
        /black ip\b|\bip\b (?:[\w']{1,10} ){0,6}not (?:authori[sz]ed|allowed|permitted) to send/,
        /\bip\b[\w ]{0,12}(?:prison|jail|penalty box)|banned (?:sending )?ip/,
        /sender ?\[%(?:ip|own)|ip address \W?%(?:ip|own)\W{0,2} does not have permission/,
        /not (?:accepted|allowed|permitted|welcome) from (?:this|your) (?:ip|host|network|server)/,
        /not accepting (?:any )?(?:mail|e-?mail|messages|connections) from (?:(?:this|your) (?:mail )?(?:ip|host|server|network|address)|\W?%ip)/,
        /\bip (?:banned|blocked|blacklisted|denied|black)|bad (?:ip|host) (?:reputation)?/,
        /%(?:ip|own)\W{0,4} ?(?:is |was |has been |are |_is_)(?:\w{1,14} ){0,2}(?:blocked|banned|black-?listed|denied|rejected|refused|on )/,
        /(?:blocked|banned|blacklisted|black listed|black list) ?(?:ip|host|client|address)?\W{0,3}\[?%(?:ip|own)/,
        /(?:part of (?:their|your) network|your network|your isp|your provider)[\w ,']{0,30}(?:block|ban|list|deny|denied|reject)/,
        /(?:mail|e-?mail|messages?|connections?|traffic|smtp)(?: \w{1,10}){0,2} from (?:your|this|the) (?:ip|host|server|network|location|address|range|subnet|netblock|isp|system)[\w ,'%[\]().:-]{0,40}(?:block|ban|den(?:y|ied)|reject|refus|not (?:accepted|allowed|permitted|welcome)|administratively)/,
        /(?:mail|e-?mail|messages?|connections?) from \W?%(?:ip|own)\W{0,3} ?(?:\w{1,12} ){0,3}(?:deferred|delayed)/,
      ),
      unless: oneOf(
        /too many|rate|limit|frequen|concurren|exceed|quota|relay(?! at\b| of\b)|authentication (?:is )?required/,
        /(?:message|mail|email) (?:was|is|has been|looks)[\w ]{0,30} spam/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
  ],
};

export const domain: RuleGroup = {
  name: "domain",
  providers: [],
  rules: [
    {
      id: "domain-reputation",
      class: "domain-reputation",
      words: oneOf(
        /(?:domain|dkim|from address)(?:'s|s)?[\w ,'%[\]()-]{0,40}(?:reputation|black-? ?list|block-? ?list|\blisted\b|on (?:our|a|the) [\w ]{0,14}list|\bbanned\b|newly (?:registered|created|observed)|too (?:young|new))/,
        /reputation of (?:the |your |a |its )?(?:sending |sender |from |spf |dkim )?(?:\w{1,10} )?domain/,
        /(?:bad|low|poor|black-?listed|block-?listed|banned|newly (?:registered|observed)|young|listed) (?:reputation )?(?:sender |sending |from |helo )?domain/,
        /(?:sender|from) domain[\w ]{0,12} (?:blocked|spam|blacklist)/,
      ),
      unless: /recipient domain|not exist|not found|url|link|verif/,
      source: "https://www.spamhaus.org/blocklists/domain-blocklist/",
    },
  ],
};

export const tls: RuleGroup = {
  name: "tls",
  providers: [],
  rules: [
    {
      id: "tls",
      class: "tls",
      words: oneOf(
        /\bstarttls\b|\btls\b|\bssl\b/,
        /encrypt(?:ion|ed) (?:is )?(?:required|needed|mandatory|connection|session|channel)/,
        /requires? (?:an )?encrypt|encryption too weak/,
        /(?:unencrypted|plain-?text|insecure|non-?secure|not secure) (?:connection|session|channel|transport)/,
      ),
      unless: oneOf(
        /auth(?:entication)? (?:mechanism|type)|message (?:is|was) encrypted/,
        /encrypted (?:attachment|message|zip|file|archive)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc3207#section-4",
    },
  ],
};

export const rate: RuleGroup = {
  name: "rate",
  providers: [],
  rules: [
    {
      id: "rate-limit",
      class: "rate-limit",
      words: oneOf(
        /rate[- ]?(?:limit|control|throttl|of)|(?:recipients|connections|messages|mails) exceeded/,
        /too (?:many|much) (?:\w{1,14} ){0,2}(?:connections?|messages?|mails?|e-?mails?|recipients?|sessions?|concurrent|rcpts?|requests?|transactions?|deliver(?:y|ies)|connects?|deliveries|addresses|smtp|simultaneous|traffic|invalid|unknown|attempts|bad|errors? from)/,
        /throttl|frequen(?:cy|t|tly)[\w ]{0,12}(?:limit|exceed|too|control)?/,
        /too (?:fast|quickly|frequent\w*|often|rapid\w*)|slow(?:er)? (?:down|pace)|try again slower/,
        /(?:connection|message|mail|recipient|sending|hourly|daily|volume|session|sender|thread|receiving|receive|concurren\w+|smtp|e-?mail)s? (?:\w{1,12} ){0,2}(?:limit|quota|rate|threshold|allowance)s?\b/,
        /(?:limit|quota|rate|threshold)s? (?:of|on|for) (?:\w{1,12} ){0,3}(?:connections?|messages?|mails?|recipients?|e-?mails?|sessions?)/,
        /exceed(?:s|ed|ing)? (?:\w{1,12} ){0,5}(?:rate|connections?|recipients?|messages? per|limit of \d+ (?:messages|connections|recipients|mails)|per (?:hour|minute|day|second)|concurren)/,
        /(?:messages?|mails?|connections?|recipients?|e-?mails?) per (?:hour|minute|day|second|session|connection|message)/,
        /concurren(?:t|cy)/,
        /maximum (?:number of )?(?:\w{1,12} ){0,2}(?:connections?|recipients?|sessions?|rcpt|messages)/,
        /unexpected(?:ly)? (?:high )?volume|unusual (?:rate|volume|traffic)|flood|limits? exceeded/,
        /exceed\w* (?:the |your |our |its )?(?:\w{1,10} )?limits?\b/,
      ),
      unless: oneOf(
        /hops?\b|received headers?/,
        /too many (?:errors|bad|invalid|unknown|unrecognized|syntax|failed|wrong|protocol|non-?mail|junk)? ?(?:commands?|errors?\b(?! from))/,
        /attachments|mailbox (?:size|storage|quota|is full|full)|quota limit|line limit|over ?quota|disk/,
        /storage|size|header|mailbox has exceeded|mailbox (?:\w+ )?exceeds/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.10",
    },
  ],
};

export const clients: RuleGroup = {
  name: "client",
  providers: [],
  rules: [
    {
      id: "client-refused",
      class: "ip-reputation",
      stage: ["greeting", "ehlo", "mail", null],
      words: [client, refused],
      unless: new RegExp(
        `${recipient.source}|relay|sender (?:address|domain)|from address|address <?%addr|domain|command|country|policy|policies|syntax|system error|auth`,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-refused-later",
      class: "ip-reputation",
      words: oneOf(
        /(?:access|connections?|mail|e-?mail|messages?|your ip|client|host|transactions?)(?: \w{1,12}){0,3} from (?:\w{1,12} ){0,3}\W?%(?:ip|own)\W{0,3} (?:\w{1,12} ){0,2}(?:block|ban|den(?:y|ied)|reject|refus|not (?:accepted|allowed|permitted|welcome)|prohibit|restrict|disallow)/,
        /(?:access|connections?|mail|e-?mail)(?: \w{1,12}){0,2} (?:denied|rejected|refused|blocked|disallowed|prohibited|not accepted|not allowed) (?:from|for|to) (?:\w{1,12} ){0,4}\W?(?:%(?:ip|own)|ip\b|your (?:ip|host|server|network))/,
      ),
      unless: /relay|recipient|user unknown|auth|policy|(?:sender|from|e-?mail) address/,
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-own-address",
      class: "ip-reputation",
      words: [/%own/, /block|\bban|black|deny|denied|refus|reject|not (?:allowed|accepted|welcome)/],
      unless: new RegExp(`${recipient.source}|relay|sender (?:address|domain)|auth|policy`),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-blocked-greeting",
      class: "ip-reputation",
      stage: ["greeting"],
      words: oneOf(
        /\bblock(?:ed|list(?:ed)?|ing)?\b|black-? ?list|\bbanned\b|access denied/,
        /(?:you are|you're) not (?:allowed|welcome|authorized|permitted)|\babus(?:e|ive)\b|go away|unwelcome/,
        /administratively (?:denied|prohibited)|administrative reject|\brejected\b|not welcome|denied\b/,
        /prohibited|reputation|smtp service (?:not|un)available for you/,
      ),
      unless: oneOf(
        /relay|country|policy|policies|too many|limit|overload|load|resource|busy|maintenance|storage/,
        /temporar\w+ (?:error|failure|problem)|network not allowed/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      // Nothing has been said or sent yet: a refusal for good can only be about who connects (RFC 5321 §3.1).
      id: "client-greeting-for-good",
      class: "ip-reputation",
      stage: ["greeting"],
      code: [550, 553, 554],
      words:
        /connections? (?:refused|rejected|denied|not (?:accepted|allowed|authorized))|(?:service|server) (?:not|un) ?available|not accepting|no smtp service(?! here)|\bspam|service refused?\b/,
      unless: oneOf(
        /relay|country|policy|policies|too many|limit|overload|load|resource|busy|maintenance|storage/,
        /temporar|later|network not allowed|helo|ehlo|disabled/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-spam-early",
      class: "ip-reputation",
      stage: ["greeting", "ehlo"],
      words: /\bspam(?:mers?|ming)?\b|\bjunk\b|unsolicited|malicious|\bzombie/,
      unless: /helo|ehlo|busy|unavailable|overload|no (?:spam|uce|unsolicited)|anti-? ?spam/,
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
  ],
};
