// The lab: mail hosts on loopback that behave as real providers do when they block an IP, and some that just misbehave.
// It knows which hosts there are and what each is asked and expected to answer; how one plays its dialog, it leaves to
// the mail host, and what an answer means, to the verdict.
//
// To add a host, add one file: lab/NAME.smtp, a dialog (infra/local/dialog.ts) with one script, which every connection
// plays anew, and with the verdict that it must give (`=>`). NAME.example is its mail domain, and probe@NAME.example is
// asked unless RCPT or `@ to` names somebody else. Hosts come in the order of their names.
import { readdir, readFile } from "node:fs/promises";
import type { ProbeRequest } from "../../functions/route/attempts.ts";
import { parseAddress, type Address } from "../../functions/smtp/address.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
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
}

const labFolder = new URL("./lab/", import.meta.url);

/** The hosts' own limit, where their dialog says none: a lab answers at once. */
const timeoutMs = 3_000;

/**
 * Starts a host for each dialog of a folder, on any free port of 127.0.0.1.
 * @throws Error that names the file and how to say it right, or that there is no lab
 */
export async function startLab(folder: URL = labFolder): Promise<Lab> {
  const dialogs = await readLab(folder);
  const thread = new MailHosts();
  try {
    const starting = dialogs.map(async (dialog) => ({ dialog, host: await thread.start(dialog, { repeat: true }) }));
    const hosts = await Promise.all(starting);
    return { hosts, [Symbol.asyncDispose]: () => thread.close() };
  } catch (error) {
    await thread.close();
    throw error;
  }
}

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
  return {
    recipients: recipients.map(addressOf),
    hosts: [{ name: host.address, port: host.port }],
    from: setup.from,
    helo: setup.helo,
    depth: setup.depth,
    message: null,
    tls: setup.tls,
    timeoutMs: setup.timeoutMs ?? timeoutMs,
    resolver: null,
    allowPrivate: false,
    signal: null,
    progress: null,
  };
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new Error(address.fault);
  return address;
}

/** How a verdict differs from what the dialog expects, for people; empty when it does not. */
export function surprises({ expected, recipients }: LabDialog, verdict: Verdict): readonly string[] {
  const { clauses } = expected;
  const { outcome, primary } = verdict;
  const got = { outcome, stage: primary.stage, code: primary.code, status: primary.status };
  const own = recipients.map(({ address, ...wanted }) => {
    const found = verdict.recipients.find((each) => each.address === address);
    return differs(answerText(wanted), found === undefined ? "no verdict" : answerText(found), `for ${address}: `);
  });
  return [
    differs(answerText(expected), answerText(got), ""),
    ...Object.entries(clauses).map(([key, value]) => clauseDiffers(key, value, verdict)),
    ...own,
  ].flatMap((each) => each ?? []);
}

function clauseDiffers(key: string, value: string, verdict: Verdict): string | null {
  const { primary, attempts, consequences } = verdict;
  switch (key) {
    case "text":
      return primary.text.includes(value) ? null : `expected words with "${value}", and heard "${primary.text}"`;
    case "partial":
      return primary.partial ? null : "expected a partial reply, and it was whole";
    case "class":
      return differs(value, verdict.class ?? "none", "class ");
    case "ended":
      return differs(value, attempts.at(-1)?.ending.by ?? "never", "an end by ");
    case "retry":
      return differs(value, attempts.at(-1)?.retry ?? "none", "a retry ");
    case "consequences":
      return differs(value, String(consequences.length), "consequences ");
    case "attempts":
      return differs(value, String(attempts.length), "attempts ");
    default:
      return `a lab knows no clause "${key}"`;
  }
}

function differs(expected: string, got: string, what: string): string | null {
  return expected === got ? null : `expected ${what}${expected}, and got ${got}`;
}

function answerText({ outcome, stage, code, status }: Omit<Expectation, "clauses">): string {
  return [outcome, stage, code ?? "-", ...(status === null ? [] : [status])].join(" ");
}
