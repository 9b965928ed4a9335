// Which list a reply names, by zone, link or name, and that each row of the table is of use at night.
// It does not know whether a reply says that we are listed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { anyOf, blocklistIn, blocklists } from "../../functions/verdict/blocklists.ts";
import { classify } from "../../functions/verdict/classify.ts";
import { readWords } from "../../functions/verdict/words.ts";

/** By the zone that a receiver asks, as Postfix names it (postconf(5), `default_rbl_reply`). */
// prettier-ignore
const zones: readonly (readonly [id: string, ...zones: readonly string[]])[] = [
  ["spamhaus-pbl",     "pbl.spamhaus.org"],
  ["spamhaus-xbl",     "xbl.spamhaus.org"],
  ["spamhaus-sbl",     "sbl.spamhaus.org"],
  ["spamhaus-zen",     "zen.spamhaus.org", "sbl-xbl.spamhaus.org", "abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net"],
  ["maps-rbl",          "rbl.maps.vix.com"],
  ["ja-net",            "rbl-plus.mail-abuse.ja.net"],
  ["spamcannibal",      "bl.spamcannibal.org"],
  ["five-ten",          "blackholes.five-ten-sg.com"],
  ["psky",              "bad.psky.me"],
  ["orbs",              "relays.orbs.org"],
  ["osirusoft",         "relays.osirusoft.com"],
  ["easynet",           "blackholes.easynet.nl"],
  ["monkeys",           "proxies.blackholes.monkeys.com"],
  ["blitzed",           "opm.blitzed.org"],
  ["abuse-ro",          "rbl.abuse.ro"],
  ["woody",             "blacklist.woody.ch"],
  ["tornevall",         "dnsbl.tornevall.org"],
  ["efnet",             "rbl.efnetrbl.org"],
  ["cobion",            "dnsbl.cobion.com"],
  ["kempt",             "dnsbl.kempt.net"],
  ["madavi",            "dnsbl.madavi.de"],
  ["suomispam",         "bl.suomispam.net"],
  ["zapbl",             "dnsbl.zapbl.net"],
  ["calivent",          "dnsbl.calivent.com.pe"],
  ["triumf",            "rbl2.triumf.ca"],
  ["megarbl",           "rbl.megarbl.net"],
  ["kisa",              "spamlist.or.kr"],
  ["korea-services",    "korea.services.net"],
  ["anti-spam-cn",      "cbl.anti-spam.org.cn"],
  ["ascams",            "block.ascams.com"],
  ["spamlookup",        "bsb.spamlookup.net"],
  ["darklist",          "dnsbl.darklist.de"],
  ["dan-tor",           "torexit.dan.me.uk"],
  ["blockedservers",    "netscan.rbl.blockedservers.com"],
  ["nszones",           "bl.nszones.com"],
  ["v4bl",              "ip.v4bl.org"],
  ["mxrbl",             "bl.mxrbl.com"],
  ["rbldns-ru",         "rbl.rbldns.ru"],
  ["schulte",           "rbl.schulte.org"],
  ["spamcop",          "bl.spamcop.net"],
  ["barracuda",        "b.barracudacentral.org", "bb.barracudacentral.org"],
  ["sorbs",            "dnsbl.sorbs.net", "spam.dnsbl.sorbs.net", "dul.dnsbl.sorbs.net"],
  ["psbl",             "psbl.surriel.com"],
  ["uceprotect",       "dnsbl-1.uceprotect.net", "dnsbl-2.uceprotect.net", "dnsbl-3.uceprotect.net"],
  ["backscatterer",    "ips.backscatterer.org"],
  ["mailspike",        "bl.mailspike.net", "z.mailspike.net"],
  ["abusix",           "abcdef0123456789.combined.mail.abusix.zone"],
  ["invaluement",      "sip.invaluement.com"],
  ["cisco-sbrs",       "rf.senderbase.org"],
  ["trendmicro-ers",   "rbl.mail-abuse.org", "rblplus.mail-abuse.org"],
  ["senderscore",      "bl.score.senderscore.com"],
  ["hostkarma",        "hostkarma.junkemailfilter.com"],
  ["spamrl",           "black.rbl.spamrl.com"],
  ["spameatingmonkey", "bl.spameatingmonkey.net", "backscatter.spameatingmonkey.net"],
  ["nixspam",          "ix.dnsbl.manitu.net"],
  ["s5h",              "all.s5h.net"],
  ["spamrats",         "dyna.spamrats.com", "noptr.spamrats.com", "all.spamrats.com"],
  ["gbudb",            "truncate.gbudb.net"],
  ["blocklist-de",     "bl.blocklist.de"],
  ["0spam",            "bl.0spam.org", "rbl.0spam.org"],
  ["dronebl",          "dnsbl.dronebl.org"],
  ["spfbl",            "dnsbl.spfbl.net"],
  ["wpbl",             "db.wpbl.info"],
  ["swinog",           "dnsrbl.swinog.ch", "spamrbl.imp.ch", "wormrbl.imp.ch"],
  ["lashback",         "ubl.unsubscore.com", "ubl.lashback.com"],
  ["interserver",      "rbl.interserver.net"],
  ["fabel",            "spamsources.fabel.dk"],
  ["anonmails",        "spam.dnsbl.anonmails.de"],
  ["scientificspam",   "bl.scientificspam.net"],
  ["nordspam",         "bl.nordspam.com"],
  ["njabl",            "dnsbl.njabl.org", "combined.njabl.org"],
  ["ahbl",             "dnsbl.ahbl.org"],
  ["ordb",             "relays.ordb.org"],
  ["dsbl",             "list.dsbl.org"],
  ["cymru-bogons",     "bogons.cymru.com"],
  ["dnsbl-cz",         "dnsbl.cz"],
];

