// What sends are counted as besides their verdicts, by way out.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { heldFigure, sendFigures } from "../../functions/report/send-figures.ts";
import type { EventName } from "../../functions/state/deliveries.ts";

type Counts = Readonly<Record<string, number>>;

const rows: readonly (readonly [events: readonly EventName[], counts: Counts])[] = [
  [[], {}],
  [["delivered"], { Delivered: 1 }],
  [["delayed"], {}],
  [["unknown"], { Unknown: 1 }],
  [["expired", "failed"], { Expired: 1, Failed: 1 }],
  [["delivered", "failed", "delivered", "delayed", "delivered"], { Delivered: 3, Failed: 1 }],
];

suite("figures of sends", () => {
  for (const [events, counts] of rows) {
    test(`${events.join(", ") || "nothing"}: ${JSON.stringify(counts)}`, () => {
      const figures = sendFigures(
        "mail-1",
        events.map((event) => ({ event })),
      );
      assert.deepEqual(Object.fromEntries(figures.map(({ name, value }) => [name, value])), counts);
      for (const { unit, dimensions } of figures) assert.deepEqual([unit, dimensions], ["Count", { Egress: "mail-1" }]);
    });
  }

  test("what is held is counted each time that it was due", () => {
    assert.deepEqual(heldFigure("aws"), { name: "Held", unit: "Count", dimensions: { Egress: "aws" }, value: 1 });
  });
});
