// Families of English wording about the message, about rules without a reason, and about a receiver that is broken.
// Cause before verdict; it knows no provider. Other languages are in languages.ts.
import { oneOf, type RuleGroup } from "./rule.ts";

export const spam: RuleGroup = {
  name: "spam",
  providers: [],
  rules: [
    {
      // A filter that is down has judged nothing.
      id: "spam-filter-down",
      class: "system-error",
      words: oneOf(
        /(?:virus|spam|content|mail|malware|\bav) ?-?(?:scann?er|scan|filter|checker|engine)[\w ]{0,14}(?:unavailable|errors?\b|fail|time-?d? ?out|down\b|busy|not available|unreachable)/,
        /\bmaintenance\b|database (?:blocked|locked|error|unavailable|is)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc3463#section-3.4",
    },
    {
      id: "spam-account-locked",
      class: "mailbox-disabled",
      status: /^[45]\.2\.1$/,
      words: [/account|mailbox|user|recipient/, /lock|block|disab|suspend|inactiv|clos(?:ed|ure)/],
      source: "https://www.rfc-editor.org/rfc/rfc3463#section-3.3",
    },
    {
      id: "spam-malware",
      class: "content-spam",
      words: oneOf(
        /\bvirus(?:es)?\b|\bmalware\b|\bmalicious\b|\btrojan\b|\bworm\b|\binfected\b|\bphish\w*|\beicar\b/,
        /\bransomware\b|\bmacro virus|\bclamav\b|\bheuristics\.|\bsuspicious (?:content|attachment|url|link)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-7.9",
    },
    {
      id: "spam",
      class: "content-spam",
      words: oneOf(
        /\bspam(?:my|assassin|iness|med|ming)?\b|\bspam[-_]?(?:like|score|score|detected|content)/,
        /\bunsolicited\b|\bunwanted (?:mail|e-?mail|message|content)|\bjunk\b|\bube\b|\buce\b/,
        /\bbulk (?:mail|e-?mail|message)/,
        /content (?:reject(?:ed)?|denied|blocked|refused|filter|not (?:accepted|allowed|acceptable)|restriction|policy)/,
        /(?:objectionable|offensive|prohibited|forbidden|inappropriate|banned|unacceptable|illegal|undesirable) (?:content|words?|phrases?|subject|text)/,
        /message content|mail content|(?:due to|because of) (?:its |the |message |your )?content|block\w* urls?\b|(?<!%)\burls?\b.{0,40}(?:block|list|reject|spam|ban)|\brspamd\b|\bbayes/,
        /\bfingerprint|\bscored?\b.{0,20}(?:points|spam|too|high|\d)|body (?:rejected|contains|filter)/,
        /high (?:probability|risk)|looks like (?:a )?(?:scam|fraud|bulk|advert)|\bscam\b|\bfraud\w*/,
      ),
      unless: oneOf(
        /relay|user unknown|unknown user|no such user|auth(?:entication)? required/,
        /too many (?:connections|recipients)|attachment (?:type|extension)|rcpthosts/,
        /sender (?:address )?rejected|does not exist/,
        /(?:not )?(?:our )?antispam (?:system|gateway) (?:is )?(?:busy|unavailable)/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-7.9",
    },
  ],
};

export const format: RuleGroup = {
  name: "format",
  providers: [],
  rules: [
    {
      id: "format-message",
      class: "message-format",
      words: oneOf(
        /failed to parse message|parse error/,
        /more than \d+ ?(?:[km]i?b|bytes)|longer than \d+ ?(?:[km]i?b|bytes|octets)/,
        /(?:message|mail|e-?mail|attachment|file|header|data|line|body)(?:'s)? (?:\w{1,12} ){0,3}(?:size|length|too (?:large|big|long)|exceeds?|exceeded|is larger|larger than|limit)/,
        /size (?:limit|exceed\w*|exceeds)|too (?:large|big)\b/,
        /exceed(?:s|ed)? (?:\w{1,14} ){0,5}(?:size|length|bytes|maximum)/,
        /\bmaximum (?:message |allowed |permitted |mail )?size|\brfc ?-?(?:2822|5322|822|2045|2047|2822)\b/,
        /\bheaders?\b|bare (?:lf|cr|line ?feed|newline)|line ?feeds?|line too long/,
        /lines? (?:longer|exceed|too)|attachments?\b|\bmime\b|8-?bit|non-?ascii|utf-?8|charset/,
        /encod(?:ing|ed)|message-? ?id|missing (?:from|date|subject|to)/,
        /(?:no|invalid|empty|multiple|missing|duplicate|malformed) (?:subject|date|from(?: header)?|message-id|body|to header)/,
        /malformed|not (?:rfc|compliant)|(?:file|extension|attachment) (?:type|name|extension)s?|body type/,
        /smtputf8|\bcharacters? (?:not|in)|executable|nul characters?|from: header/,
      ),
      unless: oneOf(
        /recipient|mailbox|quota|address syntax|syntax error|malformed (?:address|command|helo|rcpt|mail)/,
        /command|user/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc3463#section-3.7",
    },
  ],
};

export const policy: RuleGroup = {
  name: "policy",
  providers: [],
  rules: [
    {
      id: "policy-protocol",
      class: "protocol",
      words: oneOf(
        /\bpipelining\b|synchroni[sz]ation|bad sequence|out of (?:sequence|order)|sequence (?:of|error)/,
        /syntax error|unrecogni[sz]ed (?:command|parameter)/,
        /(?:command|parameter|argument|verb)s? (?:\w{1,12} ){0,3}(?:unrecogni[sz]ed|unknown|not (?:implemented|recogni[sz]ed|supported|understood|allowed|accepted)|invalid|too long|unimplemented|disabled|rejected|out)/,
        /(?:unknown|invalid|bad|unsupported|unimplemented|illegal) (?:command|parameter|argument|option|smtp command)/,
        /too many (?:\w{1,12} ){0,3}(?:errors?|commands?|unrecogni[sz]ed|unknown commands|syntax|protocol)/,
        /(?:need|issue|expected?|missing|specify|polite)[\w ,'"]{0,16}\b(?:rcpt|mail|helo|ehlo|recipient|data)\b(?: (?:first|to|from|command|before|needed|specified))?/,
        /\bno (?:valid )?(?:rcpt|recipients?|sender|helo|ehlo)(?: to| address)?(?: (?:given|specified|yet|first|command|has been))?(?:$|\W)/,
        /(?:rcpt|mail|helo|ehlo|data) (?:first|required|expected|before|command (?:first|expected))/,
        /valid recipients|no recipients|nested mail|already (?:specified|given|in progress)/,
        /protocol (?:error|violation)|error limit|early talker|talk(?:ed|ing)? (?:too soon|before)/,
        /address syntax|syntax/,
      ),
      unless: /user|mailbox|polic(?:y|ies)|(?:sender|recipient) address rejected/,
      source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.4",
    },
    {
      id: "policy",
      class: "policy",
      words: oneOf(
        /polic(?:y|ies)\b/,
        /(?:recipient|receiver|user|owner|addressee|administrator|admin|customer|account|organi[sz]ation|site|system)(?! address rejected)[\w ']{0,20} (?:block|reject|refus|den(?:y|ied)|does not (?:accept|want|wish|allow)|prefer\w*|rules?|settings|filter|configur|restrict\w*)/,
        /(?:blocked|rejected|denied|refused|filtered|restricted|prohibited|disallowed|discarded) (?:by|due to|for|because of|at|per|as per) (?:\w{1,14} ){0,3}(?:administrator|admin|user|recipient|receiver|rules?|filter\w*|setting|security|site|system|configuration|owner|request|organi[sz]ation|customer|restriction|reasons?|preferences?)/,
        /administrative(?:ly)? (?:prohibit|den|block|reject|restrict)\w*/,
        /(?:not|isn'?t) (?:allowed|authori[sz]ed|permitted) (?:to|for|by|from) (?:send|deliver|post|contact|submit|mail|e-?mail|write|this|that|your|sender|the)/,
        /(?:delivery|sender|message|mail|e-?mail|recipient) (?:is )?not (?:authori[sz]ed|allowed|permitted|accepted)/,
        /access (?:denied|is denied|rejected|not allowed|restricted)|\bgeo-?(?:ip|block|location)/,
        /countr(?:y|ies)|security (?:reasons?|policy|polic|violation)|badrcptto|allow-?list|white-?list/,
        /approved senders|blocked by|locally (?:denied|blocked)|message (?:filtered|rejected by)/,
        /recipient[\w %<>]{0,30} black-? ?listed|black-? ?listed (?:recipient|by (?:the )?(?:recipient|user))/,
        /temporary locked|prohibited|restricted|(?:doesn'?t|don'?t|do not) want|not in[\w -]{0,24}(?:allowed|approved|accepted|permitted)/,
        /only accept(?:s|ing)? (?:e-?mail|mail|messages)|delivery requirements|does not want/,
        /(?:not|isn'?t) listed as (?:allowed|a member)/,
        /not (?:an? )?(?:allowed|approved|authori[sz]ed|permitted) (?:sender|poster|member)/,
        /(?:members?|subscribers?|moderat\w+) only/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc3463#section-3.8",
    },
  ],
};

export const system: RuleGroup = {
  name: "system",
  providers: [],
  rules: [
    {
      id: "system-error",
      class: "system-error",
      words: oneOf(
        /temporary problem|server temporarily|resource limit/,
        /(?:internal|local|server|system|configuration|database|backend|resolver|processing|queue|file|i\/o|software|disk|dns|lookup|ldap|proxy|technical|upstream|storage|mta|filter|milter|scanner|socket|connection|resources?|network|mail ?server|temporary lookup|policy service)[\w, -]{0,24}(?:errors?|failures?|failed|problems?|unavailable|busy|issue|overload\w*|down|trouble|defer\w*|fault|not available|exception|unreachable|timeout)/,
        /(?:error|failure|problem|fault) (?:in|on|with|while|during|at) (?:\w{1,12} ){0,3}(?:server|system|processing|lookup|database|local|queue|backend)/,
        /\bbusy\b|overload\w*|(?:system|server) load|load (?:is )?too|high load/,
        /out of (?:memory|disk|resources|connections|space)/,
        /insufficient (?:system )?(?:storage|resources|memory|disk|space)/,
        /(?:service|server|system|host|mail server) (?:is |are |\w{1,12} ){0,3}(?:unavailable|not available|shutting down|down|closing|maintenance|out|not ready|not accepting|refused)/,
        /maintenance|shutting down|come back later/,
        /not (?:currently )?accepting (?:messages|network|connections|mail)/,
        /can(?:not|'?t) (?:open|create|write|allocate|fork|process|queue|store|connect|complete)/,
        /unable to (?:process|complete|open|write|queue|connect|create|store|lookup)/,
        /(?:lookup|scan\w*|processing) (?:failed|error|timeout|temporarily)|timed? ?-?out|deadlock|exception/,
        /license (?:has )?expired/,
      ),
      source: "https://www.rfc-editor.org/rfc/rfc3463#section-3.4",
    },
  ],
};
