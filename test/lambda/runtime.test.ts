// The bundles, not the sources, as Lambda runs them: under AWS's own runtime client, with the local stack behind.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ReceiveMessageCommand, type Message } from "@aws-sdk/client-sqs";
import { dueIn } from "../../functions/queue/due.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { findVerdict } from "../../functions/state/verdicts.ts";
import { whenWanted } from "../../functions/clients.ts";
import { bundleFunctions } from "../../infra/aws/bundle.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { clientIsMissing, startRuntime, type Answer } from "./runtime-api.ts";

suite("the bundles under AWS's runtime client", { skip: clientIsMissing ?? false }, () => {
  let stack: Stack;
  let folder: string;
  const slot = new Date(Math.floor(Date.now() / 300_000) * 300_000).toISOString();

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "delivery-probe-lambda-"));
    const { value } = checkConfig({
      name: "test",
      identity: { helo: "probe.example", sender: "probe@sender.example" },
      egresses: [{ name: "aws", runner: "functions", address: "192.0.2.25" }],
      targets: [
        { provider: "icloud", recipient: "probe@icloud.example", everyMinutes: 5 },
        { provider: "gmx", recipient: "probe@gmx.example", everyMinutes: 5 },
      ],
      alarms: { blocked: { datapoints: 1, of: 1 } },
      limits: { sessionSeconds: 5 },
      sends: {},
    });
    const config = value as Config;
    stack = await startStack({ config, state: null, speed: 1, blocked: ["icloud"], env: {}, run: false });
    await bundleFunctions(folder, stack.config);
  });

  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function invoked(name: string, event: unknown): Promise<Answer> {
    await using runtime = await startRuntime(folder, `${name}.handler`, environment(stack));
    return await runtime.invoke(event);
  }

  test("the schedule puts what is due on the queue", async () => {
    const answer = await invoked("schedule", { slot });
    assert.equal(answer.kind, "response", JSON.stringify(answer.value));
    const { sent, already } = answer.value as { readonly sent: number; readonly already: boolean };
    assert.ok(sent >= 2 && !already);
  });

  test("the probe probes what it is given, writes it down and counts it; what is malformed is a dead letter", async () => {
    const requests = dueIn(slot, stack.config).map(({ request }) => JSON.stringify(request));
    const answer = await invoked("probe", { Records: [...requests, "no request"].map(recordOf) });
    assert.deepEqual(answer, { kind: "response", value: { batchItemFailures: [] } });
    const table = { client: stack.clients.dynamo, name: stack.config.name, days: 30, now: () => new Date() };
    const outcomes = dueIn(slot, stack.config).map(async ({ request, pair }) => {
      const stored = await findVerdict(request.id, table);
      return [pair.target.provider, stored?.verdict.outcome, stored?.verdict.class, stored?.reported];
    });
    assert.deepEqual(
      (await Promise.all(outcomes)).toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ["gmx", "accepted", null, true],
        ["icloud", "rejected", "ip-reputation", true],
      ],
    );
    const [dead] = await received(stack, "test-probe-dead");
    assert.equal(dead?.MessageAttributes?.["Reason"]?.StringValue, "$: this is no JSON; write one JSON object");
  });

  test("the send delivers what it is given, one message of S3 too, and tells what became of it", async () => {
    const message = "From: probe@sender.example\r\nSubject: an order\r\n\r\nIt is on its way.\r\n";
    const object = { bucket: stack.endpoints.bucket, key: "an order.eml" };
    const s3 = await whenWanted({ s3: stack.endpoints.s3 })();
    await s3.putObject({ Bucket: object.bucket, Key: object.key, Body: message });
    s3.destroy();
    const send = { v: 1, kind: "send", from: "probe@sender.example", to: ["someone@gmx.example"] };
    const bodies = [message, { s3: object }].map((each, index) => ({ ...send, id: `order-${index}`, message: each }));
    for (const body of bodies) {
      const answer = await invoked("send", { Records: [recordOf(JSON.stringify(body), 0)] });
      assert.deepEqual(answer, { kind: "response", value: { batchItemFailures: [] } });
    }
    const results = [...(await received(stack, "test-results")), ...(await received(stack, "test-results"))];
    const told = results.map(({ Body = "" }) => JSON.parse(Body) as { readonly id: string; readonly event: string });
    assert.deepEqual(told.map(({ id, event }) => `${id} ${event}`).toSorted(), ["order-0 delivered", "order-1 delivered"]); // prettier-ignore
    const gmx = stack.lab.hosts.find(({ dialog }) => dialog.provider === "gmx");
    for (const each of (await gmx?.host.messages()) ?? []) assert.ok(Buffer.from(each).toString().endsWith(message));
  });

  test("the page function brings the server's own words to every route", async () => {
    const pages: string[] = [];
    stack.onEvent((event) => {
      if (event.kind === "page") pages.push(JSON.stringify(event.received));
    });
    const alarm = alarmsOf(stack.config).find(({ kind, pages }) => kind === "blocked" && pages);
    assert.ok(alarm !== undefined);
    const answer = await invoked("page", alarmEvent(alarm.name));
    assert.equal(answer.kind, "response", JSON.stringify(answer.value));
    for (let tries = 0; tries < 50 && pages.length < 4; tries++) await sleep(20);
    assert.ok(pages.length >= 4, `${pages.length} pages`);
    assert.ok(pages.every((each) => each.includes("is in Spamhaus PBL")));
  });

  test("what a handler throws is told to Lambda, in the words of the sources", async () => {
    const answer = await invoked("schedule", { when: "now" });
    assert.equal(answer.kind, "error");
    assert.match(JSON.stringify(answer.value), /the event holds no slot/);
  });
});

function environment({ endpoints }: Stack): NodeJS.ProcessEnv {
  return {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SNS: endpoints.sns,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.cloudwatch,
  };
}

/** As CloudWatch calls a function: "Invoke a Lambda function from an alarm" in its guide. */
function alarmEvent(alarmName: string): object {
  const time = new Date().toISOString().replace("Z", "+0000");
  return {
    source: "aws.cloudwatch",
    alarmArn: `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${alarmName}`,
    accountId: "000000000000",
    time,
    region: "us-east-1",
    alarmData: {
      alarmName,
      state: { value: "ALARM", reason: "its metric alarm went into ALARM", timestamp: time },
      previousState: { value: "OK", reason: "", timestamp: time },
      configuration: { alarmRule: "" },
    },
  };
}

/** As Lambda's event source mapping hands a message over. */
function recordOf(body: string, index: number): object {
  const attributes = {
    ApproximateReceiveCount: "1",
    SentTimestamp: "0",
    SenderId: "",
    ApproximateFirstReceiveTimestamp: "0",
  };
  return {
    messageId: `message-${index}`,
    receiptHandle: `handle-${index}`,
    body,
    attributes,
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:test-probe",
    awsRegion: "us-east-1",
  };
}

async function received(stack: Stack, name: string): Promise<readonly Message[]> {
  const { QueueUrl } = await stack.clients.sqs.getQueueUrl({ QueueName: name });
  const command = new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"], WaitTimeSeconds: 5 });
  return (await stack.clients.sqs.send(command)).Messages ?? [];
}
