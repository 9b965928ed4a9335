// Command lines that a page gives a person to paste into a shell: nothing in one can end its quotes. It runs none.
import type { StoredVerdict } from "../state/verdicts.ts";

/**
 * The stored verdict, its whole conversation too; DELIVERY_PROBE_CONFIG names the configuration. A request's id comes from
 * a queue: one that could end its quotes in a shell is shown in no command.
 */
export function replayCommand({ id }: StoredVerdict): string | null {
  return /^[^\s'"\\]+$/.test(id) ? `npx delivery-probe replay --request '${id}'` : null;
}

/** Checks our set-up again, now, from the machine that has the egress; DELIVERY_PROBE_CONFIG names the configuration. */
export function selfCheckCommand(egress: string): string {
  return `npx delivery-probe probe --self-check --egress ${egress}`;
}

/** What lies in the dead letters, and why; DELIVERY_PROBE_CONFIG names the configuration. */
export function redriveCommand(): string {
  return "npx delivery-probe redrive";
}
