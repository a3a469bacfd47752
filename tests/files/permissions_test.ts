import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";
import { Folder } from "./tools.ts";

const CHILD = fileURLToPath(new URL("permissions_child.ts", import.meta.url));
const skip = runtime !== "deno"
  ? "needs Deno"
  : spawnSync("script", ["--version"]).status !== 0 && "needs script(1)";

/** Run the child in a terminal of its own, at which a question would wait for an answer for ever. */
function ask(flags: readonly string[], root: string): Record<string, unknown> {
  const command = [process.execPath, "run", "--no-check", "--quiet", ...flags, CHILD, root];
  const { stdout, stderr, status } = spawnSync("script", ["-qec", command.join(" "), "/dev/null"], {
    encoding: "utf8",
    timeout: 20_000,
  });
  assertEquals(status, 0, stdout + stderr);
  return JSON.parse(stdout);
}

test("FileRoot in Deno needs --allow-read of its root and no more, and asks for nothing", {
  skip,
}, () => {
  const folder = new Folder();
  try {
    const big = new Uint8Array(3_000_000).fill(65);
    folder.write("root/a", "inside");
    folder.write("root/a.gz", "packed");
    folder.write("root/big", big);
    folder.write("root/folder/b", "inside");
    folder.write("root/deep/er/a", "inside");
    folder.write("outside/secret", "secret");
    folder.link("a", "root/in");
    folder.link("../outside/secret", "root/out");
    folder.link("../outside", "root/outfolder");
    const first = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest()[0];
    const expected = {
      "/a": ["inside", first("inside"), 1, true],
      "/in": ["inside", first("inside"), 0, true],
      "/out": "missing",
      "/outfolder/secret": "missing",
      "/folder/": ["b"],
      "/": ["deep", "folder", "a", "a.gz", "big", "in"],
      "/deep/er/a": ["inside", first("inside"), 0, true],
      "/big": ["AAAAAA", first(big), 0, true],
      shared: 1,
      open: 0,
    };
    for (
      const flags of [[`--allow-read=${folder.at("root")}`], ["--allow-read"], ["--allow-all"]]
    ) {
      assertEquals(ask(flags, folder.at("root")), expected, flags.join());
    }
    // A root that is a link: what it leads to may not be named.
    folder.link("root", "root-link");
    const linked = [`--allow-read=${folder.at("root-link")}`];
    assertEquals(ask(linked, folder.at("root-link")), expected);
    const { error } = ask(["--no-prompt"], folder.at("root"));
    assertStringIncludes(String(error), "FILE_FAILED");
    assertStringIncludes(String(error), "permission is missing, run with --allow-read");
  } finally {
    folder.remove();
  }
});
