// How much memory something keeps: heap and what lies outside of it, after the collector has run.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** In octets, now. */
export function memoryInUse(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is still held when `act` has run, in octets. */
export function grownBy(act: () => void): number {
  const before = memoryInUse();
  act();
  return memoryInUse() - before;
}
