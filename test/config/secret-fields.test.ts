// Where secrets stand in a configuration, and who reads each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../functions/config/config.ts";
import { secretFields } from "../../functions/config/secret-fields.ts";

const via = { type: "socks5", host: "proxy.example", username: "us", password: { env: "PROXY" } };
const key = { env: "DKIM" };

function rowsOf(sends: object | null): readonly string[] {
  const { value, faults } = checkConfig({
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: [
      { name: "aws", runner: "functions", via },
      { name: "aws-2", runner: "functions" },
      { name: "mail-1", runner: "worker", via },
      { name: "mail-2", runner: "worker" },
    ],
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
    onCall: { routes: [{ type: "slack", name: "chat", url: { env: "SLACK" } }] },
    sends,
  });
  assert.ok(value !== null, String(faults));
  return secretFields(value).map(({ path, reader, egress }) => `${path} ${reader} ${egress}`);
}

const page = "onCall.routes[0].url page null";
const probe = "egresses[0].via.password probe aws";
const worker = "egresses[2].via.password worker mail-1";
const dkim = [{ domain: "sender.example", selector: "s1", key }];

test("without sends the probe reads what its ways out need, each worker its own, and the page its routes'", () => {
  assert.deepEqual(rowsOf(null), [probe, worker, page]);
});

test("what sends by all ways out need the functions' send and every worker read, the keys too", () => {
  assert.deepEqual(rowsOf({ dkim }), [
    probe,
    "egresses[0].via.password send aws",
    worker,
    "sends.dkim[0].key send null",
    "sends.dkim[0].key worker mail-1",
    "sends.dkim[0].key worker mail-2",
    page,
  ]);
});

test("who does not send reads no key, and no send what its egress does not need", () => {
  assert.deepEqual(rowsOf({ dkim, egresses: ["mail-2"] }), [probe, worker, "sends.dkim[0].key worker mail-2", page]);
  assert.deepEqual(rowsOf({ dkim, egresses: ["aws-2"] }), [probe, worker, "sends.dkim[0].key send null", page]);
});
