import assert from "node:assert/strict";
import { test } from "node:test";
import { propertiesOf } from "../../../infra/aws/properties.ts";

test("fields begin small, whole words of capitals too; values, lists and what they hold stay as they are", () => {
  assert.deepEqual(
    propertiesOf({ AlarmName: "Blocked", OKActions: ["Page"], SSESpecification: { SSEEnabled: true }, Id: null }),
    { alarmName: "Blocked", okActions: ["Page"], sseSpecification: { sseEnabled: true }, id: null },
  );
  assert.deepEqual(propertiesOf({ Metrics: [{ MetricStat: { Period: 300 } }, "Sum", 0, false] }), {
    metrics: [{ metricStat: { period: 300 } }, "Sum", 0, false],
  });
});
