// A secret as the configuration holds it: the text itself, or where it is. It does not read it from there.
import * as z from "zod/mini";
import { about } from "./about.ts";

export const secret = about(
  'The secret itself, only where the file is one; else {"env": "NAME"}.',
  z.union([
    z.string().check(z.minLength(1)),
    z.strictObject({ env: about("The environment variable that holds it.", z.string().check(z.minLength(1))) }),
  ]),
);
