// Whether hosts can be reached on port 25 at all: clouds and access networks close it on the way out, and then a probe
// of anybody looks like that provider's outage. How a host is spoken to is given to it; a refusal is quoted, not judged:
// who refuses us is there.
import { EgressFault } from "../route/egress.ts";
import type { Transcript } from "../smtp/transcript.ts";
import { isRefusal, reconcile } from "../verdict/reconcile.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { fault, listed, ok, quoted, unknown, type Found } from "./found.ts";
import type { SelfCheckOptions, Unasked } from "./options.ts";

/** Of three that nobody reaches the third is not to blame either. */
const domainsLimit = 3;

/** What came of speaking to hosts. */
export interface Reach {
  readonly attempts: readonly Transcript[];
  /** Whose hosts were not to be asked now, and why. */
  readonly unasked: readonly (Unasked & { readonly domain: string })[];
  /** Why this machine cannot leave by the egress; null: it can. */
  readonly egressFault: string | null;
}

/** One domain after the other, until a host greets. */
export async function reachHosts({ ask, open }: SelfCheckOptions): Promise<Reach> {
  const attempts: Transcript[] = [];
  const unasked: Reach["unasked"][number][] = [];
  for (const [at, domain] of ask.entries()) {
    if (at - unasked.length === domainsLimit) break;
    const answer = await opened(domain, open);
    if (typeof answer === "string") return { attempts, unasked, egressFault: answer };
    if ("unasked" in answer) {
      unasked.push({ ...answer, domain });
      continue;
    }
    attempts.push(...answer.attempts);
    if (answer.attempts.some(greets)) break;
  }
  return { attempts, unasked, egressFault: null };
}

async function opened(domain: string, open: SelfCheckOptions["open"]): Promise<Verdict | Unasked | string> {
  try {
    return await open(domain);
  } catch (error) {
    if (error instanceof EgressFault) return error.message;
    throw error;
  }
}

/** Whether one of the hosts greeted, and if none did, whose port or proxy it is that keeps us from them. */
export function checkPort25({ attempts, unasked, egressFault }: Reach, { ask }: Pick<SelfCheckOptions, "ask">): Found {
  if (egressFault !== null) {
    return unknown("nobody could be asked: this machine cannot leave by the egress", "Mend the egress first.");
  }
  const greeting = attempts.find(greets);
  if (greeting !== undefined) {
    const refusals = attempts.flatMap(refusalOf);
    const words = refusals.length === 0 ? "" : `; ${listed(refusals)}`;
    return ok(`${peerOf(greeting)} answers on port ${greeting.port}${words}`);
  }
  if (attempts.length === 0 && unasked.length > 0) {
    return unknown(`nobody could be asked: ${listed(unasked.map((each) => each.unasked))}`, unaskedRemedy);
  }
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
  const asked = ask.filter((domain) => unasked.every((each) => each.domain !== domain));
  const domains = asked.slice(0, domainsLimit).join(", ");
  return fault(
    `no host of ${domains} is reached on port ${ports}: it is closed on the way out, unless all of them are down (${peerOf(unreached)}: ${quoted(wordsOf(unreached))})`,
    `Ask whoever runs the network to open port 25, or send by a proxy whose network has it open; on AWS: ${awsForm}`,
  );
}

const askRemedy =
  "Let the configuration have targets whose mail hosts are known to answer, and see that the resolver answers.";

const unaskedRemedy =
  "Nothing: the scheduled probes tell how these providers stand (delivery-probe status), and the next check asks again.";

/** "Request to remove email sending limitations": EC2 and what leaves through a VPC. */
const awsForm = "https://repost.aws/knowledge-center/ec2-port-25-throttle";

/** Whatever it says: it is there. */
function greets({ exchanges }: Transcript): boolean {
  return exchanges.some(({ stage, reply }) => stage === "greeting" && reply !== null);
}

/** Its own words, where it wants nothing of us: a greeting or an EHLO reply that nothing better followed. */
function refusalOf(attempt: Transcript): readonly string[] {
  const { outcome, answer } = reconcile(attempt).primary;
  if (!isRefusal({ outcome }) || answer.code === null) return [];
  return [`${peerOf(attempt)} said at ${answer.stage}: ${answer.text.replaceAll("\n", " ")}`];
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
