// Pausing and resuming: what a command line must hold, and what the schedule then leaves alone.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { pauseCommand, resumeCommand } from "../../functions/cli/pause.ts";
import type { ScheduleResult } from "../../functions/schedule.ts";
import { slotMs } from "../../functions/queue/due.ts";
import { refused, run, startSite } from "./operator.ts";

const site = await startSite();
after(async () => await site[Symbol.asyncDispose]());
const at = ["--state", site.folder];
const why = ["--reason", "we talk to them"];

const faults: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["--for", "2h"], /^--for of which pause\? write pause provider icloud --reason /],
  [
    ["icloud"],
    /^"icloud" is no kind of thing to pause; write provider or egress before its name: pause provider icloud/,
  ],
  [["provider"], /^which provider is not given; write pause provider and its name$/],
  [["provider", "icloud", "gmx", ...why], /^pause takes one name, not 2; write pause provider icloud --reason /],
  [["provider", "icloud", "--for", "2h"], /^a pause needs its reason; write --reason and a few words$/],
  [["provider", "icloud", "--reason", "  ", "--for", "2h"], /^a pause needs its reason;/],
  [
    ["provider", "icloud", "--reason", "x".repeat(301), "--for", "2h"],
    /^--reason has 301 characters; write 300 or fewer$/,
  ],
  [["provider", "icloud", ...why], /^a pause needs its end; write --for 2h, or --until and a time$/],
  [
    ["provider", "icloud", ...why, "--for", "2h", "--until", "2999-01-01T00:00:00Z"],
    /^--for and --until are two ends;/,
  ],
  ...["2", "h", "0h", "-1h", "2 h", "1.5h", "2w", "367d", "99999999999999d"].map(
    (length) =>
      [
        ["provider", "icloud", ...why, `--for=${length}`],
        /^--for ".*" is no length; write minutes, hours or days/,
      ] as const,
  ),
  ...["tomorrow", "2026-11-25", "2026-11-25T08:00", "2026-11-25T08:00:00", "2026-13-25T08:00:00Z"].map(
    (time) =>
      [["provider", "icloud", ...why, "--until", time], /^--until ".*" is no time; write one with its zone/] as const,
  ),
  [
    ["provider", "icloud", ...why, "--until", "2999-01-01T00:00:00Z"],
    /is more than 366 days away; write an earlier time$/,
  ],
  [
    ["provider", "icloud", ...why, "--until", "2001-01-01T00:00:00+02:00"],
    /^--until is over: it is .* UTC; write a time to come$/,
  ],
  [["provider", "iclod", ...why, "--for", "2h"], /^the configuration has no provider "iclod"; write icloud$/],
  [
    ["provider", "yandex", ...why, "--for", "2h"],
    /^the configuration has no provider "yandex"; write one of icloud, gmx$/,
  ],
  [["egress", "icloud", ...why, "--for", "2h"], /^the configuration has no egress "icloud"; write one of aws, mail-1$/],
  [["provider", "icloud", ...why, "--reson", "2h"], /^there is no option "--reson"; write --reason$/],
];

for (const [args, says] of faults) {
  test(`pause ${args.join(" ").slice(0, 80)} is refused, with what to write`, async () => {
    assert.match(await refused(() => pauseCommand([...args, ...at])), says);
  });
}

for (const [args, says] of [
  [[], /^what is to be resumed is not given; write provider or egress before its name: resume provider icloud$/],
  [["gmx"], /^"gmx" is no kind of thing to resume;/],
  [["egress"], /^which egress is not given; write resume egress and its name$/],
  [["egress", "mail-2"], /^the configuration has no egress "mail-2"; write mail-1$/],
] as const) {
  test(`resume ${args.join(" ")} is refused, with what to write`, async () => {
    assert.match(await refused(() => resumeCommand([...args, ...at])), says);
  });
}

test("a pause is told with its end and how to end it before, is listed, keeps the schedule away, and is ended", async () => {
  const slots = Array.from({ length: 3 }, (_, index) =>
    new Date(Date.UTC(2026, 0, 5, 8) + index * slotMs).toISOString(),
  );
  const skippedIn = async (index: number): Promise<readonly (number | undefined)[]> => {
    // A slot is done once; in a quarter of an hour all four pairs are due once.
    const results: ScheduleResult[] = [];
    for (const slot of slots)
      results.push(await site.stack.tick(new Date(Date.parse(slot) + index * 86_400_000).toISOString()));
    const sum = (of: "sent" | "skipped"): number => results.reduce((all, each) => all + each[of], 0);
    return [sum("sent"), sum("skipped")];
  };
  assert.deepEqual(await skippedIn(0), [4, 0]);

  const paused = await run(["pause", "provider", "icloud", ...why, "--for", "2h", ...at]);
  assert.deepEqual({ status: paused.status, stderr: paused.stderr }, { status: 0, stderr: "" });
  assert.match(paused.stdout, /^paused: provider icloud until \S+ \S+ UTC, since \S+ \S+ UTC: we talk to them\n/);
  const [, words = ""] = /to end it before: delivery-probe (.*)\n$/.exec(paused.stdout) ?? [];
  assert.equal(words, `resume provider icloud --state ${site.folder}`);
  assert.deepEqual(await skippedIn(1), [2, 2], "icloud over both egresses");

  const again = await run(["pause", "provider", "icloud", "--reason", "still", "--for", "3d", ...at]);
  assert.match(again.stdout, /\nin the place of: provider icloud until .*: we talk to them\n/);
  await run(["pause", "egress", "mail-1", "--reason", "moved\u202e", "--until", farOff(), ...at]);
  const listed = await run(["pause", ...at]);
  assert.match(listed.stdout, /^provider icloud until .*: still\negress mail-1 until .*: moved\\u202e\n$/);
  assert.deepEqual(await skippedIn(2), [1, 3]);

  const ended = await run(words.split(" "));
  assert.match(ended.stdout, /^provider icloud is probed again; ended: provider icloud until .*: still\n$/);
  const none = await run(words.split(" "));
  assert.deepEqual(none, { status: 0, stdout: "provider icloud was not paused\n", stderr: "" });
  await run(["resume", "egress", "mail-1", ...at]);
  assert.deepEqual(await run(["pause", ...at]), { status: 0, stdout: "nothing is paused\n", stderr: "" });
  assert.deepEqual(await skippedIn(3), [4, 0]);
});

/** In the form with a zone of its own. */
function farOff(): string {
  return new Date(Date.now() + 30 * 86_400_000).toISOString().replace("Z", "+00:00");
}
