// Turns: what has the same key runs one after the other, in the order in which it came.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { Turns } from "../../functions/queue/turns.ts";

/** Something that takes as long as it is told, and says when it began and ended. */
function waiting(said: string[], name: string): { readonly run: () => Promise<string>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = async (): Promise<string> => {
    said.push(`${name} begins`);
    await promise;
    said.push(`${name} ends`);
    return name;
  };
  return { run, end: resolve };
}

test("the second of a key waits for the first, another key does not", async () => {
  const turns = new Turns();
  const said: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => waiting(said, name));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const running = [turns.run("x", a.run), turns.run("x", b.run), turns.run("y", c.run)];
  b.end();
  c.end();
  await running[2];
  assert.deepEqual(said, ["a begins", "c begins", "c ends"]);
  a.end();
  assert.deepEqual(await Promise.all(running), ["a", "b", "c"]);
  assert.deepEqual(said.slice(3), ["a ends", "b begins", "b ends"]);
});

test("what fails tells its own caller, and the next has its turn", async () => {
  const turns = new Turns();
  const failing = turns.run("x", async () => {
    await turn();
    throw new Error("no");
  });
  const next = turns.run("x", () => Promise.resolve("next"));
  await assert.rejects(failing, /^Error: no$/);
  assert.equal(await next, "next");
});

test("what throws before it has begun fails alone too", async () => {
  const turns = new Turns();
  const failing = turns.run("x", () => {
    throw new Error("at once");
  });
  await assert.rejects(failing, /at once/);
  assert.equal(await turns.run("x", () => Promise.resolve(1)), 1);
});

test("whatever comes, of a key one runs at a time, all run, and in order", async () => {
  const keys = fc.constantFrom("x", "y", "z");
  const jobs = fc.array(fc.record({ key: keys, takes: fc.nat(3), fails: fc.boolean() }, { noNullPrototype: true }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(jobs, async (jobs) => {
      const turns = new Turns();
      const running = new Map<string, number>();
      const began: number[] = [];
      const all = jobs.map(({ key, takes, fails }, index) =>
        turns.run(key, async () => {
          began.push(index);
          assert.equal(running.get(key) ?? 0, 0, "two at a time");
          running.set(key, 1);
          for (let left = takes; left > 0; left -= 1) await turn();
          running.set(key, 0);
          if (fails) throw new Error(`job ${index}`);
          return index;
        }),
      );
      const ended = await Promise.allSettled(all);
      assert.deepEqual(
        ended.map((each) => (each.status === "fulfilled" ? each.value : (each.reason as Error).message)),
        jobs.map(({ fails }, index) => (fails ? `job ${index}` : index)),
      );
      for (const key of ["x", "y", "z"]) {
        const its = began.filter((index) => jobs[index]?.key === key);
        assert.deepEqual(
          its,
          its.toSorted((a, b) => a - b),
        );
      }
      assert.equal(began.length, jobs.length);
    }),
  );
});
