// What the tests of signed messages share: a key made for the run, and an independent verifier (mailauth).
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { openKey, type Signer } from "../../functions/send/dkim.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

export const signer: Signer = { domain: "sender.example", selector: "s2026", key: openKey(pem, "key") };

const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;

/** What a receiver makes of the message's signatures, as the standards say and no laxer: by the domain of each. */
export async function verified(message: Buffer): Promise<readonly (readonly [domain: string, result: string])[]> {
  const { results } = await dkimVerify(message, {
    strict: true,
    resolver: async (name, type) => {
      assert.deepEqual([name, type], ["s2026._domainkey.sender.example", "TXT"]);
      return await Promise.resolve([[record]]);
    },
  });
  return results.map(({ signingDomain, status }) => [String(signingDomain), status.result]);
}
