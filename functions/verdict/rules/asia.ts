// What mailbox providers of East and South Asia document or have been seen to say.
// It does not know Yahoo! Japan, whose words are Yahoo's, nor who answered.
import { oneOf, type RuleGroup } from "./rule.ts";

export const asia: readonly RuleGroup[] = [qq(), netease(), sina(), aliyun(), daum(), naver(), docomo(), zoho()];

/** QQ and Tencent's company mail. The number at the end of the link is the page that explains the sentence. */
function qq(): RuleGroup {
  const source = "https://service.mail.qq.com/detail/122";
  const only = ["qq"] as const;
  // prettier-ignore
  return {
    name: "qq", providers: only,
    rules: [
      { id: "qq-spam-ip", class: "ip-reputation", words: /suspected spam ip\b|suspected bounce attacks/, source },
      { id: "qq-spam-sender", class: "domain-reputation", words: /suspected spam sender/, source },
      { id: "qq-auth", class: "authentication", words: /\b(?:spf|dkim|dmarc) check failed/, source },
      { id: "qq-spam", class: "content-spam", words: /mail content denied|spam is embedded in the e-?mail|suspected spam\b/, source },
      { id: "qq-frequency", class: "rate-limit", words: /\b(?:ip|domain|sender|connection) frequency (?:has been )?limited/, source },
      // The mailbox gets too much just now, the page says, whatever the words.
      { id: "qq-mailbox-busy", class: "rate-limit", text: [/mailbox unavailable or access den/, /mail\.qq\.com|weixin\.qq\.com/], source },
      { id: "qq-mailbox-busy-bare", class: "rate-limit", at: only, words: /mailbox unavailable or access den/, source },
      { id: "qq-connection", class: "rate-limit", at: only, words: /connection denied/, source },
      { id: "qq-rejected", class: "policy", words: /mail is rejected by recipients?\b/, source },
      { id: "qq-deactivated", class: "mailbox-disabled", words: /is a deactivated mailbox/, source },
      { id: "qq-unknown", class: "mailbox-unknown", at: only, words: /mailbox not found|bad address syntax/, source },
      { id: "qq-headers", class: "message-format", words: /"?from"? header is missing or invalid/, source },
      { id: "qq-size", class: "message-format", at: only, words: /message too large/, source },
    ],
  };
}

/**
 * 163, 126, yeah.net; Coremail, which universities and companies run, has the same codes. Two letters say the command
 * (HL the greeting, MI MAIL, RP RCPT, DT DATA, WM a list), three the reason.
 */
function netease(): RuleGroup {
  const source = "http://mail.163.com/help/help_spam_16.htm";
  const only = ["netease"] as const;
  const coremail = "https://www.icoremail.vip/support/index.php?cate_id=84";
  // prettier-ignore
  return {
    name: "netease", providers: only,
    rules: [
      { id: "netease-ip", class: "ip-reputation", words: /\bhl:(?:rep|mep|ihu|ipb)\b|\bdt:rbl\b|\bwm:bli\b/, source },
      { id: "netease-ip-list", class: "ip-reputation", words: /\bip (?:in blacklist|is (?:rejected|hangup))\b|not taken: ?invalid ip\b/, source },
      { id: "netease-ip-dnsbl", class: "ip-reputation", text: [/requested (?:mail )?action not taken/, /\b(?:dnsbl|rbl|spamhaus)\b/],
        source: "https://github.com/zone-eu/zone-mta/blob/master/config/bounces.txt" },
      { id: "netease-auth", class: "authentication", words: /\bmi:(?:spf|dma)\b/, source },
      { id: "netease-helo", class: "helo", words: /\bmi:nhd\b/, source },
      { id: "netease-rate", class: "rate-limit", words: /\bhl:(?:icc|if[cq]|itc)\b|\bmi:(?:dmc|sfq|stc)\b|\brp:(?:drc|qrc|trc|rcl)\b|too much recipient/, source },
      { id: "netease-commands", class: "protocol", words: /\b(?:mi|rp|hl|dt):(?:cel|ccl)\b/, source },
      { id: "netease-spam", class: "content-spam", words: /\bdt:spm\b/, source },
      { id: "netease-sender", class: "sender-rejected", words: /\bmi:(?:imf|spb)\b|\bwm:blu\b|\bdt:sum\b|user in blacklist/, source },
      { id: "netease-sender-words", class: "sender-rejected", words: /not taken: ?(?:null sender|no smtp mx only|fake sender)|^sender is rejected/, source: coremail },
      { id: "netease-relay", class: "relay-denied", words: /\brp:frl\b|not taken: ?local user only/, source },
      { id: "netease-disabled", class: "mailbox-disabled", at: only, words: /^user (?:suspended|hangup|rejected)\b/, source: coremail },
      { id: "netease-unknown", class: "mailbox-unknown", at: only, words: /^(?:invalid user\b|user not found\b)/, source },
      { id: "netease-size", class: "message-format", words: /exceeded mailsize limit|^illegal attachment/, source },
    ],
  };
}

