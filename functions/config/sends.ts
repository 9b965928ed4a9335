// What the configuration says of sends: by which ways out they leave, how they are signed, how long they are tried and how
// fast. Without the section none are taken. What one field allows another, send-faults.ts knows.
import * as z from "zod/mini";
import { isHelo } from "../smtp/address.ts";
import { about } from "./about.ts";
import { secret } from "./secret.ts";

const egressName = z.string().check(z.minLength(1));
const signingDomain = z
  .string()
  .check(z.refine((text) => !text.startsWith("[") && isHelo(text) && text === text.toLowerCase(), "a domain in lower case, in A-labels (xn--…)")); // prettier-ignore
/** RFC 6376 §3.1: labels of a name in DNS. */
const selector = z
  .string()
  .check(
    z.regex(/^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/i, "a selector such as s2026"),
  ); // prettier-ignore
/** Amazon S3's own rules for the names of buckets. */
export const bucketName = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket: 3 to 63 of a-z, 0-9, hyphens and dots"));
const wholeNumber = (from: number, to: number): z.ZodMiniNumber => z.int().check(z.gte(from), z.lte(to));

const usualRate = { concurrency: 5, perMinute: 60 };
const rate = z.strictObject({
  concurrency: about("Sessions at a time, of all runners.", z._default(wholeNumber(1, 100), usualRate.concurrency)),
  perMinute: about("Sessions begun in a minute, by all runners.", z._default(wholeNumber(1, 10_000), usualRate.perMinute)), // prettier-ignore
});

const dkim = z.strictObject({
  domain: about("Of the From header: what is from there is signed by it.", signingDomain),
  selector: about("Where the public key stands: selector._domainkey.domain.", selector),
  key: about("PEM text of the private key.", secret),
});

export const sends = z.strictObject({
  egresses: about(
    "By which ways out they leave, the preferred one first; null for all, in the file's order.",
    z._default(z.nullable(z.array(egressName).check(z.minLength(1))), null),
  ),
  dkim: about("The keys that messages are signed with, one a domain.", z._default(z.array(dkim), [])),
  bucket: about(
    "The S3 bucket where messages of more than 200 kB wait; null: those are not taken.",
    z._default(z.nullable(bucketName), null),
  ),
  tls: about(
    "As a target's, for domains that no target is of.",
    z._default(z.enum(["opportunistic", "require", "mta-sts", "dane", "never"]), "opportunistic"),
  ),
  expiresHours: about("How long a send is tried that does not say so itself.", z._default(wholeNumber(1, 336), 24)),
  attemptSeconds: about("What one attempt may take, of all hosts together.", z._default(wholeNumber(5, 870), 840)),
  answerSeconds: about(
    "How long the answer to a whole message is awaited (RFC 5321 §4.5.3.2.6: ten minutes).",
    z._default(wholeNumber(1, 600), 600),
  ),
  canaryMinutes: about(
    "While sends are held and nothing probes, one goes ahead as often as that.",
    z._default(wholeNumber(1, 1_440), 30),
  ),
  rates: about(
    "How fast, by provider (gmail) or by the domain of one that nobody has named; default: all others.",
    z._default(z.catchall(z.object({ default: about("Who is not named.", z._default(rate, usualRate)) }), rate), {
      default: usualRate,
    }),
  ),
});
