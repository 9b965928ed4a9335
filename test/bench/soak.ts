// `npm run soak`: counts the replies that get lost, cell by cell, ours beside nodemailer's in the same run.
// Exits non-zero when one of ours was lost.
import { parseArgs } from "node:util";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";
import { startProxyThread } from "../support/proxy-thread.ts";
import { cells, soak } from "./cells.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "100" },
    peer: { type: "string", default: "20" },
    only: { type: "string", default: "" },
  },
});
const nameWidth = Math.max(...cells.map(({ name }) => name.length)) + 1;
const sessions = Number(values.sessions);
const peerSessions = Number(values.peer);

process.stdout.write(
  `lost/sessions on Node ${process.version}\n${"".padEnd(nameWidth)}${"ours".padStart(9)}${"nodemailer".padStart(12)}\n`,
);
const hosts = new MailHosts();
const proxies = await startProxyThread();
let lostAtAll = 0;
for (const cell of cells.filter(({ name }) => name.includes(values.only))) {
  const lost = await soak({ hosts, proxies }, cell, sessions, "ours");
  lostAtAll += lost;
  const isOurs = cell.way !== null || cell.shape === "our time-out" || cell.shape === "our abort";
  const peer =
    isOurs || peerSessions === 0
      ? ""
      : `${await soak({ hosts, proxies }, cell, peerSessions, "nodemailer")}/${peerSessions}`;
  process.stdout.write(`${cell.name.padEnd(nameWidth)}${`${lost}/${sessions}`.padStart(9)}${peer.padStart(12)}\n`);
}
await hosts.close();
await proxies[Symbol.asyncDispose]();
process.stdout.write(`lost: ${lostAtAll}\n`);
process.exitCode = lostAtAll === 0 ? 0 : 1;
