// The dashboard: that it draws what is told, by the names that it is told by, and fits however many providers there are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { checkConfig, type Config } from "../../../functions/config/config.ts";
import { queueNames, runnersOf } from "../../../functions/queue/queues.ts";
import { alarmsOf } from "../../../functions/report/alarms.ts";
import { egressMetrics, namespace, pairMetrics, rejections } from "../../../functions/report/names.ts";
import { Dashboard } from "../../../infra/aws/dashboard.ts";
import { lastVerdicts } from "../../../infra/aws/queries.ts";
import { sendSeries } from "../../../infra/aws/send-series.ts";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly width: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly query?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

const functions = { name: "aws", runner: "functions" };
const targets = ["icloud", "outlook"].map((provider) => ({ provider, recipient: `probe@${provider}.example` }));
const settings = {
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [functions, { name: "mail-1", runner: "worker" }],
  targets,
};

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({ ...settings, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

/** The widgets; what CloudFormation fills in is a dot. */
function widgetsOf(config: Config): readonly Widget[] {
  const stack = new Stack(new App(), "Test");
  const props = { code: Code.fromInline("0"), handler: "index.handler", runtime: Runtime.NODEJS_24_X };
  const functions = ["schedule", "probe"].map((name) => new Function(stack, name, { ...props, functionName: name }));
  const logGroups = [new LogGroup(stack, "Log", { logGroupName: "/aws/lambda/probe" })];
  const { node } = new Dashboard(stack, "Dashboard", { config, functions, logGroups });
  assert.ok(node);
  const [found] = Object.values(Template.fromStack(stack).findResources("AWS::CloudWatch::Dashboard"));
  const { DashboardName, DashboardBody } = (found ?? { Properties: {} })["Properties"] as {
    readonly DashboardName: string;
    readonly DashboardBody: { readonly "Fn::Join": readonly [string, readonly unknown[]] };
  };
  assert.equal(DashboardName, config.name);
  const text = DashboardBody["Fn::Join"][1].map((part) => (typeof part === "string" ? part : ".")).join("");
  return (JSON.parse(text) as { readonly widgets: readonly Widget[] }).widgets;
}

/** The searches among what the widgets draw. */
function searchesOf(widgets: readonly Widget[]): readonly string[] {
  return widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .flatMap(([first]) => {
      const { expression } = (typeof first === "object" ? first : {}) as { readonly expression?: string };
      return expression === undefined ? [] : [expression];
    });
}

/** Series that are named: namespace, name, and dimensions in pairs. */
function namedOf(widgets: readonly Widget[]): readonly (readonly string[])[] {
  return widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .flatMap((each) => (typeof each[0] === "string" ? [each.filter((part) => typeof part === "string")] : []));
}

const config = configOf();
const widgets = widgetsOf(config);

test("every search is for a metric that is told, by the dimensions that it is told by", () => {
  const known = new Map<string, readonly string[]>(
    [...Object.entries(pairMetrics), [rejections.name, rejections] as const].map(([name, { by }]) => [name, by]),
  );
  const searches = searchesOf(widgets);
  assert.ok(searches.length > 0);
  for (const each of searches) {
    const [, inBraces = "", name = ""] = /^SEARCH\('\{([^}]+)\} MetricName="(\w+)" Egress="/.exec(each) ?? [];
    assert.deepEqual(inBraces.split(","), [namespace, ...(known.get(name) ?? ["nothing"])], each);
  }
});

test("each egress has every outcome of every provider, the block, the classes and the times", () => {
  const searches = searchesOf(widgets);
  for (const { name } of config.egresses) {
    const its = searches.filter((each) => each.includes(`Egress="${name}"`));
    const seen = its.map((each) => /MetricName="(\w+)".*', '(\w+)', \d+\)$/.exec(each)?.slice(1).join(" "));
    assert.deepEqual(seen, [
      "Accepted Sum",
      "Rejected Sum",
      "Deferred Sum",
      "Unanswered Sum",
      "Blocked Maximum",
      "Rejections Sum",
      "SessionTime p50",
      "SessionTime p90",
      "SessionTime Maximum",
    ]);
  }
});

test("what is named of ours is told, and every one of an egress's is there", () => {
  const oursOf = (given: Config): readonly string[] =>
    namedOf(widgetsOf(given)).flatMap((each) => (each[0] === namespace ? [each.join(" ")] : []));
  const all = Object.keys(egressMetrics);
  const withoutSends = all.filter((each) => !sendSeries.some((name) => name === each));
  assert.equal(withoutSends.length, all.length - sendSeries.length);
  const expected = (names: readonly string[]): readonly string[] =>
    config.egresses.flatMap(({ name }) => names.map((each) => [namespace, each, "Egress", name].join(" ")));
  assert.deepEqual(oursOf(configOf({ sends: {} })).toSorted(), expected(all).toSorted());
  assert.deepEqual(oursOf(config).toSorted(), expected(withoutSends).toSorted());
});

test("an egress that only sends has the graph of its sends, and one that only probes none", () => {
  const some = targets.map((each) => ({ ...each, egresses: ["aws"] }));
  const found = widgetsOf(configOf({ targets: some, sends: { egresses: ["mail-1"] } }));
  const ofSends = namedOf(found).filter(([, name]) => sendSeries.some((each) => each === name));
  assert.deepEqual(ofSends, sendSeries.map((name) => [namespace, name, "Egress", "mail-1"])); // prettier-ignore
  assert.ok(found.some(({ properties }) => properties.markdown === "## mail-1"));
});

test("every queue is there, and its dead letters", () => {
  const queues = namedOf(widgets).flatMap(([first, , , queue]) => (first === "AWS/SQS" ? [queue] : []));
  const names = runnersOf(config).map((runner) => queueNames(config, runner));
  for (const each of names.flatMap(({ probe, probeDead }) => [probe, probeDead]))
    assert.ok(queues.includes(each), each);
  const sending = namedOf(widgetsOf(configOf({ sends: {} }))).map(([, , , queue]) => queue);
  for (const each of names.flatMap((all) => Object.values(all))) assert.ok(sending.includes(each), each);
});

test("all alarms that page are there, and no other", () => {
  const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []).map((arn) => arn.split(":alarm:")[1]);
  const paging = alarmsOf(config).flatMap(({ name, pages }) => (pages ? [name] : []));
  assert.deepEqual(shown, paging);
});

test("the last verdicts are asked of the functions' logs, and of workers it is said that theirs are elsewhere", () => {
  const [query] = widgets.flatMap(({ properties }) => properties.query ?? []);
  assert.ok(query?.startsWith("SOURCE '") && query.endsWith(lastVerdicts.text), query);
  const texts = (given: readonly Widget[]): string =>
    given.map(({ properties }) => properties.markdown ?? "").join("\n");
  assert.match(texts(widgets), /Not here: mail-1\..*mail hosts/);
  assert.doesNotMatch(texts(widgetsOf(configOf({ egresses: [functions] }))), /Not here/);
});

test("an egress over which nothing is probed has no graphs", () => {
  const some = targets.map((each) => ({ ...each, egresses: ["aws"] }));
  const searches = searchesOf(widgetsOf(configOf({ targets: some })));
  assert.ok(searches.length > 0 && searches.every((each) => each.includes('Egress="aws"')));
});

test("fifty providers over three egresses fit within CloudWatch's limits", () => {
  const many = configOf({
    egresses: ["a", "b", "c"].map((name) => ({ name, runner: "functions" })),
    targets: Array.from({ length: 50 }, (_, index) => ({ provider: `p${index}`, recipient: "probe@p.example" })),
  });
  const found = widgetsOf(many);
  for (const { properties, x, width } of found) {
    assert.ok((properties.alarms ?? []).length <= 100);
    assert.ok((properties.metrics ?? []).length <= 500);
    assert.ok(x + width <= 24);
  }
  const shown = found.flatMap(({ properties }) => properties.alarms ?? []);
  assert.equal(shown.length, alarmsOf(many).filter(({ pages }) => pages).length);
  assert.ok(shown.length > 100);
  // A search is cut at 1,024 characters, and brings 500 series.
  for (const each of searchesOf(found)) assert.ok(each.length <= 1_024);
});
