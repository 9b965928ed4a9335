// Makes the CDK app of a configuration: its functions bundled, the stack, and cdk-nag's rules over it. Where the
// configuration comes from it does not know.
import { App, Validations } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../functions/config/config.ts";
import { bundleFunctions } from "./bundle.ts";
import { System } from "./stack.ts";

/** Behaviours of CDK that we count on, whatever version made the project. */
const flags = {
  "@aws-cdk/aws-iam:minimizePolicies": true,
  "@aws-cdk/core:checkSecretUsage": true,
  "@aws-cdk/core:target-partitions": ["aws", "aws-cn"],
} as const;

export interface Synthesis {
  readonly app: App;
  readonly stack: System;
}

/**
 * @param outdir where the template and the functions go; undefined: where CDK's command line says
 * @throws Error where CDK or one of our rules refuses, when the app is synthesised
 */
export async function synthesis(config: Config, outdir?: string): Promise<Synthesis> {
  const bundled = await mkdtemp(join(tmpdir(), "delivery-probe-functions-"));
  try {
    await bundleFunctions(bundled, config);
    const app = new App({ context: flags, ...(outdir === undefined ? {} : { outdir }) });
    // Of no account and no region: nothing is looked up, and the one template goes wherever AWS_REGION says. CDK takes its
    // copy of the functions at once.
    const stack = new System(app, { config, code: Code.fromAsset(bundled) });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
    return { app, stack };
  } finally {
    await rm(bundled, { recursive: true });
  }
}