/** Lists of domains, and zones that carry another list's name. */
// prettier-ignore
const domainZones: readonly (readonly [id: string, zone: string])[] = [
  ["spamhaus-dbl",     "dbl.spamhaus.org"],
  ["spamhaus-dbl",     "abcdefghijklmnopqrstuvwxyz.dbl.dq.spamhaus.net"],
  ["spamhaus-zrd",     "zrd.spamhaus.org"],
  ["spamhaus-zrd",     "abcdefghijklmnopqrstuvwxyz.zrd.dq.spamhaus.net"],
  ["surbl",            "multi.surbl.org"],
  ["uribl",            "multi.uribl.com"],
  ["uribl",            "black.uribl.com"],
  ["invaluement-uri",  "uri.invaluement.com"],
  ["rfc-ignorant",     "dsn.rfc-ignorant.org"],
  ["rfc-clueless",     "dsn.rfc-clueless.org"],
];

/** By name or link; the particular list before its operator's general one. */
// prettier-ignore
const said: readonly (readonly [id: string | null, text: string])[] = [
  ["spamhaus-pbl",     "550 5.7.1 Mail from IP 192.0.2.1 was rejected due to listing in Spamhaus PBL. For details please see http://www.spamhaus.org/query/bl?ip=192.0.2.1"],
  ["spamhaus-pbl",     "554 blocked using zen.spamhaus.org; https://www.spamhaus.org/pbl/query/PBL000001"],
  ["spamhaus-pbl",     "550 [192.0.2.1] is in the PBL of Spamhaus"],
  ["spamhaus-sbl",     "554 blocked using zen.spamhaus.org; https://www.spamhaus.org/sbl/query/SBL000001"],
  ["spamhaus-sbl",     "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/sbl/SBL000001"],
  ["spamhaus-sbl",     "550 listed by Spamhaus SBL"],
  ["spamhaus-xbl",     "550 listed by Spamhaus XBL"],
  ["spamhaus-xbl",     "554 blocked using zen.spamhaus.org, see https://www.spamhaus.org/xbl/"],
  ["spamhaus-css",     "554 Blocked - see https://www.spamhaus.org/css/"],
  ["spamhaus-css",     "550 192.0.2.1 is listed by Spamhaus CSS"],
  ["spamhaus-css",     "550 192.0.2.1 is listed as SBLCSS at Spamhaus"],
  ["spamhaus-css",     "554 blocked using zen.spamhaus.org; https://www.spamhaus.org/sbl/query/SBLCSS"],
  ["spamhaus-dbl",     "554 5.7.1 Service unavailable; Sender address [a@s.example] blocked using dbl.spamhaus.org; https://www.spamhaus.org/query/dbl?domain=s.example"],
  ["spamhaus-dbl",     "550 the domain s.example is on the DBL of Spamhaus"],
  ["spamhaus-drop",    "550 192.0.2.0/24 is listed in Spamhaus DROP"],
  ["spamhaus-zen",     "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. To request removal see https://www.spamhaus.org/query/ip/192.0.2.1 (AS16012611)"],
  ["spamhaus-zen",     "554 192.0.2.1 found on https://check.spamhaus.org/query/ip/192.0.2.1"],
  ["spamhaus-zen",     "550 http://www.spamhaus.org/query/bl?ip=192.0.2.1"],
  ["spamhaus-xbl",     "550 listed, see http://cbl.abuseat.org/lookup.cgi?ip=192.0.2.1"],
  ["sophos",            "550 blacklisted. Visit https://www.sophos.com/en-us/threat-center/ip-lookup.aspx?ip=192.0.2.1"],
  ["fortinet",          "554 your IP is listed by FortiGuard AntiSpam"],
  ["vade",              "421 see https://sendertool.vadesecure.com/?ip=192.0.2.1"],
  ["symantec",          "550 see http://ipremoval.sms.symantec.com/lookup/"],
  ["cyren",             "554 blocked by CYREN IP reputation"],
  ["trustedsource",     "554 see http://www.trustedsource.org/query/192.0.2.1"],
  ["watchguard",        "550 http://www.reputationauthority.org/lookup.php?ip=192.0.2.1"],
  ["spews",             "550 see http://www.spews.org/ask.cgi?x=192.0.2.1"],
  ["spamcop",          "554 blocked; https://www.spamcop.net/bl.shtml?192.0.2.1"],
  ["barracuda",        "550 permanent failure for one or more recipients (a@mx.example:blocked) http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1"],
  ["barracuda",        "550 192.0.2.1 is listed in the Barracuda Reputation Block List"],
  ["proofpoint-pdr",   "554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1"],
  ["proofpoint-pdr",   "554 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1"],
  ["cloudmark-csi",    "550 5.7.1 blocked, see https://csi.cloudmark.com/reset-request/?ip=192.0.2.1"],
  ["cloudmark-csi",    "554 listed by Cloudmark Sender Intelligence"],
  ["cisco-sbrs",       "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation."],
  ["cisco-sbrs",       "554 see https://talosintelligence.com/reputation_center/lookup?search=192.0.2.1"],
  ["trendmicro-ers",   "550 blocked, see https://ers.trendmicro.com/reputations/index?ip_address=192.0.2.1"],
  ["trendmicro-ers",   "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Trend Micro Email Reputation Service"],
  ["senderscore",      "550 see https://www.senderscore.org/blocklistlookup/"],
  ["spamrl",           "550 IP listed at https://spamrl.com/"],
  ["invaluement",      "550 192.0.2.1 is on ivmSIP"],
  ["invaluement-uri",  "550 message has a link on ivmURI"],
  ["psbl",             "550 https://psbl.org/listing?ip=192.0.2.1"],
  ["mailspike",        "554 https://mailspike.io/ip_verify"],
  ["abusix",           "554 https://lookup.abusix.com/search?q=192.0.2.1"],

  // Words that only look like a list's.
  [null,               "550 <spamhaus@mx.example> unknown"],
  [null,               "550 Your IP is on our blocklist"],
  [null,               "550 5.7.1 blocked using bl.mx.example"],
  [null,               "550 absorbs too much"],
  [null,               "550 5.1.1 no such user"],
  [null,               "550 zen and the art of mail"],
  [null,               "552 attachment.css is refused"],
  [null,               "550 the airdrop is over"],
];

