// Watches a running stack until it is told to end: on a terminal a view that is drawn in place and has keys, else a line
// for each thing that happens. What is shown, and how, others know.
import { alarmsOf } from "../../../functions/report/alarms.ts";
import { statesOf } from "../../../functions/state/pairs.ts";
import type { Table } from "../../../functions/state/table.ts";
import { visibleLine } from "../../../functions/verdict/visible.ts";
import { providerKeys, screenOf, type ViewAlarm } from "./live-view.ts";
import { addSeen, emptyScene, withBlocks } from "./scene.ts";
import { lineOf, seenOf, type Seen } from "./seen.ts";
import type { Stack } from "../stack.ts";
import { Terminal, type Input, type Output } from "./terminal.ts";

/** How often the view is drawn anew, at most and at least. */
const drawAfterMs = 100;
const drawEveryMs = 500;

/** Calls for each thing that is seen from now on. */
export function onSeen(stack: Stack, listener: (seen: Seen) => void): void {
  stack.onEvent((event) => {
    const seen = seenOf(event, timeOf(stack));
    if (seen !== null) listener(seen);
  });
}

/** A line for each, until it is to end. */
export async function watchLines(
  stack: Stack,
  { ending, print }: { readonly ending: Promise<unknown>; readonly print: (line: string) => void },
): Promise<void> {
  onSeen(stack, (seen) => print(lineOf(seen)));
  await ending;
}

export interface WatchOptions {
  readonly speed: number;
  readonly output: Output;
  /** Null: there are no keys. */
  readonly input: Input | null;
  readonly isColoured: boolean;
  /** Ends the view; so does the key q. */
  readonly ending: Promise<unknown>;
}

/** The view, until it is to end. */
export async function watchView(
  stack: Stack,
  { speed, output, input, isColoured, ending }: WatchOptions,
): Promise<void> {
  const quit = Promise.withResolvers<void>();
  let scene = emptyScene(stack.config);
  let asksProvider = false;
  let notice: string | null = null;
  let drawing: NodeJS.Timeout | null = null;
  const names = [...new Set(stack.config.targets.map(({ provider }) => provider))];
  const providers = () => names.flatMap((each) => stack.providers.find(({ name }) => name === each) ?? []);

  using terminal = new Terminal({ output, input, isColoured, onKey, onResize: draw });
  onSeen(stack, (seen) => {
    scene = addSeen(scene, seen);
    drawing ??= setTimeout(draw, drawAfterMs);
  });
  draw();
  scene = withBlocks(scene, await statesOf(scene.pairs, tableOf(stack)));
  const ticking = setInterval(draw, drawEveryMs);
  await Promise.race([ending, quit.promise]);
  clearInterval(ticking);
  if (drawing !== null) clearTimeout(drawing);
  notice = "stopping";
  draw();

  function draw(): void {
    if (drawing !== null) clearTimeout(drawing);
    drawing = null;
    const view = {
      at: timeOf(stack),
      speed,
      scene,
      providers: providers(),
      alarms: alarmsIn(stack),
      asksProvider,
      notice,
    };
    terminal.draw(screenOf(view, terminal.size));
  }

  function onKey(key: string): void {
    // In raw mode the terminal makes no signals: Ctrl-C and Ctrl-D come as they are.
    if (key === "\x03" || key === "\x04" || (key === "q" && !asksProvider)) return quit.resolve();
    const provider = asksProvider ? providers()[providerKeys.indexOf(key)] : undefined;
    asksProvider = !asksProvider && key === "b";
    notice = null;
    if (provider !== undefined) void turn(provider.name, !provider.blocked);
    draw();
  }

  async function turn(name: string, blocked: boolean): Promise<void> {
    const will = blocked ? "blocks us" : "takes our mail";
    notice = await stack.setBlocked(name, blocked).then(
      () => `${name} ${will} from its next session on; an alarm looks at several rounds`,
      (error: unknown) => visibleLine(`${name} goes on as it was: ${String(error)}`),
    );
    draw();
  }
}

/** Those in ALARM that page: those that are held back last, of the others the one that stands longest first. */
function alarmsIn({ config, cloudWatch }: Stack): readonly ViewAlarm[] {
  const paging = new Set(alarmsOf(config).flatMap(({ name, pages }) => (pages ? [name] : [])));
  return cloudWatch
    .alarms()
    .filter(({ name, state }) => state === "ALARM" && paging.has(name))
    .toSorted((a, b) => Number(a.suppressed) - Number(b.suppressed) || a.since.getTime() - b.since.getTime())
    .map(({ name, since, suppressed }) => ({ name, since: since.toISOString(), isSuppressed: suppressed }));
}

/** As the handlers see it. */
export function tableOf({ config, clients, clock }: Stack): Table {
  return { client: clients.dynamo, name: config.name, days: config.history.days, now: () => new Date(clock.now()) };
}

function timeOf({ clock }: Stack): string {
  return new Date(clock.now()).toISOString();
}
