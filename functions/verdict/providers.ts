// Who runs an MX host: the names it goes by, where it has refused an IP, and whom to ask about that.
// It knows no reply and no class, and says nothing of whether a provider accepts mail today.
import { plainName } from "../smtp/host-name.ts";
import type { Depth, Stage } from "../smtp/transcript.ts";

/** A mailbox provider, or a gateway that filters for others. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** Other short names of the same. */
  readonly aliases: readonly string[];
  /** Suffixes of the names of its MX hosts: lower case, without the leading dot. */
  readonly mx: readonly string[];
  /** As far as a probe must go for a refusal of the IP to show; `rcpt` where nobody knows. */
  readonly depth: Depth;
  /** Where a refusal of the IP has been seen; empty: not known. */
  readonly refusesAt: readonly Stage[];
  /** For who probes, and for who reads the answer. */
  readonly notes: string;
  /** Its page for senders. */
  readonly postmaster: string | null;
  /** What to do about a refused IP when the reply names no public blocklist; `{ip}` in the URL is the address. */
  readonly unblock: { readonly text: string; readonly url: string | null } | null;
  /** What is said here from general knowledge alone, until a first session with it has shown. */
  readonly unverified: readonly ("mx" | "depth" | "refusesAt" | "notes" | "postmaster" | "unblock")[];
}

/** By an MX host's name; the longest suffix wins. Null: none of ours. */
export function providerOf(host: string): Provider | null {
  if (host.length > hostLimit) return null;
  const labels = plainName(host).split(".");
  for (let from = 0; from < labels.length; from++) {
    const provider = bySuffix.get(labels.slice(from).join("."));
    if (provider !== undefined) return provider;
  }
  return null;
}

/** By id, alias or MX host name, as a person writes it on the command line. */
export function findProvider(text: string): Provider | null {
  const name = text.trim().toLowerCase();
  return byName.get(name) ?? providerOf(name);
}

const hostLimit = 254; // characters, with the final dot: RFC 1035 §2.3.4

/** What a row has that says nothing more. */
const usual = {
  aliases: [],
  depth: "rcpt",
  refusesAt: [],
  notes: "",
  postmaster: null,
  unblock: null,
  unverified: [],
} as const satisfies Partial<Provider>;

/** A filter's own list, which several receivers use. */
const cloudmark = {
  text: "Ask Cloudmark to reset the IP's reputation.",
  url: "https://csi.cloudmark.com/reset-request/?ip={ip}",
} as const;
const proofpoint = {
  text: "Look the IP up at Proofpoint, and ask for its removal there.",
  url: "https://ipcheck.proofpoint.com/?ip={ip}",
} as const;
const united = "Needs TLS; no enhanced status codes, and the last line of a reply decides. At most 4 connections.";

