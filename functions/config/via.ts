// How the connections of an egress leave, field by field: straight out, through a NAT gateway of ours in AWS, or through a
// proxy. What one field allows another, egress.ts knows; how a proxy is spoken to, neither.
import { isIP } from "node:net";
import * as z from "zod/mini";
import { isHelo } from "../smtp/address.ts";
import { about } from "./about.ts";
import { secret } from "./secret.ts";

export const ip = z.string().check(z.refine((text) => isIP(text) > 0, "an IP address"));

const proxyHost = about(
  "The proxy's name or address.",
  z.string().check(z.refine(isProxyHost, "a host name such as proxy.example.com, or an IP address without brackets")),
);
const port = z.int().check(z.gte(1), z.lte(65_535));
const credentials = {
  username: about(
    "What the proxy knows us by; null where it asks nobody.",
    z._default(z.nullable(z.string().check(z.minLength(1))), null),
  ),
  password: about("Goes with username.", z._default(z.nullable(secret), null)),
};
const passesNames = about(
  "Whether hosts' names are handed to the proxy, which looks them up itself: then nobody here sees where they lead.",
  z._default(z.boolean(), false),
);
const certificateText = z
  .string()
  .check(z.regex(/-----BEGIN CERTIFICATE-----/, 'PEM text, with a "-----BEGIN CERTIFICATE-----"'));

const tls = z.strictObject({
  ca: about(
    "PEM text of the authority that signed the proxy's certificate; null for those that Node.js knows.",
    z._default(z.nullable(certificateText), null),
  ),
  certificate: about("PEM text of ours, where the proxy asks for one.", z._default(z.nullable(secret), null)),
  key: about("PEM text of the certificate's key.", z._default(z.nullable(secret), null)),
});

const allocation = z
  .string()
  .check(z.regex(/^eipalloc-[0-9a-f]{8,17}$/, "the allocation of an Elastic IP: eipalloc-…"));

export const via = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("direct"),
    bind: about(
      "The address of this machine to leave from; null: as its routes have it.",
      z._default(z.nullable(ip), null),
    ),
  }),
  z.strictObject({
    type: z.literal("vpc"),
    allocation: about(
      "The Elastic IP of yours that the NAT gateway of the functions' VPC has; null: the deployment takes a new one.",
      z._default(z.nullable(allocation), null),
    ),
  }),
  z.strictObject({
    type: z.literal("socks5"),
    host: proxyHost,
    port: about("The proxy's.", z._default(port, 1_080)),
    ...credentials,
    passesNames,
  }),
  z.strictObject({
    type: z.literal("http-connect"),
    host: proxyHost,
    port: about("The proxy's.", z._default(port, 3_128)),
    tls: about(
      "TLS to the proxy; null: in the clear, with its password, on private networks only.",
      z._default(z.nullable(tls), { ca: null, certificate: null, key: null }),
    ),
    ...credentials,
    passesNames,
  }),
]);

/** A name or an address; a proxy by its address literal, brackets and all, is nothing that a socket takes. */
function isProxyHost(text: string): boolean {
  return isIP(text) > 0 || (!text.startsWith("[") && isHelo(text));
}
