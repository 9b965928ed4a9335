// A secret as the configuration holds it: the text itself, or where it is. It does not read it from there.
import * as z from "zod/mini";
import { about } from "./about.ts";

const place = z.string().check(z.minLength(1));
/** What a relative one leads to depends on where the process was started. */
const fullPath = z
  .string()
  .check(z.regex(/^(?:\/|[A-Za-z]:[\\/])./, "a full path such as /etc/delivery-probe/dkim.pem"));

export const secret = about(
  'Where the secret is: {"secretsManager": "name"} or {"ssm": "/name"} for the functions, {"env": "NAME"} or {"file": "/path"} elsewhere; the text itself only where the file is a secret.',
  z.union([
    z.string().check(z.minLength(1)),
    z.strictObject({ env: about("The environment variable that holds it.", place) }),
    z.strictObject({
      file: about("The file that holds it, by its full path; line ends at its end are none of the secret's.", fullPath),
    }),
    z.strictObject({
      secretsManager: about("The name or ARN of a secret in AWS Secrets Manager.", place),
      field: about("The key that holds it where the secret is JSON.", z.optional(place)),
    }),
    z.strictObject({
      ssm: about("The name or ARN of a parameter in AWS Systems Manager, such as a SecureString.", place),
    }),
  ]),
);
