// The functions as Lambda runs them: bundled with all that they import, the configuration beside them. A function
// reads its entry at the start, its handler with the first call, and the rest when it is wanted. It knows neither what a
// function does nor how it is deployed.
import { build, type Metafile } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../../functions/config/config.ts";
import type { FunctionName } from "./function-shapes.ts";

/** In octets, minified, without source maps. */
export interface BundleSize {
  /** What is read and run before any call. */
  readonly entry: number;
  /** What any call wants besides, of ours. */
  readonly handler: number;
  /** What is read when it is wanted: the clients of AWS, what asks hosts, and what few calls come to. */
  readonly lazy: number;
}

export interface Bundled {
  readonly sizes: Readonly<Record<FunctionName, BundleSize>>;
  /** The files that the first call imports. */
  readonly handlers: Readonly<Record<FunctionName, string>>;
  /** What is imported and not bundled: only what Node itself has may stand here. */
  readonly externals: readonly string[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const names: readonly FunctionName[] = ["schedule", "probe", "send", "page"];

/**
 * Writes `schedule.mjs`, `probe.mjs` and the others, each with a `handler`, what they share, and `config.json`. The same
 * sources give the same files, wherever they lie and are written: a deployment of nothing new changes nothing.
 */
export async function bundleFunctions(outdir: string, config: Config): Promise<Bundled> {
  const entries = names.map((name) => [name, entryOf(name)] as const);
  const bundle = await bundleEntries(outdir, Object.fromEntries(entries));
  await writeFile(join(outdir, "config.json"), JSON.stringify(config));
  const sizes = names.map((name) => [name, sizeOf(name, bundle)] as const);
  return {
    sizes: Object.fromEntries(sizes) as Bundled["sizes"],
    handlers: Object.fromEntries(
      names.map((name) => [name, basename(fileOf(handlerOf(name), bundle))]),
    ) as Bundled["handlers"],
    externals: externalsOf(bundle),
  };
}

/**
 * @param entries what each file is called, without its ending, and its source, from the root of the project
 * @returns what esbuild says of it
 */
export async function bundleEntries(outdir: string, entries: Readonly<Record<string, string>>): Promise<Metafile> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    bundle: true,
    splitting: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    // In one folder with the entries: the configuration lies beside whoever reads it.
    chunkNames: "[name]-[hash]",
    // The SDK's modules for Node are larger by half, as nothing can be left out of them.
    mainFields: ["module", "main"],
    conditions: ["module"],
    // What is CommonJS asks for Node's own modules by it.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
    legalComments: "none",
    sourcemap: "linked",
    sourcesContent: false,
    metafile: true,
    // Source maps and names of files tell where the sources lie as seen from here, which is the same on every machine.
    outdir: "dist/functions",
    write: false,
    logLevel: "warning",
  });
  await mkdir(outdir, { recursive: true });
  await Promise.all(outputFiles.map(({ path, contents }) => writeFile(join(outdir, basename(path)), contents)));
  return metafile;
}

function entryOf(name: FunctionName): string {
  return `functions/lambda/${name}.ts`;
}

function handlerOf(name: FunctionName): string {
  return `functions/${name}.ts`;
}

/** Where esbuild put a source that is imported by its own name. */
function fileOf(source: string, { outputs }: Metafile): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source);
  if (found === undefined) throw new Error(`the bundle has no file for ${source}`);
  return found[0];
}

function sizeOf(name: FunctionName, bundle: Metafile): BundleSize {
  const [start, first] = [fileOf(entryOf(name), bundle), fileOf(handlerOf(name), bundle)];
  const octetsOf = (starts: readonly string[], kinds: readonly string[]): number =>
    [...reached(starts, kinds, bundle)].reduce((sum, file) => sum + (bundle.outputs[file]?.bytes ?? 0), 0);
  const entry = octetsOf([start], ["import-statement"]);
  const both = octetsOf([start, first], ["import-statement"]);
  const all = octetsOf([start], ["import-statement", "dynamic-import"]);
  return { entry, handler: both - entry, lazy: all - both };
}

function reached(starts: readonly string[], kinds: readonly string[], { outputs }: Metafile): ReadonlySet<string> {
  const files = new Set(starts);
  // It grows while it is walked.
  for (const file of files) {
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (external !== true && kinds.includes(kind)) files.add(path);
    }
  }
  return files;
}

function externalsOf({ outputs }: Metafile): readonly string[] {
  const imports = Object.values(outputs).flatMap((each) => each.imports);
  return [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))].toSorted();
}
