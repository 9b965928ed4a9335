// What the configuration file may hold, field by field, each with what it is for. What one field allows another, and
// where the file lies, it does not know.
import { isIP } from "node:net";
import * as z from "zod/mini";
import { isHelo, parseAddress, parseSender } from "../smtp/address.ts";
import { depths } from "../smtp/transcript.ts";
import { classes, type Class } from "../verdict/classes.ts";
import { about } from "./about.ts";
import { aws, awsDefaults } from "./aws.ts";
import { parseHost, splitPort } from "./host.ts";
import { secret } from "./secret.ts";
import { bucketName, sends } from "./sends.ts";
import { ip, via } from "./via.ts";

/** The table's name too, which has three characters or more. */
const systemName = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$/, "3 to 40 of a-z, 0-9 and hyphens"));
/** Names become part of queues', alarms' and series' names. */
const name = z.string().check(z.regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "1 to 40 of a-z, 0-9 and hyphens"));
const mailbox = z.string().check(z.refine(isMailbox, "a mailbox such as probe@example.com"));
const sender = z.string().check(z.refine(isSender, "a mailbox, or empty for the null sender"));
const senders = z.string().check(z.refine(isSenders, "a mailbox, @example.com for all of a domain, or empty for the null sender")); // prettier-ignore
const recipients = z.string().check(z.refine(isRecipients, "a mailbox, @example.com for all of a domain, or *"));
const domain = z.string().check(z.refine(isDomain, "a domain in lower case, in A-labels (xn--…)"));
const host = z.string().check(z.refine((text) => parseHost(text) !== null, "host, host:25 or [IPv6]:25"));
const dnsServer = z.string().check(z.refine(isDnsServer, "ip, ip:53 or [IPv6]:53"));
const url = z.url("a URL such as https://example.com/");
const severity = z.enum(["page", "warn", "info"]);
const wholeNumber = (from: number, to: number): z.ZodMiniNumber => z.int().check(z.gte(from), z.lte(to));

const routeName = about("What pages, logs and drills call it.", name);
const webhook = about("The incoming webhook's URL.", secret);
const route = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("sns"),
    name: routeName,
    topicArn: about("An Amazon SNS topic: e-mail, text messages.", z.string().check(z.startsWith("arn:"))),
  }),
  z.strictObject({
    type: z.literal("pagerduty"),
    name: routeName,
    routingKey: about("The integration key of a service (Events API v2).", secret),
    url: about("Another region's events API.", z._default(url, "https://events.pagerduty.com/v2/enqueue")),
  }),
  z.strictObject({ type: z.literal("slack"), name: routeName, url: webhook }),
  z.strictObject({ type: z.literal("teams"), name: routeName, url: webhook }),
  z.strictObject({
    type: z.literal("webhook"),
    name: routeName,
    url: about("Where pages are sent to, as JSON.", secret),
    headers: about("Sent along, such as Authorization.", z._default(z.record(z.string(), secret), {})),
  }),
]);

const egress = z.strictObject({
  name: about("What requests, series and alarms call it.", name),
  runner: about(
    "functions: the Lambda functions' own way out. worker: a long-polling worker of this name, on the mail host.",
    z.enum(["functions", "worker"]),
  ),
  address: about("The address that providers judge.", z._default(z.nullable(ip), null)),
  families: about(
    "The IP versions that are dialled; null: the one that address is of, or both where it is not known.",
    z._default(z.nullable(z.enum(["both", "4", "6"])), null),
  ),
  via: about("How connections leave.", z._default(via, { type: "direct", bind: null })),
});

const target = z.strictObject({
  provider: about("Who runs the MX hosts, as series and alarms call it: icloud, outlook.", name),
  recipient: about("A mailbox of ours there: a probe is no address verifier.", mailbox),
  depth: about("How far a probe goes; message delivers one.", z._default(z.enum(depths), "rcpt")),
  everyMinutes: about("60 or more at depth message.", z._default(wholeNumber(5, 1_440), 15)),
  tls: about(
    "never; opportunistic: wherever it can be had; require: it must be had; mta-sts, dane: as the domain publishes.",
    z._default(z.enum(["opportunistic", "require", "mta-sts", "dane", "never"]), "opportunistic"),
  ),
  egresses: about("By name; null for all.", z._default(z.nullable(z.array(name).check(z.minLength(1))), null)),
  severities: about(
    "Whom a class wakes here, where that differs from what it does elsewhere.",
    z._default(z.partialRecord(z.enum(Object.keys(classes) as [Class, ...Class[]]), severity), {}),
  ),
});

const mOfN = z.strictObject({
  datapoints: about("So many rounds of the last ones must say so.", wholeNumber(1, 10)),
  of: about("How many rounds are looked at.", wholeNumber(1, 10)),
});

const identity = z.strictObject({
  helo: about(
    "Resolves to the egress's address and back; providers look.",
    z.string().check(z.refine(isHelo, "a host name such as probe.example.com")),
  ),
  sender: about('A mailbox that exists, takes bounces and is read; "" is the null sender.', sender),
});

