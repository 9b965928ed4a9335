// Why a secret could not be read, in one line with what to do. No secret stands in it: of what AWS says, only the words that
// it has for a refusal are told.
import type { Place } from "./store.ts";

/** Ours to mend: a secret that is nowhere, that may not be read, or whose keeper does not answer. */
export class SecretFault extends Error {
  override readonly name = "SecretFault";
  /** Whether reading it again is of no use until somebody has mended it. */
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean) {
    super(message);
    this.isLasting = isLasting;
  }
}

export function lateFault({ text }: Place): SecretFault {
  return new SecretFault(`${text} was not read in time; look at its service and the way there`, false);
}

/** @param error the SDK's, or one of ours */
export function storeFault(error: unknown, { kind, text }: Place): SecretFault {
  if (error instanceof SecretFault) return error;
  const { name, said, isLasting } = factsOf(error);
  if (/NotFound/.test(name))
    return new SecretFault(`${text} is not there; create it in this region, or name another`, true);
  if (/AccessDenied/.test(name)) {
    const action = kind === "ssm" ? "ssm:GetParameter" : "secretsmanager:GetSecretValue";
    const allow = `allow ${action} on it, and kms:Decrypt on a key of your own (aws.secretKeys)`;
    return new SecretFault(`${text} may not be read (${said}); ${allow}`, true);
  }
  const look = "look at its service, the way there, and the credentials and region of AWS";
  return new SecretFault(`${text} could not be read (${said}); ${look}`, isLasting);
}

interface Facts {
  readonly name: string;
  readonly said: string;
  readonly isLasting: boolean;
}

/** An error that is none of the service's own may quote what came: of it only the name or the code is told. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: "", said: "no error", isLasting: false };
  const { name, message, code, $fault, $retryable } = error as Partial<ServiceError> & Error;
  if ($fault === undefined) return { name, said: code ?? name, isLasting: false };
  const isLasting = $fault === "client" && $retryable === undefined && !/throttl/i.test(name);
  return { name, said: message === "" ? name : `${name}: ${message}`, isLasting };
}

interface ServiceError {
  readonly code: string;
  readonly $fault: "client" | "server";
  readonly $retryable: object;
}
