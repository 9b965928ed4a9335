// A probe's request for tests: what none of them is about is said here once.
import { presetBudgetMs, httpsPort, smtpPort, type ProbeRequest } from "../../functions/route/attempts.ts";
import { direct } from "../../functions/route/egress.ts";
import { memoryCache } from "../../functions/route/mta-sts.ts";
import { parseAddress } from "../../functions/smtp/address.ts";

/** To these recipients, at these hosts (null: the domain's own), in the clear and up to RCPT unless `more` says so. */
export function requestTo(
  to: readonly string[],
  hosts: ProbeRequest["hosts"],
  more: Partial<ProbeRequest> = {},
): ProbeRequest {
  return {
    recipients: to.map(parseAddress).filter((each) => "text" in each),
    hosts,
    from: "probe@sender.example",
    helo: "probe.example",
    depth: "rcpt",
    message: null,
    tls: "never",
    timeoutMs: 20_000,
    resolver: null,
    isByHand: true,
    allHosts: false,
    egress: direct,
    policies: memoryCache(),
    policyPort: httpsPort,
    budgetMs: presetBudgetMs,
    port: smtpPort,
    severities: {},
    allowPrivate: false,
    signal: null,
    progress: null,
    ...more,
  };
}
