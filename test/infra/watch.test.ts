// The view on a running stack: what keys do, and that the terminal is given back.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { startStack } from "../../infra/local/stack.ts";
import type { Input, Output } from "../../infra/local/view/terminal.ts";
import { watchView } from "../../infra/local/view/watch.ts";

const config = checkConfig({
  name: "test",
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "aws", runner: "functions" }],
  targets: ["gmx", "icloud"].map((provider) => ({ provider, recipient: `probe@${provider}.example` })),
}).value as Config;

/** A stand-in for a terminal of 80 columns: what is written to it is kept, and keys can be pressed. */
function screen() {
  const [output, input] = [new PassThrough(), new PassThrough()];
  const written: string[] = [];
  const modes: boolean[] = [];
  output.setEncoding("utf8").on("data", (text: string) => written.push(text));
  return {
    output: Object.assign(output, { columns: 80, rows: 24 }) as unknown as Output,
    input: Object.assign(input, { setRawMode: (isRaw: boolean) => modes.push(isRaw) }) as unknown as Input,
    press: (keys: string) => input.write(keys),
    written,
    modes,
  };
}

test("b and a number turn a provider, in the configuration's order; q ends it; the terminal is as it was", async () => {
  await using stack = await startStack({ config, state: null, speed: 300, blocked: [], env: {}, run: false });
  const terminal = screen();
  const { promise: ending, resolve: end } = Promise.withResolvers<void>();
  using over = new DisposableStack();
  over.defer(end);
  const watching = watchView(stack, { ...terminal, speed: 300, isColoured: false, ending });
  const blocked = () => stack.providers.flatMap((each) => (each.blocked ? [each.name] : []));
  const shown = async (text: string): Promise<void> => {
    for (const endMs = Date.now() + 20_000; !terminal.written.join("").includes(text); await sleep(20)) {
      assert.ok(Date.now() < endMs, `never shown: ${text}`);
    }
  };
  await shown("1  gmx");
  terminal.press("2b");
  await shown("which provider?");
  terminal.press("\x1b[Ab2");
  await shown("icloud blocks us from its next session on");
  assert.deepEqual(blocked(), ["icloud"]);
  terminal.press("bx");
  terminal.press("b2");
  await shown("icloud takes our mail from its next session on");
  assert.deepEqual(blocked(), []);
  terminal.press("q");
  await watching;

  const all = terminal.written.join("");
  assert.ok(all.startsWith("\x1b[?1049h"));
  assert.ok(all.endsWith("\x1b[?7h\x1b[?25h\x1b[?1049l"));
  assert.deepEqual(terminal.modes, [true, false]);
});

test("Ctrl-C ends it too, and so does whoever started it", async () => {
  await using stack = await startStack({ config, state: null, speed: 300, blocked: [], env: {}, run: false });
  const first = screen();
  const ending = Promise.withResolvers<string>();
  const options = { speed: 300, isColoured: true, ending: ending.promise };
  const pressed = watchView(stack, { ...first, ...options });
  first.press("\x03");
  await pressed;
  const second = screen();
  const told = watchView(stack, { output: second.output, input: null, ...options });
  ending.resolve("SIGTERM");
  await told;
  assert.ok(second.written.join("").endsWith("\x1b[?1049l"));
  assert.deepEqual(second.modes, []);
});
