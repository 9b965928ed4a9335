// What outlives the processes that die: queues, topic, table, a mail host and its ledger. It has each send go on after its
// crash as the system would, with a process that does not die, and holds what came of it against what is promised.
import { setTimeout as sleep } from "node:timers/promises";
import { findDelivery } from "../../../functions/state/deliveries.ts";
import { configFor, startServices, type Services } from "../../support/services.ts";
import { startHosts } from "../sends/hosts.ts";
import { Ledger } from "../sends/ledger.ts";
import { isFinal } from "../sends/promises.ts";
import { hearResults, type Results } from "../sends/results.ts";
import { findingsOf, type Case, type Findings, type Known } from "./findings.ts";
import type { Crash } from "./process.ts";
import { Rest } from "./rest.ts";

export interface WorldFindings extends Findings {
  readonly toldAgain: number;
  readonly deadLetters: number;
  readonly stillToWake: number;
  /** Records that failed, for a fault of ours, in the process that does not die. */
  readonly failedRecords: number;
}

export interface World extends AsyncDisposable {
  /** @param at the continuation that is its process's last; null: none */
  newCase(at: number | null): Case;
  /** Its process has ended, having acknowledged so many of its messages. */
  died(one: Case, acknowledged: number): void;
  /** Has all of them go on to their end. */
  findings(): Promise<WorldFindings>;
}

/** So that the places at a provider that the dead hold are enough. */
const domains = Array.from({ length: 40 }, (_, index) => `d${index}.example`);
const message = Buffer.from("From: <orders@sender.example>\r\nSubject: crash\r\n\r\n.a dot, and the end\r\n");
const minuteMs = 60_000;
/** Between the messages of a process: longer than greylisting waits. */
const apartMs = 30 * minuteMs;
/** Of the machine's time: more than a lease, and than a message of the dead is delayed. */
const restMs = 20 * minuteMs;

export async function openWorld(): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const ledger = new Ledger(() => message);
  const hosts = resources.use(
    await startHosts({
      howMany: 1,
      ledger,
      actOf: (recipient) =>
        recipient.startsWith("later-") ? { kind: "defer", at: "rcpt", times: 1 } : { kind: "accept" },
      onStep: () => {},
    }),
  );
  const config = configFor(Object.fromEntries(domains.map((domain) => [domain, hosts.addresses])), {
    egresses: [{ name: "aws", runner: "functions" }],
    targets: [{ provider: "d0", recipient: "probe@d0.example", everyMinutes: 1_440 }],
    requests: { recipients: ["*"], senders: ["@sender.example"], ports: "any", privateAddresses: true },
    sends: {
      attemptSeconds: 10,
      answerSeconds: 4,
      expiresHours: 336,
      rates: { default: { concurrency: 100, perMinute: 10_000 } },
    },
  });
  const services = resources.use(await startServices(config));
  const { TopicArn = "" } = await services.clients.sns.createTopic({ Name: `${config.name}-results` });
  const results = resources.use(await hearResults(TopicArn, services.clients));
  const machine = resources.use(new MachineTime());
  const beganMs = Date.now();
  const cases: { readonly one: Case; acknowledged: number }[] = [];
  const all = resources.move();
  return {
    newCase(at) {
      const number = cases.length;
      const one = caseOf(number, { at, endpoints: services.endpoints, config, beganMs, apartMs });
      // One that nothing happens to has nothing left to do.
      cases.push({ one, acknowledged: one.crash.bodies.length });
      return one;
    },
    died(one, acknowledged) {
      const found = cases.find((each) => each.one === one);
      if (found !== undefined) found.acknowledged = acknowledged;
    },
    async findings() {
      machine.forward(restMs);
      const rest = new Rest(services, beganMs + 2 * apartMs);
      const before = await deliveriesOf(cases, services);
      await rest.putBack(cases.flatMap(({ one, acknowledged }) => one.crash.bodies[acknowledged] ?? []));
      const stillToWake = await rest.goOn();
      await allTold(results, cases.length * 2);
      const told = Map.groupBy(results.heard.values(), ({ id }) => id);
      const known = before.map((each) => ({ ...each, told: told.get(each.one.id) ?? [] }));
      const deadLetters = await rest.deadLetters();
      const { failedRecords } = rest;
      const { broken, ...counts } = findingsOf(known, ledger);
      const faults = [
        ...(deadLetters > 0 ? [`${deadLetters} dead letters`] : []),
        ...(stillToWake > 0 ? [`${stillToWake} deliveries are still to be woken`] : []),
        ...(failedRecords > 0 ? [`${failedRecords} records failed`] : []),
      ];
      const toldAgain = results.again();
      return { ...counts, toldAgain, deadLetters, stillToWake, failedRecords, broken: [...broken, ...faults] };
    },
    [Symbol.asyncDispose]: async () => await all.disposeAsync(),
  };
}

function caseOf(number: number, given: Omit<Crash, "bodies">): Case {
  const id = `crash-${number}`;
  const domain = domains[number % domains.length] ?? "";
  const recipients = [`first-${number}@${domain}`, `later-${number}@${domain}`];
  const bodies = [
    { v: 1, kind: "send", id, from: "orders@sender.example", to: recipients, message: message.toString() },
    { v: 1, kind: "wake", id, domain, egress: "aws" },
  ];
  return { id, domain, recipients, crash: { ...given, bodies: bodies.map((each) => JSON.stringify(each)) } };
}

/** Hours need not be waited for: leases and delays of messages look at the machine's time by Date.now. */
class MachineTime implements Disposable {
  readonly #now = Date.now;

  forward(ms: number): void {
    const now = this.#now;
    Date.now = () => now() + ms;
  }

  [Symbol.dispose](): void {
    Date.now = this.#now;
  }
}

/** As the dead have left them. */
async function deliveriesOf(
  cases: readonly { readonly one: Case }[],
  { table }: Services,
): Promise<readonly Omit<Known, "told">[]> {
  const found: Omit<Known, "told">[] = [];
  for (const { one } of cases) found.push({ one, delivery: await findDelivery(one.id, one.domain, table) });
  return found;
}

async function allTold({ heard }: Results, howMany: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    if ([...heard.values()].filter(({ event }) => isFinal(event)).length >= howMany) return;
    await sleep(100);
  }
}
