// The ways out: which address hosts see us come from, and how a connection gets there. Providers judge addresses, and v4
// and v6 apart: one egress should be one address of one family. It opens no connection.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { familyOf, hostAndPort, type Family } from "../smtp/ip-address.ts";
import { credentialFaults } from "../smtp/proxy-credentials.ts";

/** Which IP versions may be dialled. */
export type Families = "both" | Family;

export interface Egress {
  /** What requests, series and alarms call it. */
  readonly name: string;
  /** The address that hosts should see us come from; null: not known. */
  readonly address: string | null;
  readonly families: Families;
  readonly via: Via;
}

/** How connections leave. */
export type Via = Direct | Socks5 | HttpConnect;

export interface Direct {
  readonly type: "direct";
  /** The address of this machine to leave from; null: as its routes have it. */
  readonly bind: string | null;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** RFC 1928; its credentials travel in the clear (RFC 1929), so private networks only. */
export interface Socks5 {
  readonly type: "socks5";
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials | null;
  /** Whether hosts' names are handed to the proxy, which then looks them up; else addresses, which we have guarded. */
  readonly passesNames: boolean;
}

/** RFC 9110 §9.3.6. */
export interface HttpConnect {
  readonly type: "http-connect";
  readonly host: string;
  readonly port: number;
  /** TLS to the proxy; null: in the clear, on private networks only. All three are PEM. */
  readonly tls: { readonly ca: string | null; readonly certificate: string | null; readonly key: string | null } | null;
  readonly credentials: Credentials | null;
  readonly passesNames: boolean;
}

export type Proxy = Socks5 | HttpConnect;

/** Our own fault, not the host's: an address that this machine does not have, a secret that is missing or is none. */
export class EgressFault extends Error {
  override readonly name = "EgressFault";
}

/** Straight out, as this machine's routes have it. */
export const direct: Egress = { name: "direct", address: null, families: "both", via: { type: "direct", bind: null } };

/** What may be dialled over it: from an address of one family nothing of the other can be reached. */
export function reachableFamilies({ families, via }: Egress): Families {
  if (via.type !== "direct" || via.bind === null) return families;
  return familyOf(via.bind);
}

/** A proxy as texts name it: `socks5 proxy.example:1080`; never with what it is told of us. */
export function proxyText({ type, host, port }: Proxy): string {
  return `${type} ${hostAndPort(host, port)}`;
}

/**
 * Whether this machine can leave by the egress, as far as it knows without a connection.
 * @throws EgressFault for an address that it does not have, for credentials that the proxy's protocol cannot carry, and
 * for certificates and keys that are none
 */
export async function checkEgress({ name, via }: Egress): Promise<void> {
  if (via.type === "direct") {
    if (via.bind !== null) await checkBind(name, via.bind);
    return;
  }
  const fault = credentialFault(via) ?? (via.type === "http-connect" ? pemFault(via.tls) : null);
  if (fault !== null) throw new EgressFault(`egress ${name}: ${fault}, for ${proxyText(via)}`);
}

/** Never quotes what is given. */
function credentialFault({ type, credentials }: Proxy): string | null {
  const [fault] = credentials === null ? [] : credentialFaults(type, credentials);
  return fault === undefined ? null : `the ${fault.field} cannot be told; write ${fault.allowed}`;
}

/** Binding tells, and nothing else: an address may be routed here without being an interface's. */
async function checkBind(name: string, bind: string): Promise<void> {
  const socket = createSocket(familyOf(bind) === "6" ? "udp6" : "udp4");
  try {
    socket.bind(0, bind);
    await once(socket, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EgressFault(`egress ${name}: ${bind} is not an address of this machine (${code}); bind one that it has`);
  } finally {
    socket.close();
  }
}

/**
 * OpenSSL passes over an authority's certificate that it cannot read, and trusts nobody then; so each is read here. Never
 * quotes what is given.
 */
function pemFault(given: HttpConnect["tls"]): string | null {
  if (given === null) return null;
  const { ca, certificate, key } = given;
  return (
    faultOf("tls.ca", () => ca !== null && readCertificates(ca)) ??
    faultOf("tls.certificate", () => certificate !== null && readCertificates(certificate)) ??
    faultOf("tls.key", () => key !== null && createPrivateKey(key)) ??
    (certificate === null || key === null || new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
      ? null
      : "tls.key is not the key of tls.certificate")
  );
}

function faultOf(field: string, read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    const { reason, message } = error as Error & { readonly reason?: string };
    return `${field} is no PEM that can be read (${reason ?? message})`;
  }
}

const pemCertificates = /-----BEGIN CERTIFICATE-----.*?(?:-----END CERTIFICATE-----|$)/gs;

function readCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(pemCertificates) ?? [pem]).map((each) => new X509Certificate(each));
}
