import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { SNS } from "@aws-sdk/client-sns";
import { deliver, type Delivery } from "../../functions/page/deliver.ts";
import { redacted } from "../../functions/page/routes/post.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { startSink } from "../../infra/local/sink.ts";
import { configWith, page } from "./sample.ts";

const made = page("blocked");

async function delivered(
  routes: readonly object[],
  { limitMs = 10_000, env = {} }: { readonly limitMs?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<readonly Delivery[]> {
  const sns = new SNS({
    endpoint: "http://127.0.0.1:1",
    region: "us-east-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
    maxAttempts: 1,
  });
  const config = configWith({ onCall: { routes } });
  return await deliver(made, config.onCall.routes, { sns, secrets: openSecrets(env, { log: () => {} }), limitMs });
}

/** A service of one answer, and how often it was asked. */
async function service(answer: RequestListener): Promise<AsyncDisposable & { readonly url: string; asked(): number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const answers: readonly {
  readonly status: number;
  readonly tries: number;
  readonly isLasting: boolean;
  readonly retryAfter?: string;
}[] = [
  { status: 200, tries: 1, isLasting: false },
  { status: 202, tries: 1, isLasting: false },
  { status: 302, tries: 1, isLasting: true },
  { status: 400, tries: 1, isLasting: true },
  { status: 404, tries: 1, isLasting: true },
  { status: 408, tries: 3, isLasting: false },
  { status: 425, tries: 3, isLasting: false },
  { status: 429, tries: 3, isLasting: false, retryAfter: "0" },
  { status: 500, tries: 3, isLasting: false },
  { status: 503, tries: 3, isLasting: false, retryAfter: "Wed, 21 Oct 2015 07:28:00 GMT" },
  // Longer than there is time.
  { status: 429, tries: 1, isLasting: false, retryAfter: "60" },
  { status: 503, tries: 1, isLasting: false, retryAfter: "Fri, 31 Dec 9999 23:59:59 GMT" },
];

test("a route is tried again where that can help and there is time, as the service asks", async () => {
  await Promise.all(
    answers.map(async ({ status, tries, isLasting, retryAfter }) => {
      const header = retryAfter === undefined ? {} : { "retry-after": retryAfter };
      await using asked = await service((_, response) => response.writeHead(status, header).end());
      const [delivery] = await delivered([{ type: "webhook", name: "hook", url: asked.url }]);
      const said = `${status} ${retryAfter}`;
      assert.deepEqual(
        [delivery?.ok, delivery?.tries, asked.asked(), delivery?.isLasting],
        [status < 300, tries, tries, isLasting],
        said,
      );
      assert.equal(delivery?.fault?.includes(String(status)) ?? true, true, said);
    }),
  );
});

test("a try after a failure that succeeds is a delivery", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  sink.fail({ status: 502, times: 1 });
  const [delivery] = await delivered([{ type: "slack", name: "chat", url: `${sink.url}/slack` }]);
  assert.deepEqual([delivery?.ok, delivery?.tries, delivery?.fault], [true, 2, null]);
  assert.equal(sink.received().length, 1);
});

test("a redirect is followed nowhere", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  await using away = await service((_, response) => response.writeHead(307, { location: `${sink.url}/webhook` }).end());
  const [delivery] = await delivered([{ type: "webhook", name: "hook", url: away.url }]);
  assert.match(delivery?.fault ?? "", /^it answered 307, a redirect, which is not followed$/);
  assert.equal(sink.received().length, 0);
});

test("a service that never answers fails alone, and in time", async () => {
  await using sink = await startSink({ port: 0, onPage: () => {} });
  await using hanging = await service(() => {});
  const routes = [
    { type: "webhook", name: "hangs", url: hanging.url },
    { type: "slack", name: "chat", url: `${sink.url}/slack` },
    { type: "sns", name: "mail", topicArn: "arn:aws:sns:us-east-1:000000000000:on-call" },
  ];
  const [hangs, chat, mail] = await delivered(routes, { limitMs: 1_000 });
  assert.deepEqual([hangs?.ok, hangs?.fault], [false, "it did not answer in time"]);
  assert.deepEqual([chat?.ok, chat?.tries], [true, 1]);
  assert.deepEqual([mail?.ok, mail?.fault], [false, "it could not be asked: ECONNREFUSED"]);
});

test("a body that never ends does not hold up its answer", async () => {
  await using endless = await service((_, response) => response.writeHead(400).write("x".repeat(1000)));
  const [delivery] = await delivered([{ type: "webhook", name: "hook", url: endless.url }]);
  assert.equal(delivery?.fault, `it answered 400: ${"x".repeat(300)}`);
});

test("a service that echoes our secrets brings none into a fault, and its own words move no cursor", async () => {
  const headers = { authorization: "Bearer hidden-key-1" };
  await using echo = await service((request, response) => {
    const said = `${request.url} ${request.headers.authorization} \u001b[2J\u202e ${echoed}`;
    response.writeHead(400).end(said);
  });
  const echoed = `${echo.url}/T000/SECRETPATH?token=SECRETQUERY`;
  const [hook, chat] = await delivered([
    { type: "webhook", name: "hook", url: echoed, headers },
    { type: "slack", name: "chat", url: echoed },
  ]);
  for (const fault of [hook?.fault ?? "", chat?.fault ?? ""]) {
    assert.match(fault, /^it answered 400: /);
    assert.doesNotMatch(fault, /SECRET|hidden-key|\p{Cc}|\p{Cf}/u);
  }
});

const unasked: readonly (readonly [what: string, url: string, fault: RegExp])[] = [
  ["a URL that is none", "hooks.example.com/SECRET", /^its URL is none$/],
  ["plain HTTP to another machine", "http://hooks.example/SECRET", /^its URL is neither https nor of this machine$/],
  ["another protocol", "ftp://127.0.0.1/SECRET", /^its URL is neither https nor of this machine$/],
  ["a host that only looks like this machine", "http://127.0.0.1.example/SECRET", /^its URL is neither/],
  ["nobody there", "http://127.0.0.1:1/SECRET", /^it could not be asked: \w+$/],
];

for (const [what, url, fault] of unasked) {
  test(`${what} is a fault that does not hold the URL`, async () => {
    const env = { HOOK: url };
    const [delivery] = await delivered([{ type: "slack", name: "chat", url: { env: "HOOK" } }], { env, limitMs: 500 });
    assert.equal(delivery?.ok, false);
    assert.match(delivery.fault ?? "", fault);
  });
}

test("a keeper of secrets that says nothing holds up its own route alone, which may be tried again", async () => {
  await using silent = await service(() => {});
  await using there = await service((_, response) => void response.end("ok"));
  const config = configWith({
    onCall: {
      routes: [
        { type: "slack", name: "chat", url: { secretsManager: "chat" } },
        { type: "webhook", name: "hook", url: there.url },
      ],
    },
  });
  const secrets = openSecrets({}, { log: () => {}, endpoint: silent.url });
  const ways = { sns: new SNS({ region: "us-east-1" }), secrets, limitMs: 3_000 };
  const [chat, hook] = await deliver(made, config.onCall.routes, ways);
  assert.equal(hook?.ok, true);
  assert.ok(hook.elapsedMs < 500, String(hook.elapsedMs));
  assert.deepEqual([chat?.ok, chat?.isLasting], [false, false]);
  assert.ok(chat !== undefined && chat.tries > 1 && chat.elapsedMs < 5_000, JSON.stringify(chat));
  assert.match(chat.fault ?? "", /^the secret chat of Secrets Manager was not read in time; look/);
});

test("a header that cannot be sent is a fault that does not hold it", async () => {
  const url = "http://127.0.0.1:1/";
  const headers = { authorization: { env: "TOKEN" } };
  const route = { type: "webhook", name: "hook", url, headers };
  const [delivery] = await delivered([route], { env: { TOKEN: "SECRET\nline" } });
  assert.deepEqual([delivery?.isLasting, delivery?.tries], [true, 1]);
  assert.equal(delivery?.fault, "one of its headers cannot be sent as it is configured");
});

test("a secret is taken out of a text whole, and in its parts that may be one", () => {
  const url = "https://hooks.example/services/T00000000/abcdefghijkl?sig=0123456789";
  assert.equal(redacted(`no ${url}`, [url]), "no ***");
  assert.equal(redacted("no abcdefghijkl, no 0123456789", [url]), "no ***, no ***");
  assert.equal(redacted("no such hook", [url]), "no such hook");
});
