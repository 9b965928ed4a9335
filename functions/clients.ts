// The AWS clients, each with limits that throw: a service that does not answer must not keep a function until it is
// ended. Where the services are, the SDK's own settings say (AWS_ENDPOINT_URL and the like). What is asked of them, their
// users know, by the clients' methods: a command class named anywhere would bring the SDK in where it is not wanted yet.
import type { CloudWatch } from "@aws-sdk/client-cloudwatch";
import type { S3 } from "@aws-sdk/client-s3";
import type { SNS } from "@aws-sdk/client-sns";
import type { SQS } from "@aws-sdk/client-sqs";
import type { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import process from "node:process";
import { remembered } from "./remembered.ts";

/** What most processes have. S3 is none of them: few sends need it, and `whenWanted` opens it for those. */
export interface Clients {
  readonly sqs: SQS;
  readonly sns: SNS;
  readonly cloudWatch: CloudWatch;
  readonly dynamo: DynamoDBDocument;
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
  readonly s3: string;
}

export const allClients = ["sqs", "sns", "cloudWatch", "dynamo"] as const satisfies readonly (keyof Clients)[];

/**
 * Loads and opens them. Loading one stops the process for some 50 ms, and for several times that in a small function: it
 * must be done before anything that has to be on time.
 * @param endpoints null: where the SDK's own settings say
 */
export async function openClients<Which extends keyof Clients>(
  which: readonly Which[],
  endpoints: Pick<Endpoints, Which> | null = null,
): Promise<Pick<Clients, Which>> {
  const opened = which.map(async (each) => [each, await openers[each](settingsAt(endpoints?.[each]))] as const);
  return Object.fromEntries(await Promise.all(opened)) as Pick<Clients, Which>;
}

/** @returns S3's client, loaded and opened by the first who asks for it */
export function whenWanted(endpoints: Pick<Endpoints, "s3"> | null): () => Promise<S3> {
  return remembered(async () => await openS3(endpoints?.s3));
}

/**
 * A message of 50 MB may take a while to come or go, and must not stand still. By a host name of its own
 * (bucket.s3.amazonaws.com) a bucket is found at AWS alone.
 */
async function openS3(endpoint: string | undefined): Promise<S3> {
  const { S3 } = await import("@aws-sdk/client-s3");
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const forcePathStyle = (endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined;
  const patient = { ...requestHandler, requestTimeout: 60_000, socketTimeout: 10_000 };
  return new S3({ ...settingsAt(endpoint), requestHandler: patient, forcePathStyle });
}

const openers = {
  sqs: async (settings) => {
    const { SQS } = await import("@aws-sdk/client-sqs");
    // A queue's URL names a host; requests go to the client's own endpoint all the same.
    return new SQS({ ...settings, useQueueUrlAsEndpoint: false });
  },
  sns: async (settings) => {
    const { SNS } = await import("@aws-sdk/client-sns");
    return new SNS(settings);
  },
  cloudWatch: async (settings) => {
    const { CloudWatch } = await import("@aws-sdk/client-cloudwatch");
    return new CloudWatch(settings);
  },
  dynamo: async (settings) => {
    const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
    const { DynamoDBDocument } = await import("@aws-sdk/lib-dynamodb");
    return DynamoDBDocument.from(new DynamoDBClient(settings), { marshallOptions: { removeUndefinedValues: true } });
  },
} satisfies { readonly [Which in keyof Clients]: (settings: object) => Promise<Clients[Which]> };

/** Of any client. Services that are not AWS's ask for no account. */
export function settingsAt(endpoint: string | undefined): object {
  if (endpoint === undefined) return limits;
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return { ...limits, endpoint, region: "us-east-1", credentials };
}

/**
 * For the long polls of a worker, which hold their connection for 20 s, SQS's own limit: longer than other calls may. Each
 * has one of its own, and what it takes is acknowledged by another: with the SDK's 50 none would be left for that.
 */
export async function openPolling(endpoints: Pick<Endpoints, "sqs"> | null): Promise<SQS> {
  const settings = settingsAt(endpoints?.sqs);
  return await openers.sqs({ ...settings, requestHandler: { ...requestHandler, requestTimeout: 30_000, ...sockets } });
}

const sockets = { httpAgent: { maxSockets: 500 }, httpsAgent: { maxSockets: 500 } } as const;

export function closeClients(clients: Partial<Clients>): void {
  for (const each of Object.values(clients)) each.destroy();
}