describe("the list that a reply names", () => {
  for (const [id, ...names] of zones)
    for (const zone of names)
      it(`blocked using ${zone}: ${id}`, () => {
        const text = `554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using ${zone}; no reason was given`;
        const { class: kind, blocklist } = classify({ text, stage: "rcpt", provider: null, own: null });
        assert.deepEqual({ kind, blocklist }, { kind: "ip-reputation", blocklist: id });
      });

  for (const [id, zone] of domainZones)
    it(`a sender's domain blocked using ${zone}: ${id}`, () => {
      const text = `554 5.7.1 Service unavailable; Sender address [a@s.example] blocked using ${zone}; listed`;
      const { class: kind, blocklist } = classify({ text, stage: "rcpt", provider: null, own: null });
      assert.deepEqual({ kind, blocklist }, { kind: "domain-reputation", blocklist: id });
    });

  for (const [id, text] of said)
    it(`${text}: ${id ?? "none"}`, () => assert.equal(blocklistIn(readWords(text, null).text), id));

  it("is found for every row that replies can name", () => {
    const named = new Set<string | null>([...zones, ...domainZones, ...said].map(([id]) => id));
    const unnamed = blocklists.filter(({ says, id }) => says !== null && !named.has(id)).map(({ id }) => id);
    assert.deepEqual(unnamed, []);
  });

  it("is the same in any case, and folded over lines", () => {
    const rows = [...zones, ...domainZones].flatMap(([id, ...names]) => names.map((zone) => [id, zone] as const));
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.constantFrom(" ", "\n550-5.7.1 ", "\n550 "), ([id, zone], gap) => {
        const text = `550-5.7.1${gap === " " ? " " : gap}refused by${gap}${zone.toUpperCase()}, see there`;
        assert.equal(blocklistIn(readWords(text, null).text), id);
      }),
    );
  });
});

