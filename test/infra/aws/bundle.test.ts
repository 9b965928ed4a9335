// The bundles keep within their budget, hold all that they import, and are the same wherever they are made. How fast they
// are, `npm run imports` measures: a clock has no place in a test.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../../functions/config/load.ts";
import { bundleFunctions, type Bundled } from "../../../infra/aws/bundle.ts";
import budget from "../../../infra/aws/budget.json" with { type: "json" };

const folder = await mkdtemp(join(tmpdir(), "bundle-"));
after(async () => await rm(folder, { recursive: true }));

const config = await loadConfig(fileURLToPath(new URL("../../../infra/config/example.json", import.meta.url)));
const outdir = join(folder, "one");
const { sizes, handlers, externals } = await bundleFunctions(outdir, config);
const names = Object.keys(sizes) as (keyof Bundled["sizes"])[];

suite("the functions' bundles", () => {
  for (const name of names) {
    test(`the ${name}'s is within its budget`, () => {
      const { entryKB, handlerKB, lazyKB } = budget[name];
      const { entry, handler, lazy } = sizes[name];
      const told = `${entry} octets at the start, ${handler} with the first call, ${lazy} when wanted`;
      assert.ok(entry <= entryKB * 1000 && handler <= handlerKB * 1000 && lazy <= lazyKB * 1000, told);
      // That they were measured at all.
      assert.ok(entry > 1000 && handler > 20_000 && lazy > 100_000, told);
    });
  }

  test("what the probe reads before somebody is asked is at most 120 kB, and none of the rules by which replies are judged", async () => {
    assert.ok(budget.probe.entryKB + budget.probe.handlerKB <= 120);
    const sources = await sourcesReached(["probe.mjs", handlers.probe]);
    assert.ok(
      sources.some((each) => each.endsWith("functions/probe/work.ts")),
      "it reads the source maps",
    );
    const judging = /functions\/(?:verdict\/(?:rules|reconcile|providers)|smtp\/session|route\/attempts)|@aws-sdk/;
    assert.deepEqual(sources.filter((each) => judging.test(each)), []); // prettier-ignore
  });

  test("import nothing but what is bundled, and Node's own modules", () => {
    assert.ok(externals.includes("node:net"), "imports were found");
    assert.deepEqual(externals.filter((each) => !isBuiltin(each)), []); // prettier-ignore
  });

  test("are the same files for the same sources, and name no place on this machine", async () => {
    const other = join(folder, "some", "where", "else");
    await bundleFunctions(other, config);
    const files = (await readdir(outdir)).toSorted();
    assert.deepEqual((await readdir(other)).toSorted(), files);
    const root = fileURLToPath(new URL("../../../", import.meta.url));
    for (const file of files) {
      const text = await readFile(join(outdir, file), "utf8");
      assert.ok(text === (await readFile(join(other, file), "utf8")), `${file} is another`);
      assert.ok(!text.includes(root), `${file} names ${root}`);
    }
  });

  test("have the configuration beside them", async () => {
    assert.deepEqual(JSON.parse(await readFile(join(outdir, "config.json"), "utf8")), config);
  });
});

/** The sources of files and of all that they import at once. */
async function sourcesReached(starts: readonly string[]): Promise<readonly string[]> {
  const files = new Set(starts);
  const sources: string[] = [];
  // It grows while it is walked.
  for (const file of files) {
    const text = await readFile(join(outdir, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|\bimport)"\.\/([^"]+)"/g)) files.add(path);
    const map = JSON.parse(await readFile(join(outdir, `${file}.map`), "utf8")) as { readonly sources: string[] };
    sources.push(...map.sources);
  }
  return sources;
}
