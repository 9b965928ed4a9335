// The wire on real sockets: a reply followed by a reset while the event loop is busy, in the clear and under TLS; what
// counts as sent; what the peer says where its TLS should be. The hosts run in a thread that goes on meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as tlsServer } from "node:tls";
import type { TlsFacts } from "../../functions/smtp/transcript.ts";
import { Wire, type HandshakeFault, type WireEnd } from "../../functions/smtp/wire.ts";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { block } from "../support/busy.ts";

const sessions = 20;
const hosts = new MailHosts();
after(() => hosts.close());

function start(script: string, repeat = false): Promise<MailHost> {
  return hosts.start(parseDialog(`# for the wire\n${script}`, "wire"), { repeat });
}

const blocked = "S! wait 30ms\nS: 554 5.7.1 blocked\nS! rst";
const tls = "S: 220 mx\nC: STARTTLS\nS: 220 go\nS! tls";

/** A wire, all that it told, and what to do with each piece. */
class Client {
  readonly wire: Wire;
  readonly ended: Promise<WireEnd>;
  text = "";
  faults = 0;
  connects = 0;
  ends = 0;
  onData: (text: string) => void = () => {};

  constructor({ port, address }: Pick<MailHost, "port" | "address">) {
    const end = Promise.withResolvers<WireEnd>();
    this.ended = end.promise;
    this.wire = new Wire(net.connect(port, address), {
      connect: () => (this.connects += 1),
      data: (octets) => {
        this.text += Buffer.from(octets).toString("latin1");
        this.onData(this.text);
      },
      fault: () => (this.faults += 1),
      end: (it) => {
        this.ends += 1;
        end.resolve(it);
      },
    });
  }

  async heard(text: string): Promise<void> {
    if (this.text.includes(text)) return;
    await new Promise<void>((resolve) => {
      this.onData = (all) => {
        if (all.includes(text)) resolve();
      };
    });
    this.onData = () => {};
  }

  async startTls(name = "mx.example"): Promise<TlsFacts | HandshakeFault> {
    await this.heard("220 mx\r\n");
    this.wire.write(Buffer.from("STARTTLS\r\n"));
    await this.heard("220 go\r\n");
    const shown = await this.wire.startTls(name, false);
    return "facts" in shown ? shown.facts : shown;
  }
}

/** Busy until the reply and the reset are in the kernel; then a write, which fails. */
function writeWhileBusy(write: (octets: Buffer) => void): void {
  block(80);
  write(Buffer.from("EHLO probe.example\r\n"));
  block(10);
}

describe("a reply and a reset, the loop busy around a write", () => {
  it("in the clear nothing is lost", async () => {
    await using host = await start(`S: 220 mx\n${blocked}`, true);
    for (let count = 0; count < sessions; count += 1) {
      const client = new Client(host);
      await client.heard("220 mx\r\n");
      writeWhileBusy((octets) => client.wire.write(octets));
      await client.ended;
      assert.equal(client.text, "220 mx\r\n554 5.7.1 blocked\r\n", `session ${count}`);
      assert.deepEqual([client.connects, client.ends, client.faults], [1, 1, 1]);
      assert.notEqual(client.wire.writeFault, null);
      client.wire.destroy();
    }
  });

  it("under TLS nothing is lost", async () => {
    await using host = await start(`${tls}\n${blocked}`, true);
    for (let count = 0; count < sessions; count += 1) {
      const client = new Client(host);
      assert.ok("version" in (await client.startTls()));
      writeWhileBusy((octets) => client.wire.write(octets));
      await client.ended;
      assert.match(client.text, /554 5\.7\.1 blocked\r\n$/, `session ${count}`);
      assert.equal(client.ends, 1);
      client.wire.destroy();
    }
  });

  it("a plain socket loses it: the day it does not, Node has changed, and the wire can be simpler", async () => {
    await using host = await start(`S: 220 mx\n${blocked}`, true);
    let lost = 0;
    for (let count = 0; count < sessions; count += 1) {
      const socket = net.connect(host.port, host.address);
      let text = "";
      socket.on("error", () => {});
      socket.on("data", (octets) => {
        if (text === "") writeWhileBusy((line) => socket.write(line));
        text += octets.toString("latin1");
      });
      await new Promise((resolve) => socket.once("close", resolve));
      if (!text.includes("554")) lost += 1;
    }
    assert.ok(lost >= 1, `lost ${lost} of ${sessions}`);
  });
});

