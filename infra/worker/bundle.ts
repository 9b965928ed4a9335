// Makes the one file that runs on a mail host with nothing beside it but Node: the whole command line, with AWS's clients
// and what a self-check needs. It knows what goes in, and not what the commands do.
//
//   npm run bundle:worker
import { builtinModules } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";

export const workerFile = "delivery-probe-worker.mjs";

/**
 * Writes the file into a folder.
 * @returns its path
 * @throws Error where the file would need a package that a mail host does not have
 */
export async function bundleWorker(folder: string): Promise<string> {
  const outfile = path.join(folder, workerFile);
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("start.js", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    // Not names: what a worker logs of a fault of ours is read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    // Older packages ask for Node's own modules by `require`, which a module has to be given.
    banner: { js: 'import{createRequire as requireFrom}from"node:module";const require=requireFrom(import.meta.url);' },
    plugins: [leavesOut(optional)],
    metafile: true,
    logLevel: "error",
  });
  const missing = packagesOf(metafile);
  if (missing.length > 0) throw new Error(`the worker's file would need ${missing.join(", ")} beside it`);
  return outfile;
}

/** What packages look for and can do without: `debug`, for colours. Left as it is, it would be looked for on the host. */
const optional = ["supports-color"] as const;

function leavesOut(names: readonly string[]): Plugin {
  return {
    name: "leaves-out",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(?:${names.join("|")})$`) }, ({ path }) => ({
        path,
        namespace: "nothing",
      }));
      build.onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {};" }));
    },
  };
}

/** What the file imports that Node does not bring. */
function packagesOf({ outputs }: Metafile): readonly string[] {
  const imports = Object.values(outputs).flatMap((each) => each.imports.map((each) => each.path));
  const own = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name);
  return [...new Set(imports)].filter((name) => !own(name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = await bundleWorker(fileURLToPath(new URL("../../dist/", import.meta.url)));
  process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
}
