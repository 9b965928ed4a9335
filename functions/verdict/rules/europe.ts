// What the receivers of Europe say: the codes that they publish first, then their own words.
// It does not know what anybody else might say in the same language.
import type { RuleGroup } from "./rule.ts";

const gmx = "https://postmaster.gmx.net/en/error-messages";
const webde = "https://postmaster.web.de/en/error-messages";
const telekom = "https://postmaster.t-online.de/index.en.html";
const orange = "https://postmaster.orange.fr/";
const ofr = "https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/";
const laposte = "https://www.postmastery.com/laposte-net-postmaster-smtp-error-codes-lpn/";
const laposteDkim = "https://postmaster.laposte.net/contents/mails-rejetes-pour-absence-de-signature-dkim-valide";
const frenchCodes = "https://github.com/sisimai/p5-sisimai/blob/master/lib/Sisimai/Rhost/FrancePTT.pm";
const free = "https://postmaster.free.fr/";
const sfrIn = "https://www.postmastery.com/all-about-isp-sfr-and-smtp-error-codes-sfr_in_xxx/";
const sfrEib =
  "https://www.postmastery.com/fr/delivrabilite-sfr-explications-sur-les-codes-derreur-gu_eib-et-sur-les-seuils-utilises-updated/";
const adaptive = "Momentum documentation: adaptive_rules.lua";
const interia = "https://pomoc.poczta.interia.pl/news-dlaczego-wiadomosc-nie-zostala-dostarczona,nId,6589600";
const forpsi = "https://support.konto.pl/kb/a2871/";
const verifierCorpus = "https://github.com/arapan-gabriel/email-verifier";
const bounceMails = "https://github.com/sisimai/set-of-emails";
const bounceRules = "public bounce rules: Vda BounceClassifier";
const olz = "https://github.com/olzimmerberg/olz-website";

const telekomRemedy = {
  text: "Give the host's name a PTR record and a web page with your imprint, then write with the IP to the address that the reply names.",
  url: "https://postmaster.t-online.de/index.en.html",
} as const;
const orangeRemedy = {
  text: "Send nothing to Orange for two hours; then slower, and only to readers who asked for it.",
  url: "https://postmaster.orange.fr/",
} as const;
const sfrRemedy = {
  text: "The block ends by itself after two hours: mend what the code names before sending again.",
  url: null,
} as const;
const freeRemedy = {
  text: "The block ends by itself within 24 hours, unless the IP goes on: mend the cause first.",
  url: "https://postmaster.free.fr/",
} as const;

