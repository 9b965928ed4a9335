// What another client tells of the same conversation: nodemailer, which most of Node's world sends with. It asks a host of
// the lab, and judges nothing.
import { readFile } from "node:fs/promises";
import nodemailer from "nodemailer";
import { requestTo, type LabHost } from "./lab.ts";

/** Has nodemailer send a message to the host, and gives its version and what it says of it, in its own words. */
export async function askNodemailer(lab: LabHost): Promise<{ readonly version: string; readonly says: string }> {
  const { host } = lab;
  const { recipients, from, helo, timeoutMs } = requestTo(lab);
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
  const says = await transport.sendMail({ envelope, raw: "Subject: probe\r\n\r\nprobe\r\n" }).then(
    ({ response }) => response,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  transport.close();
  return { version: await versionOf(), says };
}

/** Its package file is not among its exports, but lies beside what is. */
async function versionOf(): Promise<string> {
  const file = new URL("../../package.json", import.meta.resolve("nodemailer"));
  return (JSON.parse(await readFile(file, "utf8")) as { readonly version: string }).version;
}
