// What a probe is told holds sends too, or lets them go: notes it, and tells the log. It sends nothing.
import { faultText } from "../report/log.ts";
import { noteHolds } from "../send/note-holds.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import type { Runs } from "./runs.ts";

/** A failure to note it fails no probe: the next one says it again. */
export async function holdSends(
  { id, at, egress, verdict }: StoredVerdict,
  { provider, from }: { readonly provider: string; readonly from: string },
  { deps, table }: Runs,
): Promise<void> {
  const domain = from === "" ? null : from.slice(from.lastIndexOf("@") + 1);
  try {
    const { began, ended } = await noteHolds(verdict, { provider, egress, domain, id, at }, table);
    for (const { key, stage, text } of began) deps.log({ level: "warn", event: "held", id, ...key, stage, text });
    for (const { key, since } of ended) deps.log({ level: "info", event: "released", id, ...key, since });
  } catch (error) {
    deps.log({ level: "error", event: "holds-unwritten", id, fault: faultText(error) });
  }
}
