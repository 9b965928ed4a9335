// The soak in small: the cells in which Node loses replies most, a few sessions each. It fails when the wire lets a
// write error through, or a timer judges before a second look. `npm run soak` has all cells, and more sessions.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { MailHosts } from "../infra/local/mail/mail-host.ts";
import { cells, soak } from "./bench/cells.ts";
import { startProxyThread } from "./support/proxy-thread.ts";

const hosts = new MailHosts();
const proxies = await startProxyThread();
after(async () => {
  await hosts.close();
  await proxies[Symbol.asyncDispose]();
});

describe("no reply is lost", () => {
  for (const cell of cells.filter(({ busy, leaves }) => busy && leaves !== "fin")) {
    it(cell.name, async () => assert.equal(await soak({ hosts, proxies }, cell, 5, "ours"), 0));
  }
});

describe("no reply is lost within TLS to a proxy", () => {
  for (const cell of cells.filter(({ way, leaves }) => way === "http-connect over TLS" && leaves === "rst")) {
    it(cell.name, async () => assert.equal(await soak({ hosts, proxies }, cell, 5, "ours"), 0));
  }
});
