// Who is found by which name, and that no row of the table is out of reach.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { depths, stages } from "../../functions/smtp/transcript.ts";
import { findProvider, providerOf, providers } from "../../functions/verdict/providers.ts";

// prettier-ignore
const hosts: readonly (readonly [host: string, id: string | null])[] = [
  ["gmail-smtp-in.l.google.com",                 "gmail"],
  ["aspmx2.googlemail.com",                      "gmail"],
  ["SMTP.Google.COM.",                           "gmail"],
  ["hotmail-com.olc.protection.outlook.com",     "outlook"],
  ["contoso-com.mail.protection.outlook.com",    "office365"],
  ["contoso-com.r-v1.mx.microsoft",              "office365"],
  ["mx01.mail.icloud.com",                       "icloud"],
  ["mx-aol.mail.gm0.yahoodns.net",               "yahoo"],
  ["mx1.mail.yahoo.co.jp",                       "yahoo-jp"],
  ["mx01.emig.gmx.net",                          "gmx"],
  ["mx-ha02.web.de",                             "webde"],
  ["mx00.mail.com",                              "mailcom"],
  ["mx00.t-online.de",                           "t-online"],
  ["mx1.mxge.comcast.net",                       "comcast"],
  ["cxr.mx.a.cloudfilter.net",                   "cox"],
  ["eir-01.mx.a.cloudfilter.net",                "cloudfilter"],
  ["163mx01.mxmail.netease.com",                 "netease"],
  ["mx1.free.fr",                                "free"],
  ["someone.free.fr",                            null],
  ["inbound-smtp.eu-west-1.amazonaws.com",       "ses-inbound"],
  ["ec2-192-0-2-1.compute-1.amazonaws.com",      null],
  ["mx1-us1.ppe-hosted.com",                     "proofpoint-essentials"],
  ["mxa-00360101.gslb.pphosted.com",             "proofpoint"],

  // A suffix ends at a label's border, and a name at its own end.
  ["notgoogle.com",                              null],
  ["mx.notgoogle.com",                           null],
  ["smtp-google.com",                            null],
  ["google.com.example",                         null],
  ["protection.outlook.com",                     null],
  ["mx.example",                                 null],
  ["com",                                        null],
  ["",                                           null],
  [".",                                          null],
  [`${"a.".repeat(200_000)}google.com`,          null],
];

// prettier-ignore
const written: readonly (readonly [text: string, id: string | null])[] = [
  ["gmail",                       "gmail"],
  [" Google ",                    "gmail"],
  ["hotmail",                     "outlook"],
  ["M365",                        "office365"],
  ["aol",                         "yahoo"],
  ["web.de",                      "webde"],
  ["mail.ru",                     "mailru"],
  ["T-Online",                    "t-online"],
  ["mx01.mail.icloud.com.",       "icloud"],
  ["pphosted",                    "proofpoint"],
  ["postfix",                     null],
  ["exim",                        null],
  ["constructor",                 null],
  ["",                            null],
];

/** What the labelled replies call their receivers, software left out. */
const labels =
  "gmail outlook att gmx free trendmicro yahoo icloud charter mailru qq iinet-ironport improvmx ses-inbound mimecast " +
  "iua spamexperts-spamrl proofpoint tonline orange laposte rambler zoho rackspace facebook virginmedia-ziggo libero " +
  "bytecamp cox sfr sina naver docomo godaddy alice interia-o2-wp barracuda junkemailfilter comcast webde yandex " +
  "netease bluewin tiscali infomaniak cloudflare fireeye-trellix zerospam kernel-org nic-ru aol mailcom hostpoint " +
  "symantec-messagelabs purelymail";

/** They serve nothing else. */
const inClear = ["postmaster.facebook.com", "ipadmin.junkemailfilter.com"];

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const suffixes = providers.flatMap((provider) => provider.mx.map((suffix) => ({ suffix, provider })));

