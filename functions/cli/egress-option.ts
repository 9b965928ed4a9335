// Reads --egress and --families: which way out a probe takes. A value may hold a password, so that no message repeats one.
// It opens no connection.
import { isIP } from "node:net";
import type { Config, ConfigEgress } from "../config/config.ts";
import { readHost } from "../config/host.ts";
import { openEgress } from "../probe/egress.ts";
import { direct, EgressFault, type Credentials, type Egress, type Families, type Proxy } from "../route/egress.ts";
import type { Secrets } from "../secrets.ts";
import { specialRange } from "../smtp/address-range.ts";
import { familyOf, hostAndPort } from "../smtp/ip-address.ts";
import { credentialFaults } from "../smtp/proxy-credentials.ts";
import { quote, UsageFault } from "./options.ts";

export interface EgressWords {
  readonly egress: string | null;
  readonly families: string | null;
  /** Whose egresses can be named; null: no configuration is given. */
  readonly config: Config | null;
  /** What reads their secrets. */
  readonly secrets: Secrets;
}

/** @throws UsageFault */
export async function readEgress({ egress: text, families, config, secrets }: EgressWords): Promise<Egress> {
  const egress = await egressOf(text ?? presetName(config), config, secrets);
  return families === null ? egress : withFamilies(egress, readFamilies(families));
}

/** Which of several is meant nobody can guess, and another than the one meant would be judged. */
function presetName(config: Config | null): string {
  if (config === null) return direct.name;
  const names = config.egresses.map(({ name }) => name);
  const [only, another] = names;
  if (only !== undefined && another === undefined) return only;
  throw new UsageFault(`the configuration has several egresses; write --egress and one of ${names.join(", ")}`);
}

async function egressOf(text: string, config: Config | null, secrets: Secrets): Promise<Egress> {
  const row = config?.egresses.find(({ name }) => name === text);
  if (row !== undefined) return await named(row, secrets);
  if (text === direct.name) return direct;
  const bind = text.replace(/^direct:/, "").replace(/^\[(.*)\]$/, "$1");
  if (isIP(bind) > 0) return boundTo(bind);
  if (text.startsWith("direct:")) {
    throw new UsageFault("--egress direct: takes an address of this machine; write one such as direct:203.0.113.7");
  }
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/(.*?)\/?$/i.exec(text) ?? [];
  if (scheme !== undefined && authority !== undefined) return proxied(scheme.toLowerCase(), authority);
  throw new UsageFault(`there is no egress ${shown(text)}; write ${choices(config)}`);
}

async function named(row: ConfigEgress, secrets: Secrets): Promise<Egress> {
  try {
    return await openEgress(row, secrets);
  } catch (error) {
    // A secret that cannot be read is for the person who typed to set.
    throw error instanceof EgressFault ? new UsageFault(error.message) : error;
  }
}

/** Behind an address of a private range stands a NAT: what hosts see is another one, and is not known. */
function boundTo(bind: string): Egress {
  const address = specialRange(bind) === null ? bind : null;
  return { name: direct.name, address, families: familyOf(bind), via: { type: "direct", bind } };
}

const schemes: Readonly<Record<string, number>> = { socks5: 1_080, https: 3_128, http: 3_128 };

function proxied(scheme: string, authority: string): Egress {
  const preset = schemes[scheme];
  if (preset === undefined) {
    throw new UsageFault("--egress names a proxy of a kind that there is not; write socks5://, https:// or http://");
  }
  const at = authority.lastIndexOf("@");
  const host = readHost(authority.slice(at + 1), preset);
  // What stands here where "@" was forgotten may be a password.
  if ("wrong" in host) {
    throw new UsageFault(`--egress ${scheme}:// names no host and port; write ${formOf(scheme)}`);
  }
  const { name, port } = host;
  const type = scheme === "socks5" ? "socks5" : "http-connect";
  const proxy = {
    host: name,
    port,
    credentials: at === -1 ? null : readCredentials(scheme, type, authority.slice(0, at)),
    passesNames: false,
  };
  const tls = scheme === "https" ? { ca: null, certificate: null, key: null } : null;
  const via: Proxy = type === "socks5" ? { type, ...proxy } : { type, tls, ...proxy };
  return { name: `${scheme}://${hostAndPort(name, port)}`, address: null, families: "both", via };
}

/** RFC 3986 §3.2.1: what a URL cannot hold as it is stands percent-encoded. */
function readCredentials(scheme: string, type: Proxy["type"], userinfo: string): Credentials {
  const [, user, pass] = /^([^:]*):(.*)$/s.exec(userinfo) ?? [];
  const username = decoded(user ?? "");
  const password = decoded(pass ?? "");
  if (username === null || password === null) {
    throw new UsageFault(`--egress ${scheme}:// has a "%" that encodes nothing; write %25 for it`);
  }
  if (username === "" || password === "") {
    throw new UsageFault(`--egress ${scheme}:// has a user or a password alone; write ${formOf(scheme)}`);
  }
  const [fault] = credentialFaults(type, { username, password });
  if (fault === undefined) return { username, password };
  const word = fault.field === "username" ? "user" : "password";
  throw new UsageFault(`--egress ${scheme}:// has a ${word} that the proxy cannot be told; write ${fault.allowed}`);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function formOf(scheme: string): string {
  return `${scheme}://host:port or ${scheme}://user:password@host:port`;
}

/** Only what can be nothing but a name. */
function shown(text: string): string {
  return /^[\w.-]+$/.test(text) ? quote(text) : "of this form";
}

function choices(config: Config | null): string {
  const names = config === null ? "--config and a name of its egresses" : config.egresses.map(({ name }) => name);
  const proxies = "a proxy such as socks5://proxy.example:1080 or https://proxy.example:3128";
  return ["direct", "an address of this machine", proxies, `or ${[names].flat().join(", ")}`].join(", ");
}

const familyWords: readonly Families[] = ["both", "4", "6"];

function readFamilies(text: string): Families {
  const families = familyWords.find((each) => each === text);
  if (families !== undefined) return families;
  throw new UsageFault(`there are no families ${quote(text)}; write both, 4 or 6`);
}

function withFamilies(egress: Egress, families: Families): Egress {
  const { address, via } = egress;
  const own = address ?? (via.type === "direct" ? via.bind : null);
  if (own === null || families === familyOf(own)) return { ...egress, families };
  const only = familyOf(own);
  throw new UsageFault(`--families ${families} does not go with ${own}; write --families ${only}, or leave it out`);
}
