// What stays in AWS when the stack is destroyed: what the template keeps, and what was never the stack's own. Pure.
import type { Config } from "../../functions/config/config.ts";

/** Of a CloudFormation template, what is looked at here. */
export interface Template {
  readonly Resources?: Readonly<
    Record<string, { readonly Type: string; readonly DeletionPolicy?: string; readonly Properties?: object }>
  >;
}

/** @returns a line each, with what to do about it */
export function stayingOf(template: Template, config: Config): readonly string[] {
  const kept = Object.entries(template.Resources ?? {}).filter(([, { DeletionPolicy }]) => DeletionPolicy === "Retain");
  return [
    ...kept.map(([id, { Type, Properties }]) => {
      const name = nameOf(Properties) ?? id;
      return `${Type} ${name}: kept on purpose; ${adviceOf(Type, name)}`;
    }),
    ...config.egresses.flatMap(({ runner, name, via }) => [
      ...(runner === "worker"
        ? [`the worker of ${name}, on its mail host: stop it there (infra/worker/README.md)`]
        : []),
      ...(via.type === "http-connect" || via.type === "socks5"
        ? [`the proxy ${via.host} of ${name}, and its password`]
        : []),
      ...(via.type === "vpc" && via.allocation !== null
        ? [`the Elastic IP ${via.allocation}: $3.65 a month until it is released`]
        : []),
    ]),
    ...messageBuckets(config).map(
      (bucket) => `the S3 bucket ${bucket}, which was never the stack's, with the messages that lie there`,
    ),
    "the secrets that the configuration names, in Secrets Manager ($0.40 a month each) and Parameter Store",
    "CDKToolkit, CDK's own stack, with the functions' bundles in its bucket",
  ];
}

function messageBuckets({ sends }: Config): readonly string[] {
  return sends === null || sends.bucket === null ? [] : [sends.bucket];
}

function nameOf(properties: object | undefined): string | null {
  const named = Object.entries(properties ?? {}).find(
    ([key, value]) => key.endsWith("Name") && typeof value === "string",
  );
  return named === undefined ? null : String(named[1]);
}

function adviceOf(type: string, name: string): string {
  switch (type) {
    case "AWS::DynamoDB::Table":
      return `the next deployment under this name needs it gone or imported. aws dynamodb update-table --table-name ${name} --no-deletion-protection-enabled, then delete-table`;
    default:
      return "delete it by hand when nobody needs it";
  }
}
