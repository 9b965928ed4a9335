// A Postfix of our own on loopback: its configuration, its queue and its access rules, apart from any that is installed.
// It needs root, for the master process changes to other users. Deliveries are discarded.
import { chownSync } from "node:fs";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { findProgram, freePorts, startServer, type MailServer } from "./mail-server.ts";

export interface Postfix extends MailServer {
  readonly ports: {
    /** Accepts and refuses by address. */
    readonly plain: number;
    /** Refuses every client, and says so as soon as one connects. */
    readonly atConnect: number;
    /** Refuses every client, and says so when a recipient is named: Postfix's default. */
    readonly delayed: number;
    /** Refuses every DATA; has no CHUNKING. */
    readonly atData: number;
    /** Refuses every message at its end. */
    readonly atEnd: number;
    /** As `plain`, without CHUNKING. */
    readonly noChunking: number;
  };
}

/** Why Postfix cannot be started here; false when it can, as `skip` wants it. */
export function postfixMissing(): string | false {
  if (findProgram(["postfix"]) === null) return "Postfix is not installed";
  return process.getuid?.() === 0 ? false : "Postfix starts only as root";
}

export async function startPostfix(): Promise<Postfix> {
  const program = findProgram(["postfix"]) ?? "postfix";
  const [plain = 0, atConnect = 0, delayed = 0, atData = 0, atEnd = 0, noChunking = 0] = await freePorts(6);
  const server = await startServer(
    {
      folders: ["etc", "queue", "data"],
      files: {
        "etc/main.cf": mainCf(),
        "etc/master.cf": masterCf({
          [plain]: {},
          [atConnect]: { smtpd_client_restrictions: "reject" },
          [delayed]: { smtpd_client_restrictions: "reject", smtpd_delay_reject: "yes" },
          [atData]: { smtpd_data_restrictions: "reject", smtpd_discard_ehlo_keywords: "chunking" },
          [atEnd]: { smtpd_end_of_data_restrictions: "reject" },
          [noChunking]: { smtpd_discard_ehlo_keywords: "chunking" },
        }),
      },
      prepare: (folder) => {
        const { stdout } = spawnSync("id", ["-u", "postfix"], { encoding: "utf8" });
        chownSync(path.join(folder, "data"), Number(stdout), -1);
      },
      command: (folder) => [program, "-c", `${folder}/etc`, "start-fg"],
      // The master process is no child of the command, which waits for it.
      end: (folder) => spawnSync(program, ["-c", `${folder}/etc`, "abort"]),
      log: "log",
    },
    [plain, atConnect, delayed, atData, atEnd, noChunking],
  );
  return { ...server, ports: { plain, atConnect, delayed, atData, atEnd, noChunking } };
}

function mainCf(): string {
  const listed = "554 5.7.1 Service unavailable; client [127.0.0.1] blocked using the test list";
  return `
compatibility_level = 3.6
queue_directory = FOLDER/queue
data_directory = FOLDER/data
maillog_file = FOLDER/log
maillog_file_prefixes = FOLDER
myhostname = mx.example
mydestination = mx.example
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
local_transport = discard
smtpd_peername_lookup = no
smtpd_delay_reject = no
smtpd_sender_restrictions = check_sender_access inline:{ { bad@sender.example = 550 5.7.1 this sender is not welcome } }
smtpd_recipient_restrictions = check_recipient_access inline:{
  { blocked@mx.example = ${listed} }
  { later@mx.example = 450 4.2.0 greylisted, come back in five minutes } }
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = FOLDER/cert.pem
smtpd_tls_key_file = FOLDER/key.pem
`;
}

function masterCf(smtpd: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const rows = Object.entries(smtpd).map(([port, options]) => {
    const set = Object.entries(options).map(([name, value]) => ` -o { ${name} = ${value} }`);
    return `127.0.0.1:${port} inet n - n - - smtpd${set.join("")}`;
  });
  return `${rows.join("\n")}
cleanup   unix   n - n -     0 cleanup
qmgr      unix   n - n 300   1 qmgr
rewrite   unix   - - n -     - trivial-rewrite
bounce    unix   - - n -     0 bounce
defer     unix   - - n -     0 bounce
discard   unix   - - n -     - discard
error     unix   - - n -     - error
proxymap  unix   - - n -     - proxymap
anvil     unix   - - n -     1 anvil
scache    unix   - - n -     1 scache
tlsmgr    unix   - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
`;
}
