// AWS JSON 1.0, as CloudWatch's current clients speak it over HTTP: which operation, with which input; the answer, or
// the error by its name. It knows no operation.
import type { IncomingMessage, ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** What was asked for. The input is whatever JSON came. */
export interface Call {
  readonly operation: string;
  readonly input: unknown;
}

/** The names of errors by CloudWatch's older query protocol, which clients still tell, and those of its JSON shapes. */
const shapes = {
  InvalidFormat: "InvalidFormatFault",
  InvalidNextToken: "InvalidNextToken",
  InvalidParameterCombination: "InvalidParameterCombinationException",
  InvalidParameterValue: "InvalidParameterValueException",
  MissingParameter: "MissingRequiredParameterException",
  RequestEntityTooLarge: "RequestEntityTooLarge",
  ResourceNotFound: "ResourceNotFound",
  SerializationException: "SerializationException",
  UnknownOperationException: "UnknownOperationException",
  ValidationError: "ValidationError",
  // Ours: AWS has it, this CloudWatch does not. Nothing that was asked for is left out in silence.
  NotImplemented: "NotImplemented",
} as const;

/** A refusal that the client is told of by its name. */
export class Refusal extends Error {
  readonly code: keyof typeof shapes;

  constructor(code: keyof typeof shapes, message: string) {
    super(message);
    this.code = code;
  }
}

/** PutMetricData: "Each request is limited to 1 MB in size", compressed or not. */
const longestBody = 1_048_576;
/** Of what a compressed body may become. */
const longestInput = 16 * longestBody;
const contentType = "application/x-amz-json-1.0";
const unzip = promisify(gunzip);

/** Reads a whole request. Throws a refusal where it is none of ours. */
export async function readCall(request: IncomingMessage): Promise<Call> {
  const target = /^GraniteServiceVersion20100801\.(\w+)$/.exec(String(request.headers["x-amz-target"]))?.[1];
  const body = await bodyOf(request);
  if (request.method !== "POST" || target === undefined) {
    throw new Refusal("UnknownOperationException", "Not a call of CloudWatch in AWS JSON 1.0: no X-Amz-Target of it");
  }
  const text = request.headers["content-encoding"] === "gzip" ? await unzipped(body) : body;
  try {
    return { operation: target, input: JSON.parse(text.toString("utf8")) as unknown };
  } catch {
    throw new Refusal("SerializationException", "The body is not JSON");
  }
}

export function answer(response: ServerResponse, output: unknown): void {
  send(response, 200, {}, output);
}

/** Tells a refusal by its name; anything else is our own fault, and told as a fault of the service. */
export function refuse(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Refusal)) {
    send(response, 500, errorHeader("InternalFailure", "Receiver"), { __type: "InternalServiceFault", message });
    return;
  }
  send(response, 400, errorHeader(error.code, "Sender"), { __type: shapes[error.code], message });
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): void {
  response.writeHead(status, { "content-type": contentType, "x-amzn-requestid": randomUUID(), ...headers });
  response.end(JSON.stringify(body));
}

function errorHeader(code: string, who: "Sender" | "Receiver"): Readonly<Record<string, string>> {
  return { "x-amzn-query-error": `${code};${who}` };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > longestBody) {
      throw new Refusal("RequestEntityTooLarge", `The body has more than ${longestBody} octets`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function unzipped(body: Buffer): Promise<Buffer> {
  try {
    return await unzip(body, { maxOutputLength: longestInput });
  } catch {
    throw new Refusal("SerializationException", "The body is not gzip, or too much");
  }
}
