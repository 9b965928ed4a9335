// What is told to do next, and that no link of a stranger's is told along with it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { blocklists } from "../../functions/verdict/blocklists.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import { classify, type Classification } from "../../functions/verdict/classify.ts";
import { providers } from "../../functions/verdict/providers.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { transcriptOf } from "./transcripts.ts";
import { remedyFor, type Remedy } from "../../functions/verdict/remedy.ts";

const kinds = Object.keys(classes) as readonly Class[];

function remedyAt(provider: string | null, text: string, own: string | null = "192.0.2.1"): Remedy {
  const classification = classify({ text, stage: "rcpt", provider, own });
  return remedyFor({ class: classification.class, classification, provider, text, own });
}

const unblockOf = (id: string): Remedy => {
  const unblock = providers.find((each) => each.id === id)?.unblock;
  assert.ok(unblock);
  return unblock;
};
const listOf = (id: string): { readonly remedy: string; readonly url: string | null } => {
  const list = blocklists.find((each) => each.id === id);
  assert.ok(list);
  return list;
};

const classified: Classification = {
  class: "ip-reputation",
  rule: "client-refused",
  blocklist: null,
  remedy: null,
};
const own = { text: "Do this.", url: "https://rule.example/" };

describe("the remedy's order", () => {
  const refused = { class: "ip-reputation", provider: "outlook", text: "550 blocked", own: "192.0.2.1" } as const;

  it("the rule's own is first", () => {
    const classification = { ...classified, blocklist: "psbl", remedy: own };
    assert.deepEqual(remedyFor({ ...refused, classification }), own);
  });

  it("the list's is next", () => {
    const classification = { ...classified, blocklist: "psbl" };
    const { text, url } = remedyFor({ ...refused, classification });
    assert.ok(text.includes(listOf("psbl").remedy), text);
    assert.equal(url, "https://psbl.org/listing?ip=192.0.2.1");
  });

  it("then the provider's, where the IP is refused", () =>
    assert.deepEqual(remedyFor({ ...refused, classification: classified }), unblockOf("outlook")));

  it("then the class's, with the provider's page", () => {
    const classification = { ...classified, class: "rate-limit" } as const;
    const { text, url } = remedyFor({ ...refused, class: "rate-limit", classification });
    assert.equal(text, classes["rate-limit"].remedy);
    assert.equal(url, providers.find(({ id }) => id === "outlook")?.postmaster);
  });

  it("the class's alone, where nobody is known", () =>
    assert.deepEqual(remedyFor({ ...refused, provider: null, classification: classified }), {
      text: classes["ip-reputation"].remedy,
      url: null,
    }));

  it("the class's alone, where no reply came", () =>
    assert.deepEqual(remedyFor({ class: "network", provider: null, text: "", own: null, classification: null }), {
      text: classes.network.remedy,
      url: null,
    }));

  it("a link on a list is the message's fault, not the IP's", () => {
    const classification = { ...classified, class: "content-spam", blocklist: "surbl" } as const;
    const { text } = remedyFor({ ...refused, class: "content-spam", classification });
    assert.equal(text, classes["content-spam"].remedy);
  });

  it("a look-up that failed is the receiver's to mend, whichever list it was", () => {
    const { text, url } = remedyAt(
      null,
      "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53/",
    );
    assert.match(text, /nothing says that you are listed/);
    assert.equal(url, null);
  });

  it("a closed list is nobody's to be taken off", () => {
    const { text, url } = remedyAt(null, "554 5.7.1 Client host [192.0.2.1] blocked using dnsbl.sorbs.net");
    assert.match(text, /closed in 2024/);
    assert.equal(url, null);
  });
});

/** At a list whose page takes an address. */
// prettier-ignore
const addresses: readonly (readonly [what: string, own: string | null, named: string, filled: string | null])[] = [
  ["ours, which the reply names",                    "192.0.2.1",    "[192.0.2.1]",               "192.0.2.1"],
  ["ours, where the reply names none",               "192.0.2.1",    "you",                       "192.0.2.1"],
  ["ours, where the reply names several",            "192.0.2.1",    "198.51.100.1 198.51.100.2", "192.0.2.1"],
  ["ours, where the reply names a private one",      "192.0.2.1",    "10.0.0.7",                  "192.0.2.1"],
  ["ours, whatever the reply names",                 "192.0.2.1",    "198.51.100.1",              "192.0.2.1"],
  ["ours in IPv6",                                   "2001:db8::1",  "2001:db8::1",               "2001%3Adb8%3A%3A1"],
  // Whose the address in a reply is, own-address.ts knows.
  ["none, where ours is not known",                  null,           "198.51.100.1",              null],
  ["none, where ours is private",                    "10.0.0.7",     "198.51.100.1",              null],
  ["none, where nobody knows any",                   null,           "you",                       null],
  ["none, where ours is link-local",                 "fe80::1",      "you",                       null],
  ["none, where ours is a private IPv6",             "fd00::1",      "you",                       null],
  ["none, where ours is the host itself",            "127.0.0.1",    "[127.0.0.1]",               null],
  ["none, where ours is a carrier's shared one",     "100.64.0.1",   "you",                       null],
  ["none, where ours is in 172.16.0.0/12",           "172.31.0.1",   "you",                       null],
  ["none, where ours is of a cloud's metadata",      "169.254.169.254", "you",                    null],
  ["none, where ours is carried inside IPv6",        "::ffff:10.0.0.7", "you",                    null],
  ["none, where ours is no address",                 "198.51.100.1 or so", "you",                 null],
];

