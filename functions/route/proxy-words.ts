// What of a proxy's own words may be told, where we have told it a name and a password: it may repeat them, spelt as it
// likes. It knows neither how a proxy is asked nor what its words mean. Pure.
import type { Credentials } from "./egress.ts";

const wordsLimit = 200;
/** What a phrase is made of in plain English. All that escapes are written with is left out: % & \ = + and non-ASCII. */
const plainPhrase = /^[\w .,:;()[\]'"/-]*$/;
/** So much of a secret tells too much of it. */
const pieceLength = 6;
const leftOut = "(in words that are left out: they may repeat our credentials)";

/**
 * A proxy's words as they may be told, untrusted still. With credentials all or nothing: to mask a short password would
 * show where in the words it stands.
 */
export function tellable(words: string, credentials: Credentials | null): string {
  if (credentials === null) return words;
  return isHarmless(words, credentials) ? words : leftOut;
}

function isHarmless(words: string, { username, password }: Credentials): boolean {
  if (words.length > wordsLimit || !plainPhrase.test(words)) return false;
  const pieces = [username, password].flatMap(alsoFolded).flatMap(piecesOf);
  const readings = [words, ...decoded(words)].flatMap(alsoFolded);
  return !pieces.some((piece) => readings.some((reading) => reading.includes(piece)));
}

/** A proxy may have cut what it repeats: any piece counts. */
function piecesOf(secret: string): readonly string[] {
  if (secret.length <= pieceLength) return secret === "" ? [] : [secret];
  return Array.from({ length: secret.length - pieceLength + 1 }, (_, start) =>
    secret.slice(start, start + pieceLength),
  );
}

/** Neither case nor white space makes a secret another; no letter but ASCII's comes here, unless out of base64. */
function alsoFolded(text: string): readonly string[] {
  return [text, text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()).replaceAll(/\s/g, "")];
}

/** What the words may be in base64, of either alphabet and begun at any digit of it, or in hexadecimal. */
function decoded(words: string): readonly string[] {
  const base64 = words.match(/[\w/-]+/g) ?? [];
  const hex = words.match(/[\da-f]+/gi) ?? [];
  const octets = [
    ...base64.flatMap((run) => [0, 1, 2, 3].map((start) => Buffer.from(run.slice(start), "base64"))),
    ...hex.flatMap((run) => [0, 1].map((start) => Buffer.from(run.slice(start), "hex"))),
  ];
  return octets.flatMap((each) => [each.toString("utf8"), each.toString("latin1")]);
}
