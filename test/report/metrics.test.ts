// Figures on their way: as PutMetricData, and as lines of the log where CloudWatch does not answer.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it, test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { closeClients, openClients } from "../../functions/clients.ts";
import type { Figure } from "../../functions/report/figures.ts";
import { entryText } from "../../functions/report/log.ts";
import { dataOf, metricEntries, putFigures } from "../../functions/report/metrics.ts";

const at = new Date("2026-11-24T12:00:00Z");

function figure(name: string, value: number, dimensions: Figure["dimensions"] = { Egress: "aws" }): Figure {
  return { name, unit: name === "SessionTime" ? "Milliseconds" : "Count", dimensions, value };
}

test("a series is one datum, its values with how often each came", () => {
  const figures = [
    figure("SessionTime", 210),
    figure("Attempts", 1),
    figure("SessionTime", 190),
    figure("SessionTime", 210),
  ];
  const Dimensions = [{ Name: "Egress", Value: "aws" }];
  assert.deepEqual(dataOf(figures, at), [
    { MetricName: "SessionTime", Unit: "Milliseconds", Dimensions, Timestamp: at, Values: [210, 190], Counts: [2, 1] },
    { MetricName: "Attempts", Unit: "Count", Dimensions, Timestamp: at, Values: [1], Counts: [1] },
  ]);
});

test("the same name by other dimensions is another series", () => {
  const dimensions = [
    { Egress: "aws" },
    { Egress: "mail-1" },
    { Provider: "icloud", Egress: "aws" },
    { Provider: "icloud", Egress: "aws", Class: "tls" },
  ];
  const data = dataOf(
    dimensions.map((each) => figure("Attempts", 1, each)),
    at,
  );
  assert.deepEqual(
    data.map(({ Dimensions = [] }) => Object.fromEntries(Dimensions.map(({ Name = "", Value }) => [Name, Value]))),
    dimensions,
  );
});

test("no figures are no data and no lines", () => {
  assert.deepEqual(dataOf([], at), []);
  assert.deepEqual(metricEntries([], at), []);
});

const figures = fc
  .array(fc.tuple(fc.constantFrom("Attempts", "SessionTime"), fc.nat(400), fc.constantFrom("aws", "mail-1")), {
    maxLength: 1_500,
    size: "max",
  })
  .map((rows) => rows.map(([name, value, Egress]) => figure(name, value, { Egress })));

test("no value is lost on either way, and no datum or line holds more than CloudWatch takes", () => {
  fc.assert(
    fc.property(figures, (figures) => {
      const put = dataOf(figures, at).flatMap(({ MetricName, Dimensions, Values = [], Counts = [] }) => {
        assert.ok(Values.length <= 150 && Values.length === Counts.length);
        assert.equal(new Set(Values).size, Values.length);
        return Values.flatMap((value, index) => {
          return Array.from({ length: Counts[index] ?? 0 }, () => `${MetricName} ${Dimensions?.[0]?.Value} ${value}`);
        });
      });
      const logged = metricEntries(figures, at).flatMap((entry) => {
        const [name = ""] = ["Attempts", "SessionTime"].filter((each) => each in entry);
        const values = entry[name] as readonly number[];
        assert.ok(values.length <= 100);
        return values.map((value) => `${name} ${String(entry["Egress"])} ${value}`);
      });
      const all = figures.map(({ name, dimensions, value }) => `${name} ${dimensions["Egress"]} ${value}`).toSorted();
      assert.deepEqual(put.toSorted(), all);
      assert.deepEqual(logged.toSorted(), all);
    }),
    { numRuns: 50 },
  );
});

// Of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
test("a line of the log is in the embedded metric format", () => {
  const pair = { Provider: "icloud", Egress: "aws" };
  const lines = metricEntries([figure("SessionTime", 210, pair), figure("SessionTime", 190.5, pair)], at).map((entry) =>
    entryText(entry, at),
  );
  assert.deepEqual(lines, [
    '{"time":"2026-11-24T12:00:00.000Z","level":"warn","event":"figures",' +
      '"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"DeliveryProbe",' +
      '"Dimensions":[["Provider","Egress"]],"Metrics":[{"Name":"SessionTime","Unit":"Milliseconds"}]}]},' +
      '"Provider":"icloud","Egress":"aws","SessionTime":[210,190.5]}',
  ]);
});

describe("putting figures", () => {
  it("a batch is one call, in our namespace", async () => {
    await using service = await startMetrics(() => 200);
    await put(service.url, [figure("Attempts", 1), figure("Attempts", 1), figure("SessionTime", 7)]);
    assert.deepEqual(service.calls, [
      {
        Namespace: "DeliveryProbe",
        MetricData: [
          {
            MetricName: "Attempts",
            Unit: "Count",
            Dimensions: [{ Name: "Egress", Value: "aws" }],
            Timestamp: at.getTime() / 1000,
            Values: [1],
            Counts: [2],
          },
          {
            MetricName: "SessionTime",
            Unit: "Milliseconds",
            Dimensions: [{ Name: "Egress", Value: "aws" }],
            Timestamp: at.getTime() / 1000,
            Values: [7],
            Counts: [1],
          },
        ],
      },
    ]);
  });

  it("more series than a call takes are several calls, each series in one of them", async () => {
    await using service = await startMetrics(() => 200);
    const many = Array.from({ length: 2_100 }, (_, index) => figure("Attempts", 1, { Egress: `e-${index}` }));
    await put(service.url, many);
    assert.deepEqual(
      service.calls.map(({ MetricData }) => MetricData.length),
      [1_000, 1_000, 100],
    );
    const names = service.calls.flatMap(({ MetricData }) => MetricData.map(({ Dimensions }) => Dimensions[0]?.Value));
    assert.equal(new Set(names).size, 2_100);
  });

  it("what CloudWatch refuses is thrown", async () => {
    await using service = await startMetrics(() => 400);
    await assert.rejects(put(service.url, [figure("Attempts", 1)]), { name: "InvalidParameterValueException" });
  });

  it("what takes longer than the caller has is thrown", async () => {
    await using service = await startMetrics(() => null);
    await assert.rejects(put(service.url, [figure("Attempts", 1)], AbortSignal.timeout(50)), { name: "AbortError" });
  });
});

async function put(url: string, figures: readonly Figure[], signal = new AbortController().signal): Promise<void> {
  const clients = await openClients(["cloudWatch"], { cloudWatch: url });
  try {
    await putFigures([{ at, figures }], clients.cloudWatch, signal);
  } finally {
    closeClients(clients);
  }
}

interface Call {
  readonly Namespace: string;
  readonly MetricData: readonly { readonly Dimensions: readonly { readonly Value: string }[] }[];
}

/** CloudWatch's JSON protocol as far as PutMetricData goes. */
async function startMetrics(statusOf: () => number | null): Promise<AsyncDisposable & { url: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server: Server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      calls.push(JSON.parse(text.toString()) as Call);
      const status = statusOf();
      if (status === null) return;
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(status === 200 ? "{}" : JSON.stringify({ __type: "InvalidParameterValueException", message: "no" }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
