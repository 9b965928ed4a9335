// The project's own rules that no tool knows: which way imports point, which RFCs there are, how files are named.
// It reads sources as text, and knows nothing of what they do.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const root = path.join(import.meta.dirname, "..");

/** Files of functions/smtp that hold no socket: plain data and functions of it, which judging and the lab may call. */
const pureFiles: readonly string[] = [
  "functions/smtp/address-range.ts",
  "functions/smtp/address.ts",
  "functions/smtp/dialog.ts",
  "functions/smtp/host-name.ts",
  "functions/smtp/ip-address.ts",
  "functions/smtp/proxy-credentials.ts",
  "functions/smtp/reverse-name.ts",
  "functions/smtp/transcript.ts",
  "functions/smtp/yes.ts",
];

/**
 * What a folder or file may import of ours besides itself, as path prefixes; the longest `from` that fits decides.
 * `values` may be imported in any way, `types` by `import type` only. `packages` are those not of ours.
 */
interface Direction {
  readonly from: string;
  readonly values: readonly string[];
  readonly types: readonly string[];
  readonly packages: readonly string[];
}

/** What knows neither sockets nor AWS's services: infra and the local stack share it with the functions. */
const shared = ["functions/config/", "functions/queue/", "functions/report/", "functions/state/", "functions/verdict/"];

// prettier-ignore
const directions: readonly Direction[] = [
  { from: "functions/smtp/",      values: [],                                        types: [],                    packages: ["node:"] },
  { from: "functions/verdict/",   values: [...pureFiles, "functions/verdict/rules/"], types: ["functions/smtp/"],   packages: [] },
  { from: "functions/verdict/rules/", values: ["functions/verdict/blocklists.ts"],   types: ["functions/smtp/", "functions/verdict/"], packages: [] },
  { from: "functions/route/",     values: ["functions/smtp/", "functions/verdict/"], types: [],                    packages: ["node:", "dns-packet", "socks"] },
  { from: "functions/self-check/", values: [...pureFiles, "functions/verdict/", "functions/route/"], types: ["functions/smtp/"], packages: ["node:", "mailauth/lib/spf/"] },
  { from: "functions/config/",    values: [...pureFiles, "functions/verdict/"],      types: [],                    packages: ["node:", "zod"] },
  { from: "functions/queue/",     values: [...pureFiles, "functions/config/"],       types: [],                    packages: ["node:", "zod", "@aws-sdk/", "aws-lambda"] },
  { from: "functions/state/",     values: ["functions/verdict/"],                    types: ["functions/smtp/", "functions/route/", "functions/self-check/"], packages: ["node:", "@aws-sdk/"] },
  { from: "functions/report/",    values: [...pureFiles, ...shared],                 types: ["functions/smtp/"],   packages: ["node:", "@aws-sdk/"] },
  { from: "functions/page/",      values: [...pureFiles, ...shared, "functions/page/", "functions/secrets/fault.ts"], types: ["functions/"], packages: ["node:", "@aws-sdk/"] },
  { from: "functions/secrets/",   values: [],                                        types: ["functions/config/"], packages: ["node:", "@aws-sdk/"] },
  { from: "functions/send/",      values: ["functions/"],                            types: [],                    packages: ["node:", "@aws-sdk/", "aws-lambda", "nodemailer/lib/dkim/", "nodemailer/lib/addressparser", "mailauth/lib/"] },
  { from: "functions/cli/",       values: ["functions/", "package.json"],            types: [],                    packages: ["node:", "@aws-sdk/"] },
  { from: "functions/",           values: ["functions/"],                            types: [],                    packages: ["node:", "@aws-sdk/", "aws-lambda", "sqs-consumer"] },
  // What puts the functions together on one machine, and shows them.
  ...["start", "view/watch", "stack", "runners", "embedded-clients"].map((name) => {
    return { from: `infra/local/${name}.ts`, values: ["infra/", "functions/"], types: [], packages: [""] };
  }),
  { from: "infra/local/mail/dialog-probe.ts", values: [...pureFiles, "functions/route/"], types: ["functions/", "infra/local/"], packages: [] },
  { from: "infra/local/",         values: [...pureFiles, ...shared, "functions/self-check/dns-lists.ts", "infra/alarm-requests.ts", "infra/local/"], types: ["functions/"],        packages: [""] },
  { from: "infra/",               values: [...shared, "infra/"],                     types: ["functions/"],        packages: [""] },
  { from: "test/",                values: [""],                                      types: [],                    packages: [""] },
  ...pureFiles.map((from) => ({ from, values: pureFiles, types: ["functions/smtp/"], packages: ["node:net", "node:url"] })),
];

