// Command lines that a page gives a person to paste into a shell: nothing in one can end its quotes. It runs none.
import type { StoredVerdict } from "../state/verdicts.ts";

/**
 * The stored verdict through `replay`. A request's id comes from a queue: one that could end its quotes in a shell is shown
 * in no command.
 */
export function replayCommand({ id }: StoredVerdict, table: string): string | null {
  if (!/^[^\s'"\\]+$/.test(id)) return null;
  const key = `{"pk":{"S":"request#${id}"}}`;
  const get = `aws dynamodb get-item --table-name ${table} --key '${key}' --query Item.document.S --output text`;
  return `${get} | npx delivery-probe replay`;
}

/** What lies in a queue of dead letters, with their attributes. */
export function deadLetterCommand(queue: string): string | null {
  if (!/^[\w-]+$/.test(queue)) return null;
  const url = `$(aws sqs get-queue-url --queue-name ${queue} --output text)`;
  return `aws sqs receive-message --queue-url "${url}" --message-attribute-names All --max-number-of-messages 10`;
}
