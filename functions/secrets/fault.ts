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

export function lateFault({ kind, text }: Place): SecretFault {
  const look = kind === "file" ? "look at its disk" : "look at its service and the way there";
  return new SecretFault(`${text} was not read in time; ${look}`, false);
}

/** @param error the SDK's, the system's, or one of ours */
export function storeFault(error: unknown, { kind, text }: Place): SecretFault {
  if (error instanceof SecretFault) return error;
  if (kind === "file") return fileFault(error, text);
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

/** A path that is wrong, and a right that is missing, last until somebody mends them. */
function fileFault(error: unknown, text: string): SecretFault {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SecretFault(`${text} is not there; store the secret there, or name another`, true);
    case "EACCES":
    case "EPERM":
      return new SecretFault(`${text} may not be read (${code}); allow it to the user that runs this process`, true);
    case "EISDIR":
      return new SecretFault(`${text} is a directory; name a file`, true);
    default:
      return new SecretFault(`${text} could not be read (${code}); look at its disk`, false);
  }
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