// prettier-ignore
export const europe: readonly RuleGroup[] = [
  {
    // The last line decides; its link has a case (`c=r0303`) whose first two digits are the reason.
    name: "united-internet", providers: ["gmx", "webde", "mailcom", "ionos"], rules: [
      { id: "united-internet-case-listed",     class: "ip-reputation",    source: gmx,   blocklist: "united-internet",
        text: /[?&]c=r0[23]\d\d\b/ },
      { id: "united-internet-listed",          class: "ip-reputation",    source: gmx,   blocklist: "united-internet",
        text: [/\bip address is (?:block|black) ?listed/, /\bnemesis\b|\bpostmaster\.(?:gmx|web|mail|1und1|1and1|ionos)\./] },
      { id: "united-internet-listed-here",     class: "ip-reputation",    source: webde, blocklist: "united-internet",
        at: ["gmx", "webde", "mailcom", "ionos"], text: /\bip address is (?:block|black) ?listed/ },
      { id: "united-internet-ptr",             class: "reverse-dns",      source: gmx,
        text: /[?&]c=(?:r06\d\d|rdns)\b|\b(?:bad|invalid) dns ptr resource record/ },
      { id: "united-internet-authentication",  class: "authentication",   source: webde,
        text: /\breject due to (?:spf|dkim|dmarc) policy/ },
      { id: "united-internet-sender-domain",   class: "sender-rejected",  source: webde,
        text: /\binvalid dns mx or a\/aaaa resource record/ },
      { id: "united-internet-quota",           class: "mailbox-full",     source: gmx,
        text: /[?&]c=r15\d\d\b|\bexceeded storage allocation\W{1,3}quota exceeded/ },
      // Disabled for inactivity, says the page; the 4xx is the one that may pass.
      { id: "united-internet-mailbox-later",   class: "mailbox-disabled", source: gmx,   code: [450, 451],
        text: /[?&]c=r16\d\d\b/ },
      { id: "united-internet-mailbox",         class: "mailbox-unknown",  source: gmx,
        text: /[?&]c=r16\d\d\b/ },
      { id: "united-internet-administrative",  class: "ip-reputation",    source: gmx,
        text: [/\bnemesis\b/, /\badministrative reject\b/] },
      // The page names three grounds (headers, domain, IP); the reply does not say which one it is.
      { id: "united-internet-policy",          class: "policy",           source: webde,
        text: /\breject due to policy (?:restriction|violation)|[?&]c=(?:poli|hi|r01\d\d|r11\d\d)\b/ },
      { id: "united-internet-rate",            class: "rate-limit",       source: webde,
        words: /\brate limit reached\W{1,3}please try again later/ },
      { id: "united-internet-size",            class: "message-format",   source: gmx,
        text: [/\bmail size limit exceeded/, /\bpostmaster\.(?:gmx|web|mail|1und1|1and1|ionos)\./] },
      { id: "united-internet-headers",         class: "message-format",   source: webde, code: [550],
        words: /\bsyntax error in parameters or arguments/ },
      { id: "united-internet-syntax",          class: "protocol",         source: gmx,
        text: [/\bsyntax error in parameters/, /\bpostmaster\.(?:gmx|web|mail|1und1|1and1|ionos)\./] },
      { id: "united-internet-closed",          class: "ip-reputation",    source: gmx,   code: [554],
        words: /\bnemesis esmtp service not available/ },
      { id: "united-internet-busy",            class: "system-error",     source: webde, code: [421],
        words: /\bnemesis esmtp service not available/ },
    ],
  },
  {
    // BL: blocked; NOWL: not on the whitelist, for want of a history; DIAL: held for a dial-up range.
    name: "t-online", providers: ["t-online"], rules: [
      { id: "t-online-reputation", class: "ip-reputation", source: telekom, remedy: telekomRemedy,
        words: /\bip[=:]\s?(?:%ip|%own) - (?:none|bad)\/?(?:bad)? reputation|\bnone\/bad reputation\b|\(nowl\)/ },
      { id: "t-online-dynamic",    class: "ip-reputation", source: telekom, remedy: telekomRemedy,
        words: /\bdialup\/transient ip not allowed|\bip[=:]\s?(?:%ip|%own) - .{0,120}\(dial\)/ },
      { id: "t-online-blocked",    class: "ip-reputation", source: telekom, remedy: telekomRemedy,
        words: /\bip[=:]\s?(?:%ip|%own) - (?:a problem occurred|.{0,160}\(bl\))/ },
      { id: "t-online-spam",       class: "content-spam",  source: telekom,
        words: /\bmessage (?:has been )?(?:considered|rejected) (?:as|due to) spam or virus/ },
    ],
  },
  {
    // A reply ends with its code: `OFR_506 [506]`, `OFR006_102`; before the underscore stands which host it was.
    name: "orange", providers: ["orange"], rules: [
      { id: "orange-abusix",          class: "ip-reputation",     source: orange, blocklist: "abusix",
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?100(?![\w-])/ },
      { id: "orange-spamhaus",        class: "ip-reputation",     source: orange, blocklist: "spamhaus-zen",
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?101(?![\w-])/ },
      { id: "orange-cloudmark",       class: "ip-reputation",     source: orange, blocklist: "cloudmark-csi",
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?102(?![\w-])/ },
      { id: "orange-blocked",         class: "ip-reputation",     source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?103(?![\w-])/ },
      { id: "orange-limited",         class: "ip-reputation",     source: orange, remedy: orangeRemedy,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?9[89]\d(?![\w-])/ },
      { id: "orange-rate",            class: "rate-limit",        source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?10[49](?![\w-])/ },
      { id: "orange-ptr",             class: "reverse-dns",       source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?107(?![\w-])/ },
      { id: "orange-helo",            class: "helo",              source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?20\d(?![\w-])/ },
      { id: "orange-authentication",  class: "authentication",    source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?(?:39\d|401|51[579]|535)(?![\w-])/ },
      { id: "orange-domain",          class: "domain-reputation", source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?425(?![\w-])|\binvalid sender\. your domain has been blacklisted/ },
      { id: "orange-sender",          class: "sender-rejected",   source: ofr,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?(?:403|405|415|421)(?![\w-])/ },
      { id: "orange-mailbox",         class: "mailbox-unknown",   source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?41[68](?![\w-])/ },
      { id: "orange-full",            class: "mailbox-full",      source: ofr,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?417(?![\w-])/ },
      { id: "orange-disabled",        class: "mailbox-disabled",  source: ofr,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?42[06](?![\w-])/ },
      { id: "orange-busy",            class: "system-error",      source: frenchCodes,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?505(?![\w-])/ },
      { id: "orange-spam",            class: "content-spam",      source: orange,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?5[03]6(?![\w-])/ },
      { id: "orange-size",            class: "message-format",    source: frenchCodes,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?514(?![\w-])|\btaille limite du message atteinte/ },
      { id: "orange-login",           class: "relay-denied",      source: frenchCodes,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?(?:305|402)(?![\w-])/ },
      { id: "orange-refused",         class: "unspecified",       source: frenchCodes,
        text: /\bo(?:fr|uk)[0-9a-z]{0,4}[_-]?(?:105|108|423|424|513)(?![\w-])/ },
      // Without a code, as other hosts of theirs say it; La Poste's words are the same.
      { id: "orange-words-spf",       class: "authentication",    source: frenchCodes, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}/,
        words: /\bspf\/dns de votre nom de domaine/ },
      { id: "orange-words-blocked",   class: "ip-reputation",     source: "https://github.com/ActiveCampaign/smtp-field-manual/pull/60",
        words: /\badresse ip source bloquee/, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}/ },
      { id: "orange-words-rate",      class: "rate-limit",        source: adaptive, at: ["orange"],
        words: /\btrop de connexions\b/ },
      { id: "orange-words-sender",    class: "sender-rejected",   source: frenchCodes, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}|\bspf\b/,
        words: /\bemetteur invalide\b/ },
      { id: "orange-words-mailbox",   class: "mailbox-unknown",   source: frenchCodes, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}/,
        words: /\bdestinataire invalide\b/ },
      { id: "orange-words-full",      class: "mailbox-full",      source: frenchCodes, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}/,
        words: /\bboite du destinataire pleine\b/ },
      { id: "orange-words-archived",  class: "mailbox-disabled",  source: frenchCodes, unless: /\blpn[0-9a-z]{0,4}[_-]?\d{3}/,
        words: /\bboite du destinataire archivee\b/ },
    ],
  },
  {
    // `LPN007_510`, `LPNAAA_101`, `LPN416`.
    name: "laposte", providers: ["laposte"], rules: [
      { id: "laposte-spamhaus",       class: "ip-reputation",    source: frenchCodes, blocklist: "spamhaus-zen",
        text: /\blpn[0-9a-z]{0,4}[_-]?101(?![\w-])/ },
      { id: "laposte-senderscore",    class: "ip-reputation",    source: laposte, blocklist: "senderscore",
        text: /\blpn[0-9a-z]{0,4}[_-]?102(?![\w-])/ },
      // The same code says two things: what was sent looks like spam, or nothing but `service refused`.
      { id: "laposte-spam",           class: "content-spam",     source: "https://smtp.codes/laposte/",
        text: [/\blpn[0-9a-z]{0,4}[_-]?5(?:06|10|36)(?![\w-])/, /\bnon sollicite|\bunsolicited\b|\bmail rejete\b/] },
      { id: "laposte-blocked",        class: "ip-reputation",    source: laposte,
        text: /\blpn[0-9a-z]{0,4}[_-]?(?:103|503|510|630|9[89]\d)(?![\w-])/ },
      { id: "laposte-rate",           class: "rate-limit",       source: laposte,
        text: /\blpn[0-9a-z]{0,4}[_-]?104(?![\w-])/ },
      { id: "laposte-login",          class: "relay-denied",     source: frenchCodes,
        text: [/\blpn[0-9a-z]{0,4}[_-]?402(?![\w-])/, /\bauthentification requise|\bauthentication required/] },
      { id: "laposte-authentication", class: "authentication",   source: laposteDkim,
        text: /\blpn[0-9a-z]{0,4}[_-]?(?:39\d|40[12]|51[579]|535)(?![\w-])/ },
      { id: "laposte-sender",         class: "sender-rejected",  source: laposte,
        text: /\blpn[0-9a-z]{0,4}[_-]?(?:403|405|415|421)(?![\w-])/ },
      { id: "laposte-mailbox",        class: "mailbox-unknown",  source: laposte,
        text: /\blpn[0-9a-z]{0,4}[_-]?41[68](?![\w-])/ },
      { id: "laposte-full",           class: "mailbox-full",     source: frenchCodes,
        text: /\blpn[0-9a-z]{0,4}[_-]?417(?![\w-])/ },
      { id: "laposte-disabled",       class: "mailbox-disabled", source: frenchCodes,
        text: /\blpn[0-9a-z]{0,4}[_-]?42[06](?![\w-])/ },
      { id: "laposte-busy",           class: "system-error",     source: frenchCodes,
        text: /\blpn[0-9a-z]{0,4}[_-]?505(?![\w-])/ },
      // Nothing is published of these, and the words say no reason.
      { id: "laposte-refused",        class: "unspecified",      source: frenchCodes,
        text: /\blpn[0-9a-z]{0,4}[_-]?(?:10[5-9]|423|424)(?![\w-])/ },
    ],
  },
  {
    name: "free", providers: ["free"], rules: [
      { id: "free-spams",    class: "ip-reputation",    source: free, words: /\btoo many spams? from your ip\b/, remedy: freeRemedy },
      { id: "free-errors",   class: "rate-limit",       source: free, words: /\btoo many errors from your ip\b/, remedy: freeRemedy },
      { id: "free-ptr",      class: "reverse-dns",      source: "https://github.com/iredmail/iRedMail/issues/156",
        words: /\brefused\. your reverse dns entry\b/ },
      { id: "free-spam",     class: "content-spam",     source: free, words: /^(?:spam|virus) detected\b/, at: ["free"] },
      { id: "free-inactive", class: "mailbox-disabled", source: "https://smtp.codes/free/", words: /\bmailbox has been blocked due to inactivity/ },
      { id: "free-full",     class: "mailbox-full",     source: "https://smtp.codes/free/", words: /\buser quota exceeded\b/, at: ["free"] },
      { id: "free-unknown",  class: "mailbox-unknown",  source: "https://smtp.codes/free/", words: /\buser unknown \(usersearch\)/ },
    ],
  },
  {
    // Of SFR_IN_xyy the last two digits are the reason. GU_EIB is the older form, always against the IP.
    name: "sfr", providers: ["sfr"], rules: [
      { id: "sfr-abuse",      class: "ip-reputation", source: sfrEib, text: /\bgu_eib_\d|\babus detecte\b/ },
      { id: "sfr-in-abuse",   class: "ip-reputation", source: sfrIn,  text: /\bsfr_in_\d0[124]\b/, remedy: sfrRemedy },
      { id: "sfr-in-rate",    class: "rate-limit",    source: sfrIn,  text: /\bsfr_in_\d0[35]\b/, remedy: sfrRemedy },
      { id: "sfr-spam",       class: "content-spam",  source: sfrIn,  words: /\brejected per spam policy\b/ },
    ],
  },
  {
    // LIB is Libero, VIR is Virgilio; Cloudmark's gateway writes as `bizsmtp`.
    name: "libero", providers: ["libero"], rules: [
      { id: "libero-cloudmark", class: "ip-reputation",   source: "https://turbolab.it/", blocklist: "cloudmark-csi",
        text: /\b(?:lib|vir)_102\b|\bip blacklisted by csi\b/ },
      { id: "libero-ptr",       class: "reverse-dns",     source: bounceRules, text: /\b(?:lib|vir)_120\b/ },
      { id: "libero-sender",    class: "sender-rejected", source: bounceRules, text: /\b(?:lib|vir)_420\b/ },
      { id: "libero-rate",      class: "rate-limit",      source: bounceRules,
        text: [/\biol\.local\b|\blibero\.it\b/, /\btoo many (?:connections|invalid recipients)\b/] },
    ],
  },
  {
    name: "tiscali", providers: ["tiscali"], rules: [
      { id: "tiscali-ip", class: "ip-reputation", source: bounceRules, words: /\btoo (?:much spam|many invalid recipients) from this ip\b/ },
    ],
  },
  {
    name: "alice", providers: ["alice"], rules: [
      { id: "alice-listed",  class: "ip-reputation", source: bounceRules, words: /\bnot accepted from blacklisted ip address\b/ },
      { id: "alice-harvest", class: "ip-reputation", source: bounceRules, words: /\btoo many unknown rcpt to addresses from host\b/ },
      { id: "alice-busy",    class: "system-error",  source: bounceRules, words: /\bservice not available - too busy\b/ },
    ],
  },
  {
    name: "bluewin", providers: ["bluewin"], rules: [
      { id: "bluewin-reputation", class: "ip-reputation", source: olz, text: /\bsc\d{3}: .{0,40}\breputation\b/ },
      { id: "bluewin-policy",     class: "policy",        source: olz, text: /\bsc\d{3}: .{0,40}\bpolicy\b/ },
    ],
  },
  {
    // Virgin Media, Ziggo and UPC: `MXIN103`; 1xx at the greeting, 5xx in the envelope, 6xx of the message.
    name: "ziggo", providers: ["ziggo"], rules: [
      { id: "ziggo-listed",         class: "ip-reputation",     source: bounceMails, text: /\bmxin1\d\d\b.{0,60}\bin rbl\b/ },
      { id: "ziggo-rate",           class: "rate-limit",        source: "https://www.braze.com/docs: email FAQ", text: /\bmxin503\b/ },
      // A domain, in spite of the list's name that speaks of addresses.
      { id: "ziggo-domain",         class: "domain-reputation", source: bounceMails, blocklist: "spamhaus-dbl",
        text: /\bmxin506\b/ },
      { id: "ziggo-authentication", class: "authentication",    source: olz, text: /\bmxin603\b/ },
      { id: "ziggo-mailbox",        class: "mailbox-unknown",   source: bounceMails, text: /\bmxin501\b/ },
    ],
  },
  {
    name: "kpn", providers: ["kpn"], rules: [
      { id: "kpn-page",   class: "ip-reputation", source: "https://blacklist.kpnmail.nl/", text: /\bblacklist\.kpnmail\.nl\// },
      { id: "kpn-listed", class: "ip-reputation", source: "a public mail log (mx.kpnmail.nl)", at: ["kpn"],
        words: /\byour ip:? \[?(?:%ip|%own)\]? (?:is|has been) blacklisted\b/ },
    ],
  },
  {
    name: "seznam", providers: ["seznam"], rules: [
      { id: "seznam-mailbox", class: "mailbox-unknown", source: "https://napoveda.seznam.cz/uzivatel-neexistuje",
        words: /\buser hasn't got the service mapped\b/ },
    ],
  },
  {
    // WP with o2, and Interia: Polish first, English behind it; either half may be cut.
    name: "poland", providers: ["wp", "interia"], rules: [
      { id: "poland-disabled", class: "mailbox-disabled", source: bounceRules,
        words: /\bkonto jest zablokowane\b|\baccount is disabled or not yet active\b/ },
      { id: "poland-unknown",  class: "mailbox-unknown",  source: interia,
        words: /\bnie ma takiego konta\b|\bpodane konto nie istnieje\b|\baccount not found\b/ },
      { id: "poland-spam",     class: "content-spam",     source: "https://github.com/KumoCorp/kumomta/blob/main/assets/community/bounces.toml",
        words: /\bcan't accept this message because it is spam\b|\bodrzucona przez system antyspamowy\b/ },
      { id: "poland-unwanted", class: "policy",           source: interia, words: /\brecipient doesn't want your mail\b/ },
      { id: "poland-spf",      class: "authentication",   source: interia, words: /\[spf\] .{0,80}\bnot allowed to send mail\b/ },
      { id: "poland-rate",     class: "rate-limit",       source: adaptive, words: /\byou sent too many e-mails\b/ },
    ],
  },
  {
    name: "hosting-europe", providers: [], rules: [
      { id: "hosting-europe-hosteurope", class: "mailbox-unknown",  source: verifierCorpus, text: /\baddress invalid \(id:/ },
      { id: "hosting-europe-msg-unknown",  class: "mailbox-unknown",  source: verifierCorpus, text: /\[msg0031\]/ },
      { id: "hosting-europe-msg-disabled", class: "mailbox-disabled", source: verifierCorpus, text: /\[msg00(?:29|30)\]/ },
      // The recipient's own list, says the page.
      { id: "hosting-europe-forpsi-list",  class: "policy",           source: forpsi, status: /^5\.1\.1$/, words: /\bsender is blacklisted\b/ },
      { id: "hosting-europe-forpsi-spf",   class: "authentication",   source: forpsi, words: /\bblocked by spf\b/ },
    ],
  },
];
