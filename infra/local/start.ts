// `npm start`: the main job on embedded parts. Starts the lab, probes all its hosts at once, and prints a row for each
// and one conversation in full, beside what another client reports of the same one. It decides nothing: the verdicts
// are the probe's, and what they should be is in the lab's dialogs.
//
// Exit status 0 when every host was understood, whatever it refused; 1 when a verdict is not the one its dialog expects,
// when a client left a host's script, or when there is no lab. To add a host, add one file: see lab.ts.
//
//   node infra/local/start.ts [folder of dialogs]
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import nodemailer from "nodemailer";
import { print } from "../../functions/cli/print.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import { write } from "../../functions/cli/write.ts";
import { probe } from "../../functions/route/attempts.ts";
import { standing } from "../../functions/verdict/incident.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { surprises } from "./dialog-probe.ts";
import { requestTo, startLab, type Lab, type LabHost } from "./lab.ts";

/** The host whose dialog is shown in full: the case that the project was born from. */
const shownProvider = "icloud";

const width = 100;

const heads = ["provider", "verdict", "reply", "class", "ms", "trips", "first words"] as const;
/** Numbers stand at the right of their columns. */
const atRight: readonly string[] = ["ms", "trips"];

/** A host that was asked, and what there is to complain of; nothing, if all is as its dialog says. */
interface Asked extends LabHost {
  readonly verdict: Verdict;
  readonly complaints: readonly string[];
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  await write(process.stderr, `${visibleLine(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = 1;
}

async function main(folder: string | undefined): Promise<number> {
  await using lab = await startLab(...(folder === undefined ? [] : [pathToFileURL(`${resolve(folder)}/`)]));
  const all = await askAll(lab);
  await write(process.stdout, `${table(all).join("\n")}\n\n`);
  const shown = all.find(({ dialog }) => dialog.provider === shownProvider) ?? all[0];
  if (shown !== undefined) await write(process.stdout, await inFull(shown));
  const complaints = all.flatMap(({ complaints }) => complaints);
  await write(process.stderr, complaints.map((each) => `${each}\n`).join(""));
  return complaints.length > 0 ? 1 : 0;
}

/** All at once; in the lab's order, whoever answers first. */
async function askAll({ hosts }: Lab): Promise<readonly Asked[]> {
  return Promise.all(
    hosts.map(async (each) => {
      const verdict = await probe(requestTo(each));
      const { dialog, host } = each;
      const differences = surprises(dialog, verdict).map((text) => visibleLine(`${dialog.file}: ${text}`));
      const faults = await host.result();
      return { ...each, verdict, complaints: [...differences, ...faults.map(linesVisible)] };
    }),
  );
}

/** What a host tells of a script that was left has lines of its own. */
function linesVisible(text: string): string {
  return text.split("\n").map(visibleLine).join("\n");
}

/** A row for each, and one for the heads. The last column has what room there is. */
function table(all: readonly Asked[]): readonly string[] {
  const rows = [heads, ...all.map(({ dialog, verdict }) => cells(dialog.provider, verdict))];
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const last = heads.length - 1;
  const room = width - widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === last) return cut(cell, room);
        const columnWidth = widths[column] ?? 0;
        return atRight.includes(heads[column] ?? "") ? cell.padStart(columnWidth) : cell.padEnd(columnWidth);
      })
      .join("  ")
      .trimEnd(),
  );
}

function cells(provider: string, verdict: Verdict): readonly string[] {
  const { class: kind, primary } = verdict;
  const { code, status } = primary;
  return [
    provider,
    standing(verdict.outcome, primary.stage),
    [code ?? "-", ...(status === null ? [] : [status])].join(" "),
    kind ?? "-",
    String(Math.round(decidedAfterMs(verdict))),
    String(tripsOf(verdict)),
    words(verdict),
  ].map(visibleLine);
}

/** From the first connection until nothing could change the verdict any more. */
function decidedAfterMs({ attempts }: Verdict): number {
  const earlier = attempts.slice(0, -1).reduce((sum, { timings }) => sum + timings.endedMs, 0);
  return earlier + (attempts.at(-1)?.timings.decidedMs ?? 0);
}

/** Round trips: writes and the answers waited for. None for the greeting; a TLS handshake and a QUIT alone do not count. */
function tripsOf({ attempts }: Verdict): number {
  const asked = attempts.map(({ exchanges }) => exchanges.filter(({ stage }) => stage !== "quit"));
  return asked.reduce((sum, exchanges) => sum + Math.max(0, ...exchanges.map(({ group }) => group)), 0);
}

/** The words of a reply on one line, without the code and the status, which have a column; without a reply, ours. */
function words({ primary: { code, status, text } }: Verdict): string {
  if (code === null) return text;
  const bare = text.split("\n").map((line) => {
    const said = line.replace(/^\d{3}[ -]?/, "");
    return (status !== null && said.startsWith(status) ? said.slice(status.length) : said).trim();
  });
  return bare.join(" ");
}

/** Never within a character that takes two units. */
function cut(text: string, room: number): string {
  if (text.length <= room) return text;
  const kept = text.slice(0, Math.max(0, room - 1)).replace(/[\ud800-\udbff]$/, "");
  return `${kept.trimEnd()}…`;
}

/** One conversation, as the command line prints it, and what another client made of the same. */
async function inFull(asked: Asked): Promise<string> {
  const own = print(asked.verdict, { json: false, pretty: false, alone: true });
  const other = await askNodemailer(asked);
  const title = `${asked.dialog.provider} in full:`;
  return [title, own, ...(other === null ? [] : [other, ""])].join("\n");
}

/**
 * Has nodemailer send a message to the same host, and tells what it says of it. Null when it did not keep to the host's
 * script: then it was another conversation.
 */
async function askNodemailer({ dialog, host, verdict }: Asked): Promise<string | null> {
  const { recipients, from, helo, timeoutMs } = requestTo({ dialog, host });
  const transport = nodemailer.createTransport({
    host: host.address,
    port: host.port,
    name: helo ?? "probe.example",
    // Opportunistic, as ours: the certificate verifies for nobody.
    tls: { rejectUnauthorized: false },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  const envelope = { from, to: recipients.map(({ text }) => text) };
  const reported = await transport.sendMail({ envelope, raw: "Subject: probe\r\n\r\nprobe\r\n" }).then(
    ({ response }) => response,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  transport.close();
  if ((await host.result()).length > 0) return null;
  const [first = ""] = verdict.primary.text.split("\n");
  return [
    "The same conversation, in one line:",
    row("delivery-probe reports:", `${standing(verdict.outcome, verdict.primary.stage)}: ${first}`),
    row(`nodemailer ${await nodemailerVersion()} reports:`, reported),
  ].join("\n");
}

function row(who: string, what: string): string {
  return cut(`  ${who.padEnd(26)} ${visibleLine(what)}`, width);
}

/** Its package file is not among its exports, but lies beside what is. */
async function nodemailerVersion(): Promise<string> {
  const file = new URL("../../package.json", import.meta.resolve("nodemailer"));
  return (JSON.parse(await readFile(file, "utf8")) as { readonly version: string }).version;
}
