// An Exim of our own on loopback: its configuration, its spool and its access rules, apart from any that is installed.
// It accepts into its queue and never delivers. EXIM in the environment names the program, where it is not on the PATH.
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { findProgram, freePorts, startServer, type MailServer } from "./mail-server.ts";

export interface Exim extends MailServer {
  readonly ports: {
    /** Accepts and refuses by address. */
    readonly plain: number;
    /** Refuses every client as soon as it connects. */
    readonly atConnect: number;
    /** As `plain`, without CHUNKING: Exim's rules for DATA do not look at BDAT. */
    readonly noChunking: number;
  };
}

/** Why Exim cannot be started here; false when it can, as `skip` wants it. */
export function eximMissing(): string | false {
  const program = findExim();
  if (program === null) return "Exim is not installed";
  const { status, stderr } = spawnSync(program, ["-C", "/dev/null", "-bV"], { encoding: "utf8" });
  if (status !== 0) return `${program} does not start: ${stderr.trim()}`;
  return process.getuid?.() === 0 ? false : "Exim takes a configuration of ours only from root";
}

export async function startExim(): Promise<Exim> {
  const [plain = 0, atConnect = 0, noChunking = 0] = await freePorts(3);
  const server = await startServer(
    {
      folders: ["spool"],
      files: { "exim.conf": configuration(plain, atConnect, noChunking) },
      // Exim gives up root for a user of its own, whose name its builder chose.
      prepare: (folder) => chmodSync(`${folder}/spool`, 0o777),
      command: (folder) => [findExim() ?? "exim", "-C", `${folder}/exim.conf`, "-bdf"],
      end: null,
      log: "spool/mainlog",
    },
    [plain, atConnect, noChunking],
  );
  return { ...server, ports: { plain, atConnect, noChunking } };
}

function findExim(): string | null {
  return findProgram([process.env["EXIM"] ?? "exim4", "exim4", "exim"]);
}

function configuration(plain: number, atConnect: number, noChunking: number): string {
  return `
primary_hostname = mx.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = <, ${plain}, ${atConnect}, ${noChunking}
spool_directory = FOLDER/spool
pid_file_path = FOLDER/exim.pid
log_file_path = FOLDER/spool/%slog
keep_environment =
host_lookup =
queue_only
chunking_advertise_hosts = \${if eq{$received_port}{${noChunking}}{}{*}}
tls_advertise_hosts = *
tls_certificate = FOLDER/cert.pem
tls_privatekey = FOLDER/key.pem
acl_smtp_connect = at_connect
acl_smtp_helo = at_helo
acl_smtp_mail = at_mail
acl_smtp_rcpt = at_rcpt
acl_smtp_predata = at_predata
acl_smtp_data = at_data

begin acl
at_connect:
  deny    condition = \${if eq{$received_port}{${atConnect}}}
          message   = 5.7.1 Service unavailable; client [127.0.0.1] blocked using the test list
  accept
at_helo:
  deny    condition = \${if eq{$sender_helo_name}{bad.example}}
          message   = 5.7.1 HELO names a host that is not welcome
  accept
at_mail:
  deny    senders   = bad@sender.example
          message   = 5.7.1 this sender is not welcome
  accept
at_rcpt:
  deny    recipients = blocked@mx.example
          message    = 5.7.1 Service unavailable; client [127.0.0.1] blocked using the test list
  defer   recipients = later@mx.example
          message    = 4.2.0 greylisted, come back in five minutes
  accept  domains    = mx.example
  deny    message    = 5.7.1 relaying denied
at_predata:
  deny    condition = \${if match{$recipients}{no-data@mx.example}}
          message    = 5.7.1 no data for this mailbox
  accept
at_data:
  deny    condition = \${if match{$recipients}{no-message@mx.example}}
          message    = 5.7.1 the message looks like spam
  accept
`;
}
