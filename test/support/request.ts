// A probe's request for tests: what none of them is about is said here once.
import { usualRequest, type ProbeRequest } from "../../functions/route/probe-request.ts";
import { direct } from "../../functions/route/egress.ts";
import type { NamedHost } from "../../functions/route/hosts.ts";
import { memoryCache } from "../../functions/route/mta-sts.ts";
import { parseAddress } from "../../functions/smtp/address.ts";

type Place = Omit<NamedHost, "named"> & Partial<NamedHost>;

/** To these recipients, at these hosts (by hand; null: the domain's own), in the clear and up to RCPT unless `more` says so. */
export function requestTo(
  to: readonly string[],
  hosts: readonly Place[] | null,
  more: Partial<ProbeRequest> = {},
): ProbeRequest {
  return {
    ...usualRequest,
    recipients: to.map(parseAddress).filter((each) => "text" in each),
    hosts: hosts?.map((each) => ({ named: "by-hand", ...each })) ?? null,
    from: "probe@sender.example",
    helo: "probe.example",
    depth: "rcpt",
    tls: "never",
    timeoutMs: 20_000,
    resolver: null,
    egress: direct,
    policies: memoryCache(),
    allowPrivate: false,
    ...more,
  };
}
