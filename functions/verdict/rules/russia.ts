// What the receivers of Russia and Ukraine say: the codes and links that they publish, then their own words.
// It does not know what anybody else might say in the same language.
import type { RuleGroup } from "./rule.ts";

const mailru = "https://github.com/sisimai/set-of-emails";
const mailruDmarc = "https://help.mail.ru/mail-help/postmaster/dmarc";
const notSpam = "https://help.mail.ru/notspam-support/errors/550spam";
const yandex = "https://yandex.com/support/mail/bounces/yandex.html";
const yandexCodes = "https://smtp.codes/yandex/";
const rambler = "https://smtp.codes/rambler/";
const iua = "https://mail.i.ua/err/";
const nic = "https://nic.ru/help/mail-diagnostics-and-troubleshooting_14426.html";
const ukrainian = "public bounce rules: error-500-550.08.eml";

// prettier-ignore
export const russia: readonly RuleGroup[] = [
  {
    // Even the unknown mailbox comes at the end of DATA.
    name: "mailru", providers: ["mailru"], rules: [
      { id: "mailru-ptr",      class: "reverse-dns",      source: mailru,  words: /\bdo not accept mail from hosts with dynamic ip or generic dns ptr/ },
      { id: "mailru-dynamic",  class: "ip-reputation",    source: mailru,  words: /\bdo not accept mail from dynamic ips?\b/ },
      { id: "mailru-dmarc",    class: "authentication",   source: mailruDmarc, words: /\bnot accepted due to domain\b.{0,80}\bdmarc policy\b/ },
      { id: "mailru-spam",     class: "content-spam",     source: notSpam,
        text: [/\bspam message (?:rejected|discarded)\b/, /\bmail\.ru\/notspam/] },
      // Rspamd says the same two words everywhere.
      { id: "mailru-spam-words", class: "content-spam",   source: notSpam, at: ["mailru"], words: /\bspam message (?:rejected|discarded)\b/ },
      { id: "mailru-disabled", class: "mailbox-disabled", source: mailru,
        words: /\blocal mailbox .{1,80}\bis unavailable: (?:account is disabled|user is (?:terminated|blocked))/ },
      { id: "mailru-unknown",  class: "mailbox-unknown",  source: mailru,  words: /\bnot accepted -- invalid mailbox\b/ },
    ],
  },
  {
    name: "yandex", providers: ["yandex"], rules: [
      { id: "yandex-statistics",  class: "ip-reputation",    source: yandex, words: /\bblocked by spam statistics\b/ },
      { id: "yandex-spam",        class: "content-spam",     source: yandex, words: /\brejected under suspicion of spam\b|\bmessage infected by virus\b/ },
      { id: "yandex-spf",         class: "authentication",   source: yandex, words: /\bspf check failed\b.{0,60}\bin the name of\b/ },
      // The recipient's account is blocked for breaking the rules, says the page.
      { id: "yandex-blocked",     class: "mailbox-disabled", source: yandex, words: /\bpolicy rejection on the target address\b/ },
      { id: "yandex-full",        class: "mailbox-full",     source: yandex, at: ["yandex"], words: /\bmailbox size (?:limit )?exceeded\b/ },
      { id: "yandex-rate",        class: "rate-limit",       source: yandexCodes, words: /\brecipient has exceeded message rate limit\b/ },
      { id: "yandex-unknown",     class: "mailbox-unknown",  source: yandex,
        words: /^no such user!|\bno correct recipients\b|\bbad (?:recipient address|address mailbox) syntax\b/ },
      { id: "yandex-later",       class: "system-error",     source: yandexCodes, words: /\bthe service is currently unavailable\. please come back later\b/ },
    ],
  },
  {
    name: "rambler", providers: ["rambler"], rules: [
      { id: "rambler-disabled", class: "mailbox-disabled", source: rambler, code: [540],
        words: /\brecipient address rejected:? .{0,80}\b(?:inactive|blocked|locked|suspended|deleted)\b/ },
      { id: "rambler-rate",     class: "rate-limit",       source: rambler, at: ["rambler"], code: [452], words: /^rate limit exceeded\b/ },
      { id: "rambler-spam",     class: "content-spam",     source: rambler, words: /\bif this is not spam contact abuse\b/ },
    ],
  },
  {
    // The link's number is the reason.
    name: "iua", providers: ["iua"], rules: [
      { id: "iua-relay",    class: "relay-denied",     source: iua, text: /\bi\.ua\/err\/[16]\b/ },
      { id: "iua-unknown",  class: "mailbox-unknown",  source: iua, text: /\bi\.ua\/err\/2\b/ },
      { id: "iua-frozen",   class: "mailbox-disabled", source: iua, text: /\bi\.ua\/err\/3\b/ },
      { id: "iua-full",     class: "mailbox-full",     source: iua, text: /\bi\.ua\/err\/4\b/ },
      { id: "iua-rate",     class: "rate-limit",       source: iua, text: /\bi\.ua\/err\/5\b/ },
      { id: "iua-helo",     class: "helo",             source: iua, text: /\bi\.ua\/err\/7\b/ },
      { id: "iua-sender",   class: "sender-rejected",  source: iua, text: /\bi\.ua\/err\/8\b/ },
      { id: "iua-listed",   class: "ip-reputation",    source: iua, text: /\bi\.ua\/err\/9\b/ },
      { id: "iua-allow",    class: "policy",           source: iua, text: /\bi\.ua\/err\/10\b/ },
    ],
  },
  {
    name: "nic-ru", providers: ["nic-ru"], rules: [
      { id: "nic-ru-full",    class: "mailbox-full", source: nic, words: /\bprohibited\. disk quota exceeded\b/ },
      // Only its last host takes mail from whom it does not know: the sender is to go through them all.
      { id: "nic-ru-another", class: "greylist",     source: nic, code: [451], words: /^please try another server\b/ },
    ],
  },
  {
    name: "ukr-net", providers: [], rules: [
      { id: "ukr-net-unknown", class: "mailbox-unknown", source: ukrainian, words: /^<?%addr>? not used$/ },
    ],
  },
];
