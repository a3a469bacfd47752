import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";
import { skipUnlessHeld, skipUnlessLocal } from "./real.ts";

const CHILD = fileURLToPath(
  new URL("../fixtures/address_permissions_child.ts", import.meta.url),
);
const skip = runtime !== "deno" ? "needs Deno" : await skipUnlessHeld() || await skipUnlessLocal();

test(
  "AddressTable in Deno needs --allow-net and no more, and asks for nothing at the terminal",
  { skip },
  () => {
    // A terminal of its own, at which a question would wait for an answer for ever (script(1)).
    const command = [process.execPath, "run", "--no-check", "--quiet", "--allow-net", CHILD];
    const withTerminal = spawnSync("script", ["--version"]).status === 0;
    const { stdout, stderr, status } = withTerminal
      ? spawnSync("script", ["-qec", command.join(" "), "/dev/null"], {
        encoding: "utf8",
        timeout: 20_000,
      })
      : spawnSync(command[0]!, command.slice(1), { encoding: "utf8", timeout: 20_000 });
    assertEquals(status, 0, stdout + stderr);
    const { near, far, ...rest } = JSON.parse(stdout);
    // Which two of the block they are is open, for another process may have one.
    assertMatch(near, /^127\.0\.7\.[1-6]$/);
    assertMatch(far, /^127\.0\.7\.[1-6]$/);
    assertNotEquals(near, far);
    assertEquals(rest, {
      ports: "default",
      refused: { code: "PERMISSION_DENIED", permission: "--allow-sys=networkInterfaces" },
    });
  },
);