function sina(): RuleGroup {
  const source = "https://blog.sina.com.cn/s/blog_8dc13ec50101fxxr.html";
  const only = ["sina"] as const;
  // prettier-ignore
  return {
    name: "sina", providers: only,
    rules: [
      { id: "sina-ip", class: "ip-reputation", words: /^black ip\b|\brbl deny\b|^openrelay check/, source },
      { id: "sina-helo", class: "helo", words: /\bhelohost error/, source },
      { id: "sina-remote-ip", class: "authentication", words: /remote ip check error/, source },
      { id: "sina-spam", class: "content-spam", words: /by anti-spam engine|too many same size mails/, source },
      { id: "sina-virus", class: "content-spam", at: only, words: /virus found/, source },
      { id: "sina-sender", class: "sender-rejected", words: /^(?:host denies the sender|black mail address|sender is unvalidated)/, source },
      { id: "sina-sender-at", class: "sender-rejected", at: only, words: /^mail (?:from|address) invalid/, source },
      { id: "sina-locked", class: "mailbox-disabled", words: /^user is locked/, source },
      { id: "sina-list", class: "policy", words: /private list access denied|smtpport check error/, source },
      { id: "sina-relay", class: "relay-denied", words: /relay check (?:domain|local) fail|host denies relay|fake router info/, source },
      { id: "sina-rate", class: "rate-limit", words: /out of allow rcpt numbers/, source },
      { id: "sina-rate-at", class: "rate-limit", at: only, words: /too many (?:recipients|connect)/, source: "https://github.com/AfterShip/email-verifier" },
      { id: "sina-auth", class: "relay-denied", at: only, words: /^(?:auth error|domain auth support error|auth mode unsupported)/, source },
      { id: "sina-busy", class: "system-error", at: only, words: /^(?:out of memory|queue unavailable|database temporary error)/, source },
      { id: "sina-size", class: "message-format", at: only, words: /(?:message|attachment) is too long/, source },
      { id: "sina-order", class: "protocol", at: only, words: /please say (?:helo|mail|rcpt)|line parse error|sequence error|stray newline/, source },
    ],
  };
}

/** Alibaba's company mail. The reason stands behind the `ANTISPAM_BAT[…]`. */
function aliyun(): RuleGroup {
  const source = "http://www.zyy100.com/article-show-50-246.html";
  const seen = "https://github.com/AfterShip/email-verifier";
  // prettier-ignore
  return {
    name: "aliyun", providers: ["aliyun"],
    rules: [
      { id: "aliyun-auth", class: "authentication", words: [/antispam_bat|reject by behaviou?r/, /\b(?:spf|dkim|dmarc) (?:check )?fail/], source: seen },
      { id: "aliyun-rate", class: "rate-limit", words: [/antispam_bat|reject by behaviou?r/, /too frequently|unexpected sending/], source: "https://aliyun123.cn/news/568.html" },
      { id: "aliyun-content", class: "content-spam", words: /reject by content spam|spamed by local spam engine|eso_local_spam/, source: "https://help.aliyun.com/document_detail/36620.html" },
      { id: "aliyun-behaviour", class: "ip-reputation", words: /reject by behaviou?r spam/, source },
    ],
  };
}

