// Messages that lie in S3: fetches one whole, and puts one there. What cannot be mended by trying again is a fault in a
// line; what can is thrown. It does not know what a message holds, nor who named the object.
import type { GetObjectCommandOutput, S3 } from "@aws-sdk/client-s3";

/** Of what is fetched at all: the largest mail hosts take 50 MB (facts of the trade, no RFC). */
export const objectOctets = 50_000_000;

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
  /** Of what it held when it was looked at first; null: whatever it holds. */
  readonly etag: string | null;
}

export type Fetched =
  | { readonly bytes: Uint8Array; readonly etag: string | null }
  /** `isFinal`: there is no such object, or none that could be sent; else what keeps us from it may be mended. */
  | { readonly fault: string; readonly isFinal: boolean };

/** @throws what the SDK throws where the service, and not the object, is the fault */
export async function getMessage({ bucket, key, etag }: ObjectName, s3: S3): Promise<Fetched> {
  const name = `${JSON.stringify(key)} in the bucket ${bucket}`;
  try {
    const condition = etag === null ? {} : { IfMatch: etag };
    const output = await s3.getObject({ Bucket: bucket, Key: key, ...condition });
    if ((output.ContentLength ?? 0) > objectOctets) return abandon(output, tooLarge(name));
    const bytes = await contentOf(output);
    if (bytes === null) return { fault: tooLarge(name), isFinal: true };
    if (bytes.length === 0) return { fault: `the object ${name} is empty`, isFinal: true };
    return { bytes, etag: output.ETag ?? null };
  } catch (error) {
    const words = wordsOf(error, name);
    if (words === null) throw error;
    return { fault: words, isFinal: isGone(error) };
  }
}

/** @throws what the SDK throws */
export async function putMessage(
  bucket: string,
  key: string,
  bytes: Uint8Array,
  s3: S3,
): Promise<{ readonly etag: string | null }> {
  const { ETag } = await s3.putObject({ Bucket: bucket, Key: key, Body: bytes, ContentType: "message/rfc822" });
  return { etag: ETag ?? null };
}

/** @returns null for more than a message may have, whatever its length was said to be */
async function contentOf({ Body }: GetObjectCommandOutput): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of (Body ?? []) as AsyncIterable<Uint8Array>) {
    octets += chunk.length;
    // Leaving the loop destroys the stream.
    if (octets > objectOctets) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, octets);
}

/** Of what is not read the connection would stay open. */
function abandon({ Body }: GetObjectCommandOutput, fault: string): Fetched {
  if (Body !== undefined && "destroy" in Body) Body.destroy();
  return { fault, isFinal: true };
}

function tooLarge(name: string): string {
  return `the object ${name} has more than ${objectOctets} octets, which is more than mail hosts take`;
}

/** Without the right to list a bucket what is not there is refused as well (GetObject). */
function wordsOf(error: unknown, name: string): string | null {
  const { name: code, $metadata } = error as Partial<Error> & {
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  if (code === "NoSuchBucket") return `there is no such bucket: the object ${name}`;
  if (code === "AccessDenied") return `the object ${name} may not be read by this system, or is not there`;
  if (code === "InvalidObjectState") return `the object ${name} is archived, and has to be restored first`;
  switch (status) {
    case 301:
    case 307:
      return `the object ${name} is in another region than this system`;
    case 404:
      return `there is no object ${name}`;
    case 412:
      return `the object ${name} is no longer what it was when the send was taken on`;
    default:
      return null;
  }
}

/** Not there, or another one. A right, a bucket or a region that is wrong may be right again in a minute. */
function isGone(error: unknown): boolean {
  const { name: code, $metadata } = error as Partial<Error> & {
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return code !== "NoSuchBucket" && [404, 412].includes($metadata?.httpStatusCode ?? 0);
}