describe("what counts as taken", () => {
  it("all that was written, in the clear", async () => {
    await using host = await start("S: 220 mx\nC: NOOP\nS: 250 ok\nS! fin");
    const client = new Client(host);
    await client.heard("220");
    client.wire.write(Buffer.from("NOOP\r\n"));
    await client.heard("250");
    assert.deepEqual([client.wire.submitted, client.wire.taken, client.wire.writeFault], [6, 6, null]);
    client.wire.destroy();
  });

  it("all that was written, under TLS, in octets of ours", async () => {
    await using host = await start(`${tls}\nC: NOOP\nS: 250 ok\nS! fin`);
    const client = new Client(host);
    await client.startTls();
    const before = client.wire.taken;
    client.wire.write(Buffer.from("NOOP\r\n"));
    await client.heard("250 ok");
    assert.equal(client.wire.taken - before, 6);
    assert.equal(client.wire.taken, client.wire.submitted);
    client.wire.destroy();
  });

  for (const [name, script, secure] of [
    ["in the clear", "S: 220 mx\nC: NOOP\nS: 250 ok\nS! rst", false],
    ["under TLS", `${tls}\nC: NOOP\nS: 250 ok\nS! rst`, true],
  ] as const) {
    it(`nothing from a failed write on, ${name}`, async () => {
      await using host = await start(script);
      const client = new Client(host);
      if (secure) await client.startTls();
      else await client.heard("220");
      // The handshake's last flight has left: what is written next leaves at once.
      await delay(20);
      client.wire.write(Buffer.from("NOOP\r\n"));
      const sent = client.wire.submitted;
      // The answer and the reset come while we are busy; the first write after them fails, and so do all others.
      block(80);
      for (const octets of ["MAIL\r\n", "RCPT\r\n", "DATA\r\n"]) client.wire.write(Buffer.from(octets));
      await client.ended;
      client.wire.write(Buffer.from("QUIT\r\n"));
      assert.match(client.text, /250 ok\r\n$/);
      assert.notEqual(client.wire.writeFault, null);
      assert.equal(client.faults, 1);
      assert.equal(client.wire.submitted, sent + 24);
      assert.ok(client.wire.taken <= sent, `${client.wire.taken} of ${sent}`);
      client.wire.destroy();
    });

    it(`not what waits in our own buffers, ${name}`, async () => {
      await using host = await start(script.replace(/C: NOOP.*/s, "S! wait 20s\nS! rst"));
      const client = new Client(host);
      if (secure) await client.startTls();
      else await client.heard("220");
      const octets = Buffer.alloc(64 * 1024, "x\r\n");
      let room: Promise<void> | null = null;
      // The host does not read: at some point the kernel has enough.
      for (let count = 0; count < 1_000; count += 1) {
        client.wire.write(octets);
        room = client.wire.room();
        if ((await Promise.race([room.then(() => "room"), delay(200, "full")])) === "full") break;
      }
      assert.ok(client.wire.taken < client.wire.submitted, `${client.wire.taken} of ${client.wire.submitted}`);
      assert.ok(client.wire.submitted - client.wire.taken <= 4 * octets.length);
      client.wire.destroy();
      await room;
      await client.ended;
    });
  }
});

describe("how it ends", () => {
  it("no connection", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, "close");
    const client = new Client({ port, address: "127.0.0.1" });
    assert.deepEqual(await client.ended, { by: "failed", text: "ECONNREFUSED" });
    assert.deepEqual([client.connects, client.ends, client.text], [0, 1, ""]);
  });

  for (const [act, by] of [
    ["fin", "fin"],
    ["rst", "reset"],
  ] as const) {
    it(`${act} behind much that was said: all of it is there first`, async () => {
      await using host = await start(`S: 220 mx\nS! junk 3000000\nS! wait 200ms\nS! ${act}`);
      const client = new Client(host);
      assert.equal((await client.ended).by, by);
      assert.equal(client.text.length, 3_000_008);
      assert.equal(client.wire.received, 3_000_008);
      assert.equal(client.ends, 1);
      client.wire.destroy();
    });
  }

  it("our own end is heard by the peer, and its last words by us", async () => {
    await using host = await start("S: 220 mx\nC: QUIT\nS! wait 50ms\nS: 221 bye\nS! fin");
    const client = new Client(host);
    await client.heard("220");
    client.wire.write(Buffer.from("QUIT\r\n"));
    client.wire.finish();
    assert.deepEqual(await client.ended, { by: "fin", text: "" });
    assert.equal(client.text, "220 mx\r\n221 bye\r\n");
    assert.deepEqual(await host.result(), []);
  });

  it("whatever is asked of it afterwards does no harm", async () => {
    await using host = await start("S: 220 mx\nS! fin");
    const client = new Client(host);
    await client.ended;
    client.wire.write(Buffer.from("EHLO\r\n"));
    await client.wire.room();
    client.wire.finish();
    client.wire.destroy();
    client.wire.destroy();
    assert.equal(client.ends, 1);
    assert.equal(client.wire.taken, 0);
  });
});

