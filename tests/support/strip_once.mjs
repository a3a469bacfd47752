// Has Node strip the types of each file once for all processes of a test run: it keeps no stripped
// file itself, and to strip the package anew is most of what a child process costs. run.ts preloads
// this in every process, and names the folder that is kept while the tests run.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

const OWN = new URL("../../", import.meta.url).href;
const folder = process.env.JACKFIELD_STRIPPED;
const { registerHooks, stripTypeScriptTypes } = nodeModule;

/** The text as Node itself would run it: what is stripped becomes blanks, so that lines stay. */
function stripped(url) {
  const text = readFileSync(fileURLToPath(url), "utf8");
  const kept = `${folder}/${createHash("sha256").update(text).digest("hex")}`;
  try {
    return readFileSync(kept, "utf8");
  } catch {
    const source = stripTypeScriptTypes(text);
    const whole = `${kept}.${process.pid}.${performance.now()}`; // others may write at the same time
    writeFileSync(whole, source);
    renameSync(whole, kept);
    return source;
  }
}

// An older Node, which some test may start, has no hooks, and a run by hand has no folder.
if (folder !== undefined && registerHooks !== undefined) {
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(OWN) || !url.endsWith(".ts") || url.includes("/node_modules/")) {
        return nextLoad(url, context);
      }
      return { format: "module", source: stripped(url), shortCircuit: true };
    },
  });
}
