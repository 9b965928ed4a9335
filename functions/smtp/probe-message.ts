// Our own message for a probe of depth `message`: small, constant, 7-bit, and plainly a machine's (RFC 3834 §5).
import { randomUUID } from "node:crypto";
import { normalise } from "./message.ts";

/** `from` is the mailbox that it names, `domain` where its Message-ID is made. One each of the fields RFC 5322 §3.6 asks for. */
export function probeMessage(from: string, to: readonly string[], domain: string, now: Date): Buffer {
  const fields = [
    `Date: ${now.toUTCString().replace(/GMT$/, "+0000")}`,
    `From: <${from}>`,
    `To: ${to.map((each) => `<${each}>`).join(",\r\n ")}`,
    `Message-ID: <${randomUUID()}@${domain}>`,
    "Subject: Delivery probe",
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=us-ascii",
  ];
  const body = "This message checks that mail from our servers reaches this mailbox. Nobody needs to read it.";
  return normalise(Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body}\r\n`));
}
