// The alarms of a configuration: which there are, that AWS takes them, and that what they look at is told.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { checkConfig, pairsOf, type Config } from "../../functions/config/config.ts";
import { queueNames, runnersOf, scheduleDeadName } from "../../functions/queue/queues.ts";
import {
  alarmKinds,
  alarmsOf,
  type Alarm,
  type CompositeAlarm,
  type MetricAlarm,
} from "../../functions/report/alarms.ts";
import {
  egressMetrics,
  namespace,
  pairMetrics,
  queueNamespace,
  type MetricName,
} from "../../functions/report/names.ts";
import example from "../../infra/config/example.json" with { type: "json" };

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({ ...example, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

const config = configOf();
const alarms = alarmsOf(config);

/** Configurations at the edges of what is allowed. */
const configs: readonly (readonly [name: string, config: Config])[] = [
  ["the example", config],
  ["one provider, one egress", configOf({ egresses: [example.egresses[0]], targets: [example.targets[0]] })],
  ["targets once a day, and alarms that look back as far as they may", configOf({
    targets: example.targets.map((each) => ({ ...each, everyMinutes: 1_440 })),
    alarms: { blocked: { datapoints: 7, of: 7 }, egressDown: { datapoints: 1, of: 7 } },
  })], // prettier-ignore
  ["targets every five and every 59 minutes", configOf({
    targets: [5, 59].map((everyMinutes) => ({ ...example.targets[0], provider: `p${everyMinutes}`, everyMinutes, depth: everyMinutes === 5 ? "rcpt" : "ehlo" })),
    alarms: { blocked: { datapoints: 10, of: 10 }, egressDown: { datapoints: 10, of: 10 } },
  })], // prettier-ignore
  ["two hundred providers with names as long as they may be", configOf({
    name: "n".repeat(40),
    egresses: [{ name: "e".repeat(28), runner: "worker" }, { name: "f".repeat(40), runner: "functions" }],
    targets: Array.from({ length: 200 }, (_, index) => {
      return { provider: `${"p".repeat(37)}${String(index).padStart(3, "0")}`, recipient: "probe@icloud.example" };
    }),
    alarms: { widely: 50 },
  })], // prettier-ignore
  ["targets of one provider at two depths", configOf({
    targets: [["rcpt", 15], ["message", 1_440]].map(([depth, everyMinutes]) => ({ ...example.targets[0], depth, everyMinutes })),
  })], // prettier-ignore
];

test("the example has every kind, and each alarm that pages is about what it says", () => {
  assert.deepEqual(new Set(alarms.map(({ kind }) => kind)), new Set(alarmKinds));
  const paging = alarms.filter(({ pages }) => pages);
  assert.deepEqual(new Set(paging.map(({ kind }) => kind)), new Set(alarmKinds));
  // What is looked at by another alarm, and would page twice.
  assert.deepEqual(
    alarms.filter(({ pages }) => !pages).map(({ name }) => name),
    ["blocking", "seen"].flatMap((which) => pairNames(config).map((pair) => `delivery-probe-${which}-${pair}`)),
  );
});

test("each pair, each egress and each queue has its own", () => {
  const names = (kind: Alarm["kind"]): readonly string[] => {
    return alarms.filter((each) => each.kind === kind && each.pages).map(({ name }) => name);
  };
  const egresses = config.egresses.map(({ name }) => name);
  assert.deepEqual(names("blocked"), pairNames(config).map((pair) => `delivery-probe-blocked-${pair}`)); // prettier-ignore
  assert.deepEqual(names("refused"), pairNames(config).map((pair) => `delivery-probe-refused-${pair}`)); // prettier-ignore
  for (const kind of ["blocked-widely", "egress-down", "probe-silent", "misconfigured", "self-check"] as const) {
    assert.deepEqual(names(kind), egresses.map((egress) => `delivery-probe-${kind}-${egress}`)); // prettier-ignore
  }
  assert.deepEqual(names("failures"), [
    "delivery-probe-failures-dead-functions",
    "delivery-probe-failures-late-functions",
    "delivery-probe-failures-dead-mail-1",
    "delivery-probe-failures-late-mail-1",
    "delivery-probe-failures-sends-dead-functions",
    "delivery-probe-failures-sends-late-functions",
    "delivery-probe-failures-sends-dead-mail-1",
    "delivery-probe-failures-sends-late-mail-1",
    "delivery-probe-failures-dead-schedule",
  ]);
});

function pairNames(config: Config): readonly string[] {
  return pairsOf(config).map(({ target, egress }) => `${target.provider}-${egress.name}`);
}

for (const [name, config] of configs) {
  describe(`what AWS takes: ${name}`, () => {
    const alarms = alarmsOf(config);
    const metricAlarms = alarms.filter((each) => each.type === "metric");
    const composites = alarms.filter((each) => each.type === "composite");

    it("names are each one alarm's, and begin with the configuration's", () => {
      assert.equal(new Set(alarms.map(({ name }) => name)).size, alarms.length);
      for (const { name, description } of alarms) {
        assert.match(name, new RegExp(`^${config.name}-[a-z0-9-]+$`));
        assert.ok(name.length <= 255 && description.length <= 1_024);
      }
    });

    it("periods are whole minutes up to a day, and no alarm looks back too far", () => {
      for (const { name, periodS, of, datapoints } of metricAlarms) {
        assert.ok(periodS % 60 === 0 && periodS >= 60 && periodS <= 86_400, `${name}: ${periodS} s`);
        // PutMetricAlarm: seven days, one day for periods below an hour.
        assert.ok(periodS * of <= (periodS < 3_600 ? 86_400 : 604_800), `${name}: ${of} times ${periodS} s`);
        assert.ok(datapoints >= 1 && datapoints <= of, name);
      }
    });

    it("metrics are ten at most, with ids that an expression can hold and does", () => {
      for (const { metrics, expression, name } of metricAlarms) {
        assert.ok(metrics.length <= 10);
        const ids = metrics.map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        for (const id of ids) assert.match(id, /^[a-z][a-zA-Z0-9_]{0,254}$/);
        if (expression === null) assert.equal(metrics.length, 1, name);
        else assert.deepEqual(new Set(expression.match(/\b[a-z]\w*/g)), new Set(ids), name);
      }
    });

    it("metrics are ones that are told, by the dimensions that they are told by", () => {
      for (const { metrics } of metricAlarms) {
        for (const metric of metrics) assert.ok(isTold(metric, config), `${metric.name} ${String(Object.keys(metric.dimensions))}`); // prettier-ignore
      }
    });

    it("composites name alarms that stand before them, a hundred at most, in a rule that is not too long", () => {
      for (const composite of composites) {
        const named = namesIn(composite);
        assert.ok(named.length >= 1 && named.length <= 100);
        assert.equal(new Set(named).size, named.length);
        assert.ok(composite.rule.length <= 10_240, `${composite.rule.length} characters`);
        const earlier = alarms.slice(0, alarms.indexOf(composite)).map(({ name }) => name);
        for (const each of [...named, ...(composite.suppressor === null ? [] : [composite.suppressor.alarm])]) {
          assert.ok(earlier.includes(each), `${composite.name} names ${each}`);
        }
      }
    });

    it("a wider alarm fires with no more children than it has", () => {
      for (const composite of composites) {
        const [, least] = /^AT_LEAST\((\d+), ALARM, /.exec(composite.rule) ?? [];
        if (least !== undefined) assert.ok(Number(least) <= namesIn(composite).length);
      }
    });
  });
}

function namesIn({ rule }: CompositeAlarm): readonly string[] {
  return [...rule.matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "");
}

function isTold({ namespace: where, name, dimensions }: MetricAlarm["metrics"][number], config: Config): boolean {
  if (where === queueNamespace) {
    const queues = [
      ...runnersOf(config).flatMap((runner) => Object.values(queueNames(config, runner))),
      scheduleDeadName(config),
    ];
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    const names = ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"];
    return names.includes(name) && Object.keys(dimensions).join() === "QueueName" && queues.includes(dimensions["QueueName"] ?? ""); // prettier-ignore
  }
  const all: readonly (readonly [string, MetricName])[] = [...Object.entries(pairMetrics), ...Object.entries(egressMetrics)]; // prettier-ignore
  const by = Object.keys(dimensions).join();
  return where === namespace && all.some(([each, row]) => each === name && row.by.join() === by);
}

describe("blocked", () => {
  const its = alarms.filter(({ provider, egress }) => provider === "icloud" && egress === "aws");

  it("looks at one round a period, M of N of the configuration, and at nothing where nothing is said", () => {
    const given = alarmsOf(configOf({ alarms: { blocked: { datapoints: 3, of: 5 } } }));
    const [blocking] = given.filter((each) => each.type === "metric" && each.kind === "blocked");
    assert.ok(blocking?.type === "metric");
    const { periodS, datapoints, of, missing, comparison, threshold, pages, metrics } = blocking;
    assert.deepEqual(
      { periodS, datapoints, of, missing, comparison, threshold, pages, metrics },
      {
        periodS: 900,
        datapoints: 3,
        of: 5,
        missing: "ignore",
        comparison: "GreaterThanOrEqualToThreshold",
        threshold: 1,
        pages: false,
        metrics: [
          {
            id: "blocked",
            namespace: "DeliveryProbe",
            name: "Blocked",
            dimensions: { Provider: "icloud", Egress: "aws" },
            statistic: "Maximum",
          },
        ],
      },
    );
  });

  it("pages by a composite that the wider alarm can silence", () => {
    const [composite] = its.filter((each) => each.type === "composite");
    assert.deepEqual(composite, {
      type: "composite",
      name: "delivery-probe-blocked-icloud-aws",
      kind: "blocked",
      provider: "icloud",
      egress: "aws",
      pages: true,
      description: "icloud refuses the IP of egress aws",
      rule: 'ALARM("delivery-probe-blocking-icloud-aws")',
      suppressor: { alarm: "delivery-probe-blocked-widely-aws", waitS: 120, extensionS: 3_720 },
    });
  });

  it("a provider's round is its shortest", () => {
    const [, config] = configs.find(([name]) => name.includes("two depths")) ?? [];
    assert.ok(config !== undefined);
    const periods = alarmsOf(config).flatMap((each) => (each.kind === "blocked" && each.type === "metric" ? [each.periodS] : [])); // prettier-ignore
    assert.deepEqual(periods, [900, 900]);
  });
});

describe("blocked-widely", () => {
  it("counts the providers of one egress, from as many as the configuration says", () => {
    const given = configOf({ alarms: { widely: 3 }, targets: example.targets.slice(0, 3) });
    const [aws] = alarmsOf(given).filter(({ kind }) => kind === "blocked-widely");
    assert.ok(aws?.type === "composite");
    assert.equal(
      aws.rule,
      'AT_LEAST(3, ALARM, ("delivery-probe-seen-icloud-aws", "delivery-probe-seen-outlook-aws", "delivery-probe-seen-yahoo-aws"))', // prettier-ignore
    );
  });

  it("is none where there are not so many providers, and then nothing waits for it", () => {
    for (const [count, widely] of [
      [1, 2],
      [3, 4],
    ] as const) {
      const few = alarmsOf(configOf({ targets: example.targets.slice(0, count), alarms: { widely } }));
      assert.deepEqual(few.filter(({ kind }) => kind === "blocked-widely"), []); // prettier-ignore
      const singles = few.filter((each) => each.type === "composite");
      assert.equal(singles.length, count * 2);
      for (const { suppressor } of singles) assert.equal(suppressor, null);
    }
  });
});

test("egress-down: all attempts of a period fail at connect, and two of them where there are two providers", () => {
  const expressionOf = (config: Config): string | null => {
    const [found] = alarmsOf(config).filter(({ kind }) => kind === "egress-down");
    return found?.type === "metric" ? found.expression : null;
  };
  assert.equal(expressionOf(config), "IF(attempts >= 2, unreachable / attempts, 0)");
  const one = configOf({ targets: example.targets.slice(0, 1) });
  assert.equal(expressionOf(one), "IF(attempts >= 1, unreachable / attempts, 0)");
});

test("egress-down and M of N: the configuration's", () => {
  const given = alarmsOf(configOf({ alarms: { egressDown: { datapoints: 3, of: 4 } } }));
  const found = given.flatMap((each) => (each.type === "metric" && each.kind === "egress-down" ? [each] : []));
  assert.deepEqual(
    found.map(({ datapoints, of }) => [datapoints, of]),
    [
      [3, 4],
      [3, 4],
    ],
  );
});

test("probe-silent is the one that missing data fires, and skips are no silence", () => {
  const breaching = alarms.filter((each) => each.type === "metric" && each.missing === "breaching");
  assert.deepEqual([...new Set(breaching.map(({ kind }) => kind))], ["probe-silent"]);
  const [silent] = breaching;
  assert.ok(silent?.type === "metric");
  assert.equal(silent.expression, "FILL(SUM([probes, skipped]), 0)");
  assert.deepEqual(silent.metrics.map(({ name }) => name), ["Probes", "Skipped"]); // prettier-ignore
});

test("misconfigured takes two verdicts of two rounds, or one where two rounds are more than a day", () => {
  const given = (minutes: readonly number[]): readonly unknown[] => {
    const targets = minutes.map((everyMinutes, index) => ({ ...example.targets[index], depth: "rcpt", everyMinutes }));
    const [found] = alarmsOf(configOf({ targets })).filter(({ kind }) => kind === "misconfigured");
    return found?.type === "metric" ? [found.periodS, found.threshold] : [];
  };
  assert.deepEqual(given([15, 60]), [7_200, 2]);
  assert.deepEqual(given([15, 720]), [86_400, 2]);
  assert.deepEqual(given([15, 721]), [86_400, 1]);
});

test("self-check: each egress, also one without a target, at one fault of a day, and silence changes nothing", () => {
  const targets = [{ ...example.targets[0], egresses: ["aws"] }];
  const found = alarmsOf(configOf({ targets })).filter(({ kind }) => kind === "self-check");
  assert.deepEqual(
    found.map((each) => (each.type === "metric" ? [each.egress, each.periodS, each.datapoints, each.of, each.threshold, each.missing] : [])), // prettier-ignore
    ["aws", "mail-1"].map((egress) => [egress, 86_400, 1, 1, 1, "ignore"]),
  );
});

test("failures: dead letters at once, requests that wait for as long as the configuration says", () => {
  const given = alarmsOf(configOf({ alarms: { lateMinutes: 45 } }));
  const its = given.flatMap((each) => (each.kind === "failures" && each.type === "metric" ? [each] : []));
  assert.deepEqual(
    its.map(({ metrics: [{ dimensions }], threshold, egress }) => [dimensions["QueueName"], threshold, egress]),
    [
      ["delivery-probe-probe-dead", 1, null],
      ["delivery-probe-probe", 2_700, null],
      ["delivery-probe-probe-mail-1-dead", 1, "mail-1"],
      ["delivery-probe-probe-mail-1", 2_700, "mail-1"],
      ["delivery-probe-send-dead", 1, null],
      // A delay and the longest attempt are half an hour more, and no fault.
      ["delivery-probe-send", 4_500, null],
      ["delivery-probe-send-mail-1-dead", 1, "mail-1"],
      ["delivery-probe-send-mail-1", 4_500, "mail-1"],
      ["delivery-probe-schedule-dead", 1, null],
    ],
  );
});

test("where no sends are taken no alarm is about them, and none of the others is another", () => {
  const without = alarmsOf(configOf({ sends: null }));
  assert.deepEqual(without.filter(({ name }) => name.includes("sends")), []); // prettier-ignore
  const names = alarms.filter(({ name }) => !name.includes("-failures-sends-")).map(({ name }) => name);
  assert.deepEqual(without.map(({ name }) => name), names); // prettier-ignore
});

test("whatever names a valid configuration has, no two alarms and no two queues share one", () => {
  // Of few parts, so that they meet.
  const name = fc
    .array(fc.constantFrom("a", "b", "dead", "widely", "functions", "late"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("-"));
  const egress = fc.record({ name, runner: fc.constantFrom("functions", "worker") }, { noNullPrototype: true });
  let valid = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(egress, { minLength: 1, maxLength: 4, selector: (each) => each.name }),
      fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
      (egresses, providers) => {
        const targets = providers.map((provider) => ({ provider, recipient: "probe@icloud.example" }));
        const { value } = checkConfig({ ...example, egresses, targets });
        if (value === null) return;
        valid += 1;
        const alarms = alarmsOf(value).map(({ name }) => name);
        assert.deepEqual(alarms, [...new Set(alarms)]);
        const runners = runnersOf(value).flatMap((runner) => Object.values(queueNames(value, runner)));
        const queues = [...runners, scheduleDeadName(value)];
        assert.deepEqual(queues, [...new Set(queues)]);
        for (const each of queues) assert.ok(each.length <= 80);
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(valid > 200, `only ${valid} of them were valid`);
});
