// The situations in which Node clients lose a reply, one cell each: what the host says, how it leaves, over what and by
// which way out, and whether our event loop is busy meanwhile. A session is lost when the verdict does not hold the refusal.
import { setTimeout as delay } from "node:timers/promises";
import nodemailer from "nodemailer";
import { probe } from "../../functions/route/attempts.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import type { MailHost, MailHosts } from "../../infra/local/mail/mail-host.ts";
import { direct } from "../../functions/route/egress.ts";
import { block, busyAroundWrites } from "../support/busy.ts";
import { ways, type ProxyThread, type Way } from "../support/proxy-thread.ts";
import { requestTo } from "../support/request.ts";

export interface Cell {
  readonly name: string;
  readonly tls: boolean;
  readonly busy: boolean;
  readonly shape: keyof typeof shapes;
  readonly leaves: "rst" | "fin" | "close" | "hang";
  /** Through a proxy; null: straight out. */
  readonly way: Way | null;
}

/** What the host says after EHLO, in the notation of test/dialogs. Every one refuses with 421, 550 or 554. */
const shapes = {
  // The founding case: RCPT refused in a group, and gone.
  group: ["C~ ^MAIL", "C~ ^RCPT", "S: 250 2.1.0 ok", "S: 554 5.7.1 blocked using the list"],
  // Said while we are about to write: our write then meets the reset.
  unprompted: ["S! wait 5ms", "S: 550 5.7.1 blocked using the list"],
  // Instead of the greeting: behind a proxy it may share a segment with the proxy's own answer.
  greeting: ["S: 554 5.7.1 blocked using the list"],
  "unprompted 421": ["S! wait 5ms", "S: 421 4.7.1 blocked using the list"],
  "20 recipients": [
    "C~ ^MAIL",
    "C~ ^RCPT",
    "S: 250 2.1.0 ok",
    ...Array<string>(20).fill("S: 550 5.7.1 blocked using the list"),
  ],
  "20 MB message": [
    "C~ ^MAIL",
    "C~ ^RCPT",
    "C: DATA",
    "S: 250 ok",
    "S: 250 ok",
    "S: 354 go on",
    "S! wait 3ms",
    "S: 550 5.7.1 blocked using the list",
  ],
  // Our own clock runs out while we are busy, and the reply is there.
  "our time-out": ["C~ ^MAIL", "C~ ^RCPT", "S: 250 2.1.0 ok", "S: 554 5.7.1 blocked using the list"],
  "our abort": ["C~ ^MAIL", "C~ ^RCPT", "S: 250 2.1.0 ok", "S: 554 5.7.1 blocked using the list"],
} as const;

const limits = ["our time-out", "our abort"] as const;

/** What only a proxy's answer in front of it makes another situation. */
const tunnelled = ["group", "greeting", "unprompted 421"] as const;

const straight: readonly Cell[] = Object.keys(shapes).flatMap((name) => {
  const shape = name as Cell["shape"];
  if (shape === "greeting" || shape === "unprompted 421") return [];
  const isLimit = limits.some((each) => each === shape);
  return (isLimit ? (["hang"] as const) : (["rst", "fin", "close"] as const)).flatMap((leaves) =>
    [false, true].flatMap((tls) =>
      (isLimit ? [true] : [false, true]).map((busy) => ({
        name: `${shape}, ${leaves}, ${tls ? "STARTTLS" : "TCP"}, ${busy ? "busy 50 ms" : "idle"}`,
        tls,
        busy,
        shape,
        leaves,
        way: null,
      })),
    ),
  );
});

/** A TLS socket's writes cannot be told from outside, so that nobody is busy around them. */
const throughProxies: readonly Cell[] = ways.flatMap((way) =>
  tunnelled.flatMap((shape) =>
    (["rst", "fin"] as const).flatMap((leaves) =>
      (shape === "greeting" ? [false] : [false, true]).flatMap((tls) =>
        (way === "http-connect over TLS" ? [false] : [false, true]).map((busy) => ({
          name: `${way}: ${shape}, ${leaves}, ${tls ? "STARTTLS" : "TCP"}, ${busy ? "busy 50 ms" : "idle"}`,
          tls,
          busy,
          shape,
          leaves,
          way,
        })),
      ),
    ),
  ),
);

export const cells: readonly Cell[] = [...straight, ...throughProxies];

const message = Buffer.concat([Buffer.from("Subject: soak\r\n\r\n"), Buffer.alloc(20_000_000, "0123456789abcdef\r\n")]);

