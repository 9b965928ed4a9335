// How the page function is called locally: by CloudWatch and by SNS, and what becomes of an alarm that it fails for.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { PublishCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import type { SQSRecord } from "aws-lambda";
import { allClients, closeClients, openClients, type Clients } from "../../functions/clients.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { alarmChangeOf } from "../../functions/page/alarm-change.ts";
import { turnedClock, type TurnedClock } from "../../infra/local/clock.ts";
import type { AlarmChange, AlarmState } from "../../infra/local/cloudwatch/alarm-change.ts";
import { topicsOf } from "../../infra/local/endpoints.ts";
import { Invocations } from "../../infra/local/invocations.ts";
import { PageFunction } from "../../infra/local/page-function.ts";
import { pageFeedName, setUpQueues } from "../../infra/local/queue-setup.ts";
import { startQueues } from "../../infra/local/queues.ts";

const { value } = checkConfig({
  name: "test",
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "aws", runner: "functions" }],
  targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
});
const config = value as Config;
const arn = "arn:aws:lambda:us-east-1:000000000000:function:test-page";
const noon = Date.parse("2026-11-24T12:00:00Z");

const standing: AlarmState = {
  value: "OK",
  reason: "all is well",
  reasonData: null,
  atMs: noon - 60_000,
  suppressedBy: null,
  suppressedReason: null,
};
const change: AlarmChange = {
  name: "test-blocked-icloud-aws",
  arn: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:test-blocked-icloud-aws",
  accountId: "000000000000",
  region: "us-east-1",
  alarm: { kind: "composite", input: { AlarmName: "test-blocked-icloud-aws", AlarmRule: "TRUE" } },
  configuredAtMs: noon - 120_000,
  state: { ...standing, value: "ALARM", reason: "it is blocked", atMs: noon },
  previous: standing,
};

interface Bench extends AsyncDisposable {
  readonly clients: Clients;
  readonly clock: TurnedClock;
  readonly events: unknown[];
  readonly pageFunction: PageFunction;
  /** What a queue holds, as records of an event. */
  records(queue: string): Promise<SQSRecord[]>;
}

/** A page function that fails so many times. */
async function bench(failures: number): Promise<Bench> {
  const queues = await startQueues(0, null);
  const { url } = queues;
  const clients = await openClients(allClients, { sqs: url, sns: url, dynamo: url, cloudWatch: url });
  await setUpQueues(config, clients);
  await clients.sqs.send(new CreateQueueCommand({ QueueName: "on-call" }));
  const Endpoint = "arn:aws:sqs:us-east-1:000000000000:on-call";
  await clients.sns.send(new SubscribeCommand({ TopicArn: topicsOf(config).oncall, Protocol: "sqs", Endpoint }));
  const clock = turnedClock(noon);
  const events: unknown[] = [];
  const pageFunction = new PageFunction({
    page: async (event) => {
      events.push(event);
      if (events.length <= failures) throw new Error("out of order");
    },
    invocations: new Invocations(clock, () => {}),
    sns: clients.sns,
    arn,
    failureTopic: topicsOf(config).oncall,
    log: () => {},
  });
  return {
    clients,
    clock,
    events,
    pageFunction,
    records: async (queue) => {
      const QueueUrl = `${url}/000000000000/${queue}`;
      const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2 }));
      return Messages.map(({ Body = "", MessageId = "" }) => ({ body: Body, messageId: MessageId }) as SQSRecord);
    },
    [Symbol.asyncDispose]: async () => {
      closeClients(clients);
      await queues[Symbol.asyncDispose]();
    },
  };
}

suite("the page function", () => {
  test("hears of one change by both ways, with the same time", async () => {
    await using it = await bench(0);
    await it.pageFunction.act(arn, change);
    await it.pageFunction.act(topicsOf(config).pages, change);
    const Records = await it.records(pageFeedName(config));
    assert.deepEqual(await it.pageFunction.feed({ Records }), { batchItemFailures: [] });
    const [direct, byTopic] = it.events.map(alarmChangeOf);
    assert.ok(direct !== undefined && byTopic !== undefined);
    const { alarmName, from, to, at, reason } = direct;
    assert.deepEqual([alarmName, from, to, at, reason], [change.name, "OK", "ALARM", new Date(noon).toISOString(), "it is blocked"]); // prettier-ignore
    assert.deepEqual({ ...byTopic, via: "lambda" }, direct);
    assert.equal(it.events.length, 2);
    assert.match(JSON.stringify(it.events[1]), /"EventSource":"aws:sns".*"Sns":\{.*"Subject":"ALARM: /);
  });

  test("that fails three times leaves the plain alarm to on-call's topic, and its feed takes the message for done", async () => {
    await using it = await bench(3);
    await it.clients.sns.send(new PublishCommand({ TopicArn: topicsOf(config).pages, Message: '{"AlarmName":"a"}' }));
    const Records = await it.records(pageFeedName(config));
    const fed = it.pageFunction.feed({ Records });
    for (let minutes = 0; minutes < 4; minutes += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await it.clock.advance(60_000);
    }
    assert.deepEqual(await fed, { batchItemFailures: [] });
    const [told] = await it.records("on-call");
    const { Message = "{}" } = JSON.parse(told?.body ?? "{}") as { readonly Message?: string };
    const { requestContext, requestPayload, responsePayload } = JSON.parse(Message) as Record<string, object>;
    assert.deepEqual(requestContext, {
      functionArn: `${arn}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    });
    assert.deepEqual(requestPayload, it.events[0]);
    assert.match(JSON.stringify(requestPayload), /AlarmName/);
    assert.deepEqual(responsePayload, { errorMessage: "Error: out of order" });
  });
});
