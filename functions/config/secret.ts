// A secret as the configuration holds it: the text itself, or where it is. It does not read it from there.
import * as z from "zod/mini";
import { about } from "./about.ts";

const place = z.string().check(z.minLength(1));

export const secret = about(
  'Where the secret is: {"secretsManager": "name"} or {"ssm": "/name"} for the functions, {"env": "NAME"} elsewhere; the text itself only where the file is a secret.',
  z.union([
    z.string().check(z.minLength(1)),
    z.strictObject({ env: about("The environment variable that holds it.", place) }),
    z.strictObject({
      secretsManager: about("The name or ARN of a secret in AWS Secrets Manager.", place),
      field: about("The key that holds it where the secret is JSON.", z.optional(place)),
    }),
    z.strictObject({
      ssm: about("The name or ARN of a parameter in AWS Systems Manager, such as a SecureString.", place),
    }),
  ]),
);