describe("TLS", () => {
  it("a certificate whose dates are none is no fault of ours", async () => {
    // Our own one, its date replaced: the peer's certificate is hostile input, and its signature was never promised.
    const der = Buffer.from(certificate.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64");
    const at = der.indexOf("200101000000Z");
    assert.notEqual(at, -1);
    der.write("999999999999Z", at, "latin1");
    const pem = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
    const server = tlsServer({ key, cert: pem }, (socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const socket = net.connect({ host: "127.0.0.1", port: (server.address() as net.AddressInfo).port });
    const wire = new Wire(socket, { connect() {}, data() {}, fault() {}, end() {} });
    const shown = await wire.startTls("mx.example", false);
    wire.destroy();
    server.close();
    assert.ok("facts" in shown);
    assert.equal(shown.facts.certificate?.validFrom, null);
    assert.match(shown.facts.certificate.validTo ?? "", /^2120/);
  });

  it("facts of the certificate", async () => {
    await using host = await start(`${tls}\nS! hang`);
    const client = new Client(host);
    const facts = await client.startTls();
    assert.ok("version" in facts);
    assert.equal(facts.version, "TLSv1.3");
    assert.match(facts.cipher, /^TLS_[A-Z\d_]+$/);
    const shown = facts.certificate;
    assert.deepEqual(shown?.names, ["mx.example", "localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"]);
    assert.equal(shown.issuer, "mx.example");
    assert.match(shown.validFrom ?? "", /^2020-01-01T00:00:00/);
    assert.match(shown.validTo ?? "", /^2120-01-01T/);
    assert.equal(shown.verified, false);
    assert.equal(shown.fault, "DEPTH_ZERO_SELF_SIGNED_CERT");
    client.wire.destroy();
  });

  for (const [version, reported] of [
    ["1.0", "TLSv1"],
    ["1.1", "TLSv1.1"],
    ["1.2", "TLSv1.2"],
  ] as const) {
    it(`${version} is taken, and reported`, async () => {
      await using host = await start(`${tls} ${version}\nC: NOOP\nS: 250 ok\nS! fin`);
      const client = new Client(host);
      const facts = await client.startTls();
      assert.ok("version" in facts, JSON.stringify(facts));
      assert.equal(facts.version, reported);
      assert.notEqual(facts.certificate, null);
      client.wire.write(Buffer.from("NOOP\r\n"));
      await client.heard("250 ok");
      await client.ended;
    });
  }

  const clear = "S: 220 mx\nC: STARTTLS\nS: 220 go\nS! wait 50ms\n";
  for (const [name, answer, inClear] of [
    ["a refusal, and closed", "S: 554 5.7.1 no TLS for you\nS! fin", "554 5.7.1 no TLS for you\r\n"],
    ["a refusal, and reset", "S: 554 5.7.1 no TLS for you\nS! rst", "554 5.7.1 no TLS for you\r\n"],
    ["a refusal, and silence", "S: 554 5.7.1 no TLS for you\nS! hang", "554 5.7.1 no TLS for you\r\n"],
    [
      "a refusal of several lines, in pieces",
      "S| 554-5.7.1 no\nS! wait 60ms\nS| \\r\\n554 5.7.1 TLS\\r\\n\nS! hang",
      "554-5.7.1 no\r\n554 5.7.1 TLS\r\n",
    ],
    ["a web page", "S| <html>\\r\\n\nS! fin", "<html>\r\n"],
  ] as const) {
    it(`in the clear where TLS should be: ${name}`, async () => {
      await using host = await start(clear + answer);
      const client = new Client(host);
      const started = performance.now();
      const fault = await client.startTls();
      // What is whole is not waited for: its patience of a second is for a reply that has only begun.
      assert.ok(performance.now() - started < 800, `${performance.now() - started} ms`);
      assert.ok("inClear" in fault, JSON.stringify(fault));
      assert.equal(fault.inClear, inClear);
      assert.notEqual(fault.text, "");
      // What is no TLS is evidence, and never data.
      assert.equal(client.text, "220 mx\r\n220 go\r\n");
      client.wire.destroy();
    });
  }

  it("a peer that closes instead", async () => {
    await using host = await start("S: 220 mx\nC: STARTTLS\nS: 220 go\nS! wait 50ms\nS! fin");
    const client = new Client(host);
    const fault = await client.startTls();
    assert.ok("inClear" in fault);
    assert.equal(fault.inClear, "");
    await client.ended;
    assert.equal(client.ends, 1);
  });

  it("an endless clear text where TLS should be is kept in part", async () => {
    await using host = await start("S: 220 mx\nC: STARTTLS\nS: 220 go\nS! wait 50ms\nS! junk 3000000\nS! hang");
    const client = new Client(host);
    const fault = await client.startTls();
    assert.ok("inClear" in fault);
    assert.ok(fault.inClear.length > 0 && fault.inClear.length <= 4_096, `${fault.inClear.length}`);
    client.wire.destroy();
  });
});
