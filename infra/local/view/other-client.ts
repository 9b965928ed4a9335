// What another client reports of the conversation that the project was born from, beside what we report: a line each.
// It knows nothing of either's reasons.
import { readFile } from "node:fs/promises";
import nodemailer from "nodemailer";
import { standing } from "../../../functions/verdict/incident.ts";
import type { Verdict } from "../../../functions/verdict/verdict.ts";
import { requestTo, type LabHost } from "../mail/lab.ts";
import { cut, fit } from "./columns.ts";
import { width } from "./verdict-table.ts";

/** Has nodemailer send a message to the same host, and tells what each says of it. */
export async function compared(asked: LabHost, { outcome, primary }: Verdict): Promise<readonly string[]> {
  const [first = ""] = primary.text.split("\n");
  return [
    `The same conversation with ${asked.dialog.provider}, in one line each:`,
    row("delivery-probe reports:", `${standing(outcome, primary.stage)}: ${first}`),
    row(`nodemailer ${await nodemailerVersion()} reports:`, await nodemailerReports(asked)),
  ];
}

async function nodemailerReports(asked: LabHost): Promise<string> {
  const { address, port } = asked.host;
  const { recipients, from, helo, timeoutMs } = requestTo(asked);
  const transport = nodemailer.createTransport({
    host: address,
    port,
    name: helo ?? "probe.example",
    // Opportunistic, as ours: the certificate verifies for nobody.
    tls: { rejectUnauthorized: false },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  const envelope = { from, to: recipients.map(({ text }) => text) };
  try {
    const { response } = await transport.sendMail({ envelope, raw: "Subject: probe\r\n\r\nprobe\r\n" });
    return response;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    transport.close();
  }
}

function row(who: string, what: string): string {
  return cut(`  ${fit(who, 26)} ${what}`, width);
}

/** Its package file is not among its exports, but lies beside what is. */
async function nodemailerVersion(): Promise<string> {
  const file = new URL("../../package.json", import.meta.resolve("nodemailer"));
  return (JSON.parse(await readFile(file, "utf8")) as { readonly version: string }).version;
}
