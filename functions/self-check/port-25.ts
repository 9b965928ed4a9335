// Whether hosts can be reached on port 25 at all: clouds and access networks close it on the way out, and then a probe
// of anybody looks like that provider's outage. How a host is spoken to is given to it; what it says does not matter here.
import { EgressFault } from "../route/egress.ts";
import type { Transcript } from "../smtp/transcript.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { fault, ok, quoted, unknown, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./self-check.ts";

/** Of three that nobody reaches the third is not to blame either. */
const domainsLimit = 3;

/** What came of speaking to hosts. */
export interface Reach {
  readonly attempts: readonly Transcript[];
  /** Why this machine cannot leave by the egress; null: it can. */
  readonly egressFault: string | null;
}

/** One domain after the other, until a host greets. */
export async function reachHosts({ ask, open }: SelfCheckOptions): Promise<Reach> {
  const attempts: Transcript[] = [];
  for (const domain of ask.slice(0, domainsLimit)) {
    const verdict = await opened(domain, open);
    if (typeof verdict === "string") return { attempts, egressFault: verdict };
    attempts.push(...verdict.attempts);
    if (verdict.attempts.some(greets)) break;
  }
  return { attempts, egressFault: null };
}

async function opened(domain: string, open: SelfCheckOptions["open"]): Promise<Verdict | string> {
  try {
    return await open(domain);
  } catch (error) {
    if (error instanceof EgressFault) return error.message;
    throw error;
  }
}

export function checkPort25({ attempts, egressFault }: Reach, { ask }: Pick<SelfCheckOptions, "ask">): Found {
  if (egressFault !== null) {
    return fault(quoted(egressFault), "Bind an address that this machine has, and give the egress its credentials.");
  }
  const greeting = attempts.find(greets);
  if (greeting !== undefined) return ok(`${peerOf(greeting)} answers on port ${greeting.port}`);
  if (ask.length === 0) return unknown("no domain is configured whose hosts could be asked", askRemedy);
  const proxy = attempts.find(({ stop }) => stop?.reason === "proxy" || stop?.reason === "proxy-refused");
  if (proxy !== undefined) {
    return fault(
      `no host is reached through the proxy: ${quoted(wordsOf(proxy))}`,
      "See that the proxy runs, knows us, and may itself connect to port 25.",
    );
  }
  const connected = attempts.find(({ timings }) => timings.connectedMs !== null);
  if (connected !== undefined) {
    return unknown(
      `${peerOf(connected)} takes connections on port ${connected.port}, and no host greets: ${quoted(wordsOf(connected))}`,
      "Look whether a firewall on the way takes the connections in the hosts' place.",
    );
  }
  const unreached = attempts.find(isUnreached);
  if (unreached === undefined) {
    const [first] = attempts;
    return unknown(
      `no host could be asked: ${first === undefined ? "none was found" : quoted(wordsOf(first))}`,
      askRemedy,
    );
  }
  const ports = [...new Set(attempts.filter(isUnreached).map(({ port }) => port))].join(", ");
  const domains = ask.slice(0, domainsLimit).join(", ");
  return fault(
    `no host of ${domains} is reached on port ${ports}: it is closed on the way out, unless all of them are down (${peerOf(unreached)}: ${quoted(wordsOf(unreached))})`,
    "Ask whoever runs the network to open port 25 (AWS: by the form, for the address), or send by a proxy whose network has it open.",
    awsForm,
  );
}

const askRemedy = "Configure domains whose mail hosts are known to answer, and see that the resolver answers.";

/** "Request to remove email sending limitations": EC2 and what leaves through a VPC. */
const awsForm = "https://repost.aws/knowledge-center/ec2-port-25-throttle";

/** Whatever it says: it is there. */
function greets({ exchanges }: Transcript): boolean {
  return exchanges.some(({ stage, reply }) => stage === "greeting" && reply !== null);
}

/** It was dialled, and nothing stood: no wish of ours, and no failure of DNS. */
function isUnreached({ stop, ending }: Transcript): boolean {
  const dialled = ending.by === "failed" || ending.by === "timeout" || ending.by === "deadline";
  return stop === null && dialled && ending.stage === "connect";
}

function wordsOf({ stop, ending }: Transcript): string {
  return stop?.text ?? (ending.text || ending.by);
}

function peerOf({ host, address }: Transcript): string {
  return address === null || address === host ? host : `${host} [${address}]`;
}