/** The mail hosts and the proxies, in threads of their own. */
export interface Places {
  readonly hosts: MailHosts;
  readonly proxies: ProxyThread;
}

/** How many of `sessions` lost the refusal: ours, or nodemailer's. */
export async function soak(
  { hosts, proxies }: Places,
  cell: Cell,
  sessions: number,
  client: "ours" | "nodemailer",
): Promise<number> {
  const script = [
    "# A cell of the soak.",
    "S: 220 mx.example ESMTP",
    "C~ ^EHLO",
    "S: 250-mx.example",
    "S: 250 PIPELINING",
  ];
  const act = `S! ${cell.leaves}`;
  const beginning = cell.shape === "greeting" ? script.slice(0, 1) : script;
  const dialog = parseDialog([...beginning, ...shapes[cell.shape], act].join("\n"), cell.name);
  const host = await hosts.start(dialog, { tls: cell.tls, repeat: true });
  const busy = busyDuring(cell);
  let lost = 0;
  for (let session = 0; session < sessions; session += 1) {
    const words = client === "ours" ? await askOurs(cell, host, proxies) : await askNodemailer(cell, host);
    if (!/(?:421 4|55[04] 5)\.7\.1 blocked/.test(words)) lost += 1;
  }
  busy?.[Symbol.dispose]();
  await host.close();
  return lost;
}

/** What a proxy is told before the host is: SOCKS5's two messages, or one head. */
const askingWrites: Readonly<Record<Way, number>> = { socks5: 2, "http-connect": 1, "http-connect over TLS": 1 };

/**
 * The writes during which the peer ends the conversation: the group, behind EHLO, or under TLS behind four more; a
 * greeting arrives while the proxy is asked.
 */
function busyDuring(cell: Cell): Disposable | null {
  const before = cell.way === null ? 0 : askingWrites[cell.way];
  const first = before + (cell.shape === "greeting" ? 0 : cell.tls ? 6 : 2);
  const last = cell.shape === "20 MB message" ? first + 3 : first;
  return cell.busy && !limits.some((each) => each === cell.shape) ? busyAroundWrites(50, first, last) : null;
}

async function askOurs(cell: Cell, host: MailHost, proxies: ProxyThread): Promise<string> {
  const abort = new AbortController();
  const sent = Promise.withResolvers<void>();
  const hosts = [{ name: host.address, port: host.port }];
  const request = requestTo(recipientsOf(cell), hosts, {
    depth: cell.shape === "20 MB message" ? "message" : "rcpt",
    message: cell.shape === "20 MB message" ? message : null,
    tls: cell.tls ? "opportunistic" : "never",
    timeoutMs: cell.shape === "our time-out" ? 200 : 20_000,
    egress: cell.way === null ? direct : { ...direct, name: cell.way, via: proxies.proxy(cell.way) },
    signal: abort.signal,
    // The second reply to EHLO is the one before the group.
    progress: (event) => {
      if (event.kind !== "exchange" || event.exchange.stage !== "ehlo") return;
      if (!cell.tls || event.exchange.group > 2) sent.resolve();
    },
  });
  const verdict = probe(request);
  if (limits.some((each) => each === cell.shape)) {
    await sent.promise;
    // The group leaves in this turn of the loop; then we are busy past the limit, with the refusal in the kernel.
    setImmediate(() => {
      if (cell.shape === "our abort") setTimeout(() => abort.abort(), 1);
      block(cell.shape === "our time-out" ? 250 : 50);
    });
  }
  return (await verdict).primary.text;
}

async function askNodemailer(cell: Cell, host: MailHost): Promise<string> {
  const transport = nodemailer.createTransport({
    host: host.address,
    port: host.port,
    name: "probe.example",
    ignoreTLS: !cell.tls,
    tls: { rejectUnauthorized: false },
    socketTimeout: 5_000,
    connectionTimeout: 5_000,
  });
  const raw = cell.shape === "20 MB message" ? message : Buffer.from("Subject: soak\r\n\r\nsoak\r\n");
  const envelope = { from: "probe@sender.example", to: [...recipientsOf(cell)] };
  try {
    await Promise.race([transport.sendMail({ envelope, raw }), delay(10_000)]);
    return "";
  } catch (error) {
    return error instanceof Error ? `${error.message} ${String((error as { response?: string }).response)}` : "";
  } finally {
    transport.close();
  }
}

function recipientsOf(cell: Cell): readonly string[] {
  return Array.from({ length: cell.shape === "20 recipients" ? 20 : 1 }, (_, index) => `user${index}@mx.example`);
}
