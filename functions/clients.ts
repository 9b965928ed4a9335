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
const requestHandler = { connectionTimeout: 1_000, requestTimeout: 4_000, throwOnRequestTimeout: true } as const;
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
  const at = (endpoint: string | undefined): object => {
    return endpoint === undefined ? limits : { ...limits, endpoint, region: "us-east-1", credentials: nobodys };
  };
  return {
    // A queue's URL names a host; requests go to the client's own endpoint all the same.
    sqs: new SQSClient({ ...at(endpoints?.sqs), useQueueUrlAsEndpoint: false }),
    sns: new SNSClient(at(endpoints?.sns)),
    cloudWatch: new CloudWatchClient(at(endpoints?.cloudWatch)),
    dynamo: DynamoDBDocumentClient.from(new DynamoDBClient(at(endpoints?.dynamo)), {
      marshallOptions: { removeUndefinedValues: true },
    }),
  };
}

/** Services that are not AWS's ask for no account. */
const nobodys = { accessKeyId: "local", secretAccessKey: "local" };

export function closeClients({ sqs, sns, cloudWatch, dynamo }: Clients): void {
  for (const each of [sqs, sns, cloudWatch, dynamo]) each.destroy();
}
