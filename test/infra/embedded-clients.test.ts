// The local stack's own clients: delays of the schedule are of the clock, waits for a turn are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateQueueCommand, SendMessageBatchCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { closeClients } from "../../functions/clients.ts";
import { laterMessage } from "../../functions/queue/record.ts";
import { Queues } from "../../functions/queue/queues.ts";
import { embeddedClients } from "../../infra/local/embedded-clients.ts";
import { recordOf } from "../support/services.ts";
import { startQueues } from "../../infra/local/queues.ts";

/** Who came by is visible or delayed, whenever one looks: a second of delay is over before, an hour is not. */
test("a delay is divided by the speed, for one message and for a batch, but not that of a request put back", async () => {
  await using queues = await startQueues(0, null);
  const { url } = queues;
  const clients = await embeddedClients({ sqs: url, dynamodb: url, cloudwatch: url }, 900_000);
  const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "q" }));
  const message = { MessageBody: "m", DelaySeconds: 900 };
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
  const Entries = [{ Id: "0", ...message }, { Id: "1", ...message }, { Id: "2", MessageBody: "at once" }]; // prettier-ignore
  await clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const record = recordOf("put back");
  await new Queues(clients.sqs).send("q", [laterMessage(record, 900)]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { visible, delayed } = queues.contents("q") ?? {};
  assert.deepEqual({ visible, delayed }, { visible: 4, delayed: 1 });
  closeClients(clients);
});

test("at the machine's own speed a delay is what it is", async () => {
  await using queues = await startQueues(0, null);
  const { url } = queues;
  const clients = await embeddedClients({ sqs: url, dynamodb: url, cloudwatch: url }, 1);
  const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "q" }));
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "m", DelaySeconds: 900 }));
  assert.equal(queues.contents("q")?.delayed, 1);
  closeClients(clients);
});
