// Makes a component: node build.mjs SOURCE WORLD OUTPUT [FOLDER WITH THE WIT]

import { componentize } from "@bytecodealliance/componentize-js";
import { resolve } from "node:path";
import { rename, writeFile } from "node:fs/promises";

const [source, world, output, wit = "wit"] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: resolve(source),
  witPath: resolve(wit),
  worldName: world,
  // What it needs comes from the contract; the engine's own ways to the same
  // things would only be more to approve.
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(`${output}.part`, component);
await rename(`${output}.part`, output);