describe("the address in the link", () => {
  for (const [what, own, named, filled] of addresses) {
    it(`is ${what}`, () => {
      const { url } = remedyAt(
        null,
        `554 5.7.1 Service unavailable; Client host ${named} blocked using psbl.surriel.com`,
        own,
      );
      assert.equal(url, filled === null ? "https://psbl.org/" : `https://psbl.org/listing?ip=${filled}`);
    });
  }

  it("never leaves a placeholder, and never a private address", () => {
    const privates = ["10.1.2.3", "192.168.0.9", "172.16.5.4", "127.0.0.1", "169.254.1.1", "100.100.0.1"];
    fc.assert(
      fc.property(fc.constantFrom(...blocklists), fc.constantFrom(...privates), fc.ipV4(), ({ id }, own, named) => {
        const classification = { ...classified, blocklist: id };
        for (const text of [`550 [${own}] is listed`, `550 [${named}] is listed`, "550 listed"]) {
          const { url } = remedyFor({ class: "ip-reputation", classification, provider: null, text, own });
          assert.doesNotMatch(url ?? "", /[{}]/);
          assert.ok(!(url ?? "").includes(own));
        }
      }),
    );
  });
});

// prettier-ignore
const tickets: readonly (readonly [provider: string, reply: string, link: string])[] = [
  ["gmx", "554-gmx.net (mxgmx104) Nemesis ESMTP Service not available\n554-No SMTP service\n554-IP address is block listed.\n554 For explanation visit https://postmaster.gmx.net/en/case?c=r0301&i=ip&v=192.0.2.1&r=1MabcD-1q2w3e4r",
    "https://postmaster.gmx.net/en/case?c=r0301&i=ip&v=192.0.2.1&r=1MabcD-1q2w3e4r"],
  ["webde", "554-web.de (mxweb011) Nemesis ESMTP Service not available\n554-No SMTP service\n554-IP address is block listed.\n554 For explanation visit https://postmaster.web.de/en/case?c=r0301&i=ip&v=192.0.2.1&r=0Mabc",
    "https://postmaster.web.de/en/case?c=r0301&i=ip&v=192.0.2.1&r=0Mabc"],
];

