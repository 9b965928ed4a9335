// What the configuration says of the system in AWS alone: its logs, its mail, its budget, its quiet hours. What of it AWS
// does not take, aws-faults.ts knows.
import * as z from "zod/mini";
import { parseAddress } from "../smtp/address.ts";
import { about } from "./about.ts";
import { alarmKinds } from "./alarm-kinds.ts";

/** CloudWatch Logs' own choice of retentions (PutRetentionPolicy). */
const logDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const mailbox = z.string().check(z.refine((text) => !("fault" in parseAddress(text)), "a mailbox such as on-call@example.com")); // prettier-ignore
const muteName = z.string().check(z.regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "1 to 40 of a-z, 0-9 and hyphens"));
const keyArn = z
  .string()
  .check(z.regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, "the ARN of a key: arn:aws:kms:region:account:key/id")); // prettier-ignore

const mute = z.strictObject({
  name: about("What the rule is called.", muteName),
  schedule: about(
    "When it begins: cron(0 2 * * SUN), of minute, hour, day, month and day of the week; or once, at(2026-12-24T18:00).",
    z.string(),
  ),
  minutes: about("How long it lasts; 15 days at most.", z.int()),
  timezone: about("Of the schedule, such as Europe/Berlin.", z._default(z.string(), "UTC")),
  kinds: about(
    "Which alarms keep quiet, by their kinds; null for all.",
    z._default(z.nullable(z.array(z.enum(alarmKinds)).check(z.minLength(1))), null),
  ),
});

export const aws = z.strictObject({
  logDays: about("How long the functions' logs are kept.", z._default(z.literal(logDays), 30)),
  emails: about(
    "Who is told by plain mail, as alarms come, when no page can be sent; each confirms once.",
    z._default(z.array(mailbox).check(z.maxLength(10)), []),
  ),
  budgetUsd: about(
    "What a month may cost before somebody is told; null for twice the estimate.",
    z._default(z.nullable(z.number().check(z.positive())), null),
  ),
  mutes: about("When alarms tell nobody.", z._default(z.array(mute), [])),
  secretKeys: about(
    "ARNs of the KMS keys of your own under which the secrets lie; none where they lie under AWS's.",
    z._default(z.array(keyArn), []),
  ),
  vpcCidr: about("The addresses of the VPC, where an egress is of type vpc.", z._default(z.string(), "10.25.0.0/24")),
});

export const awsDefaults: z.infer<typeof aws> = {
  logDays: 30,
  emails: [],
  budgetUsd: null,
  mutes: [],
  secretKeys: [],
  vpcCidr: "10.25.0.0/24",
};
