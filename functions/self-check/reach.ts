// The session by which a self-check sees whether hosts can be reached: up to EHLO, in the clear, for one of the domain's
// recipients, who is not asked for. It opens none.
import { usualRequest, type ProbeRequest } from "../route/probe-request.ts";
import { memoryCache } from "../route/mta-sts.ts";
import type { Address } from "../smtp/address.ts";

/** For all hosts of a domain: where port 25 is closed all of them are silent, and who checks waits for each domain. */
const reachMs = 30_000;

type Given = Pick<
  ProbeRequest,
  "hosts" | "egress" | "from" | "helo" | "timeoutMs" | "resolver" | "allowPrivate" | "signal" | "progress"
>;

/**
 * One session with a domain's hosts, within half a minute for all of them.
 * @param leftMs what whoever checks has left for all that it does
 */
export function reachRequest(recipient: Address, given: Given, leftMs = Infinity): ProbeRequest {
  return {
    ...usualRequest,
    ...given,
    recipients: [recipient],
    depth: "ehlo",
    tls: "never",
    policies: memoryCache(),
    budgetMs: Math.min(reachMs, given.timeoutMs, leftMs),
  };
}