describe("the reply's own link", () => {
  for (const [provider, reply, link] of tickets)
    it(`to ${provider} is the ticket`, () => assert.equal(remedyAt(provider, reply).url, link));

  it("ends where the sentence does", () => {
    const { url } = remedyFor({
      class: "ip-reputation",
      classification: classified,
      provider: "gmx",
      text: "554 For explanation visit https://postmaster.gmx.net/en/case?c=r0301.",
      own: null,
    });
    assert.equal(url, "https://postmaster.gmx.net/en/case?c=r0301");
  });

  /** To a page where anybody may write, on a provider's own domain. */
  // prettier-ignore
  const pages: readonly (readonly [provider: string, link: string])[] = [
    ["free",   "https://someone.free.fr/unblock"],
    ["gmail",  "https://sites.google.com/view/unblock"],
    ["gmail",  "https://docs.google.com/forms/d/e/unblock"],
    ["mailru", "https://cloud.mail.ru/public/unblock"],
  ];
  for (const [provider, link] of pages)
    it(`to ${new URL(link).host} is not repeated`, () => assert.notEqual(repeatedAt(provider, link).url, link));

  const hosts = providers.flatMap(({ id, unblock, postmaster }) =>
    [unblock?.url, postmaster].flatMap((url) => (url == null ? [] : [{ id, url, host: new URL(url).host }])),
  );
  const tricks: readonly ((host: string) => string)[] = [
    () => `https://evil.example/`,
    (host) => `https://${host}.evil.example/`,
    (host) => `https://evil-${host}/`,
    (host) => `https://evil${host}/`,
    (host) => `https://${host.replaceAll(".", "-")}.example/`,
    (host) => `https://${host.replace("o", "0").replace("i", "1")}x/`,
    (host) => `https://${host.replace("o", "\u043E").replace("e", "\u0435")}x/`,
    (host) => `https://${host}@evil.example/`,
    (host) => `https://${host}:443@evil.example/`,
    (host) => `https://${host}%2F@evil.example/`,
    (host) => `https://evil.example@${host}/`,
    (host) => `https://evil:example@${host}/`,
    (host) => `https://${host}\\@evil.example/`,
    (host) => `https://evil.example\\@${host}/`,
    (host) => `https://evil.example/${host}`,
    (host) => `https://evil.example/?to=https://${host}/`,
    (host) => `https://evil.example#https://${host}/`,
    (host) => `http://${host}/plain`,
    (host) => `https://${host}:8443/`,
    (host) => `https://${host}:22/`,
    (host) => `https://${host}/\u202Egnp.exe`,
    (host) => `https://${host}/\u001B[2J`,
  ];

  it("leads to the provider's own site by https, or is not repeated", () => {
    fc.assert(
      fc.property(fc.constantFrom(...hosts), fc.constantFrom(...tricks), ({ id, url: page, host }, trick) => {
        const link = trick(host);
        const { url } = repeatedAt(id, link);
        if (url !== null) assertHarmless(url, page, link);
      }),
      { numRuns: 1000 },
    );
  });

  it("is never a stranger's, whatever it looks like", () => {
    fc.assert(
      fc.property(fc.constantFrom(...hosts), fc.webUrl({ withQueryParameters: true }), ({ id }, link) => {
        assert.notEqual(repeatedAt(id, link).url, link);
      }),
    );
  });

  it("of a list is held to the same", () => {
    for (const { id, url: page } of blocklists) {
      if (page === null) continue;
      for (const trick of tricks) {
        const link = trick(new URL(page).host);
        const classification = { ...classified, blocklist: id };
        const refused = { class: "ip-reputation", classification, provider: null, own: "192.0.2.1" } as const;
        const { url } = remedyFor({ ...refused, text: `550 listed, see ${link} now` });
        if (url !== null) assertHarmless(url, page, link);
      }
    }
  });

  function repeatedAt(provider: string, link: string): Remedy {
    const refused = { class: "ip-reputation", classification: classified, provider, own: "192.0.2.1" } as const;
    return remedyFor({ ...refused, text: `554 blocked, see ${link} now` });
  }

  function assertHarmless(url: string, page: string, link: string): void {
    const [theirs, ours] = [new URL(url), new URL(page)];
    // A few have no other page.
    assert.ok(theirs.protocol === "https:" || ours.protocol === "http:", `${url} for ${link}`);
    assert.ok(!url.includes("evil"), url);
    assert.equal(theirs.username + theirs.password + theirs.port, "", url);
    assert.match(url, /^[\u0021-\u007E]+$/, "printable");
  }
});

describe("every refusal", () => {
  it("of any class, by any provider or nobody, is told what to do", () => {
    for (const kind of kinds)
      for (const provider of [null, ...providers.map(({ id }) => id)])
        assertRemedy(remedyFor({ class: kind, classification: null, provider, text: "550 no", own: "192.0.2.1" }));
  });

  it("that names a list is told what to do about it", () => {
    for (const { id, name } of blocklists) {
      const classification = { ...classified, blocklist: id };
      const refused = { class: "ip-reputation", provider: null, text: "550 listed", own: "192.0.2.1" } as const;
      const remedy = remedyFor({ ...refused, classification });
      assertRemedy(remedy);
      assert.ok(remedy.text.startsWith(`${name}: `), remedy.text);
    }
  });

  it("may say anything", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...kinds), (words, kind) => {
        for (const text of [words, `550 https://${words}`, `550 https://postmaster.gmx.net/${words}`])
          assertRemedy(remedyFor({ class: kind, classification: null, provider: "gmx", text, own: null }));
      }),
    );
  });

  it("nobody said, because we went no further, is told what to do about that", () => {
    const attempt = transcriptOf("");
    const reasons = ["no-mail-here", "no-address", "no-family", "own-host", "dns-failed", "guarded", "proxy", "proxy-refused", "out-of-time", "left-out", "tls-not-offered", "tls-policy"] as const; // prettier-ignore
    const remedies = reasons.map((reason) => {
      const stop = { reason, stage: "connect", status: null, text: "why" } as const;
      return judge([{ ...attempt, stop }], { name: "direct", address: null }).remedy ?? assert.fail(reason);
    });
    for (const each of remedies) assertRemedy(each);
    assert.equal(new Set(remedies.map(({ text }) => text)).size, reasons.length);
  });

  function assertRemedy({ text, url }: Remedy): void {
    assert.match(text, /^\S.{10,}\.$/, "a sentence");
    assert.ok(url === null || (URL.canParse(url) && !/[{}]/.test(url)), String(url));
  }
});
