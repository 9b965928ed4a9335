// How receivers can verify a delivery's message over one of our egresses. What that takes, authentication.ts knows.
import { resolverOf } from "../handler.ts";
import type { Delivery } from "../state/deliveries.ts";
import { authenticationOf, type Authentication } from "./authentication.ts";
import type { Runs } from "./runs.ts";

/** A report is not worth waiting for longer. */
const lookupMs = 3_000;

/** From what is known already, or from DNS. */
export async function authenticationFor(
  { from, fromDomain, dkimDomain }: Pick<Delivery, "from" | "fromDomain" | "dkimDomain">,
  egress: string,
  { deps }: Runs,
): Promise<Authentication> {
  const { identity, egresses } = deps.config;
  return await authenticationOf({
    from,
    fromDomain,
    helo: identity.helo,
    egressAddress: egresses.find(({ name }) => name === egress)?.address ?? null,
    dkimDomain,
    lookup: { server: resolverOf(deps), timeoutMs: lookupMs, families: "both", signal: null },
  });
}