const onCall = z.strictObject({
  routes: about("Each page goes to all of them.", z._default(z.array(route), [])),
  runbook: about("Where the runbook stands; an alarm's kind is its heading there.", z._default(z.nullable(url), null)),
});

const alarms = z.strictObject({
  blocked: about("Rounds in which a provider refuses the IP.", z._default(mOfN, { datapoints: 2, of: 3 })),
  egressDown: about("Rounds in which an egress reaches nobody.", z._default(mOfN, { datapoints: 2, of: 2 })),
  // A composite alarm's rule takes 100 alarms in 10,240 characters: of the longest names some 75.
  widely: about("How many providers must block an egress before that is one page.", z._default(wholeNumber(2, 50), 2)),
  lateMinutes: about("How long the oldest request in a queue may wait.", z._default(wholeNumber(1, 1_440), 30)),
});

const limits = z.strictObject({
  sessionSeconds: about(
    "For each session, each command and each DNS look-up of it.",
    z._default(wholeNumber(1, 600), 60),
  ),
  probeSeconds: about("For all hosts of one request together.", z._default(wholeNumber(1, 900), 300)),
  gapSeconds: about("Between two sessions with one provider over one egress.", z._default(wholeNumber(0, 900), 30)),
  concurrency: about("Requests that one process works on at a time.", z._default(wholeNumber(1, 100), 10)),
  backOffMinutes: about(
    "How long the schedule leaves a provider alone that asked us to slow down.",
    z._default(wholeNumber(1, 1_440), 30),
  ),
});

const requests = z.strictObject({
  recipients: about(
    "Mailboxes, @example.com for all of a domain of ours, or *; this never where others write to the queue.",
    z._default(z.array(recipients), []),
  ),
  senders: about(
    'Beside identity.sender: mailboxes, @example.com for all of a domain of ours, "" for the null sender.',
    z._default(z.array(senders), []),
  ),
  ports: about(
    "Of hosts that a request names.",
    z._default(z.union([z.array(wholeNumber(1, 65_535)), z.literal("any")]), [25]),
  ),
  buckets: about("S3 buckets whose objects a send may name as its message.", z._default(z.array(bucketName), [])),
  privateAddresses: about(
    "Whether private, loopback and other special ranges are dialled; never where others write to the queue.",
    z._default(z.boolean(), false),
  ),
});

const history = z.strictObject({
  days: about("How long verdicts are kept.", z._default(wholeNumber(1, 3_650), 30)),
  maskRecipients: about(
    "Whether recipients' local parts are masked in all that is stored, logged and paged.",
    z._default(z.boolean(), false),
  ),
});

export const configSchema = z.strictObject({
  $schema: about("For editors.", z.optional(z.string())),
  name: about("Stands before the names of queues, table, topics and alarms.", z._default(systemName, "delivery-probe")),
  identity: about("Who we are to the hosts that we probe.", identity),
  egresses: about("The ways out: each is the IP that providers judge.", z.array(egress).check(z.minLength(1))),
  targets: about("Whom we probe, and how often.", z.array(target).check(z.minLength(1))),
  hosts: about(
    "Where a domain's mail goes, in the place of its MX records.",
    z._default(z.record(domain, z.array(host).check(z.minLength(1))), {}),
  ),
  onCall: about("Whom to wake.", z._default(onCall, { routes: [], runbook: null })),
  alarms: about(
    "When to wake.",
    z._default(alarms, {
      blocked: { datapoints: 2, of: 3 },
      egressDown: { datapoints: 2, of: 2 },
      widely: 2,
      lateMinutes: 30,
    }),
  ),
  limits: about(
    "Our manners and our patience.",
    z._default(limits, { sessionSeconds: 60, probeSeconds: 300, gapSeconds: 30, concurrency: 10, backOffMinutes: 30 }),
  ),
  requests: about(
    "What a request in the queue may ask for beyond the targets.",
    z._default(requests, { recipients: [], senders: [], ports: [25], buckets: [], privateAddresses: false }),
  ),
  sends: about("How messages are sent that the queue asks for; null: none are.", z._default(z.nullable(sends), null)),
  resolver: about(
    "The DNS server that runners ask; null: their system's. DANE and blocklists want one of your own, which validates DNSSEC.",
    z._default(z.nullable(dnsServer), null),
  ),
  history: about("What is kept.", z._default(history, { days: 30, maskRecipients: false })),
  aws: about("What is only so in AWS.", z._default(aws, awsDefaults)),
});

function isMailbox(text: string): boolean {
  return !("fault" in parseAddress(text));
}

function isSender(text: string): boolean {
  return !("fault" in parseSender(text));
}

function isSenders(text: string): boolean {
  return isSender(text.startsWith("@") ? `anybody${text}` : text);
}

function isRecipients(text: string): boolean {
  return text === "*" || isMailbox(text.startsWith("@") ? `anybody${text}` : text);
}

function isDnsServer(text: string): boolean {
  const server = isIP(text) > 0 ? { name: text } : splitPort(text, 53);
  return "name" in server && isIP(server.name) > 0;
}

/** As it is looked up: the domain of an address that was parsed. */
function isDomain(text: string): boolean {
  return isHelo(text) && text === text.toLowerCase();
}