/** Cited in comments. An RFC that is not here is mistyped, obsolete, or missing in this list. */
const rfcs: Readonly<Record<string, string>> = {
  791: "Internet Protocol",
  1035: "Domain Names - Implementation and Specification",
  1047: "Duplicate Messages and SMTP",
  1112: "Host Extensions for IP Multicasting",
  1122: "Requirements for Internet Hosts - Communication Layers",
  1123: "Requirements for Internet Hosts - Application and Support",
  1870: "SMTP Service Extension for Message Size Declaration",
  1912: "Common DNS Operational and Configuration Errors",
  1918: "Address Allocation for Private Internets",
  1928: "SOCKS Protocol Version 5",
  1929: "Username/Password Authentication for SOCKS V5",
  2034: "SMTP Service Extension for Returning Enhanced Error Codes",
  2104: "HMAC: Keyed-Hashing for Message Authentication",
  2181: "Clarifications to the DNS Specification",
  2308: "Negative Caching of DNS Queries (DNS NCACHE)",
  2544: "Benchmarking Methodology for Network Interconnect Devices",
  2765: "Stateless IP/ICMP Translation Algorithm (SIIT)",
  2920: "SMTP Service Extension for Command Pipelining",
  2928: "Initial IPv6 Sub-TLA ID Assignments",
  3030: "SMTP Service Extensions for Transmission of Large and Binary MIME Messages",
  3056: "Connection of IPv6 Domains via IPv4 Clouds",
  3207: "SMTP Service Extension for Secure SMTP over Transport Layer Security",
  3339: "Date and Time on the Internet: Timestamps",
  3461: "SMTP Service Extension for Delivery Status Notifications (DSNs)",
  3463: "Enhanced Mail System Status Codes",
  3596: "DNS Extensions to Support IP Version 6",
  3696: "Application Techniques for Checking and Transformation of Names",
  3834: "Recommendations for Automatic Responses to Electronic Mail",
  3849: "IPv6 Address Prefix Reserved for Documentation",
  3879: "Deprecating Site Local Addresses",
  3927: "Dynamic Configuration of IPv4 Link-Local Addresses",
  3986: "Uniform Resource Identifier (URI): Generic Syntax",
  4007: "IPv6 Scoped Address Architecture",
  4035: "Protocol Modifications for the DNS Security Extensions",
  4193: "Unique Local IPv6 Unicast Addresses",
  4291: "IP Version 6 Addressing Architecture",
  4380: "Teredo: Tunneling IPv6 over UDP through Network Address Translations (NATs)",
  4954: "SMTP Service Extension for Authentication",
  5180: "IPv6 Benchmarking Methodology for Network Interconnect Devices",
  5248: "A Registry for SMTP Enhanced Mail System Status Codes",
  5280: "Internet X.509 Public Key Infrastructure Certificate and Certificate Revocation List (CRL) Profile",
  5321: "Simple Mail Transfer Protocol",
  5322: "Internet Message Format",
  5737: "IPv4 Address Blocks Reserved for Documentation",
  5771: "IANA Guidelines for IPv4 Multicast Address Assignments",
  5782: "DNS Blacklists and Whitelists",
  5890: "Internationalized Domain Names for Applications (IDNA): Definitions and Document Framework",
  5952: "A Recommendation for IPv6 Address Text Representation",
  6052: "IPv6 Addressing of IPv4/IPv6 Translators",
  6125: "Representation and Verification of Domain-Based Application Service Identity within PKIX",
  6152: "SMTP Service Extension for 8-bit MIME Transport",
  6376: "DomainKeys Identified Mail (DKIM) Signatures",
  6531: "SMTP Extension for Internationalized Email",
  6532: "Internationalized Email Headers",
  6598: "IANA-Reserved IPv4 Prefix for Shared Address Space",
  6666: "A Discard Prefix for IPv6",
  6698: "The DNS-Based Authentication of Named Entities (DANE) Transport Layer Security (TLS) Protocol: TLSA",
  6724: "Default Address Selection for Internet Protocol Version 6 (IPv6)",
  6761: "Special-Use Domain Names",
  6762: "Multicast DNS",
  6840: "Clarifications and Implementation Notes for DNS Security (DNSSEC)",
  6890: "Special-Purpose IP Address Registries",
  6891: "Extension Mechanisms for DNS (EDNS(0))",
  7208: "Sender Policy Framework (SPF) for Authorizing Use of Domains in Email, Version 1",
  7435: "Opportunistic Security: Some Protection Most of the Time",
  7504: "SMTP 521 and 556 Reply Codes",
  7505: 'A "Null MX" No Service Resource Record for Domains That Accept No Mail',
  7526: "Deprecating the Anycast Prefix for 6to4 Relay Routers",
  7617: "The 'Basic' HTTP Authentication Scheme",
  7671: "The DNS-Based Authentication of Named Entities (DANE) Protocol: Updates and Operational Guidance",
  7672: "SMTP Security via Opportunistic DNS-Based Authentication of Named Entities (DANE) TLS",
  8190: "Updates to the Special-Purpose IP Address Registries",
  8215: "Local-Use IPv4/IPv6 Translation Prefix",
  8301: "Cryptographic Algorithm and Key Usage Update to DomainKeys Identified Mail (DKIM)",
  8305: "Happy Eyeballs Version 2: Better Connectivity Using Concurrency",
  8375: "Special-Use Domain 'home.arpa.'",
  8446: "The Transport Layer Security (TLS) Protocol Version 1.3",
  8461: "SMTP MTA Strict Transport Security (MTA-STS)",
  8689: "SMTP Require TLS Option",
  8914: "Extended DNS Errors",
  8463: "A New Cryptographic Signature Method for DomainKeys Identified Mail (DKIM)",
  9110: "HTTP Semantics",
  9422: "The LIMITS SMTP Service Extension",
  9637: "Expanding the IPv6 Documentation Space",
  9989: "Domain-Based Message Authentication, Reporting, and Conformance (DMARC)",
};

