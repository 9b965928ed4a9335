// A seal on what travels in a queue and is believed when it comes back: a keyed hash (RFC 2104). Who has the key it does
// not know.
import { createHmac, timingSafeEqual } from "node:crypto";

export const sealOctets = 32;

export function sealOf(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

export function isSealed(seal: Uint8Array, key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): boolean {
  return seal.length === sealOctets && timingSafeEqual(seal, sealOf(key, ...parts));
}
