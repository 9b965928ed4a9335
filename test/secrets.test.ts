// Secrets as the functions read them, by the real SDK over HTTP from a service on loopback that speaks its protocol, and as
// workers do, from files.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { test } from "node:test";
import type { Entry } from "../functions/report/log.ts";
import { secret as secretShape } from "../functions/config/secret.ts";
import { openSecrets, type Secrets } from "../functions/secrets.ts";
import { SecretFault } from "../functions/secrets/fault.ts";

/** What the service answers; null: it says nothing at all. */
type Answer = { readonly status: number; readonly body: object | string } | null;

interface Asked {
  readonly target: string;
  readonly input: unknown;
}

/** Both services at one address, of an answer that can be changed. */
interface Service extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  answer: Answer;
}

async function startService(first: Answer): Promise<Service> {
  const asked: Asked[] = [];
  const server = createServer();
  const service: Service = {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    asked,
    answer: first,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.on("request", (request, response) => {
    const target = String(request.headers["x-amz-target"]);
    void json(request).then((input) => {
      asked.push({ target, input });
      say(service.answer, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return service;
}

function say(answer: Answer, response: ServerResponse): void {
  if (answer === null) return;
  response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" });
  response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
}

function secret(SecretString: string): Answer {
  return { status: 200, body: { ARN: "arn:aws:secretsmanager:us-east-1:1:secret:proxy-abcdef", SecretString } };
}

function refusal(type: string, message = "no", status = 400): Answer {
  return { status, body: { __type: type, message } };
}

interface Opened {
  readonly secrets: Secrets;
  readonly entries: readonly Entry[];
  readonly pass: (ms: number) => void;
}

function opened(service: Service, env: NodeJS.ProcessEnv = {}): Opened {
  const entries: Entry[] = [];
  let nowMs = Date.UTC(2026, 10, 29);
  const log = (entry: Entry): void => void entries.push(entry);
  const secrets = openSecrets(env, { log, nowMs: () => nowMs, endpoint: service.url });
  return { secrets, entries, pass: (ms) => void (nowMs += ms) };
}

const proxy = { secretsManager: "proxy" } as const;
const password = { secretsManager: "proxy", field: "password" } as const;
const minutes = 60_000;

test("text and the environment are read at once, and no service is asked", async () => {
  await using service = await startService(null);
  const { secrets } = opened(service, { KEY: "held", EMPTY: "" });
  assert.equal(await secrets.read("given"), "given");
  assert.equal(await secrets.read({ env: "KEY" }), "held");
  for (const name of ["EMPTY", "NONE"]) {
    await assert.rejects(secrets.read({ env: name }), (error) => {
      assert.ok(error instanceof SecretFault);
      assert.match(error.message, new RegExp(`^the environment variable ${name} is not set; set it to the secret`));
      return error.isLasting;
    });
  }
  await secrets.load(["given", { env: "KEY" }]);
  assert.deepEqual(service.asked, []);
});

test("a secret of Secrets Manager is asked for by its name", async () => {
  await using service = await startService(secret("held"));
  assert.equal(await opened(service).secrets.read(proxy), "held");
  assert.deepEqual(service.asked, [{ target: "secretsmanager.GetSecretValue", input: { SecretId: "proxy" } }]);
});

test("a parameter of Systems Manager is asked for in the clear", async () => {
  await using service = await startService({ status: 200, body: { Parameter: { Name: "/hook", Value: "held" } } });
  assert.equal(await opened(service).secrets.read({ ssm: "/hook" }), "held");
  assert.deepEqual(service.asked, [
    { target: "AmazonSSM.GetParameter", input: { Name: "/hook", WithDecryption: true } },
  ]);
});

test("the keys of one JSON, whoever wants them at once and again, cost one call", async () => {
  await using service = await startService(secret('{"username":"us","password":"held"}'));
  const { secrets, pass } = opened(service);
  const read = async (): Promise<readonly string[]> =>
    await Promise.all([
      secrets.read(password),
      secrets.read({ ...password, field: "username" }),
      secrets.read(password),
    ]);
  assert.deepEqual(await read(), ["held", "us", "held"]);
  pass(5 * minutes - 1);
  assert.deepEqual(await read(), ["held", "us", "held"]);
  assert.equal(service.asked.length, 1);
});

test("a secret that is changed is taken up after five minutes", async () => {
  await using service = await startService(secret("old"));
  const { secrets, pass } = opened(service);
  assert.equal(await secrets.read(proxy), "old");
  service.answer = secret("new");
  pass(5 * minutes - 1);
  assert.equal(await secrets.read(proxy), "old");
  pass(1);
  assert.equal(await secrets.read(proxy), "new");
  assert.equal(service.asked.length, 2);
});

test("a secret that cannot be read again is used on, which is logged, and is asked for again half a minute later", async () => {
  await using service = await startService(secret("old"));
  const { secrets, entries, pass } = opened(service);
  await secrets.read(proxy);
  service.answer = refusal("AccessDeniedException");
  pass(5 * minutes);
  assert.equal(await secrets.read(proxy), "old");
  assert.equal(await secrets.read(proxy), "old");
  assert.equal(service.asked.length, 2);
  assert.deepEqual(
    entries.map(({ level, event, secret }) => [level, event, secret]),
    [["warn", "secret-unread", "the secret proxy of Secrets Manager"]],
  );
  assert.match(String(entries[0]?.["fault"]), /AccessDeniedException/);
  service.answer = secret("new");
  pass(30_000);
  assert.equal(await secrets.read(proxy), "new");
});

const failures: readonly (readonly [what: string, answer: Answer, fault: RegExp, isLasting: boolean])[] = [
  [
    "a secret that is not there",
    refusal("ResourceNotFoundException"),
    /^the secret proxy of Secrets Manager is not there; create it in this region, or name another$/,
    true,
  ],
  [
    "one that may not be read",
    refusal("AccessDeniedException", "User: x is not authorized"),
    /^the secret proxy of Secrets Manager may not be read \(AccessDeniedException: User: x is not authorized\); allow secretsmanager:GetSecretValue on it, and kms:Decrypt/,
    true,
  ],
  ["one that is being deleted", refusal("InvalidRequestException", "marked for deletion"), /could not be read \(InvalidRequestException: marked for deletion\); look/, true],
  ["a service that is overrun", refusal("ThrottlingException"), /could not be read \(ThrottlingException: no\); look/, false],
  ["a service that is broken", refusal("InternalServiceError", "oops", 500), /could not be read \(InternalServiceError: oops\)/, false],
  ["an answer that is none", { status: 200, body: 'hidden-"secret' }, /could not be read \(SyntaxError\); look/, false],
  ["a secret of octets", { status: 200, body: { SecretBinary: "aGlkZGVu" } }, /holds no text; store the secret there as text$/, true],
  ["a text that is no JSON", secret("hidden-secret"), /is no JSON object; leave field out, or store \{"password": "…"\}$/, true],
  ["JSON that is no object", secret('"hidden-secret"'), /is no JSON object; leave field out/, true],
  ["JSON without the key", secret('{"pass":"hidden-secret"}'), /has no text at "password"; write field and a key that it has$/, true],
  ["JSON with something else at the key", secret('{"password":{"a":"hidden-secret"}}'), /has no text at "password"; write/, true],
]; // prettier-ignore

for (const [what, answer, fault, isLasting] of failures) {
  test(`${what}: the fault names the place and the remedy, and holds no secret`, async () => {
    await using service = await startService(answer);
    await assert.rejects(opened(service).secrets.read(password), (error) => {
      assert.ok(error instanceof SecretFault);
      assert.match(error.message, fault);
      assert.match(error.message, /^the secret proxy of Secrets Manager [^\n]+; [^\n]+$/);
      assert.doesNotMatch(error.message, /hidden|aGlk/);
      assert.equal(error.isLasting, isLasting);
      return true;
    });
  });
}

test("a parameter that is not there is named", async () => {
  await using service = await startService(refusal("ParameterNotFound"));
  await assert.rejects(opened(service).secrets.read({ ssm: "/hook" }), {
    message: "the parameter /hook of Systems Manager is not there; create it in this region, or name another",
  });
});

test("a first reading that failed is not remembered", async () => {
  await using service = await startService(refusal("ResourceNotFoundException"));
  const { secrets } = opened(service);
  await assert.rejects(secrets.read(proxy));
  service.answer = secret("held");
  assert.equal(await secrets.read(proxy), "held");
});

test("a service that says nothing is not waited for for ever, and by nobody for longer than they have", async () => {
  await using service = await startService(null);
  const { secrets } = opened(service);
  const startMs = performance.now();
  const patient = assert.rejects(secrets.read(proxy), (error) => {
    assert.ok(error instanceof SecretFault);
    assert.match(error.message, /^the secret proxy of Secrets Manager could not be read \(ETIMEDOUT\); look/);
    return !error.isLasting;
  });
  await assert.rejects(secrets.read(proxy, AbortSignal.timeout(50)), (error) => {
    assert.ok(error instanceof SecretFault);
    assert.match(error.message, /^the secret proxy of Secrets Manager was not read in time; look/);
    return !error.isLasting;
  });
  assert.ok(performance.now() - startMs < 3_000);
  await assert.rejects(secrets.read(proxy, AbortSignal.abort()), SecretFault);
  await patient;
  // Two tries of 4 s, and a pause between them.
  assert.ok(performance.now() - startMs < 15_000);
});

test("nobody there is a fault like others", async () => {
  const { secrets } = await (async () => {
    await using service = await startService(null);
    const { url } = service;
    return { secrets: openSecrets({}, { log: () => {}, endpoint: url }) };
  })();
  await assert.rejects(
    secrets.read(proxy),
    /^SecretFault: the secret proxy .* could not be read \(ECONNREFUSED\); look/,
  );
});

/** No service is asked for a file. */
const silent = { log: () => {}, endpoint: "http://127.0.0.1:1" };

test("a file is read for what is in it, without the line ends at its end", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "secrets-"));
  const secrets = openSecrets({}, silent);
  for (const [name, text, secret] of [
    ["bare", "held", "held"],
    ["line", "held\n", "held"],
    ["lines", "-----BEGIN\r\nheld\r\n\r\n", "-----BEGIN\r\nheld"],
    ["spaces", " held \n", " held "],
  ] as const) {
    const file = join(folder.path, name);
    await writeFile(file, text);
    assert.equal(await secrets.read({ file }), secret);
  }
  await secrets.load([{ file: join(folder.path, "bare") }]);
});

test("a file that is changed is taken up after five minutes, and one that is gone is used on, which is logged", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "secrets-"));
  const file = join(folder.path, "key.pem");
  const entries: Entry[] = [];
  let nowMs = 0;
  const secrets = openSecrets({}, { ...silent, log: (entry) => void entries.push(entry), nowMs: () => nowMs });
  await writeFile(file, "old");
  assert.equal(await secrets.read({ file }), "old");
  await writeFile(file, "new");
  nowMs += 5 * minutes - 1;
  assert.equal(await secrets.read({ file }), "old");
  nowMs += 1;
  assert.equal(await secrets.read({ file }), "new");
  await rm(file);
  nowMs += 5 * minutes;
  assert.equal(await secrets.read({ file }), "new");
  assert.deepEqual(
    entries.map(({ event, secret }) => [event, secret]),
    [["secret-unread", `the file ${file}`]],
  );
});