describe("a provider by its host", () => {
  for (const [host, id] of hosts)
    it(`${host.slice(0, 60) || "(nothing)"} is ${id ?? "nobody's"}`, () =>
      assert.equal(providerOf(host)?.id ?? null, id));

  it("any host under a suffix is its row's, however it is written", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...suffixes),
        fc.array(label, { maxLength: 3 }),
        fc.boolean(),
        fc.boolean(),
        ({ suffix, provider }, above, isUpper, hasDot) => {
          const host = [...above, suffix].join(".") + (hasDot ? "." : "");
          const found = providerOf(isUpper ? host.toUpperCase() : host);
          const isLonger = found?.mx.some((each) => each.endsWith(`.${suffix}`)) ?? false;
          assert.ok(found === provider || isLonger, `${host}: ${found?.id}`);
        },
      ),
    );
  });

  it("a letter more before a suffix makes it another's", () => {
    fc.assert(
      fc.property(fc.constantFrom(...suffixes), label, ({ suffix, provider }, letters) => {
        const host = letters + suffix;
        const isAnothers = provider.mx.some((each) => host === each || host.endsWith(`.${each}`));
        assert.ok(providerOf(host) !== provider || isAnothers, host);
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.domain(), fc.ipV6()), (text) => {
        providerOf(text);
        findProvider(text);
      }),
    );
  });
});

describe("a provider as a person writes it", () => {
  for (const [text, id] of written)
    it(`“${text}” is ${id ?? "nobody"}`, () => assert.equal(findProvider(text)?.id ?? null, id));

  for (const text of labels.split(" ")) it(`${text} is somebody`, () => assert.ok(findProvider(text)));
});

describe("the providers' table", () => {
  it("is long enough to be of use", () => assert.ok(providers.length >= 45, String(providers.length)));

  it("names each but once", () => {
    const names = providers.flatMap(({ id, aliases }) => [id, ...aliases]);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
    for (const name of names) assert.match(name, /^[a-z0-9&.-]+$/);
    for (const { id } of providers) assert.match(id, /^[a-z0-9]+(?:-[a-z0-9]+)*$/, "it becomes a metric's dimension");
    assert.equal(new Set(providers.map(({ name }) => name)).size, providers.length);
  });

  it("gives each suffix to one row alone", () => {
    const all = suffixes.map(({ suffix }) => suffix);
    assert.equal(new Set(all).size, all.length);
    for (const suffix of all) assert.match(suffix, /^(?:[a-z0-9-]+\.)+[a-z]{2,}$/);
  });

  for (const provider of providers) {
    it(`${provider.id} can be reached, and is whole`, () => {
      assert.ok(provider.mx.length > 0);
      for (const suffix of provider.mx) assert.equal(providerOf(`mx1.${suffix}`), provider, suffix);
      for (const name of [provider.id, ...provider.aliases]) assert.equal(findProvider(name), provider, name);

      const { postmaster, unblock, refusesAt, unverified } = provider;
      for (const url of [postmaster, unblock?.url ?? null]) assertLink(url);
      assert.doesNotMatch(postmaster ?? "", /[{}]/, "only a remedy is about an address");
      assert.match(unblock?.text ?? "Ask.", /^[A-Z].*\.$/, "one sentence");
      assert.equal(new Set(refusesAt).size, refusesAt.length);
      assert.equal(new Set(unverified).size, unverified.length);
    });

    it(`${provider.id} is probed as far as its refusal, and not farther than needed`, () => {
      const { depth, refusesAt } = provider;
      assert.ok(depths.includes(depth));
      const isLate = refusesAt.length > 0 && refusesAt.every((stage) => stages.indexOf(stage) > stages.indexOf("rcpt"));
      assert.equal(depth, isLate ? "message" : "rcpt");
    });
  }
});

function assertLink(url: string | null): void {
  if (url === null) return;
  const { protocol, host, href } = new URL(url.replace("{ip}", "192.0.2.1"));
  assert.equal(protocol, inClear.includes(host) ? "http:" : "https:", url);
  assert.doesNotMatch(href, /[{}]|%7B/i, "no other placeholder");
}
