// The page function as AWS would call it: by CloudWatch directly, and by SNS; both asynchronously, with the plain alarm
// to on-call's topic when it fails for good. What a page is, the function knows.
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { SNSEvent, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Context } from "../../functions/handler.ts";
import { faultText, type Log } from "../../functions/report/log.ts";
import { lambdaEvent, snsMessage, type AlarmChange } from "./cloudwatch/alarm-change.ts";
import type { Invocations } from "./invocations.ts";

export interface PageFunctionOptions {
  readonly page: (event: unknown, context: Context) => Promise<unknown>;
  readonly invocations: Invocations;
  readonly sns: SNSClient;
  readonly arn: string;
  /** Where the plain alarm goes. */
  readonly failureTopic: string;
  readonly log: Log;
}

export class PageFunction {
  readonly #options: PageFunctionOptions;

  constructor(options: PageFunctionOptions) {
    this.#options = options;
  }

  /** An alarm's action: CloudWatch's event to the function, or its JSON to a topic. Resolves when that has it. */
  async act(arn: string, change: AlarmChange): Promise<void> {
    if (arn === this.#options.arn) void this.#invoke(lambdaEvent(change)).catch(() => {});
    else await publishAlarm(arn, change, this.#options.sns);
  }

  /** Reads the topic's subscription: an SQS queue here, of which each message is one of SNS's calls of the function. */
  async feed({ Records }: SQSEvent): Promise<SQSBatchResponse> {
    const failed: string[] = [];
    for (const { messageId, body } of Records) {
      try {
        await this.#invoke(snsEvent(body));
      } catch {
        failed.push(messageId);
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  }

  async #invoke(event: object): Promise<void> {
    const { page, invocations } = this.#options;
    await invocations.invoke({
      name: "page",
      call: (context) => page(event, context),
      givenUp: (error) => this.#giveUp(event, error),
    });
  }

  /** Lambda's own record of an invocation that failed. */
  async #giveUp(requestPayload: object, error: unknown): Promise<void> {
    const { sns, failureTopic, arn, log } = this.#options;
    const record = {
      version: "1.0",
      timestamp: new Date().toISOString(),
      requestContext: { functionArn: `${arn}:$LATEST`, condition: "RetriesExhausted", approximateInvokeCount: 3 },
      requestPayload,
      responsePayload: { errorMessage: faultText(error) },
    };
    log({ level: "error", event: "page-given-up", fault: faultText(error) });
    await sns.send(new PublishCommand({ TopicArn: failureTopic, Message: JSON.stringify(record) }));
  }
}

/** As CloudWatch does; SNS takes 100 characters of a subject. */
async function publishAlarm(topic: string, change: AlarmChange, sns: SNSClient): Promise<void> {
  const Subject = `${change.state.value}: "${change.name}" in ${change.region}`.slice(0, 100);
  await sns.send(new PublishCommand({ TopicArn: topic, Subject, Message: snsMessage(change) }));
}

/** SNS's envelope, as a function gets it. */
function snsEvent(body: string): SNSEvent {
  const { SigningCertURL = "", UnsubscribeURL = "", ...sns } = JSON.parse(body) as Envelope;
  return {
    Records: [
      {
        EventSource: "aws:sns",
        EventVersion: "1.0",
        EventSubscriptionArn: `${sns.TopicArn}:page`,
        Sns: { ...sns, SigningCertUrl: SigningCertURL, UnsubscribeUrl: UnsubscribeURL },
      },
    ],
  };
}

type Envelope = Omit<SNSEvent["Records"][number]["Sns"], "SigningCertUrl" | "UnsubscribeUrl"> & {
  readonly SigningCertURL?: string;
  readonly UnsubscribeURL?: string;
};