test("a file that cannot be read is told with its path and the remedy", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "secrets-"));
  const secrets = openSecrets({}, silent);
  const [none, empty, closed] = ["none", "empty", "closed"].map((name) => join(folder.path, name)) as [string, string, string]; // prettier-ignore
  await writeFile(empty, "\n");
  await writeFile(closed, "hidden-secret");
  await chmod(closed, 0);
  const rows = [
    [none, "is not there; store the secret there, or name another"],
    [join(empty, "below"), "is not there; store the secret there, or name another"],
    [folder.path, "is a directory; name a file"],
    [empty, "holds no text; store the secret there as text"],
    // Nothing is closed to the superuser, in whose name containers run.
    ...(process.getuid?.() === 0
      ? []
      : [[closed, "may not be read (EACCES); allow it to the user that runs this process"] as const]),
  ] as const;
  for (const [file, words] of rows) {
    await assert.rejects(secrets.read({ file }), (error) => {
      assert.ok(error instanceof SecretFault);
      assert.equal(error.message, `the file ${file} ${words}`);
      return error.isLasting;
    });
  }
});

test("a file is named by its full path", () => {
  for (const [file, isOne] of [
    ["/etc/delivery-probe/dkim.pem", true],
    ["C:\\keys\\dkim.pem", true],
    ["C:/keys/dkim.pem", true],
    ["dkim.pem", false],
    ["./dkim.pem", false],
    ["~/dkim.pem", false],
    ["/", false],
    ["", false],
  ] as const) {
    assert.equal(secretShape.safeParse({ file }).success, isOne, file);
  }
});
