// The bucket of the local stack, for messages that are too large for a queue: those that a send names, and those that wait
// for another attempt. It knows no object in it.
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Config } from "../../functions/config/config.ts";

export function bucketOf({ name }: Pick<Config, "name">): string {
  return `${name}-messages`;
}

/** Makes it where it is not there yet; its objects stay. */
export async function setUpBucket(config: Config, s3: S3Client): Promise<void> {
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucketOf(config) }));
  } catch (error) {
    if (!/BucketAlreadyOwnedByYou|BucketAlreadyExists/.test((error as Error).name)) throw error;
  }
}
