// Families of English wording about who connects and how: the IP, its names, our domain, TLS, our pace. Cause before
// verdict. Refusals that name a list are in listings.ts, other languages in languages.ts.
import { oneOf, type RuleGroup } from "./rule.ts";

/** Who connects. */
const client = oneOf(
  /(?:your|client|sending|source|remote|connecting|originating|this|sender'?s?|peer) (?:smtp |mail ?|e-?mail |ip |mta |dynamic |static )?(?:ips?\b|host\b(?!name)|servers?\b|network\b|netblock|subnet|range|mta\b|relay\b|client\b|system\b|machine\b|location\b|isp\b|ip ?address|address(?:es)? range|provider)/,
  /(?<!%)\bips?\b|%ip|%own|\bhost \[|client \[|address %ip/,
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
      words: oneOf(
        /certificate|\bssl\b|\btls\b|tls handshake|unsupported protocol|wrong version number|altname|cipher/,
        /_cert(?:_|\b)|\bcert_|\beproto\b|\btlsa\b|\bdane\b|mta-sts|dh key too small|secure tls/,
      ),
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
        /could not connect|broken pipe|\beof(?:error)?\b|end of file/,
        /(?:connection|socket|session) (?:\w{1,12} ){0,2}(?:died|closed|aborted|forcibly|refused)|hung up/,
        /(?:unable|failed|not able|wasn'?t able) to (?:connect|establish|contact|reach|resolve)/,
        /(?:name|dns|host) ?(?:\w{1,12} ){0,2}(?:look-?up|resolution|server reply)|nxdomain|no answer/,
        /dns (?:servers?|records?|error)|address family|target machine actively refused/,
        /greeting (?:failed|timed)|(?:invalid|no|bad|missing) greeting|network (?:is )?unreachable/,
        /couldn'?t find any host|domain name not found|no such host/,
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
        /unresolvable (?:relay |remote |client )?(?:ip|client|host)/,
        /(?:your|client|remote|sending) (?:mail )?(?:server'?s? )?host ?names? (?:\w{1,12} ){0,3}(?:not\b|\w{2,6}n'?t\b|fail|mis-?match|invalid)/,
        /host ?names? and ip(?: address)?(?: %ip| %own)? (?:\w{1,12} ){0,2}mis-?match/,
        /host ?name[\w ,'()%[\]]{0,24} does(?: not|n't) match [\w ]{0,8}ip\b/,
        /(?:client|remote|your) (?:host ?)?name look-?up|(?:host ?)?name look-?up (?:of|for) (?:your|the|client|ip|%ip|%own)/,
        /cannot resolve (?:the )?(?:host ?name|name|address) (?:of|for) (?:your|the client|client|ip|\[?%ip|\[?%own)/,
        /no (?:valid |proper )?(?:host ?|dns )?name (?:found )?(?:for|of) (?:your ip|this ip|the ip|ip\b|\[?%ip|\[?%own)/,
        /(?:\bip(?: address(?:es)?)?|client|%(?:ip|own)\]?) (?:(?:has|have|is|are|with) )?(?:no|missing|without|lacking)(?: (?:valid|proper|corresponding|matching|any?)){0,2} (?:dns )?(?:host ?)?(?:name\b|dns (?:entry|record)\b)/,
        /dns (?:records?|entry|entries) (?:for|of) (?:your|the|this) (?:ip|mail ?server|server|host|mta|sending)/,
        /(?:ip|client|host|address) .{0,30}(?:does not|doesn'?t|must|not|cannot|can'?t|could not) (?:be )?(?:resolved?|reverse)/,
        /possibly forged|dns look-?up (?:of|for|failure).{0,20}(?:your|client|ip)|name[- ]?less host/,
        /hosts? without (?:a )?name|no host ?name (?:for|found)/,
      ),
      unless: oneOf(
        /(?:sender|from|recipient|mail|e-mail) (?:address )?domain|domain of sender|helo|ehlo|reverse[- ]path|spf/,
        /fully[- ]qualified/,
      ),
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
      words: oneOf(
        /(?:\b|_)(?:helo|ehlo)\b(?! (?:first|before|is required|required|not|command (?:first|expected)|or))/,
        /(?:forged|invalid|bad|fake|false|bogus) greeting|greeting name|you are not me\b|\bschizophrenic\b/,
        /pretend(?:ing|s)? to be (?:me\b|us\b|my |our |this |localhost|one of)/,
        /(?:use|using|is|that'?s|claim\w*) (?:my|our) (?:own )?(?:host ?|domain |server )?name|impersonat\w+ (?:my|our|this|me\b|us\b) ?(?:host|server|domain|$)/,
      ),
      unless: oneOf(
        /(?:send|say|need|issue|expect(?:s|ed|ing)?|polite|no|missing|without|use|before|requires?|introduce|must)[\w ,'":]{0,12} (?:helo|ehlo)(?:\/(?:helo|ehlo))?(?:$|\W{0,3}(?:$|first|command first|again|before))/,
        /duplicate|helo\/ehlo first|already|out of (?:sequence|order)|bad sequence|nested|spf|starttls|tls/,
        /auth\b/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.4",
    },
    {
      // A name that is refused there is the one that EHLO gave.
      id: "helo-name",
      class: "helo",
      stage: ["ehlo"],
      words: oneOf(
        /fully[- ]qualified|fqdn\b|(?:host ?|domain )name\b|\bhost (?:not found|unknown)|unknown host/,
        /invalid (?:domain|host|argument)|localhost|forged|impersonat|identify|introduce|%(?:ip|own) is not/,
        /domain (?:not found|required|must|does)|no such (?:domain|host)/,
      ),
      unless:
        /\bsender|from|mailbox|account|black-?list|block|spam|\btls\b|certificate|user ?name|service|busy|later|system/,
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
        /(?<!%)\b(?:spf\d?|dkim|dmarc|arc-seal|domainkeys?|adsp|senderid|sender[- ]id|sender policy framework|dmarcian)\b/,
        /unauthenticated (?:e-?mail|mail|message|sender)/,
        /(?:sender|message|mail|e-mail|email) (?:is |was )?(?:unauthenticated|not authenticated)/,
        /sender authentication/,
        /authentication (?:checks?|results?|policy|policies|protocols?) (?:fail|did|not|of)/,
        /(?:message|email|domain) authentication|spoof|impersonat/,
        /not (?:authori[sz]ed|allowed|permitted|designated) to (?:send|use|relay)[\w ]{0,20}(?:on behalf|in the name|from (?:the |this |that )?(?:%fqdn|%fqdn|domain|%addr)|for (?:domain|%fqdn))/,
        /forged (?:sender|from|address|header|e-?mail|mail\b|message)|sender (?:address )?(?:is )?forged|\bforger(?:y|ies)\b/,
        /(?:bad|invalid|missing|no|incorrect|wrong|valid) (?:\w{1,10} )?signature\b(?! (?:found|file))|unsigned (?:mail|message|e-?mail)/,
        /signature[ _](?:is )?(?:incorrect|invalid|verif|bad|missing|failed|did|could|does)|(?:message|mail) (?:is |was )?(?:not signed|unsigned)/,
        /(?:sender|message|mail|e-?mail|domain) (?:could not|cannot|can'?t|couldn'?t) be authenticated/,
        /lacks? (?:of )?(?:sender )?authentication\b/,
        /(?:fail(?:ed|s|ure)?|pass(?:ed)?)(?: (?:the|our|any|all|required|sender|message|e-?mail|domain)){0,2} authentication (?:check|test|requirement|level)/,
        /not (?:authori[sz]ed|permitted|designated) (?:by (?:the )?(?:domain|%fqdn|owner)|for (?:that |this |the |your |sender )?domain\b(?!'))/,
        /not (?:an? )?(?:permitted|authori[sz]ed|designated|allowed) (?:sender|server|mailer|host)s? (?:for|of) (?:\w{1,6} )?(?:domain\b(?!')|%fqdn)/,
        /not (?:\w{1,10} ){0,2}(?:by|from|via|through) an? (?:authori[sz]ed|permitted) (?:server|host|source|sender|ip)/,
        /must (?:come|originate|be sent) (?:from|by|via|through) (?:its|their|the (?:domain|owner)|%fqdn|an? authori)/,
        /\bip\b[\w %]{0,40} (?:mail|e-?mail|messages?|sender) (?:of|for) (?:this |that |the |your |sender )?(?:domain|%fqdn)|mis-?match(?:es)? (?:the )?client ip/,
        /(?:spf|dkim|domain|identifier|from|header) alignment|not aligned|misaligned/,
        /(?:domain|%fqdn|owner|organi[sz]ation).{0,30}does(?: not|n't) (?:allow|permit|designate)/,
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
        /(?:try|retry|use)(?: again)?(?: using| with| at)? (?:another|the next|next|a different|our other|an? higher|higher|our secondary|your next)(?: \w{1,10})? ?(?:server|mx|host)\b|nolisting/,
        /first[- ]time (?:sender|connection|connecting)|(?:not|never|n't) (?:yet )?(?:been )?(?:known|seen) (?:you )?(?:before|yet)/,
        /\btriplet\b|\btempfail(?:ing|ed)\b|post-?grey|first (?:encounter|contact|delivery attempt|attempt)/,
        /(?:delaying|deferring) (?:an? )?(?:unknown|new|first)|sender not yet known|not yet (?:known|trusted|white-?listed)/,
        /temporar(?:y|ily) (?:reject|refus|defer|delay)\w* to (?:verify|check|see)|retr(?:y|ied|ying) (?:\w{1,10} ){0,2}too (?:soon|early)/,
        /(?:delay|defer)(?:ed|ing)?(?: \w{1,10}){0,3} (?:for|due to|by|as|because of) (?:an? )?anti-? ?spam/,
        /please (?:try|retry)[\w ]{0,12} in \d+ (?:seconds?|minutes?) (?:to|for) (?:verify|confirm)/,
        /new (?:sender|triplet)|temporar\w* (?:rejected|deferred|delayed)[\w ,:;-]{0,20}(?:first|new|unknown)/,
        /anti-?spam (?:delay|deferral)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc6647",
    },
    {
      // A set time and no reason: who is overloaded or limits us says so.
      id: "greylist-wait",
      class: "greylist",
      code: [450, 451],
      stage: ["mail", "rcpt", "data", "message", null],
      words: oneOf(
        /(?:try|retry|come back|again|resend|return|wait)[\w ,]{0,20} (?:(?:in|after|for) )?(?:about |at least |another )?\d+(?::\d\d){0,2} ?(?:s\b|secs?\b|seconds?|mins?\b|minutes?)/,
        /(?:try|retry|come back|again)[\w ,]{0,16} (?:in|after) (?:a few (?:seconds|minutes)|\d\d?:\d\d)/,
        /\btoo (?:soon|early)\b/,
      ),
      unless: oneOf(
        /too many|too much|limit|rate\b|exceed|busy|\bload|overload|error|fail|unavailable|problem|mainten/,
        /block|listed|spam|quota|\bfull\b|throttl|connections|frequen|reputation|resource|storage|space|suspend|ban/,
        /talk|pipelin|synchron|verif|lookup|timed? ?out|helo|\btls\b|not found|unknown|sending|volume|speed|slow/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc6647#section-2",
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
        /dial-?up|\bdul\b|\bdynablock|residential (?:ip|range|address|network|connection|customer|user|host|client)/,
        /\bips?\b[\w ,%().-]{0,20} (?:looks?|appears?|seems?|is|are) (?:like |to be )?(?:an? )?(?:dynamic|dial|residential)/,
        /may not be (?:an? )?mail exchanger|bypass\w*(?: [\w']{1,12}){0,3} relay/,
        /(?:direct[- ]to[- ]mx|end[- ]user ip|consumer ip|home connection|broadband)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
    },
    {
      // A customer's line is told to go by its provider; who may not relay is told so too.
      id: "ip-use-provider",
      class: "ip-reputation",
      words: oneOf(
        /(?:use|through|via|by|from) (?:\w{1,9} )?(?:(?:smtp|mail|e-?mail|outgoing) )?(?:servers?|relays?|smart-?host|gateway) (?:of|from|provided by|at) (?:your|the|its|their) (?:own )?(?:isp|provider|internet)/,
        /(?:use|through|via|by) (?:your|the|its|their) (?:own )?(?:isp|provider|internet (?:service )?provider)(?:'?s)?(?: \w{1,9})? (?:smtp|mail|e-?mail|outgoing|relays?|servers?|smart)/,
      ),
      unless: /relaying|relay (?:access )?den|authenticat|\bauth\b|password|recipient|account/,
      source: "https://www.postfix.org/SMTPD_ACCESS_README.html",
    },
    {
      id: "ip-open-proxy",
      class: "ip-reputation",
      words: /\bopen[- ](?:prox(?:y|ies)|socks)\b|(?:are|is|as|runs?|running) an? open[- ](?:mail |smtp )?relay\b/,
      unless: /\bnot an? open|(?:we|this server|this system) (?:are|is) (?:not|no)\b/,
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
      // No word of a domain: it is the client whom a gateway rates.
      id: "ip-reputation-sender",
      class: "ip-reputation",
      words: oneOf(
        /\b(?:poor|bad|low|negative|insufficient) (?:(?:sender|sending|smtp|server|mta|client) )?reputation/,
        /(?:sender|sending|client|server)(?:'s)? (?:has |with |having )?(?:an? )?(?:very )?(?:poor|bad|low|negative) reputation/,
      ),
      unless: /domain|\burls?\b|\blinks?\b|content|attachment|\bfiles?\b|from address|helo|dkim|spf|%addr/,
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
          /spam-? ?traps?\b|\babus(?:e|ive)\b|complain(?:ts?)?\b|unsolicited|unwanted (?:mail|e-?mail|messages?|traffic)/,
          /\bjunk\b|\buce\b|\bube\b|malicious|attack|infected|compromised|botnet|open (?:proxy|relay)|\btor\b/,
          /harvest|dictionary|virus(?:es)? (?:sent|from)/,
        ),
        oneOf(
          /\b(?:from|by|of|at|on|your|this|client|sending|source|in) (?:\w{1,14} ){0,3}(?:ips?\b|hosts?\b(?!ed)|servers?\b|networks?\b|netblock|subnet|range|location|mta\b|isp\b|system\b|machine\b|%ip|%own|\[%ip|\(%ip|<%ip|\[%own)/,
          /(?:%ip|%own)\W{0,3} (?:is|has|was|seems|appears|sen[dt]|due|looks)/,
          /(?<!%)\bip(?: address)?\W{0,2}(?:%ip|%own)?\W{0,3} (?:is|has|was|seems|appears|sen[dt]|due|looks|hit|listed|found)/,
          /\b(?:your )?remote ?host (?:is|has|was|sen[dt]|looks|seems|appears)/,
        ),
      ],
      unless: oneOf(
        /(?:message|mail|email|content) (?:looks|seems|appears|was|is|has been|identified|classified|detected|contains?|rejected|considered|marked|refused)[\w ]{0,30} (?:spam|junk|unsolicited|abuse)/,
        /spam (?:score|content|detected|message rejected|url)|user (?:unknown|not found)/,
        /abuse (?:desk|team|department|contact)|to (?:report|contact) abuse/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5782#section-1",
    },
    {
      id: "ip-administrative",
      class: "ip-reputation",
      words: oneOf(
        /\b(?:your|client|this|sending|sender'?s?|remote|connecting) (?:mail |smtp |e-?mail )?(?:ip|host|server|network|location|ip address|\[?%ip\]?)(?:\/\w{1,9})?\W{0,3}(?:\[?(?:%ip|%own)\]?\W{0,3})?(?:is|was|has been|have been|are) (?:\w{1,14} ){0,2}(?:denied|banned|black-? ?listed|block-? ?listed|blocked|locked out|prohibited|blackholed|on (?:our|a|the) [\w ]{0,12}(?:list|block))/,
        /intrusion prevention active|black-? ?listed (?:client|host|server|ip)\b|black ip\b|\bip\b (?:[\w']{1,10} ){0,6}not (?:authori[sz]ed|allowed|permitted) to send/,
        /\bip\b[\w ]{0,12}(?:prison|jail|penalty box)|banned (?:sending )?ip/,
        /sender ?\[%(?:ip|own)|ip address \W?%(?:ip|own)\W{0,2} does not have permission/,
        /not (?:accepted|allowed|permitted|welcome) from (?:this|your) (?:ip|host|network|server)/,
        /not accepting (?:any )?(?:mail|e-?mail|messages|connections) from (?:(?:this|your) (?:mail )?(?:ip|host|server|network|address)|\W?%ip)/,
        /\bip (?:\w{1,12} ){0,2}(?:banned|blocked|blacklisted|denied|black)|\bbad (?:\w{1,9} )?ips?\b|\bbad host\b|currently sending spam/,
        /(?<!%)\bips?(?: address(?:es)?)?\W{0,2}(?:%ip|%own)?\W{0,2} (?:(?:is|was|has been|are|have been) )?(?:\w{1,12} )?(?:rejected|refused|quarantined|fire-?walled|filtered|not trusted|untrusted|distrusted|forbidden)/,
        /(?:not|n'?t|unable to|unwilling to|cannot|no longer) (?:accept|receive|take|want)(?:ing)? (?:any )?(?:\w{1,10} ){0,2}from (?:(?:your|this|the sending|dynamic|such) (?:mail )?(?:ips?\b|ip range|hosts?\b|servers?\b|networks?\b|isp\b|provider|subnet|system)|ips?\b|\W?%ip|\W?%own)/,
        /\bno (?:mail|e-?mail|smtp|access|connections?|messages?) (?:\w{1,12} ){0,2}(?:from|for) (?:(?:your|this|dynamic) (?:\w{1,10} )?(?:ips?\b|host|server|network)|mail server|\W?%ip|\W?%own)/,
        /(?:confirm|unblock) (?:this|your) (?:mail )?server|your (?:mail )?server requires confirmation|unverif[iy]able (?:sending )?ips?\b/,
        /(?:%ip|%own)\W{0,3} (?:is )?not (?:currently )?(?:authori[sz]ed|permitted) to (?:connect|(?:send|deliver)(?! (?:\w{1,9} )?(?:from|for|on|as)\b))/,
        /the (?:mail|e-?mail|smtp|sending) server (?:is|was|has been) (?:\w{1,14} ){0,2}(?:blocked|banned|black-?listed)/,
        /%(?:ip|own)\W{0,4} ?(?:is |was |has been |are |_is_)(?:\w{1,14} ){0,2}(?:blocked|banned|black-?listed|denied|rejected|refused|on )/,
        /(?:blocked|banned|blacklisted|black listed|black list) ?(?:ip|host|client|address)?\W{0,3}\[?%(?:ip|own)/,
        /(?:part of (?:their|your) network|your network|your isp|your provider)[\w ,']{0,30}(?:block|ban|list|deny|denied|reject)/,
        /(?:mail|e-?mail|messages?|connections?|traffic|smtp)(?: \w{1,10}){0,2} from (?:your|this|the) (?:ip|host|server|network|location|address|range|subnet|netblock|isp|system)[\w ,'%[\]().:-]{0,40}(?:block|ban|den(?:y|ied)|reject|refus|not (?:accepted|allowed|permitted|welcome)|administratively)/,
        /(?:mail|e-?mail|messages?|connections?) from \W?%(?:ip|own)\W{0,3} ?(?:\w{1,12} ){0,3}(?:deferred|delayed)/,
      ),
      unless: oneOf(
        /\bmailbox\b|\buser's|spam detected|too many|rate|limit|frequen|concurren|exceed|quota|relay(?! at\b| of\b)|authentication (?:is )?required/,
        /(?:message|mail|email) (?:was|is|has been|looks)[\w ]{0,30} spam|contains? |\burls?\b/,
        /\b(?:user|recipient|mailbox|account|list|group) (?:does not|doesn'?t|will not|won'?t|has chosen|refuses)/,
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
        /\bdomain[\w ,'%()[\]-]{0,24} (?:blocked|rejected|banned|refused|denied) (?:for|due to|because of|as) (?:\w{1,12} )?(?:spam|abus)/,
        /\bspam(?:ming|mer|mer'?s)? domain|\bdomain (?:is|has been|was) (?:\w{1,12} ){0,5}spam/,
        /\bdomain[\w ,'%()[\]-]{0,24} (?:registered|created)(?: \w{1,10}){0,2} (?:recent|days? ago)|\bdomain age\b/,
        /(?:fresh|fresh(?:ly)? registered|recent(?:ly)? (?:registered|created)|day[- ]old) domain|\bdomain[\w ]{0,12} (?:too )?recently/,
        /(?:sender|from|sending|your) domain (?:is )?(?:not trusted|untrusted|distrusted)/,
      ),
      unless:
        /recipient domain|not exist|not found|url|link|verif|contain|in (?:the |your )?(?:message|body)|domain'?s (?:black|block|deny)/,
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
        /(?:secure|encrypted) (?:smtp )?(?:connections?|channels?|sessions?|transport)(?: is| are)? (?:required|needed|mandatory|only|accepted)/,
        /(?:accepts?|requires?|only|over|via|needs?|use) (?:(?:only|an?|mail|over) ){0,2}(?:secure|encrypted) (?:\w{1,10} )?(?:connection|channel|session|transport)/,
        /not (?:secure|encrypted) enough|(?:did not|didn'?t|without|not) us(?:e|ing) encryption|transport layer security/,
        /(?:insufficient|weak|no|session|connection) (?:encryption|ciphers?)\b|security level check/,
        /(?:client|peer|server) certificate (?:\w{1,10} ){0,2}(?:not|required|missing|invalid|untrusted|expired|rejected|revoked)/,
      ),
      unless: oneOf(
        /auth(?:entication)? (?:mechanism|type)|message (?:is|was) encrypted/,
        /encrypted (?:attachment|message|zip|file|archive)|attachment/,
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
        /\bmax(?:imum|\.)? (?:number of )?(?:\w{1,12} ){0,2}(?:connections?|recipients?|sessions?|rcpts?|messages)\b/,
        /unexpected(?:ly)? (?:high )?volume|unusual (?:rate|volume|traffic)|flood|limits? exceeded/,
        /(?:no more|more than \d+|only \d+|at most \d+|excess(?:ive)?|multiple|parallel|simultaneous|another|toomany) (?:\w{1,12} )?(?:connections?|recipients?|rcpts?|messages|mails|e-?mails|sessions?|traffic|deliveries)\b/,
        /already connected|(?:rate|flow|volume|frequency) (?:is )?too high|sending too (?:much|many|often)|bursting\b|too bursty/,
        /(?:you|you'?ve|sender|client|host|server)(?: has| have)? reached (?:your|the|its|his|our|an?|their) (?:\w{1,12} )?(?:limit|quota|maximum)/,
        /(?:client|host|server|sender|connection|%ip\]?|%own\]?) (?:has |have )?exceeded (?:its |the |his |your |their )?(?:\w{1,12} )?(?:quota|limit|allowance)/,
        /wait (?:a while |some time |\w{1,8} )?before (?:sending|connecting|trying to send)/,
        /exceed\w* (?:the |your |our |its )?(?:\w{1,10} )?limits?\b/,
      ),
      unless: oneOf(
        /hops?\b|received headers?/,
        /too many (?:errors|bad|invalid|unknown|unrecognized|syntax|failed|wrong|protocol|non-?mail|junk)? ?(?:commands?|errors?\b(?! from))/,
        /attachments|mailbox (?:size|storage|quota|is full|full)|quota limit|line limit|over ?quota|disk/,
        /storage|size|header|mailbox has exceeded|mailbox (?:\w+ )?exceeds|\bloop/,
        /(?:in|on) (?:this|the|his|her|your|its) (?:mailbox|inbox|server)|(?:user|mailbox|account) has too many/,
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
      unless: oneOf(
        recipient,
        /relay|sender (?:address|domain)|from address|address <?%addr|domain|command|country|policy|policies|syntax|system error|auth/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-refused-later",
      class: "ip-reputation",
      words: oneOf(
        /(?:access|connections?|mail|e-?mail|messages?|your ip|client|host|transactions?)(?: \w{1,12}){0,3} from (?:\w{1,12} ){0,3}\W?%(?:ip|own)\W{0,3} (?:\w{1,12} ){0,2}(?:block|ban|den(?:y|ied)|reject|refus|not (?:accepted|allowed|permitted|welcome)|prohibit|restrict|disallow)/,
        /\bclient host (?:rejected|refused|denied|blocked)\b/,
        /(?:access|connections?|mail|e-?mail)(?: \w{1,12}){0,2} (?:denied|rejected|refused|blocked|disallowed|prohibited|not accepted|not allowed) (?:from|for|to) (?:\w{1,12} ){0,4}\W?(?:%(?:ip|own)|ip\b|your (?:ip|host|server|network))/,
      ),
      unless: /relay|recipient|user unknown|auth|policy|(?:sender|from|e-?mail) address/,
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-3.1",
    },
    {
      id: "client-own-address",
      class: "ip-reputation",
      words: [/%own/, /block|\bban|black|deny|denied|refus|reject|not (?:allowed|accepted|welcome)/],
      unless: oneOf(recipient, /relay|sender (?:address|domain)|auth|policy/),
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
        /temporar|later|network not allowed|network messages|helo|ehlo|disabled/,
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
