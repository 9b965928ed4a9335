// What every function finds in Lambda: the configuration that was deployed with it, the log, the clock. And how its handler
// is made: by the first call, which loads what it takes, so that a start is short. What a handler does it does not know.
import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { Context } from "../handler.ts";
import { remembered } from "../remembered.ts";
import { consoleLog } from "../report/log.ts";

/** Checked when it was bundled; the bundle lies beside it. */
export const config = JSON.parse(readFileSync(new URL("config.json", import.meta.url), "utf8")) as Config;

export const now = (): Date => new Date();

export const log = consoleLog(now);

type Handler<Event, Result> = (event: Event, context: Context) => Promise<Result>;

/** A handler that is made when it is first called. What could not be made is made anew by the next call. */
export function madeOnce<Event, Result>(make: () => Promise<Handler<Event, Result>>): Handler<Event, Result> {
  const made = remembered(make);
  return async (event, context) => {
    const handler = await made();
    return await handler(event, context);
  };
}
