// The one file that the operator edits: who we are, the ways out, whom we probe and how often, whom to wake, the limits.
// It says what is wrong with one, and what it comes to. It does not know where the file lies.
import type * as z from "zod/mini";
import { egressFaults } from "./egress.ts";
import { nameFaults } from "./name-faults.ts";
import { configSchema } from "./schema.ts";
import { sendFaults } from "./send-faults.ts";
import type { secret } from "./secret.ts";
import { checked, type Checked } from "./shape-faults.ts";

export type Config = z.infer<typeof configSchema>;
export type ConfigTarget = Config["targets"][number];
export type ConfigEgress = Config["egresses"][number];
export type ConfigRoute = Config["onCall"]["routes"][number];
export type ConfigSecret = z.infer<typeof secret>;

/** A target over one of its egresses: what is probed, and what a series is about. */
export interface Pair {
  readonly target: ConfigTarget;
  readonly egress: ConfigEgress;
}

/** @returns the configuration, or every fault with its path and what is allowed */
export function checkConfig(value: unknown): Checked<Config> {
  const shape = checked(configSchema, value);
  if (shape.value === null) return shape;
  const faults = [
    ...repeated(
      "egresses",
      "name",
      shape.value.egresses.map((each) => each.name),
    ),
    ...shape.value.egresses.flatMap((each, index) => egressFaults(each, `egresses[${index}]`)),
    ...repeated(
      "onCall.routes",
      "name",
      shape.value.onCall.routes.map((each) => each.name),
    ),
    ...shape.value.targets.flatMap((each, index) => targetFaults(each, `targets[${index}]`, shape.value)),
    ...repeated("targets", "provider, recipient, depth", shape.value.targets.map(keyOfTarget)),
    ...mOfNFaults(shape.value),
    ...repeated(
      "aws.mutes",
      "name",
      shape.value.aws.mutes.map((each) => each.name),
    ),
    ...sendFaults(shape.value),
    ...nameFaults(shape.value, pairsOf(shape.value)),
  ];
  return faults.length === 0 ? shape : { value: null, faults };
}

/** Every target over each of its egresses, in the file's order. */
export function pairsOf({ targets, egresses }: Config): readonly Pair[] {
  return targets.flatMap((target) =>
    egresses.filter(({ name }) => target.egresses?.includes(name) ?? true).map((egress) => ({ target, egress })),
  );
}

/** What makes a target another one. */
export function keyOfTarget({ provider, recipient, depth }: ConfigTarget): string {
  return `${provider} ${recipient} ${depth}`;
}

function targetFaults(target: ConfigTarget, path: string, { egresses }: Config): readonly string[] {
  const names = egresses.map(({ name }) => name);
  const unknown = (target.egresses ?? []).filter((each) => !names.includes(each));
  const { depth, everyMinutes, recipient } = target;
  return [
    ...unknown.map((each) => `${path}.egresses: ${JSON.stringify(each)} is none of ${names.join(", ")}`),
    // A message reaches somebody every time; and providers watch how often (DESIGN §10, manners).
    ...(depth === "message" && everyMinutes < 60 ? [`${path}.everyMinutes: 60 or more at depth message`] : []),
    // Many hosts exempt it from their blocklists (RFC 5321 §4.5.1), so that it says nothing about an IP.
    ...(/^postmaster@/i.test(recipient) ? [`${path}.recipient: a mailbox of yours, but postmaster`] : []),
  ];
}

function mOfNFaults({ alarms, targets }: Config): readonly string[] {
  const longest = Math.max(...targets.map(({ everyMinutes }) => everyMinutes));
  const most = Math.floor(lookBackMinutes / longest);
  return (["blocked", "egressDown"] as const).flatMap((key) => {
    const { datapoints, of } = alarms[key];
    return [
      ...(datapoints > of ? [`alarms.${key}.datapoints: ${of} or fewer, as many as "of"`] : []),
      ...(of > most ? [`alarms.${key}.of: ${most} or fewer where everyMinutes is ${longest}: 7 days in all`] : []),
    ];
  });
}

/** Seven days: a CloudWatch alarm looks at no more (PutMetricAlarm, Period times EvaluationPeriods). */
const lookBackMinutes = 10_080;

function repeated(path: string, field: string, values: readonly string[]): readonly string[] {
  return values.flatMap((each, index) =>
    values.indexOf(each) === index ? [] : [`${path}[${index}]: the same ${field} as ${path}[${values.indexOf(each)}]`],
  );
}
