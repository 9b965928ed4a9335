// The saved queries: that every field and every event that one names is in what the functions really log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { checkConfig, type Config } from "../../../functions/config/config.ts";
import { createPage, type PageDeps } from "../../../functions/page.ts";
import { createProbe } from "../../../functions/probe.ts";
import type { ProbeDeps, Runs } from "../../../functions/probe/runs.ts";
import { tooLate } from "../../../functions/probe/unworkable.ts";
import { alarmsOf } from "../../../functions/report/alarms.ts";
import { entryText, type Entry } from "../../../functions/report/log.ts";
import { selfCheckEntry, verdictEntry } from "../../../functions/report/recording.ts";
import { openSecrets } from "../../../functions/secrets.ts";
import { queries, SavedQueries } from "../../../infra/aws/queries.ts";
import { startStack } from "../../../infra/local/stack.ts";
import { icloudBlocks, noPtr, selfCheckOf, stored, storedSelfCheck } from "../../page/sample.ts";

const settings = {
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "aws", runner: "functions" }],
  targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
};

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({ ...settings, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

const config = configOf();
const entries = [...(await realEntries()), ...(await sendEntries())];
const events = new Set(entries.map(({ event }) => event));
const fields = new Set(entries.flatMap((entry) => pathsOf(JSON.parse(entryText(entry, new Date())), "")));

/** Nothing behind the clients: what is asked of AWS fails, and that is logged too. */
async function realEntries(): Promise<readonly Entry[]> {
  const logged: Entry[] = [];
  const log = (entry: Entry): void => void logged.push(entry);
  const at = "2026-11-24T12:00:00.000Z";
  log(verdictEntry(stored("icloud", [icloudBlocks])));
  log(selfCheckEntry(storedSelfCheck(selfCheckOf(noPtr))));
  const secrets = openSecrets({}, { log });
  const deps = { config, clients: {}, secrets, log, now: () => new Date(at), runner: "functions" };
  tooLate({ id: "a-2", egress: "aws" } as Parameters<typeof tooLate>[0], { deps } as unknown as Runs);
  const context = { getRemainingTimeInMillis: () => 60_000 };
  const unreadable = { messageId: "m-1", body: "not a request", attributes: {}, messageAttributes: {} };
  const probe = createProbe(deps as unknown as ProbeDeps);
  await probe({ Records: [unreadable] } as unknown as Parameters<typeof probe>[0], context);
  const page = createPage({ ...deps, config: configOf({ onCall: { routes: [] } }) } as unknown as PageDeps);
  const [alarm] = alarmsOf(config).filter(({ pages }) => pages);
  for (const name of [alarm?.name, "somebody's own"]) await page(alarmEvent(name ?? "", at), context);
  const badRoute = { name: "hook", type: "webhook", url: { env: "NOT_SET" } };
  const telling = createPage({ ...deps, config: configOf({ onCall: { routes: [badRoute] } }) } as unknown as PageDeps);
  await assert.rejects(telling(alarmEvent(alarm?.name ?? "", at), context));
  return logged;
}

/** Of sends to the lab: one is delivered, one is refused for its IP, and by then the third is held. */
async function sendEntries(): Promise<readonly Entry[]> {
  const sending = configOf({ sends: {} });
  await using stack = await startStack({
    config: sending,
    state: null,
    speed: 1,
    blocked: ["icloud"],
    env: {},
    run: true,
  });
  const logged: Entry[] = [];
  const waiting = new Set<() => void>();
  stack.onEvent((event) => {
    if (event.kind === "log") logged.push(event.entry);
    for (const look of waiting) look();
  });
  const said = async (event: string, id: string): Promise<void> => {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (logged.some((each) => each.event === event && String(each["id"]).includes(id))) resolve();
      };
      waiting.add(look);
      look();
    });
  };
  const QueueUrl = stack.endpoints.queues.send;
  for (const [id, to, event] of [
    ["delivered", "someone@gmx.example", "result"],
    ["refused", "someone@icloud.example", "verdict"],
    ["held", "another@icloud.example", "held"],
  ] as const) {
    const message = "From: probe@sender.example\r\n\r\nHello\r\n";
    const MessageBody = JSON.stringify({ v: 1, kind: "send", id, from: "probe@sender.example", to: [to], message });
    await stack.clients.sqs.sendMessage({ QueueUrl, MessageBody });
    await said(event, id);
  }
  return logged;
}

/** CloudWatch's call of a function, as far as it is read. */
function alarmEvent(alarmName: string, timestamp: string): object {
  return {
    source: "aws.cloudwatch",
    alarmArn: `arn:aws:cloudwatch:us-east-1:123456789012:alarm:${alarmName}`,
    accountId: "123456789012",
    time: timestamp,
    region: "us-east-1",
    alarmData: {
      alarmName,
      state: { value: "ALARM", reason: "Threshold Crossed", timestamp },
      previousState: { value: "OK", reason: "", timestamp },
      configuration: {},
    },
  };
}

/** As Logs Insights finds them: what is inside of others by a dot, lists by their places. */
function pathsOf(value: unknown, path: string): readonly string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, each]) => pathsOf(each, path === "" ? name : `${path}.${name}`));
}

const words = new Set(["filter", "fields", "sort", "limit", "stats", "and", "or", "not", "in", "like", "as", "by"]);
const more = new Set(["desc", "asc", "count", "latest"]);

/** What a query names that is not the language's, nor its own (`as`), nor the service's (`@`). */
function fieldsOf(text: string): readonly string[] {
  const bare = text.replaceAll(/"[^"]*"|\/[^/]*\//g, " ");
  const own = new Set([...bare.matchAll(/\bas (\w+)/g)].map(([, name]) => name));
  const names = bare.match(/@?[a-zA-Z][\w.]*/g) ?? [];
  return names.filter((name) => !name.startsWith("@") && !words.has(name) && !more.has(name) && !own.has(name));
}

for (const { name, text } of queries) {
  test(`${name}: what it asks for is logged`, () => {
    const named = fieldsOf(text);
    assert.ok(named.length > 0);
    const missing = named.filter((each) => !fields.has(each) && !unseen.has(each));
    assert.deepEqual(missing, []);
    const wanted = [...text.matchAll(/event (?:=|in|not in) (?:\[([^\]]*)\]|("[^"]*"))/g)]
      .flatMap(([, list, one]) => [...(list ?? one ?? "").matchAll(/"([^"]+)"/g)])
      .map(([, event]) => event ?? "");
    assert.deepEqual(
      wanted.filter((each) => !events.has(each)),
      [],
    );
  });
}

/** Logged where a provider is asked over and over: functions/probe/work.ts, "waiting". */
const unseen = new Set(["waits"]);

test("each is saved in the system's folder, for the groups that there are", () => {
  const stack = new Stack(new App(), "Test");
  const logGroups = [new LogGroup(stack, "Log", { logGroupName: "/aws/lambda/x-probe" })];
  const { node } = new SavedQueries(stack, "Queries", { config, logGroups });
  assert.ok(node);
  const found = Object.values(Template.fromStack(stack).findResources("AWS::Logs::QueryDefinition"));
  const names = found.map((each) => (each["Properties"] as { readonly Name: string }).Name);
  assert.deepEqual(names.toSorted(), queries.map(({ name }) => `${config.name}/${name}`).toSorted());
  for (const each of found) assert.equal((each["Properties"]["LogGroupNames"] as readonly unknown[]).length, 1);
});