/** Daum, Hanmail, Kakao: a word whose first letter says the command (C connection, R recipient, D data). */
function daum(): RuleGroup {
  const source = "https://oliveit.tistory.com/39";
  // prettier-ignore
  return {
    name: "daum", providers: ["daum"],
    rules: [
      { id: "daum-spam-ip", class: "ip-reputation", words: /\bc[a-z]{3} %(?:ip|own): connection refused/, source },
      { id: "daum-busy", class: "system-error", words: /\bc[a-z]{3} %(?:ip|own): network is busy/, source },
      { id: "daum-unknown", class: "mailbox-unknown", words: /\brusr %(?:ip|own)\b/, source },
      { id: "daum-inactive", class: "mailbox-disabled", words: /\bract %(?:ip|own)\b/, source },
      { id: "daum-denied", class: "policy", words: /\brdeny %(?:ip|own)\b/, source },
      { id: "daum-content", class: "content-spam", words: /blocked automatically by anti-spam system/, source: "https://auctionpro.co.kr/?p=2544" },
    ],
  };
}

function naver(): RuleGroup {
  const source = "https://help.naver.com/alias/mail/newmail10.naver";
  const seen = "https://puffinknight.tistory.com/102";
  // prettier-ignore
  return {
    name: "naver", providers: ["naver"],
    rules: [
      { id: "naver-filtered", class: "ip-reputation", words: /your ip ?\(\S{0,40}\) is filtered/, source: seen },
      { id: "naver-ip-control", class: "ip-reputation", words: /spam_suspect:ip_control/, source: seen },
      { id: "naver-rate", class: "rate-limit", words: /^you send too many messages/, source: seen },
      { id: "naver-unknown", class: "mailbox-unknown", text: [/no such user/, /nsmtp|help\.naver\.com/], source },
    ],
  };
}

function docomo(): RuleGroup {
  const source = "https://github.com/sisimai/p5-sisimai/blob/5-stable/lib/Sisimai/Rhost/NTTDOCOMO.pm";
  const only = ["docomo"] as const;
  // prettier-ignore
  return {
    name: "docomo", providers: only,
    rules: [
      { id: "docomo-full", class: "mailbox-full", words: /^too much mail data\b/, source },
      { id: "docomo-unknown", class: "mailbox-unknown", at: only, words: /^unknown user/, source },
      { id: "docomo-rate", class: "rate-limit", at: only, words: /too many recipients/, source },
    ],
  };
}

function zoho(): RuleGroup {
  const source = "https://smtpfieldmanual.com/provider/zoho";
  const spam = "https://www.zoho.com/mail/help/spam-reason.html";
  const only = ["zoho"] as const;
  // prettier-ignore
  return {
    name: "zoho", providers: only,
    rules: [
      { id: "zoho-dmarc", class: "authentication", at: only, words: /per dmarc policy|\b(?:spf|dkim) (?:check )?fail/, source },
      { id: "zoho-virus", class: "content-spam", words: /detected by zoho mail/, source },
      { id: "zoho-spam", class: "content-spam", words: /e-?mail flagged as spam/, source: spam },
      { id: "zoho-antispam", class: "content-spam", words: /mail (?:rejected|deferred) due to antispam policy/, source: spam },
      { id: "zoho-policy", class: "policy", words: oneOf(/mailbox delivery (?:failure|restricted by) policy error|mailpolicy violation/, /e-?mail policy violation detected/), source },
      { id: "zoho-domain-policy", class: "policy", words: /mail rejected by destination domain/, source },
      { id: "zoho-temporary", class: "system-error", words: /^temporary system error$/, source },
      { id: "zoho-relay", class: "relay-denied", at: only, words: /relaying disallowed/, source },
    ],
  };
}
