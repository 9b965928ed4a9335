// Synthesises configurations for the tests, each once, and finds resources in what came of it. It judges nothing.
import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { checkConfig, type Config } from "../../../functions/config/config.ts";
import { synthesis } from "../../../infra/aws/synthesis.ts";

export interface Resource {
  readonly id: string;
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export interface Synthesised {
  readonly config: Config;
  readonly resources: readonly Resource[];
  readonly text: string;
  /** Where the template lies. */
  readonly file: string;
}

/** A proxy on the mail host, and a worker on another. */
export const usual = {
  identity: { helo: "probe.mail.test", sender: "probe@mail.test" },
  egresses: [
    {
      name: "aws",
      runner: "functions",
      address: "198.51.100.7",
      via: {
        type: "http-connect",
        host: "proxy.mail.test",
        username: "probe",
        password: { secretsManager: "delivery-probe/proxy", field: "password" },
      },
    },
    { name: "mail-1", runner: "worker", address: "198.51.100.8" },
  ],
  targets: [
    { provider: "icloud", recipient: "probe@icloud.test" },
    { provider: "gmx", recipient: "probe@gmx.test" },
    { provider: "gmail", recipient: "probe@gmail.test", depth: "message", everyMinutes: 60 },
  ],
  onCall: {
    runbook: "https://runbook.test/",
    routes: [
      { name: "on-call", type: "pagerduty", routingKey: { ssm: "/delivery-probe/pagerduty" } },
      { name: "mail", type: "sns", topicArn: "arn:aws:sns:eu-west-1:111122223333:mail" },
    ],
  },
  aws: { emails: ["oncall@mail.test"] },
} as const;

export const vpc = {
  ...usual,
  egresses: [{ name: "aws", runner: "functions", via: { type: "vpc" } }],
};

/** The same two, by which mail is sent too, and objects in two buckets. */
export const sending = {
  ...usual,
  requests: { buckets: ["producers-mail"] },
  sends: {
    dkim: [{ domain: "mail.test", selector: "s1", key: { secretsManager: "delivery-probe/dkim", field: "key" } }],
    bucket: "mail-that-waits",
    rates: { default: { concurrency: 5, perMinute: 60 }, gmail: { concurrency: 10, perMinute: 300 } },
  },
} as const;

export const sendingByVpc = { ...vpc, sends: {} };

export const workers = { ...usual, egresses: [{ name: "mail-1", runner: "worker", address: "198.51.100.8" }] };

export function checkedConfig(value: unknown): Config {
  const { value: config, faults } = checkConfig(value);
  assert.ok(config !== null, String(faults));
  return config;
}

const done = new Map<unknown, Promise<Synthesised>>();
const folders: string[] = [];
after(async () => {
  for (const each of folders) await rm(each, { recursive: true, force: true });
});

export async function synthesised(value: unknown): Promise<Synthesised> {
  const known = done.get(value) ?? synthesise(checkedConfig(value));
  done.set(value, known);
  return await known;
}

async function synthesise(config: Config): Promise<Synthesised> {
  const folder = mkdtempSync(join(tmpdir(), "delivery-probe-synthesised-"));
  folders.push(folder);
  const { app } = await synthesis(config, folder);
  const file = app.synth().stacks[0]?.templateFullPath ?? "";
  const text = await readFile(file, "utf8");
  const { Resources } = JSON.parse(text) as { readonly Resources: Readonly<Record<string, Omit<Resource, "id">>> };
  const resources = Object.entries(Resources).map(([id, each]) => ({ ...each, id, Properties: each.Properties ?? {} }));
  return { config, resources, text, file };
}

export function ofType({ resources }: Synthesised, type: string): readonly Resource[] {
  return resources.filter(({ Type }) => Type === type);
}

/** The one of a type with these properties. */
export function theOne(from: Synthesised, type: string, properties: Readonly<Record<string, unknown>> = {}): Resource {
  const found = ofType(from, type).filter((each) =>
    Object.entries(properties).every(([name, value]) => each.Properties[name] === value),
  );
  const [one, ...others] = found;
  assert.ok(one !== undefined && others.length === 0, `${found.length} of ${type} ${JSON.stringify(properties)}`);
  return one;
}

/** A value of the template as text: references by their logical ids, pseudo parameters by their names. */
export function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const [[name, inner] = ["", null]] = Object.entries(value);
  if (name === "Ref") return `{${String(inner)}}`;
  if (name === "Fn::GetAtt") return `{${(inner as string[]).join(".")}}`;
  if (name === "Fn::Join") return (inner as [string, unknown[]])[1].map(textOf).join((inner as [string])[0]);
  return JSON.stringify(value);
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** What a role may do: inline policies, and those that are attached to it. */
export function statementsOf(from: Synthesised, roleId: string): readonly Statement[] {
  const role = from.resources.find(({ id }) => id === roleId);
  const inline = (role?.Properties["Policies"] ?? []) as readonly PolicyProperty[];
  const attached = ofType(from, "AWS::IAM::Policy")
    .filter(({ Properties }) => JSON.stringify(Properties["Roles"]).includes(`"${roleId}"`))
    .map(({ Properties }) => Properties as unknown as PolicyProperty);
  return [...inline, ...attached].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

interface PolicyProperty {
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
}
