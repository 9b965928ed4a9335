// What this machine calls itself. It asks nobody whether that is true: the self-check does.
import { hostname } from "node:os";
import { isHelo } from "../smtp/address.ts";

/** The name that we give where none is given. Null when this machine has no full one. */
export function ownName(): string | null {
  const name = hostname();
  return name.includes(".") && isHelo(name) ? name : null;
}
