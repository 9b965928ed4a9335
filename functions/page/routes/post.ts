// Posts JSON to a service that on-call has chosen, and says what came of it. The service's URL and keys are secrets: they
// are in no fault, whatever the service answers. It knows no service.
import { visibleLine } from "../../verdict/visible.ts";

export type Sent =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly fault: string;
      /** Whether trying again is of no use. */
      readonly isLasting: boolean;
      /** How long the service asks us to wait; null: it does not. */
      readonly retryAfterMs: number | null;
    };

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  /** Besides the URL. */
  readonly secrets: readonly string[];
}

/** Of a service's answer, for its fault. */
const answerLimit = 300; // characters

export async function post({ url, headers, body, secrets }: Post, signal: AbortSignal): Promise<Sent> {
  const target = targetOf(url);
  if (typeof target === "string") return refusal(target);
  const all = headersOf(headers);
  if (all === null) return refusal("one of its headers cannot be sent as it is configured");
  try {
    // Where a redirect leads, nobody has configured.
    const init = { method: "POST", headers: all, body: JSON.stringify(body), redirect: "manual", signal } as const;
    const response = await fetch(target, init);
    if (response.ok) {
      await response.body?.cancel();
      return { ok: true };
    }
    return await refused(response, [url, ...secrets]);
  } catch (error) {
    return { ok: false, fault: failureText(error), isLasting: false, retryAfterMs: null };
  }
}

/** @returns the URL, or why it is not asked */
function targetOf(url: string): URL | string {
  if (!URL.canParse(url)) return "its URL is none";
  const target = new URL(url);
  if (target.protocol === "https:") return target;
  if (target.protocol === "http:" && isLoopback(target.hostname)) return target;
  return "its URL is neither https nor of this machine";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** The message of what is wrong with a header would hold it. */
function headersOf(headers: Readonly<Record<string, string>>): Headers | null {
  try {
    return new Headers({ "content-type": "application/json", "user-agent": "delivery-probe", ...headers });
  } catch {
    return null;
  }
}

function refusal(fault: string): Sent {
  return { ok: false, fault, isLasting: true, retryAfterMs: null };
}

/** What a service answered but a yes. 408, 425 and 429 ask for another try, and so does every 5xx. */
async function refused(response: Response, secrets: readonly string[]): Promise<Sent> {
  const { status, headers } = response;
  const said = visibleLine(redacted(await beginningOf(response), secrets).trim());
  const where = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
  return {
    ok: false,
    fault: `it answered ${status}${where}${said === "" ? "" : `: ${said}`}`,
    isLasting: status < 500 && ![408, 425, 429].includes(status),
    retryAfterMs: retryAfterMs(headers.get("retry-after")),
  };
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= answerLimit) break;
  }
  return text.slice(0, answerLimit);
}

/** Seconds, or a date. */
function retryAfterMs(value: string | null): number | null {
  if (value === null) return null;
  if (/^\d{1,6}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** A failure's own words hold the URL, now and then; its code does not. */
function failureText(error: unknown): string {
  if (!(error instanceof Error)) return "it could not be asked";
  if (error.name === "TimeoutError") return "it did not answer in time";
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : error.name;
  return `it could not be asked: ${code}`;
}

/** Without the secrets, and without the parts of a URL that may be one. */
export function redacted(text: string, secrets: readonly string[]): string {
  const parts = secrets.flatMap((each) => [each, ...(URL.canParse(each) ? partsOf(new URL(each)) : [])]);
  const longestFirst = parts.filter((each) => each.length >= 4).toSorted((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, each) => rest.replaceAll(each, "***"), text);
}

function partsOf({ pathname, search, searchParams, username, password }: URL): readonly string[] {
  const segments = pathname.split("/").filter((each) => each.length >= 8);
  const values = [...searchParams.values()].filter((each) => each.length >= 8);
  return [`${pathname}${search}`, pathname, ...segments, ...values, username, password];
}
