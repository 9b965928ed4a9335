// The AWS clients, each with limits that throw: a service that does not answer must not keep a function until it is
// ended. Where the services are, the SDK's own settings say (AWS_ENDPOINT_URL and the like).
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

export interface Clients {
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamo: DynamoDBDocumentClient;
}

/** Of one try; the SDK makes `maxAttempts`. `requestTimeout` alone only warns. */
const requestHandler = { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true } as const;
const limits = { requestHandler, maxAttempts: 2 } as const;

/** Services that are not AWS's own: on one machine, in tests. */
export interface Endpoints {
  readonly sqs: string;
  readonly sns: string;
  readonly cloudWatch: string;
  readonly dynamo: string;
}

/** @param endpoints null: where the SDK's own settings say */
export function openClients(endpoints: Endpoints | null = null): Clients {
  return {
    // A queue's URL names a host; requests go to the client's own endpoint all the same.
    sqs: new SQSClient({ ...settingsAt(endpoints?.sqs), useQueueUrlAsEndpoint: false }),
    sns: new SNSClient(settingsAt(endpoints?.sns)),
    cloudWatch: new CloudWatchClient(settingsAt(endpoints?.cloudWatch)),
    dynamo: DynamoDBDocumentClient.from(new DynamoDBClient(settingsAt(endpoints?.dynamo)), {
      marshallOptions: { removeUndefinedValues: true },
    }),
  };
}

/** Services that are not AWS's ask for no account. */
function settingsAt(endpoint: string | undefined): object {
  if (endpoint === undefined) return limits;
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return { ...limits, endpoint, region: "us-east-1", credentials };
}

/** For the long polls of a worker, which hold their connection for 20 s, SQS's own limit: longer than other calls may. */
export function openPolling(endpoints: Pick<Endpoints, "sqs"> | null): SQSClient {
  const requestHandler = { ...limits.requestHandler, requestTimeout: 30_000 };
  return new SQSClient({ ...settingsAt(endpoints?.sqs), requestHandler, useQueueUrlAsEndpoint: false });
}

export function closeClients({ sqs, sns, cloudWatch, dynamo }: Clients): void {
  for (const each of [sqs, sns, cloudWatch, dynamo]) each.destroy();
}
