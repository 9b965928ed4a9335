// Where a command finds the system: what is said when it is not named, not there, wrong, or does not answer.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import net from "node:net";
import { once } from "node:events";
import os from "node:os";
import path from "node:path";
import { readOptions } from "../../functions/cli/options.ts";
import { atPlace, placeOptions, type Place } from "../../functions/cli/place.ts";
import { config, refused, run } from "./operator.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
after(async () => await rm(folder, { recursive: true }));
// Whoever runs the tests may have one.
delete process.env["DELIVERY_PROBE_CONFIG"];

const good = await file("good.json", config);
const wrong = await file("wrong.json", { ...config, name: "No Name", egresses: [], colour: "red" });
const noJson = await file("no.json", "{");

async function file(name: string, content: object | string): Promise<string> {
  const where = path.join(folder, name);
  await writeFile(where, typeof content === "string" ? content : JSON.stringify(content));
  return where;
}

/** A folder as a local stack has it. */
async function stackFolder(name: string, endpoints: object | string): Promise<string> {
  await mkdir(path.join(folder, name));
  await file(path.join(name, "config.json"), config);
  await file(path.join(name, "endpoints.json"), endpoints);
  return path.join(folder, name);
}

async function placed(args: readonly string[]): Promise<Place> {
  const found: Place[] = [];
  await atPlace(readOptions(args, placeOptions), async (place) => found.push(place));
  const [place] = found;
  assert.ok(place !== undefined);
  return place;
}

const url = "http://127.0.0.1:9";
const urls = { sqs: url, sns: url, dynamodb: url, cloudwatch: url, s3: url };
const inUse = await stackFolder("in use", { ...urls, resolver: "127.0.0.1:53" });
const { s3: _, ...older } = urls;
const withoutObjects = await stackFolder("without objects", older);
const half = await stackFolder("half", { sqs: url, sns: "somewhere" });
const broken = await stackFolder("broken", "[");

const faults: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [
    [],
    /^no system is named; write --config file, or set DELIVERY_PROBE_CONFIG, for AWS, or --state dir for a local stack$/,
  ],
  [["--state", inUse, "--config", good], /^--state and --config are two places; write --state for a local stack, /],
  [["--config", path.join(folder, "none.json")], /none\.json cannot be read \(ENOENT\); name a configuration file/],
  [["--config", noJson], /no\.json is no JSON: /],
  [
    ["--config", wrong],
    /wrong\.json is no configuration: (?=.*name: \d to 40)(?=.*egresses: )(?=.*colour: there is no such field)[^\n]*$/,
  ],
  [
    ["--state", path.join(folder, "none")],
    /^there is no ".*none.endpoints\.json"; start delivery-probe local --state \S+none first$/,
  ],
  [["--state", good], /^there is no ".*good\.json.endpoints\.json"; start delivery-probe local --state /],
  [["--state", half], /endpoints\.json" has no URL sns, so that no local stack wrote it; start delivery-probe local/],
  [["--state", withoutObjects], /endpoints\.json" has no URL s3, so that no local stack wrote it; start /],
  [["--state", broken], /endpoints\.json" has no URL sqs, /],
];

for (const [args, says] of faults) {
  test(`${args.map((each) => path.basename(each)).join(" ") || "no option"} is refused, with what to write`, async () => {
    assert.match(await refused(() => atPlace(readOptions(args, placeOptions), async () => 0)), says);
  });
}

test("a local stack is known by its folder: configuration, endpoints, resolver, and the words that name it", async () => {
  const place = await placed(["--state", inUse]);
  assert.deepEqual(place.config, config);
  assert.deepEqual(place.endpoints, { sqs: url, sns: url, cloudWatch: url, dynamo: url, s3: url });
  assert.deepEqual([place.resolver, place.folder], ["127.0.0.1:53", inUse]);
  assert.equal(place.words, ` --state '${inUse}'`, "quoted for a shell");
});

test("AWS is named by the option, or by the environment variable", async () => {
  const named = await placed(["--config", good]);
  assert.deepEqual(
    [named.config, named.endpoints, named.resolver, named.words],
    [config, null, null, ` --config ${good}`],
  );
  process.env["DELIVERY_PROBE_CONFIG"] = good;
  const unnamed = await placed([]);
  delete process.env["DELIVERY_PROBE_CONFIG"];
  assert.deepEqual([unnamed.config, unnamed.words], [config, ""]);
});

const account = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };

async function closedPort(): Promise<number> {
  const server = net.createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

test("services that do not answer make exit status 70, and a line that says what to look at", async () => {
  const gone = `http://127.0.0.1:${await closedPort()}`;
  const local = await stackFolder("gone", { sqs: gone, sns: gone, dynamodb: gone, cloudwatch: gone, s3: gone });
  const stopped = await run(["status", "--state", local]);
  assert.deepEqual({ ...stopped, stderr: "" }, { status: 70, stdout: "", stderr: "" });
  assert.match(
    stopped.stderr,
    /^delivery-probe: the local stack does not answer \(.*ECONNREFUSED.*\); start it again: delivery-probe local --state \S+\n$/,
  );
  const away = await run(["pause", "--config", good], { ...account, AWS_ENDPOINT_URL: gone });
  assert.deepEqual({ ...away, stderr: "" }, { status: 70, stdout: "", stderr: "" });
  assert.match(
    away.stderr,
    /^delivery-probe: AWS \(region eu-west-1\) does not answer \(.*\); look at the network, [^\n]*\n$/,
  );
});

test("without a region or credentials it is said which settings there are", async () => {
  const { status, stderr } = await run(["pause", "--config", good], { HOME: folder });
  assert.equal(status, 70);
  assert.match(
    stderr,
    /^delivery-probe: AWS cannot be asked \(.*\); set AWS_REGION, and AWS_PROFILE or other credentials\n$/,
  );
});

for (const [type, says] of [
  [
    "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
    /has no table delivery-probe, or no such alarm \(not here\)/,
  ],
  [
    "com.amazon.coral.service#AccessDeniedException",
    /refuses: AccessDeniedException: not here; look at the credentials/,
  ],
] as const) {
  test(`AWS that answers ${type.split("#")[1]} is told as such`, async () => {
    const server = createServer((_request, response) => {
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify({ __type: type, message: "not here" }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as net.AddressInfo;
    const { status, stderr } = await run(["pause", "--config", good], {
      ...account,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    });
    server.close();
    assert.equal(status, 70);
    assert.match(stderr, says);
  });
}
