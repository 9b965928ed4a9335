// The lab: mail hosts on loopback that behave as real providers do when they block an IP, and some that just misbehave.
// It knows which hosts there are and what each is asked and expected to answer; how one plays its dialog, it leaves to
// the mail host, and what an answer means, to the verdict.
//
// To add a host, add one file: lab/NAME.smtp, a dialog (infra/local/mail/dialog.ts) with one script, which every connection
// plays anew, and with the verdict that it must give (`=>`). NAME.example is its mail domain, and probe@NAME.example is
// asked unless RCPT or `@ to` names somebody else. Hosts come in the order of their names.
import { readdir, readFile } from "node:fs/promises";
import type { ProbeRequest } from "../../../functions/route/probe-request.ts";
import { requestOf } from "./dialog-probe.ts";
import { wordsOf, type Step } from "./dialog-step.ts";
import { setupOf } from "./dialog-setup.ts";
import { parseDialog, type Dialog, type Expectation } from "./dialog.ts";
import { MailHosts, type MailHost } from "./mail-host.ts";

/** What a lab host plays. */
export interface LabDialog extends Dialog {
  /** The provider that it stands for: the file's name. */
  readonly provider: string;
  readonly expected: Expectation;
}

export interface LabHost {
  readonly dialog: LabDialog;
  readonly host: MailHost;
}

/** Hosts that listen, in the order of their dialogs, until the lab is disposed of. */
export interface Lab extends AsyncDisposable {
  readonly hosts: readonly LabHost[];
  /** Has a provider play its dialog, which is how it refuses, or an open host; on the same port, from the next session on. */
  setBlocked(provider: string, blocked: boolean): Promise<void>;
}

/** Who is served: the one client that the dialogs are written for, or anybody, with names and addresses of his own. */
export type LabClients = "as-written" | "anybody";

export interface LabOptions {
  readonly clients: LabClients;
  /** By provider; any free one for those that are not here. */
  readonly ports: Readonly<Record<string, number>>;
}

const labFolder = new URL("./lab/", import.meta.url);

/** The hosts' own limit, where their dialog says none: a lab answers at once. */
const timeoutMs = 3_000;

/**
 * Starts a host for each dialog of a folder on 127.0.0.1. Each refuses as its dialog says, until `setBlocked`.
 * @throws Error that names the file and how to say it right, that there is no lab, or that a port is taken
 */
export async function startLab(
  folder: URL = labFolder,
  { clients = "as-written", ports = {} }: Partial<LabOptions> = {},
): Promise<Lab> {
  const dialogs = await readLab(folder);
  const thread = new MailHosts();
  try {
    const hosts = await Promise.all(dialogs.map((each) => startHost(each, clients, ports[each.provider] ?? 0, thread)));
    return {
      hosts,
      setBlocked: async (provider, blocked) => {
        const found = hosts.find(({ dialog }) => dialog.provider === provider);
        if (found === undefined) throw new Error(`the lab has no provider ${provider}`);
        await found.host.change(blocked ? playedFor(clients, found.dialog) : null);
      },
      [Symbol.asyncDispose]: () => thread.close(),
    };
  } catch (error) {
    await thread.close();
    throw error;
  }
}

async function startHost(dialog: LabDialog, clients: LabClients, port: number, thread: MailHosts): Promise<LabHost> {
  const options = { repeat: true, mayQuit: clients === "anybody", port };
  return { dialog, host: await thread.start(playedFor(clients, dialog), options) };
}

/** Where a dialog names its client, its sender and its recipient, anybody may name his own. */
function playedFor(clients: LabClients, dialog: LabDialog): LabDialog {
  if (clients === "as-written") return dialog;
  return { ...dialog, scripts: [dialog.scripts[0].map(forAnybody)] };
}

function forAnybody(step: Step): Step {
  const { source, lineNumber } = step;
  const named = naming.find((each) => each.test(wordsOf(step)));
  return named === undefined ? step : { kind: "pattern", pattern: named, source, lineNumber };
}

/** Commands that name somebody. */
const naming = [/^EHLO /i, /^HELO /i, /^MAIL FROM:/i, /^RCPT TO:/i];

/** The dialogs of a folder in the order of their names; at least one. */
async function readLab(folder: URL): Promise<readonly LabDialog[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".smtp")).toSorted();
  if (files.length === 0) throw new Error(`no lab in ${folder.pathname}: a host is a file NAME.smtp there`);
  return Promise.all(files.map(async (file) => labDialog(await readFile(new URL(file, folder), "utf8"), file)));
}

function labDialog(text: string, file: string): LabDialog {
  const dialog = parseDialog(text, file);
  const { expected, scripts, said } = dialog;
  if (expected === null) throw new Error(`${file}: say what it must give: => outcome stage [code] [status]`);
  if (scripts.length > 1) throw new Error(`${file}: a lab host has one script, which every connection plays anew`);
  if ((said.message ?? "small") !== "small") throw new Error(`${file}: the lab sends our own message: @ message small`);
  return { ...dialog, expected, provider: file.slice(0, -".smtp".length) };
}

/** What a lab host is asked: as its dialog is set up, by hand, with nothing looked up in DNS. */
export function requestTo({ dialog, host }: LabHost): ProbeRequest {
  const setup = setupOf(dialog);
  const isNamed = dialog.said.to !== null || dialog.scripts.flat().some(({ source }) => /RCPT TO:</i.test(source));
  const recipients = isNamed ? setup.recipients : [`probe@${dialog.provider}.example`];
  return requestOf({ ...setup, recipients, timeoutMs: setup.timeoutMs ?? timeoutMs }, host);
}
