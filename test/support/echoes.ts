// Credentials, and a proxy's ways to repeat them: what any program on the way might do to a text before it writes it.
import fc from "fast-check";
import type { Credentials } from "../../functions/route/egress.ts";

export interface Echo {
  readonly credentials: Credentials;
  /** As the proxy writes it, between these words. */
  readonly echo: Buffer;
  readonly before: string;
  readonly after: string;
}

const secret = fc.oneof(
  fc.string({ minLength: 1, maxLength: 24 }),
  fc.string({ unit: fc.constantFrom(...Array.from("ab Z09:@/+&<\"'\\%äß€😀")), minLength: 1, maxLength: 24 }),
  fc.constantFrom("hunter2", "pässwörd-geheim", "p@ss/word-secret", 'sec"ret-long', "Tom & Jerry <3"),
);

const hex = (octets: Iterable<number>, prefix: string, length = 2): string =>
  [...octets].map((each) => prefix + each.toString(16).padStart(length, "0")).join("");
const units = (text: string): number[] => text.split("").map((each) => each.charCodeAt(0));
const named: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
/** Where it can be written so. */
const latin1 = (text: string): Buffer => Buffer.from(text, /^[\0-\xff]*$/.test(text) ? "latin1" : "utf8");
const base64 = (text: string): string => Buffer.from(text).toString("base64");

const spellings: readonly ((text: string) => string | Buffer)[] = [
  (text) => text,
  (text) => latin1(text),
  (text) => encodeURIComponent(text),
  (text) => encodeURIComponent(text).replaceAll("%20", "+").toLowerCase(),
  (text) => hex(Buffer.from(text), "%"),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => hex(units(text), "\\u", 4),
  (text) => hex(Buffer.from(text), "\\x"),
  (text) => text.replaceAll(/[&<>"']/g, (each) => `&${named[each]};`),
  (text) => text.replaceAll(/[^a-z0-9]/gi, (each) => `&#${each.charCodeAt(0)};`),
  (text) => base64(text),
  (text) => base64(text).replace(/=+$/, ""),
  (text) => latin1(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
  (text) => encodeURIComponent(base64(text)),
  (text) => Buffer.from(text).toString("hex"),
  (text) => text.slice(0, Math.max(6, text.length - 2)),
  (text) => text.toUpperCase(),
];

/** Between words, right behind some, or behind so many that a text which is cut is cut within it. */
const words = fc.constantFrom("", "who is ", "Basic ", "http://x:", "x".repeat(190), "bad ".repeat(49));

export const echoes: fc.Arbitrary<Echo> = fc
  .record({ username: secret, password: secret })
  .filter(({ username }) => !username.includes(":"))
  .chain((credentials) => {
    const { username, password } = credentials;
    return fc.record({
      credentials: fc.constant(credentials),
      echo: fc
        .tuple(fc.constantFrom(username, password, `${username}:${password}`), fc.constantFrom(...spellings))
        .map(([text, spell]) => Buffer.from(spell(text))),
      before: words,
      after: words,
    });
  });

/** What no text may hold, as text and as it looks where octets are read one by one. */
export function secretForms({ username, password }: Credentials): readonly string[] {
  const texts = [username, password, `${username}:${password}`].flatMap((text) =>
    spellings.map((spell) => Buffer.from(spell(text))),
  );
  const forms = texts.flatMap((each) => [
    each.toString("utf8"),
    each.toString("latin1"),
    each.toString("latin1").trim(),
  ]);
  return [...new Set(forms)].filter((form) => form.trim() !== "");
}
