// What of a configuration cannot work in AWS, though it is a good one elsewhere: each with its path and what to write
// instead. Those who deploy look at it; the local stack and workers never do. It asks AWS nothing.
import { specialRange } from "../smtp/address-range.ts";
import { egressFaultsInAws } from "./aws-egress-faults.ts";
import type { Config, ConfigSecret } from "./config.ts";
import { muteFaults } from "./mute-faults.ts";
import { placeholders } from "./placeholders.ts";
import { secretFields } from "./secret-fields.ts";

/** @returns one line each; none where it can be deployed */
export function awsFaults(config: Config): readonly string[] {
  return [
    ...egressFaultsInAws(config),
    ...secretFaults(config),
    ...onCallFaults(config),
    ...limitFaults(config),
    ...vpcFaults(config),
    ...config.aws.mutes.flatMap((each, index) => muteFaults(each, `aws.mutes[${index}]`)),
  ];
}

/** @returns one line each for what stands in examples, and is nobody's: it can be looked at, and not be deployed */
export function placeholderFaults(config: Config): readonly string[] {
  return placeholders(config).map(({ path, text, instead }) => `${path}: ${text} is an example's; write ${instead}`);
}

/** What is in the configuration is in the functions' bundle, and what is in their environment anybody sees who may look. */
function secretFaults(config: Config): readonly string[] {
  const faults = secretFields(config).flatMap(({ path, secret, reader, isPublic }) => {
    if (reader === "worker" || (typeof secret === "string" && isPublic)) return [];
    const here = exposureOf(secret);
    if (here === null) return [];
    return [`${path}: the functions read it, and it ${here}; write {"secretsManager": "name"} or {"ssm": "/name"}`];
  });
  // What several functions read is told once.
  return [...new Set(faults)];
}

/** Null: the functions can read it where it is, and nobody else. */
function exposureOf(secret: ConfigSecret): string | null {
  if (typeof secret === "string") return "would lie in their bundle";
  if ("env" in secret) return "would lie in their environment";
  return "file" in secret ? "would have to lie on their disk, where no file of yours is" : null;
}

/** A FIFO topic takes no message without a group, and has no subscribers but queues. */
const topicArn = /^arn:aws[a-z-]*:sns:[a-z]{2}[a-z0-9-]*:\d{12}:[\w-]{1,256}$/;

function onCallFaults({ onCall: { routes }, aws }: Config): readonly string[] {
  const topics = routes.flatMap((each, index) => (each.type === "sns" ? [{ arn: each.topicArn, index }] : []));
  return [
    ...(routes.length === 0 && aws.emails.length === 0
      ? ["onCall.routes: nobody would be told; add a route, or a mailbox to aws.emails"]
      : []),
    ...topics.flatMap(({ arn, index }) =>
      topicArn.test(arn)
        ? []
        : [`onCall.routes[${index}].topicArn: ${arn} is no standard topic's; write arn:aws:sns:region:account:name`],
    ),
  ];
}

/** Of a function's 900 s sessions have three quarters; what comes before them is not for nothing either. */
const longestProbeS = 650;

function limitFaults({ limits: { probeSeconds }, egresses }: Config): readonly string[] {
  if (probeSeconds <= longestProbeS || egresses.every(({ runner }) => runner === "worker")) return [];
  return [`limits.probeSeconds: ${longestProbeS} or fewer, since a function is ended after 900 s; or workers only`];
}

/** The VPC's own limits (CreateVpc: /16 to /28), of which two subnets are made: none is smaller than /28. */
function vpcFaults({ egresses, aws: { vpcCidr } }: Config): readonly string[] {
  if (!egresses.some(({ via }) => via.type === "vpc")) return [];
  const [, address = "", digits = ""] = /^(\d+\.\d+\.\d+\.\d+)\/(\d\d)$/.exec(vpcCidr) ?? [];
  const bits = Number(digits);
  if (specialRange(address) === "private" && bits >= 16 && bits <= 27) return [];
  return [`aws.vpcCidr: ${vpcCidr} is no private network of /16 to /27; write one such as 10.25.0.0/24`];
}
