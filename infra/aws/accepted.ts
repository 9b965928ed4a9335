// Findings of cdk-nag that we accept, each with its reason beside it. What is not here fails the synthesis.
import { Validations } from "aws-cdk-lib";
import type { Construct } from "constructs";

export interface Accepted {
  /** cdk-nag's rule, with the finding in brackets where it has one. */
  readonly id: string;
  readonly reason: string;
}

export function accept(scope: Construct, accepted: readonly Accepted[]): void {
  for (const each of accepted) Validations.of(scope).acknowledge(each);
}