describe("the lists of one operator", () => {
  for (const particular of ["pbl", "sbl", "xbl", "css", "dbl", "zrd", "drop"])
    it(`the ${particular.toUpperCase()} stands before ZEN`, () => {
      const ids = blocklists.map(({ id }) => id);
      assert.ok(ids.indexOf(`spamhaus-${particular}`) >= 0);
      assert.ok(ids.indexOf(`spamhaus-${particular}`) < ids.indexOf("spamhaus-zen"));
    });

  it("ZEN is what any other word of Spamhaus means", () => {
    for (const text of ["rejected by spamhaus", "https://www.spamhaus.org/lookup/", "abc.zen.mx.example"])
      assert.equal(blocklistIn(text), "spamhaus-zen", text);
  });
});

describe("the lists' table", () => {
  it("is long enough to be of use", () => assert.ok(blocklists.length >= 40, String(blocklists.length)));

  it("names each but once", () => {
    const ids = blocklists.map(({ id }) => id);
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
    for (const id of ids) assert.match(id, /^[a-z0-9]+(?:-[a-z0-9]+)*$/, "it becomes a metric's dimension");
    assert.equal(new Set(blocklists.map(({ name }) => name)).size, blocklists.length);
  });

  for (const { id, name, says, closed, url, remedy, lists } of blocklists) {
    it(`${id} says what to do`, () => {
      assert.match(remedy, /^\S.{10,}\.$/, "a sentence");
      assert.ok(name.length > 1);
      if (says === null) return;
      assert.equal(says.flags, "", "it is read in lower case");
      assert.equal(says.source.replaceAll(/\\[a-zA-Z]/g, ""), says.source.replaceAll(/\\[a-zA-Z]/g, "").toLowerCase());
      assert.ok(!says.test(""));
      // The rules find it too.
      assert.ok(anyOf(lists).source.includes(says.source));
    });

    it(`${id} leads somewhere, unless it is closed`, () => {
      if (closed !== null) {
        assert.ok(closed >= 2000 && closed <= new Date().getFullYear(), String(closed));
        assert.equal(url, null, "nothing can be taken off a closed list");
        assert.doesNotMatch(url === null ? remedy : "", /remove it there|ask for removal there/);
        return;
      }
      assert.ok(url !== null);
      const filled = url.replaceAll("{ip}", encodeURIComponent("2001:db8::1"));
      assert.equal(new URL(filled).protocol, "https:");
      assert.doesNotMatch(filled, /[{}\s]/, "no other placeholder");
      // The address stands in the page's name or its query, never in the host.
      assert.equal(new URL(filled).host, new URL(url.replaceAll("{ip}", "")).host);
      if (lists === "domain") assert.doesNotMatch(url, /\{ip\}/, "our address is not what stands on it");
    });
  }
});
