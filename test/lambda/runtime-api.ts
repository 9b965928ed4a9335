// Lambda's Runtime API on loopback, and AWS's own runtime client with one function behind it. It knows no event.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";

const client = path.join(import.meta.dirname, "node_modules/aws-lambda-ric");

/** Null: it is there; else what to do, in a line. */
export const clientIsMissing = existsSync(path.join(client, "rapid-client.node"))
  ? null
  : "AWS's runtime client is not built; npm run test:lambda installs it, and needs cmake, make and a C++ compiler";

export type Answer =
  { readonly kind: "response"; readonly value: unknown } | { readonly kind: "error"; readonly value: unknown };

export interface Runtime extends AsyncDisposable {
  invoke(event: unknown): Promise<Answer>;
  /** What the function has written, a line each. */
  readonly lines: () => readonly string[];
}

interface Waiting {
  readonly event: unknown;
  readonly answer: (answer: Answer) => void;
}

/** @param folder of the bundle */
export async function startRuntime(folder: string, handler: string, env: NodeJS.ProcessEnv): Promise<Runtime> {
  const waiting: Waiting[] = [];
  const given = new Map<string, Waiting>();
  let poll: ServerResponse | null = null;
  let count = 0;

  function giveNext(): void {
    if (poll === null) return;
    const next = waiting.shift();
    if (next === undefined) return;
    count += 1;
    const id = `request-${count}`;
    given.set(id, next);
    poll.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": String(Date.now() + 60_000),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:test",
    });
    poll.end(JSON.stringify(next.event));
    poll = null;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, id = "", kind] = /\/invocation\/([^/]+)\/(response|error)$/.exec(request.url ?? "") ?? [];
    if (request.url?.endsWith("/invocation/next") === true) {
      poll = response;
      giveNext();
      return;
    }
    const value = JSON.parse(await text(request)) as unknown;
    response.writeHead(202).end("{}");
    // An error of the start is everybody's who waits.
    const its = kind === undefined ? waiting.splice(0) : [given.get(id)];
    for (const each of its) each?.answer({ kind: kind === "response" ? "response" : "error", value });
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, [path.join(client, "index.mjs"), handler], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: "test",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/test",
      AWS_LAMBDA_LOG_STREAM_NAME: "test",
      NODE_OPTIONS: "--enable-source-maps",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let written = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (written += chunk.toString()));
  child.once("exit", (code) => {
    const value = { errorMessage: `the runtime client ended with ${code}: ${written}` };
    for (const each of [...waiting, ...given.values()]) each.answer({ kind: "error", value });
  });
  return {
    invoke: (event) =>
      new Promise((resolve) => {
        waiting.push({ event, answer: resolve });
        giveNext();
      }),
    lines: () => written.split("\n"),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
