// Finds a queue by its name at a place, and says where to look when there is none. It reads and writes none.
import type { Queues } from "../queue/queues.ts";
import { quote, UsageFault } from "./options.ts";
import type { Place } from "./place.ts";

/** @throws UsageFault where there is no such queue */
export async function urlOf(queue: string, queues: Queues, { folder }: Place): Promise<string> {
  const url = await urlIfAny(queue, queues);
  if (url !== null) return url;
  const where = folder === null ? "AWS_REGION" : "the folder of the stack";
  throw new UsageFault(`there is no queue ${quote(queue)}; look at ${where} and the configuration's name`);
}

export async function urlIfAny(queue: string, queues: Queues): Promise<string | null> {
  try {
    return await queues.url(queue);
  } catch (error) {
    // "AWS.SimpleQueueService.NonExistentQueue" by the older protocol.
    if (error instanceof Error && /QueueDoesNotExist|NonExistentQueue/.test(error.name)) return null;
    throw error;
  }
}