const topLevel: readonly string[] = [
  "functions",
  "infra",
  "test",
  "README.md",
  "LICENSE",
  "package.json",
  "package-lock.json",
  "cdk.json",
  "tsconfig.json",
  "knip.json",
  ".ci",
  ".gitattributes",
  ".gitignore",
  ".nvmrc",
  ".oxlintrc.json",
  ".prettierignore",
  ".prettierrc",
];

/** Names that say nothing of what is inside: a type or a helper lives with the function that makes or needs it. */
const emptyNames = /^(utils?|helpers?|common|lib|misc|shared|types|interfaces|constants|index)$/;

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "");
const sources = files.filter((file) => file.endsWith(".ts")).map((file) => ({ file, text: read(file) }));
/** What runs in production and on a bench, without the tests. */
const own = sources.filter(({ file }) => !file.startsWith("test/"));

test("imports point one way", () => {
  const wrong = sources.flatMap(({ file, text }) => importsOf(text).map((each) => faultOf(file, each)));
  assert.deepEqual(
    wrong.filter((each) => each !== null),
    [],
  );
});

for (const [file, line] of [
  ["functions/smtp/wire.ts", 'import { judge } from "../verdict/verdict.ts";'],
  ["functions/smtp/wire.ts", 'import type { Verdict } from "../verdict/verdict.ts";'],
  ["functions/smtp/wire.ts", 'const { SQSClient } = await import("@aws-sdk/client-sqs");'],
  ["functions/verdict/verdict.ts", 'import {\n  Wire,\n  type WireEnd,\n} from "../smtp/wire.ts";'],
  ["functions/verdict/verdict.ts", 'import net from "node:net";'],
  ["functions/route/attempts.ts", 'export { main } from "../cli/main.ts";'],
  ["functions/cli/main.ts", 'import type { Step } from "../../infra/local/dialog.ts";'],
  ["functions/cli/main.ts", 'import "../../test/support.ts";'],
  ["infra/local/mail/dialog.ts", 'import { Wire } from "../../../functions/smtp/wire.ts";'],
  ["infra/local/mail/mail-host.ts", 'import { Wire } from "../../../functions/smtp/wire.ts";'],
] as const) {
  test(`an import that points the wrong way is seen: ${file} with ${line.replaceAll("\n", "")}`, () => {
    assert.deepEqual(
      importsOf(line).map((each) => faultOf(file, each) !== null),
      [true],
    );
  });
}

