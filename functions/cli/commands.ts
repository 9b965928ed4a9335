// The commands there are: what each is called and for, and where its own file is. What they do, those know.
import type { OptionSpec } from "./options.ts";

export interface Command {
  readonly name: string;
  readonly operands: string;
  readonly about: string;
  /** Its own file is read when it is wanted: half of them need AWS's clients, which take a while to load. */
  readonly load: () => Promise<Loaded>;
}

interface Loaded {
  readonly options: readonly OptionSpec[];
  readonly run: (args: readonly string[]) => Promise<number>;
}

export const commands: readonly Command[] = [
  {
    name: "probe",
    operands: "<address>... | --self-check",
    about: "asks the recipients' mail hosts, and prints the one answer that decides",
    load: async () => {
      const { probeOptions, probeCommand } = await import("./probe.ts");
      return { options: probeOptions, run: probeCommand };
    },
  },
  {
    name: "explain",
    operands: "[reply]",
    about: "tells what one reply means, who must act and what to do",
    load: async () => {
      const { explainOptions, explainCommand } = await import("./explain.ts");
      return { options: explainOptions, run: explainCommand };
    },
  },
  {
    name: "replay",
    operands: "[file]",
    about: "judges again what probe --json printed: from a file, or standard input",
    load: async () => {
      const { replayOptions, replay } = await import("./replay.ts");
      return { options: replayOptions, run: replay };
    },
  },
  {
    name: "send",
    operands: "<file.eml>",
    about: "puts a message on the queue, to be delivered once to each recipient; with --now asks their hosts itself",
    load: async () => {
      const { sendOptions, sendCommand } = await import("./send.ts");
      return { options: sendOptions, run: sendCommand };
    },
  },
  {
    name: "status",
    operands: "",
    about: "tells which alarms stand, and each provider's last verdict",
    load: async () => {
      const { statusOptions, statusCommand } = await import("./status.ts");
      return { options: statusOptions, run: statusCommand };
    },
  },
  {
    name: "pause",
    operands: "[provider|egress name]",
    about: "has the schedule leave one alone for a while, with a reason; without a name tells who is",
    load: async () => {
      const { pauseOptions, pauseCommand } = await import("./pause.ts");
      return { options: pauseOptions, run: pauseCommand };
    },
  },
  {
    name: "resume",
    operands: "provider|egress name",
    about: "ends a pause",
    load: async () => {
      const { resumeOptions, resumeCommand } = await import("./pause.ts");
      return { options: resumeOptions, run: resumeCommand };
    },
  },
  {
    name: "drill",
    operands: "[alarm]",
    about: "rehearses a page on every route, and times it",
    load: async () => {
      const { drillOptions, drillCommand } = await import("./drill.ts");
      return { options: drillOptions, run: drillCommand };
    },
  },
  {
    name: "redrive",
    operands: "[functions|egress]",
    about: "moves dead letters back to their queue; without a name tells what lies there",
    load: async () => {
      const { redriveOptions, redriveCommand } = await import("./redrive.ts");
      return { options: redriveOptions, run: redriveCommand };
    },
  },
  {
    name: "worker",
    operands: "",
    about: "probes what an egress's queue asks for, from this machine, until it is stopped",
    load: async () => {
      const { workerOptions, workerCommand } = await import("./worker.ts");
      return { options: workerOptions, run: workerCommand };
    },
  },
  {
    name: "local",
    operands: "",
    about: "runs the whole system on this machine, with a lab of mail hosts, until it is stopped",
    load: async () => {
      const { localOptions, localCommand } = await import("./local.ts");
      return { options: localOptions, run: localCommand };
    },
  },
];
