// Verdicts as a table: what each row says, and that nothing is wider than a page.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { probe } from "../../functions/route/attempts.ts";
import { columnsOf } from "../../infra/local/view/columns.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";
import { verdictTable, width } from "../../infra/local/view/verdict-table.ts";
import { requestTo } from "../support/request.ts";

/** The verdict of a host that greets us so. */
async function verdictOf(greeting: string): Promise<Verdict> {
  await using thread = new MailHosts();
  const host = await thread.start(parseDialog(`# refuses\nS| ${greeting}\\r\\n\nS! fin\n`, "refuses.smtp"));
  return await probe(requestTo(["a@b.example"], [{ name: host.address, port: host.port }], {}));
}

suite("the table of verdicts", () => {
  test("has a row each, with the words after code and status, and numbers at the right", async () => {
    const verdict = await verdictOf(String.raw`554-5.7.1 go\r\n554 5.7.1 away`);
    const [head, row, none] = verdictTable([
      { provider: "odd", egress: "aws", verdict },
      { provider: "other", egress: "mail-1", verdict: null },
    ]);
    assert.match(head ?? "", /^provider {2}egress {2}verdict {15}reply {6}class {2,}ms {2}first words$/);
    assert.match(row ?? "", /^odd {7}aws {5}rejected at greeting {2}554 5\.7\.1 {2}\S+ +\d+ {2}go away$/);
    assert.match(none ?? "", /^other {5}mail-1 {2}not probed$/);
  });

  test("shows what a host says as text, cut to the page", async () => {
    const verdict = await verdictOf(String.raw`554 \x1b[2J${"gone ".repeat(40)}`);
    const [, row = ""] = verdictTable([{ provider: "odd", egress: "aws", verdict }]);
    assert.ok(row.includes(String.raw`\x1b[2Jgone`));
    assert.ok(row.endsWith("…"));
    assert.ok(columnsOf(row) <= width);
  });
});