test("every RFC cited is one that we know", () => {
  const cited = own.flatMap(({ file, text }) =>
    [...text.matchAll(/\bRFC[ -]?(\d+)/g)].map(([, number]) => ({ file, number: number ?? "" })),
  );
  assert.ok(cited.length > 20, "the sources cite RFCs at the lines that obey them");
  assert.deepEqual(
    cited.filter(({ number }) => rfcs[number] === undefined),
    [],
  );
});

test("every source says first what it knows", () => {
  assert.deepEqual(
    own.filter(({ text }) => !/^\/\/ \S/.test(text)).map(({ file }) => file),
    [],
  );
});

test("a file or folder is named for what it holds", () => {
  const parts = files.filter((file) => /^(functions|infra|test)\//.test(file)).flatMap((file) => file.split("/"));
  assert.deepEqual(
    parts.filter((part) => emptyNames.test(part.replace(/\..*$/, ""))),
    [],
  );
});

test("the top level holds what tools demand there, and three folders", () => {
  const found = new Set(files.map((file) => file.split("/")[0] ?? ""));
  assert.deepEqual(
    [...found].filter((name) => !topLevel.includes(name)),
    [],
  );
});

test("the lockfile is complete for every platform, and names no registry", () => {
  const lock = JSON.parse(read("package-lock.json")) as {
    readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly optionalDependencies?: object }>>;
  };
  const entries = Object.entries(lock.packages);
  assert.deepEqual(
    entries.filter(([, each]) => each.resolved !== undefined).map(([name]) => name),
    [],
    "npm install --omit-lockfile-registry-resolved",
  );
  // For some new releases a registry has few platforms' packages, and `npm ci` refuses a lockfile that lacks one.
  const wanted = entries.flatMap(([, each]) => Object.keys(each.optionalDependencies ?? {}));
  assert.ok(wanted.length > 0);
  assert.deepEqual(
    wanted.filter((name) => !entries.some(([place]) => place.endsWith(`node_modules/${name}`))),
    [],
  );
});

test("nothing names a folder of somebody's machine", () => {
  const folder = /(?<![\w.~-])\/(home|root|work|Users)\/[\w.]/;
  assert.deepEqual(
    files.filter((file) => folder.test(read(file))),
    [],
  );
});

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

function importsOf(text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w\s{},*$]*?\bfrom\s*)?"([^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [
    ...[...statements].map(([, type, from]) => ({ from: from ?? "", typeOnly: type !== undefined })),
    ...[...calls].map(([, from]) => ({ from: from ?? "", typeOnly: false })),
  ];
}

/** What is wrong with an import, in a line; null when nothing is. */
function faultOf(file: string, { from, typeOnly }: Import): string | null {
  const rule = directions
    .filter((each) => file.startsWith(each.from))
    .toSorted((a, b) => b.from.length - a.from.length)[0];
  if (rule === undefined) return `${file} has no row in the table of directions`;
  const fault = `${file} imports ${typeOnly ? "types" : "values"} of ${from}`;
  if (!from.startsWith(".")) return rule.packages.some((each) => from.startsWith(each)) ? null : fault;
  const target = path.posix.join(path.posix.dirname(file), from);
  if (path.posix.dirname(target) === path.posix.dirname(file) && rule.from.endsWith("/")) return null;
  const allowed = typeOnly ? [...rule.values, ...rule.types] : rule.values;
  return allowed.some((each) => target.startsWith(each)) ? null : fault;
}

function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
