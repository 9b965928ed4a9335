// The configuration that is in effect locally: the operator's, with everything that would leave this machine led to the
// embedded parts. Pure.
import type { Config, ConfigRoute } from "../../functions/config/config.ts";
import { parseSender } from "../../functions/smtp/address.ts";
import type { Endpoints } from "./endpoints.ts";
import type { OwnNames } from "./name-server.ts";

/** The mail domain of a lab's provider. */
export function labDomain(provider: string): string {
  return `${provider}.example`;
}

/** The address that the lab's hosts name, whichever egress we come by. */
const labSees = "192.0.2.25";

type Here = Pick<Endpoints, "lab" | "sink" | "topics" | "bucket">;

/** Hosts are the lab's, on-call's routes the sink's and a topic; whoever writes to the queues is ourselves. */
export function localConfig(config: Config, { lab, sink, topics, bucket }: Here): Config {
  const hosts = Object.entries(lab).map(([provider, host]) => [labDomain(provider), [host]]);
  return {
    ...config,
    // The lab listens on this machine's own loopback, which no proxy and no other address of ours leads to.
    egresses: config.egresses.map((each) => ({
      ...each,
      address: labSees,
      families: null,
      via: { type: "direct", bind: null },
    })),
    hosts: { ...config.hosts, ...Object.fromEntries(hosts) },
    onCall: { ...config.onCall, routes: routesOf(sink, topics.oncall) },
    requests: {
      ...config.requests,
      recipients: ["*"],
      senders: [...config.requests.senders, ...ownSenders(config)],
      ports: "any",
      buckets: [...new Set([...config.requests.buckets, bucket])],
      privateAddresses: true,
    },
    sends: localSends(config, bucket),
    // The lab's hosts mind no haste.
    limits: { ...config.limits, gapSeconds: 0 },
  };
}

/** Anybody at our own domain. */
function ownSenders({ identity: { sender } }: Config): readonly string[] {
  const address = parseSender(sender);
  return "text" in address && address.domain !== "" ? [`@${address.domain}`] : [];
}

/** In seconds: what the lab's host that says nothing may cost, also when the stack is to stop. */
const patience = { attempt: 60, answer: 20 };

/** Keys that lie in AWS cannot be read here: what they sign there goes unsigned. */
function localSends({ sends }: Config, bucket: string): Config["sends"] {
  if (sends === null) return null;
  return {
    ...sends,
    bucket,
    dkim: sends.dkim.filter(({ key }) => typeof key === "string" || "env" in key || "file" in key),
    attemptSeconds: Math.min(sends.attemptSeconds, patience.attempt),
    answerSeconds: Math.min(sends.answerSeconds, patience.answer),
  };
}

/** What DNS says of us locally: all is as it must be, so that what is found wrong is somebody's experiment. */
export function ownNames({ identity: { helo, sender }, egresses }: Config): OwnNames {
  const address = parseSender(sender);
  return {
    helo,
    senderDomain: "text" in address && address.domain !== "" ? address.domain : null,
    addresses: egresses.flatMap(({ address }) => address ?? []),
  };
}

function routesOf(sink: string, topicArn: string): ConfigRoute[] {
  return [
    { type: "slack", name: "slack", url: `${sink}/slack` },
    { type: "teams", name: "teams", url: `${sink}/teams` },
    { type: "webhook", name: "webhook", url: `${sink}/webhook`, headers: {} },
    { type: "pagerduty", name: "pagerduty", routingKey: "0".repeat(32), url: `${sink}/pagerduty/v2/enqueue` },
    { type: "sns", name: "sns", topicArn },
  ];
}
