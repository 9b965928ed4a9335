// The lab's DNS server, by Node's own resolver and over TCP.
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { suite, test } from "node:test";
import * as dns from "dns-packet";
import { startNameServer } from "../../infra/local/name-server.ts";

const own = {
  helo: "Probe.example",
  senderDomain: "sender.example",
  addresses: ["192.0.2.25", "2001:db8::a:25", "192.0.2.26"],
};

suite("the lab's name server", () => {
  test("knows the lab's domains, whatever the case, and no others", async () => {
    await using names = await startNameServer(["icloud.example", "gmx.example"], own);
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([names.address]);
    const found = await resolver.resolveMx("iCloud.example");
    assert.deepEqual(
      found.map(({ priority, exchange }) => [priority, exchange]),
      [[10, "mx.icloud.example"]],
    );
    assert.deepEqual(await resolver.resolve4("mx.gmx.example"), ["127.0.0.1"]);
    for (const [type, name, code] of [
      ["AAAA", "mx.gmx.example", "ENODATA"],
      ["A", "gmx.example", "ENODATA"],
      ["MX", "mx.gmx.example", "ENODATA"],
      ["MX", "icloud.com", "ENOTFOUND"],
      ["A", "sqs.us-east-1.amazonaws.com", "ENOTFOUND"],
      ["A", "www.gmx.example", "ENOTFOUND"],
    ] as const) {
      await assert.rejects(resolver.resolve(name, type), { code }, `${type} ${name}`);
    }
  });

  test("knows us as we must be known: names and addresses that lead to each other, a policy, a way for bounces", async () => {
    await using names = await startNameServer(["icloud.example"], own);
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([names.address]);
    assert.deepEqual(await resolver.resolve4("probe.example"), ["192.0.2.25", "192.0.2.26"]);
    assert.deepEqual(await resolver.resolve6("probe.example"), ["2001:db8::a:25"]);
    for (const address of own.addresses) assert.deepEqual(await resolver.reverse(address), ["Probe.example"], address);
    assert.deepEqual((await resolver.resolveMx("sender.example")).map(({ exchange }) => exchange), ["mx.sender.example"]); // prettier-ignore
    for (const name of ["sender.example", "probe.example"]) {
      const policy = ["v=spf1 ip4:192.0.2.25 ip6:2001:db8::a:25 ip4:192.0.2.26 -all"];
      assert.deepEqual(await resolver.resolveTxt(name), [policy]);
    }
    for (const [type, name, code] of [
      ["A", "25.2.0.192.zen.spamhaus.org", "ENOTFOUND"],
      ["PTR", "27.2.0.192.in-addr.arpa", "ENOTFOUND"],
      ["A", "sender.example", "ENODATA"],
    ] as const) {
      await assert.rejects(resolver.resolve(name, type), { code }, `${type} ${name}`);
    }
  });

  test("of a null sender there is no domain, and of egresses without a known address no record", async () => {
    await using names = await startNameServer([], { helo: "probe.example", senderDomain: null, addresses: [] });
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([names.address]);
    assert.deepEqual(await resolver.resolveTxt("probe.example"), [["v=spf1 -all"]]);
    await assert.rejects(resolver.resolve4("probe.example"), { code: "ENODATA" });
    await assert.rejects(resolver.resolveMx("sender.example"), { code: "ENOTFOUND" });
  });

  test("answers questions over TCP, several on a connection and in pieces, and lets go what is none", async () => {
    await using names = await startNameServer(["gmx.example"], own);
    const port = Number(names.address.split(":")[1]);
    const question = (id: number) =>
      dns.streamEncode({ type: "query", id, questions: [{ type: "MX", name: "gmx.example" }] });
    const socket = connect(port, "127.0.0.1");
    const asked = Buffer.concat([question(7), question(8)]);
    socket.write(asked.subarray(0, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.write(asked.subarray(5));
    let read: Buffer = Buffer.alloc(0);
    const ids: (number | undefined)[] = [];
    while (ids.length < 2) {
      const [octets] = (await once(socket, "data")) as [Buffer];
      read = Buffer.concat([read, octets]);
      while (read.length >= 2 && read.length >= 2 + read.readUInt16BE()) {
        ids.push(dns.streamDecode(read)?.id);
        read = read.subarray(2 + read.readUInt16BE());
      }
    }
    assert.deepEqual(ids, [7, 8]);
    socket.write(Buffer.from([0, 3, 1, 2, 3]));
    socket.resume();
    await once(socket, "close");
  });
});
