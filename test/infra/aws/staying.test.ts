import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { stayingOf, type Template } from "../../../infra/aws/staying.ts";
import { sending, synthesised, usual, vpc } from "./template.ts";

async function stayingWith(shape: unknown): Promise<readonly string[]> {
  const { file, config } = await synthesised(shape);
  return stayingOf(JSON.parse(await readFile(file, "utf8")) as Template, config);
}

test("what the template keeps is told by name, with what to do, and so is what was never the stack's", async () => {
  const lines = await stayingWith(usual);
  assert.match(
    lines[0] ?? "",
    /^AWS::DynamoDB::Table delivery-probe: kept on purpose; .*--no-deletion-protection-enabled/,
  );
  assert.deepEqual(lines.filter((each) => each.startsWith("AWS::")).length, 1, "nothing else is kept");
  assert.ok(lines.some((each) => /the worker of mail-1/.test(each)));
  assert.ok(lines.some((each) => /the proxy proxy\.mail\.test of aws/.test(each)));
  assert.ok(lines.some((each) => /secrets/.test(each)));
});

test("the bucket where messages wait stays, with what lies there, and where there is none nothing is said", async () => {
  const about = (lines: readonly string[]): readonly string[] => lines.filter((each) => each.includes("S3 bucket"));
  assert.deepEqual(about(await stayingWith(sending)), ["the S3 bucket mail-that-waits, which was never the stack's, with the messages that lie there"]); // prettier-ignore
  assert.deepEqual(about(await stayingWith(usual)), []);
});

test("an Elastic IP that was brought along stays, one of the stack's own does not", async () => {
  const via = { type: "vpc", allocation: "eipalloc-0123456789abcdef0" };
  const brought = await stayingWith({ ...vpc, egresses: [{ name: "aws", runner: "functions", via }] });
  assert.ok(brought.some((each) => each.includes("eipalloc-0123456789abcdef0")));
  assert.ok(!(await stayingWith(vpc)).some((each) => each.includes("Elastic IP")));
});