export const providers: readonly Provider[] = [
  // Worldwide
  {
    ...usual,
    id: "gmail",
    name: "Gmail and Google Workspace",
    aliases: ["google", "googlemail", "workspace", "google-workspace", "gsuite"],
    mx: ["google.com", "googlemail.com", "smtp.goog"],
    depth: "message",
    refusesAt: ["message"],
    notes:
      "Defers and limits what comes without TLS. Judges an IP only after the message: probe hourly at most, signed.",
    postmaster: "https://support.google.com/mail/answer/81126",
    unblock: {
      text: "Look the IP up in Postmaster Tools, mend what it shows, then send the sender contact form.",
      url: "https://support.google.com/mail/contact/gmail_bulk_sender_escalation",
    },
  },
  {
    ...usual,
    id: "outlook",
    name: "Outlook.com, Hotmail, Live and MSN",
    aliases: ["outlook-consumer", "outlook.com", "hotmail", "live", "msn"],
    mx: ["olc.protection.outlook.com"],
    refusesAt: ["mail"],
    notes:
      "With CHUNKING or pipelining some clients report its refusal of MAIL as one of the message. Back off for 2 h.",
    postmaster: "https://sendersupport.olc.protection.outlook.com/pm/",
    unblock: {
      text: "Send the sender support form; if the answer is 'not qualified', reply to it and ask for escalation.",
      url: "https://olcsupport.office.com/",
    },
  },
  {
    ...usual,
    id: "office365",
    name: "Microsoft 365, Exchange Online",
    aliases: ["microsoft365", "microsoft-365", "office-365", "m365", "o365", "exchange-online", "exchangeonline"],
    mx: ["mail.protection.outlook.com", "mx.microsoft", "mail.eo.outlook.com"],
    refusesAt: ["rcpt"],
    notes: "Exchange waits 5 s before each 5yz (tarpit). The hosts under mx.microsoft are those with DANE.",
    unblock: {
      text: "Delist the IP yourself in Microsoft's delist portal; it may say 'not blocked' while it still blocks.",
      url: "https://sender.office.com/",
    },
    unverified: ["notes"],
  },
  {
    ...usual,
    id: "icloud",
    name: "iCloud Mail",
    aliases: ["apple", "me", "mac"],
    mx: ["mail.icloud.com"],
    refusesAt: ["greeting", "rcpt", "message"],
    notes:
      "HELO must resolve. Asks Proofpoint and Spamhaus. Defers at the full hour: never probe at :00. Back off 15 min.",
    postmaster: "https://support.apple.com/en-us/102322",
    unblock: {
      text: "Look the IP up at Proofpoint; if it is clean there, mail icloudadmin@apple.com the IP and the error.",
      url: "https://ipcheck.proofpoint.com/?ip={ip}",
    },
  },
  {
    ...usual,
    id: "yahoo",
    name: "Yahoo Mail and AOL",
    aliases: ["aol", "verizon", "ymail", "rocketmail"],
    mx: ["yahoodns.net"],
    refusesAt: ["mail"],
    notes:
      "At most 20 messages a connection. Back off 2 h on [TSS04], 4 h on [TSS05]. [BL..], at connect, is Spamhaus.",
    postmaster: "https://senders.yahooinc.com/",
    unblock: {
      text: "Send the new sender form; a [BL..] code is Spamhaus's to remove.",
      url: "https://senders.yahooinc.com/contact",
    },
    unverified: ["notes"],
  },
  {
    ...usual,
    id: "zoho",
    name: "Zoho Mail",
    mx: ["zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.jp", "zoho.sa", "zohocloud.ca", "zohomail.com"],
  },
  {
    ...usual,
    id: "proton",
    name: "Proton Mail",
    aliases: ["protonmail"],
    mx: ["protonmail.ch"],
    unblock: { text: "Ask Proton's support.", url: "https://proton.me/support/contact" },
  },
  {
    ...usual,
    id: "fastmail",
    name: "Fastmail",
    aliases: ["messagingengine"],
    mx: ["messagingengine.com"],
    unblock: { text: "Ask Fastmail's support.", url: "https://www.fastmail.com/support/" },
  },
  {
    ...usual,
    id: "facebook",
    name: "Facebook",
    aliases: ["meta"],
    mx: ["facebook.com"],
    refusesAt: ["greeting"],
    notes: "The link in a reply explains its code.",
    postmaster: "http://postmaster.facebook.com/",
  },

  // Germany, Switzerland
  {
    ...usual,
    id: "gmx",
    name: "GMX",
    mx: ["gmx.net", "gmx.com"],
    refusesAt: ["greeting"],
    notes: united,
    postmaster: "https://postmaster.gmx.net/en/error-messages",
    unblock: {
      text: "Open the link in the reply: it is the ticket; without one, use the contact form.",
      url: "https://postmaster.gmx.net/en/contact",
    },
  },
  {
    ...usual,
    id: "webde",
    name: "WEB.DE",
    aliases: ["web-de"],
    mx: ["web.de"],
    refusesAt: ["greeting"],
    notes: united,
    postmaster: "https://postmaster.web.de/",
    unblock: {
      text: "Open the link in the reply: it is the ticket; without one, use the contact form.",
      url: "https://postmaster.web.de/en/contact",
    },
  },
  {
    ...usual,
    id: "mailcom",
    name: "mail.com",
    aliases: ["mail-com"],
    mx: ["mail.com"],
    refusesAt: ["greeting"],
    notes: "Run by GMX: no enhanced status codes, and the last line of a reply decides.",
    postmaster: "https://postmaster.gmx.com/en/error-messages",
    unblock: {
      text: "Open the link in the reply: it is the ticket; without one, use the contact form.",
      url: "https://postmaster.gmx.com/en/contact",
    },
  },
  {
    ...usual,
    id: "ionos",
    name: "IONOS",
    aliases: ["1and1", "1und1", "kundenserver"],
    mx: [
      "kundenserver.de",
      "perfora.net",
      "1and1.com",
      "1and1.co.uk",
      "1and1.fr",
      "ionos.com",
      "ionos.de",
      "ionos.co.uk",
      "ionos.fr",
      "ionos.es",
    ],
    notes: "Runs on the platform of GMX and WEB.DE.",
    unblock: {
      text: "Open the link in the reply; without one, use the contact form of the same house.",
      url: "https://postmaster.gmx.net/en/contact",
    },
    unverified: ["notes", "unblock"],
  },
  {
    ...usual,
    id: "t-online",
    name: "T-Online",
    aliases: ["tonline", "telekom"],
    mx: ["t-online.de"],
    refusesAt: ["greeting"],
    notes: "Refuses an IP that it does not know yet (NOWL), and wants an imprint on the HELO host's web page.",
    postmaster: "https://postmaster.t-online.de/index.en.html",
    unblock: {
      text: "Mail the IP and the reply to tobr@rx.t-online.de, or to the address in the reply (tosa@rx.t-online.de).",
      url: null,
    },
    unverified: ["notes"],
  },
  { ...usual, id: "freenet", name: "freenet", mx: ["freenet.de"] },
  { ...usual, id: "strato", name: "STRATO", mx: ["rzone.de"] },
  { ...usual, id: "bytecamp", name: "Bytecamp", mx: ["bytecamp.net"], notes: "Greylists.", unverified: ["mx"] },
  {
    ...usual,
    id: "mailbox-org",
    name: "mailbox.org",
    aliases: ["mailboxorg"],
    mx: ["mailbox.org"],
    unblock: { text: "Ask mailbox.org's support.", url: "https://mailbox.org/en/support" },
  },
  {
    ...usual,
    id: "posteo",
    name: "Posteo",
    mx: ["posteo.de"],
    unblock: { text: "Ask Posteo's support.", url: "https://posteo.de/en/site/contact" },
  },
  { ...usual, id: "tuta", name: "Tuta", aliases: ["tutanota"], mx: ["tutanota.de", "tutanota.com"] },
  {
    ...usual,
    id: "bluewin",
    name: "Bluewin",
    aliases: ["swisscom"],
    mx: ["bluewin.ch"],
    notes: "Has answered for the IP's reputation only after the message: a green rcpt probe says little.",
    postmaster: "https://support.bluewin.ch/",
    unblock: { text: "Open the link in the reply: it is the ticket.", url: null },
  },
  { ...usual, id: "infomaniak", name: "Infomaniak", mx: ["infomaniak.ch"] },
  { ...usual, id: "hostpoint", name: "Hostpoint", mx: ["hostpoint.ch"] },

  // France, Benelux
  {
    ...usual,
    id: "orange",
    name: "Orange and Wanadoo",
    aliases: ["wanadoo"],
    mx: ["orange.fr", "wanadoo.fr"],
    refusesAt: ["greeting"],
    notes: "Needs TLS. At most 2 connections (OFR code ..104); OFR code ..102 is Cloudmark's.",
    postmaster: "https://postmaster.orange.fr/",
    unblock: cloudmark,
  },
  {
    ...usual,
    id: "free",
    name: "Free",
    aliases: ["proxad"],
    mx: ["mx1.free.fr", "mx2.free.fr"],
    refusesAt: ["greeting"],
    notes: "The IP's reverse DNS must resolve back to it.",
    postmaster: "https://postmaster.free.fr/",
    unblock: { text: "Follow the postmaster page.", url: "https://postmaster.free.fr/" },
  },
  {
    ...usual,
    id: "laposte",
    name: "La Poste",
    mx: ["laposte.net"],
    refusesAt: ["greeting", "rcpt", "message"],
    notes: "Some greetings are a 220 whose text refuses.",
    postmaster: "https://postmaster.laposte.net/",
    unblock: {
      text: "Follow the postmaster page on trouble with sending.",
      url: "https://postmaster.laposte.net/categories/difficultes-pour-emettre-des-emails",
    },
  },
  {
    ...usual,
    id: "sfr",
    name: "SFR",
    aliases: ["neuf", "numericable"],
    mx: ["sfr.fr"],
    refusesAt: ["greeting"],
  },
  { ...usual, id: "ovh", name: "OVHcloud", aliases: ["ovhcloud"], mx: ["ovh.net"] },
  { ...usual, id: "gandi", name: "Gandi", mx: ["gandi.net"] },
  {
    ...usual,
    id: "kpn",
    name: "KPN",
    mx: ["kpnmail.nl"],
    notes: "Needs TLS. At most 10 messages a connection.",
    unblock: { text: "Mail the IP and the reply to abuse@kpn.com.", url: null },
  },
  {
    ...usual,
    id: "ziggo",
    name: "Ziggo, and Virgin Media on its platform",
    aliases: ["virginmedia-ziggo", "virginmedia"],
    mx: ["ziggo.nl", "as9143.net"],
    refusesAt: ["greeting"],
    notes: "Asks Cloudmark and Spamhaus.",
    unblock: cloudmark,
  },
  {
    ...usual,
    id: "telenet",
    name: "Telenet",
    mx: ["telenet-ops.be"],
    unblock: { text: "Ask Telenet's support.", url: "https://www2.telenet.be/en/support/" },
  },
  {
    ...usual,
    id: "proximus",
    name: "Proximus",
    aliases: ["skynet", "belgacom"],
    mx: ["proximus.be", "skynet.be", "belgacom.be"],
    notes: "At most 3 connections, with a PTR record.",
    unblock: {
      text: "Delist the IP yourself with its form, three times a week at most.",
      url: "https://www.proximus.com/en/ipremoval/form",
    },
    unverified: ["mx"],
  },

  // Italy
  {
    ...usual,
    id: "libero",
    name: "Libero and Virgilio",
    aliases: ["virgilio", "italiaonline", "iol"],
    mx: ["libero.it", "virgilio.it"],
    refusesAt: ["greeting"],
    notes: "Asks Cloudmark (LIB_102), and wants reverse DNS (LIB_120).",
    unblock: cloudmark,
  },
  {
    ...usual,
    id: "tiscali",
    name: "Tiscali",
    mx: ["tiscali.it"],
    refusesAt: ["greeting"],
    unverified: ["refusesAt"],
  },
  { ...usual, id: "alice", name: "Alice, TIM", aliases: ["tim", "aliceposta"], mx: ["tim.it", "aliceposta.it"] },
  { ...usual, id: "aruba", name: "Aruba", mx: ["aruba.it"] },

  // Czechia, Poland
  { ...usual, id: "seznam", name: "Seznam", mx: ["seznam.cz"] },
  {
    ...usual,
    id: "wp",
    name: "Wirtualna Polska and o2",
    aliases: ["o2", "interia-o2-wp"],
    mx: ["wp.pl", "o2.pl", "tlen.pl"],
    unverified: ["mx"],
  },
  { ...usual, id: "interia", name: "Interia", mx: ["interia.pl"] },
  { ...usual, id: "onet", name: "Onet", mx: ["onet.pl"] },

  // Russia, Ukraine
  {
    ...usual,
    id: "mailru",
    name: "Mail.ru",
    aliases: ["mail-ru", "vk"],
    mx: ["mail.ru"],
    depth: "message",
    refusesAt: ["message"],
    notes:
      "Answers after the message, an unknown mailbox too; a dynamic or generic PTR it has refused in the greeting.",
    postmaster: "https://postmaster.mail.ru/",
    unblock: { text: "Mail the IP and the reply to abuse@corp.mail.ru.", url: "https://postmaster.mail.ru/" },
  },
  {
    ...usual,
    id: "yandex",
    name: "Yandex",
    mx: ["yandex.ru", "yandex.net", "yandex.com"],
    notes: "Refuses what it takes for spam after the message.",
    postmaster: "https://postmaster.yandex.ru/",
    unblock: { text: "Write to its postmaster page.", url: "https://postmaster.yandex.ru/" },
    unverified: ["notes"],
  },
  { ...usual, id: "rambler", name: "Rambler", mx: ["rambler.ru"] },
  { ...usual, id: "nic-ru", name: "RU-CENTER", aliases: ["nicru", "nicmail"], mx: ["nicmail.ru"], notes: "Greylists." },
  {
    ...usual,
    id: "iua",
    name: "I.UA",
    aliases: ["i-ua"],
    mx: ["email.ua", "i.ua"],
    notes: "The link in a reply explains its code.",
    unverified: ["mx"],
  },

  // Asia
  {
    ...usual,
    id: "yahoo-jp",
    name: "Yahoo! JAPAN",
    aliases: ["yahoojp", "yahoo-japan"],
    mx: ["mail.yahoo.co.jp"],
    notes: "Hosts of its own, not Yahoo's. At most 2 connections and 20 messages each; after [IPTS04] back off 1 h.",
  },
  { ...usual, id: "docomo", name: "NTT docomo", aliases: ["nttdocomo"], mx: ["docomo.ne.jp"] },
  {
    ...usual,
    id: "qq",
    name: "QQ Mail and Tencent Exmail",
    aliases: ["tencent", "exmail", "foxmail"],
    mx: ["qq.com"],
    notes: "Needs TLS. At most 4 connections and 8 messages each; a limit comes as a 550: back off an hour.",
    postmaster: "https://open.mail.qq.com/",
    unblock: { text: "Apply on its open platform (in Chinese).", url: "https://open.mail.qq.com/" },
  },
  {
    ...usual,
    id: "netease",
    name: "NetEase: 163, 126 and yeah.net",
    aliases: ["163", "126", "yeah"],
    mx: ["netease.com"],
    refusesAt: ["connect", "message"],
    notes: "At most 4 connections. The link in a reply explains its code.",
    postmaster: "https://mail.163.com/postmaster/",
    unblock: {
      text: "Open the link in the reply; without one, use the postmaster page.",
      url: "https://mail.163.com/postmaster/",
    },
    unverified: ["refusesAt"],
  },
  { ...usual, id: "sina", name: "Sina", mx: ["sinamail.sina.com.cn"] },
  { ...usual, id: "aliyun", name: "Alibaba Mail", aliases: ["alibaba"], mx: ["mxhichina.com", "mail.aliyun.com"] },
  {
    ...usual,
    id: "netvigator",
    name: "Netvigator",
    mx: ["netvigator.com"],
    notes: "Needs TLS. At most 5 connections and 10 messages each.",
  },
  { ...usual, id: "naver", name: "Naver", mx: ["naver.com"] },
  { ...usual, id: "daum", name: "Daum and Hanmail", aliases: ["hanmail"], mx: ["hanmail.net"] },
  {
    ...usual,
    id: "rediff",
    name: "Rediffmail",
    aliases: ["rediffmail"],
    mx: ["mx.rediffmail.rediff.akadns.net", "rediffmailpro.com"],
  },

  // United Kingdom, Australia
  {
    ...usual,
    id: "bt",
    name: "BT Mail",
    aliases: ["btinternet"],
    mx: ["bt.prod.cloud.openwave.ai", "bt.lon5.cpcloud.co.uk"],
  },
  {
    ...usual,
    id: "atmail",
    name: "atmail cloud: Virgin Media, iiNet, Optus",
    aliases: ["atmailcloud", "optus"],
    mx: ["atmailcloud.com"],
  },
  { ...usual, id: "telstra", name: "Telstra BigPond", aliases: ["bigpond"], mx: ["bigpond.com"] },
  {
    ...usual,
    id: "iinet",
    name: "iiNet",
    aliases: ["iinet-ironport"],
    mx: ["iinet.net.au"],
    refusesAt: ["greeting"],
    notes: "A Cisco gateway of its own until it moved to atmail's cloud.",
    unblock: {
      text: "Look the IP up at Cisco Talos, and open a ticket there.",
      url: "https://talosintelligence.com/reputation_center/lookup?search={ip}",
    },
    unverified: ["mx"],
  },

  // The Americas
  {
    ...usual,
    id: "comcast",
    name: "Comcast Xfinity",
    aliases: ["xfinity"],
    mx: ["comcast.net"],
    refusesAt: ["greeting"],
    notes: "Needs TLS, and announces no PIPELINING. BL000001 in the link is Spamhaus, RL0000.. a throttle.",
    postmaster: "https://spa.xfinity.com/postmaster",
    unblock: { text: "Send its form.", url: "https://spa.xfinity.com/report" },
    unverified: ["refusesAt"],
  },
  {
    ...usual,
    id: "cox",
    name: "Cox",
    mx: ["cxr.mx.a.cloudfilter.net", "cxr.mx.b.cloudfilter.net", "cox.net"],
    refusesAt: ["greeting"],
    notes: "Filtered by Cloudmark; the AUP# code tells the cause.",
    postmaster: "https://www.cox.com/residential/support/email-error-codes.html",
    unblock: { text: "Mail the IP and the reply to unblock.request@cox.net.", url: null },
    unverified: ["refusesAt"],
  },
  {
    ...usual,
    id: "charter",
    name: "Charter Spectrum",
    aliases: ["spectrum", "twc", "roadrunner"],
    mx: ["charter.net"],
    refusesAt: ["greeting"],
    notes: "Filtered by Cloudmark; the AUP# code tells the cause.",
    postmaster: "https://www.spectrum.net/support/internet/understanding-email-error-codes",
    unblock: {
      text: "Look the AUP# code up, and ask Spectrum's support as it says.",
      url: "https://www.spectrum.net/support/internet/understanding-email-error-codes",
    },
  },
  {
    ...usual,
    id: "att",
    name: "AT&T and BellSouth",
    aliases: ["at&t", "bellsouth", "sbcglobal", "prodigy"],
    mx: ["prodigy.net"],
    refusesAt: ["mail"],
    notes: "A blocked IP sees no extension but ENHANCEDSTATUSCODES. What is now on Yahoo's hosts is Yahoo's.",
    unblock: { text: "Mail the reply, which names the IP, to abuse_rbl@abuse-att.net.", url: null },
  },
  {
    ...usual,
    id: "centurylink",
    name: "CenturyLink",
    aliases: ["lumen", "qwest"],
    mx: ["centurylink.net"],
    notes: "Filtered by Cloudmark.",
    unblock: { text: "Mail the IP and the reply to abuse@centurylink.com.", url: null },
  },
  {
    ...usual,
    id: "optimum",
    name: "Optimum",
    aliases: ["optonline", "altice"],
    mx: ["optimum.net", "optonline.net"],
    unverified: ["mx"],
  },
  {
    ...usual,
    id: "earthlink",
    name: "EarthLink",
    mx: ["oxsus-vadesecure.net"],
    notes: "Filtered by Vade.",
    unblock: { text: "Use Vade's tool for senders.", url: "https://sendertool.vadesecure.com/en/" },
  },
  {
    ...usual,
    id: "uol",
    name: "UOL and BOL",
    aliases: ["bol"],
    mx: ["uol.com.br", "bol.com.br", "uhserver.com"],
    unblock: { text: "Ask UOL's support (in Portuguese).", url: "https://ajuda.uol.com.br/" },
  },
  { ...usual, id: "terra", name: "Terra", mx: ["terra.com.br", "terraempresas.com.br"] },

  // Hosts of others' domains, and forwarders
  {
    ...usual,
    id: "godaddy",
    name: "GoDaddy",
    aliases: ["secureserver"],
    mx: ["secureserver.net"],
    refusesAt: ["greeting"],
    notes: "The IB code tells the cause; some of its 5yz clear in an hour (IB110).",
    unblock: { text: "Send its form.", url: "https://unblock.secureserver.net/?ip={ip}" },
  },
  {
    ...usual,
    id: "rackspace",
    name: "Rackspace Email",
    aliases: ["emailsrvr"],
    mx: ["emailsrvr.com"],
    refusesAt: ["rcpt"],
    notes: "Defers a new IP that sends much.",
    postmaster: "https://postmaster.emailsrvr.com/",
    unblock: { text: "Follow the postmaster page.", url: "https://postmaster.emailsrvr.com/" },
  },
  { ...usual, id: "namecheap", name: "Namecheap", aliases: ["privateemail"], mx: ["privateemail.com"] },
  { ...usual, id: "hostinger", name: "Hostinger", mx: ["hostinger.com", "hostinger.in"] },
  { ...usual, id: "one-com", name: "one.com", aliases: ["onecom"], mx: ["one.com"] },
  { ...usual, id: "opensrs", name: "OpenSRS", aliases: ["hostedemail", "tucows"], mx: ["hostedemail.com"] },
  { ...usual, id: "mxroute", name: "MXroute", mx: ["mxrouting.net", "mxroute.com"] },
  { ...usual, id: "migadu", name: "Migadu", mx: ["migadu.com"] },
  { ...usual, id: "purelymail", name: "Purelymail", mx: ["purelymail.com"], notes: "Greylists." },
  { ...usual, id: "improvmx", name: "ImprovMX", mx: ["improvmx.com"], notes: "Forwards, and greylists." },
  { ...usual, id: "forwardemail", name: "Forward Email", mx: ["forwardemail.net"], notes: "Forwards." },
  {
    ...usual,
    id: "cloudflare",
    name: "Cloudflare Email Routing",
    mx: ["mx.cloudflare.net"],
    notes: "Forwards: a reply may be that of the host behind it.",
    postmaster: "https://developers.cloudflare.com/email-routing/postmaster",
  },
  {
    ...usual,
    id: "ses-inbound",
    name: "Amazon SES, receiving",
    aliases: ["ses", "amazon-ses"],
    mx: [
      "inbound-smtp.us-east-1.amazonaws.com",
      "inbound-smtp.us-east-2.amazonaws.com",
      "inbound-smtp.us-west-2.amazonaws.com",
      "inbound-smtp.ca-central-1.amazonaws.com",
      "inbound-smtp.eu-central-1.amazonaws.com",
      "inbound-smtp.eu-west-1.amazonaws.com",
      "inbound-smtp.eu-west-2.amazonaws.com",
      "inbound-smtp.ap-northeast-1.amazonaws.com",
      "inbound-smtp.ap-southeast-1.amazonaws.com",
      "inbound-smtp.ap-southeast-2.amazonaws.com",
    ],
    notes: "Each customer filters IPs by rules of its own.",
    unverified: ["mx", "notes"],
  },
  {
    ...usual,
    id: "kernel-org",
    name: "kernel.org",
    aliases: ["kernel", "vger"],
    mx: ["kernel.org"],
  },

  // Gateways: the IP that they name may be a proxy's or a NAT's, not ours
  {
    ...usual,
    id: "mimecast",
    name: "Mimecast",
    mx: ["mimecast.com", "mimecast.co.za", "mimecast-offshore.com"],
    refusesAt: ["greeting", "rcpt"],
    notes: "A gateway; at most 10 connections. Its code follows the link's #; zen.mimecast.org is Spamhaus.",
    postmaster: "https://community.mimecast.com/s/article/email-security-cloud-gateway-mimecast-smtp-error-codes",
    unblock: {
      text: "Open the link in the reply, and send the sender feedback form.",
      url: "https://community.mimecast.com/s/article/email-security-cloud-gateway-sender-feedback",
    },
  },
  {
    ...usual,
    id: "proofpoint",
    name: "Proofpoint",
    aliases: ["pphosted"],
    mx: ["pphosted.com"],
    refusesAt: ["greeting", "rcpt"],
    notes: "A gateway: a reply may quote that of the host behind it.",
    postmaster: "https://ipcheck.proofpoint.com/",
    unblock: proofpoint,
  },
  {
    ...usual,
    id: "proofpoint-essentials",
    name: "Proofpoint Essentials",
    aliases: ["ppe", "ppe-hosted"],
    mx: ["ppe-hosted.com"],
    refusesAt: ["greeting", "rcpt"],
    notes: "A gateway.",
    postmaster: "https://ipcheck.proofpoint.com/",
    unblock: proofpoint,
  },
  {
    ...usual,
    id: "cloudfilter",
    name: "Cloudmark",
    aliases: ["cloudmark"],
    mx: ["cloudfilter.net"],
    notes: "A gateway for several Internet providers.",
    unblock: cloudmark,
  },
  {
    ...usual,
    id: "barracuda",
    name: "Barracuda",
    mx: ["barracudanetworks.com"],
    refusesAt: ["greeting", "rcpt"],
    notes: "A gateway. Needs TLS; at most 10 connections and 15 messages each.",
    postmaster: "https://www.barracudacentral.org/lookups/lookup-reputation",
    unblock: {
      text: "Send Barracuda Central's removal request.",
      url: "https://www.barracudacentral.org/rbl/removal-request",
    },
  },
  {
    ...usual,
    id: "cisco",
    name: "Cisco Secure Email",
    aliases: ["ironport", "iphmx"],
    mx: ["iphmx.com"],
    refusesAt: ["greeting"],
    notes: "A gateway; each customer sets how poor a reputation it refuses.",
    unblock: {
      text: "Look the IP up at Cisco Talos, and open a ticket there.",
      url: "https://talosintelligence.com/reputation_center/lookup?search={ip}",
    },
  },
  {
    ...usual,
    id: "trendmicro",
    name: "Trend Micro",
    aliases: ["trend-micro"],
    mx: ["trendmicro.com", "trendmicro.eu"],
    refusesAt: ["rcpt", "message"],
    notes: "A gateway. Each customer has lists of its own too; those only the customer can change.",
    unblock: {
      text: "Look the IP up in Email Reputation Services, and ask for its removal there.",
      url: "https://servicecentral.trendmicro.com/en-us/ers/ip-lookup/",
    },
    unverified: ["refusesAt"],
  },
  {
    ...usual,
    id: "messagelabs",
    name: "Broadcom Email Security.cloud",
    aliases: ["symantec-messagelabs", "symantec", "broadcom"],
    mx: ["messagelabs.com", "inboundmx.com"],
    notes: "A gateway.",
    unblock: {
      text: "Look the IP up in its IP removal tool, and ask for removal there.",
      url: "https://ipremoval.sms.symantec.com/",
    },
  },
  { ...usual, id: "sophos", name: "Sophos Email", mx: ["hydra.sophos.com"], notes: "A gateway." },
  {
    ...usual,
    id: "trellix",
    name: "Trellix (FireEye) Email Security",
    aliases: ["fireeye", "fireeye-trellix"],
    mx: ["fireeyecloud.com"],
    notes: "A gateway. Has named a listed IP only after the message (ETP208): a green rcpt probe says little.",
  },
  {
    ...usual,
    id: "zerospam",
    name: "Zerospam",
    mx: ["zerospam.ca"],
    notes: "A gateway; greylists, for a minute.",
  },
  {
    ...usual,
    id: "spamexperts",
    name: "SpamExperts (N-able)",
    aliases: ["spamexperts-spamrl", "antispamcloud", "spamrl"],
    mx: ["antispamcloud.com", "spamexperts.com", "spamexperts.eu", "spamexperts.net"],
    refusesAt: ["rcpt"],
    notes: "A gateway, run by many hosters; its own list is spamrl.com.",
    unblock: { text: "Look the IP up at spamrl.com, and ask for its removal there.", url: "https://spamrl.com/" },
  },
  {
    ...usual,
    id: "hornetsecurity",
    name: "Hornetsecurity",
    aliases: ["antispameurope"],
    mx: ["hornetsecurity.com", "antispameurope.com"],
    notes: "A gateway.",
  },
  {
    ...usual,
    id: "forcepoint",
    name: "Forcepoint",
    aliases: ["mailcontrol", "websense"],
    mx: ["mailcontrol.com"],
    notes: "A gateway.",
  },
  {
    ...usual,
    id: "junkemailfilter",
    name: "Junk Email Filter",
    aliases: ["hostkarma"],
    mx: ["junkemailfilter.com"],
    refusesAt: ["greeting"],
    notes: "A gateway; its own list is Hostkarma.",
    unblock: { text: "Remove the IP yourself.", url: "http://ipadmin.junkemailfilter.com/remove.php?ip={ip}" },
    unverified: ["mx"],
  },
  {
    ...usual,
    id: "vade",
    name: "Vade",
    aliases: ["vadesecure"],
    mx: ["vadesecure.com", "vadesecure.net"],
    notes: "A gateway.",
    unblock: { text: "Use Vade's tool for senders.", url: "https://sendertool.vadesecure.com/en/" },
    unverified: ["mx"],
  },
];

const bySuffix: ReadonlyMap<string, Provider> = new Map(
  providers.flatMap((provider) => provider.mx.map((suffix) => [suffix, provider] as const)),
);
const byName: ReadonlyMap<string, Provider> = new Map(
  providers.flatMap((provider) => [provider.id, ...provider.aliases].map((name) => [name, provider] as const)),
);
