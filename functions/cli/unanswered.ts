// Why a service did not do what it was asked, and what to look at: the network, the settings, a permission, a part that
// is not there. It knows the SDK's errors, and none of a command's own.
import process from "node:process";
import type { Place } from "./place.ts";

/** A line for a person; null where no service is to blame. */
export function unansweredText(error: unknown, { config, folder, words }: Place): string | null {
  if (!(error instanceof Error)) return null;
  const { name, message } = error;
  const where = folder === null ? `AWS (region ${process.env["AWS_REGION"] ?? "by its profile"})` : "the local stack";
  if (isSilence(error)) {
    const what = `does not answer (${message || codeOf(error)})`;
    if (folder !== null) return `${where} ${what}; start it again: delivery-probe local${words}`;
    return `${where} ${what}; look at the network, AWS_REGION and AWS_ENDPOINT_URL`;
  }
  if (isSetting(error)) return `AWS cannot be asked (${message}); set AWS_REGION, and AWS_PROFILE or other credentials`;
  if (!("$metadata" in error)) return null;
  if (name.startsWith("ResourceNotFound")) {
    return `${where} has no table ${config.name}, or no such alarm (${message}); is it deployed there, under this name?`;
  }
  return `${where} refuses: ${name}: ${message}; look at the credentials and what they allow`;
}

function isSilence(error: Error): boolean {
  return silences.includes(codeOf(error)) || error.name === "TimeoutError";
}

const silences: readonly string[] = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
];

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : "";
}

/** What the SDK says before it asks anybody. */
function isSetting({ name, message }: Error): boolean {
  return /^(?:CredentialsProviderError|TokenProviderError)$/.test(name) || message === "Region is missing";
}
