// A page as a message to an SNS topic, for e-mail, text messages and whatever else subscribes. It knows no subscriber.
import type { PublishCommandInput, SNS, SNSServiceException } from "@aws-sdk/client-sns";
import type { ConfigRoute } from "../../config/config.ts";
import { plainText, type Page } from "../text.ts";
import type { Sent } from "./post.ts";

type SnsRoute = Extract<ConfigRoute, { readonly type: "sns" }>;

export async function sendSns(
  { topicArn }: SnsRoute,
  page: Page,
  sns: Pick<SNS, "publish">,
  abortSignal: AbortSignal,
): Promise<Sent> {
  try {
    await sns.publish({ TopicArn: topicArn, ...snsMessage(page) }, { abortSignal });
    return { ok: true };
  } catch (error) {
    if (!isAnswer(error)) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      return { ok: false, fault: `it could not be asked: ${code}`, isLasting: false, retryAfterMs: null };
    }
    const isLasting = error.$fault === "client" && error.$retryable === undefined && !/throttl/i.test(error.name);
    return { ok: false, fault: `${error.name}: ${error.message}`, isLasting, retryAfterMs: null };
  }
}

/** Whether SNS answered. By its form: the class itself would bring the SDK in. */
function isAnswer(error: unknown): error is SNSServiceException {
  return error instanceof Error && "$fault" in error;
}

/** The attributes are for subscriptions' filter policies. */
export function snsMessage(page: Page): Omit<PublishCommandInput, "TopicArn"> {
  const attributes = { alarm: page.alarm, kind: page.kind, state: page.state, severity: page.severity };
  return {
    Subject: subjectOf(page.title),
    Message: plainText(page),
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    ),
  };
}

/** Publish: "must be ASCII text … no line breaks or control characters … less than 100 characters long". */
function subjectOf(title: string): string {
  const ascii = title
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\x20-\x7e]/gu, "?");
  return ascii.length < 100 ? ascii : `${ascii.slice(0, 96)}...`;
}
