// Managers whose thread or process dies while it works.
import { spawn, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { type ServeDownloadsOptions, systemTransport } from "../../../mod.ts";
import { runtime, test } from "../../harness.ts";
import { countDescriptors, descriptorsBack, eventually, sleep } from "../../transport/tools.ts";
import { Client, expectStats, Folder, type Served, serving } from "../tools.ts";

// Opened once in a program, and kept.
if (runtime !== "node") await systemTransport().host.descriptors?.();

const BIG = 24 * 2 ** 20;

/** The children of a process that run a desk. */
function desks(parent: number = process.pid): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(parent), "-f", "download_desk"]);
  return String(stdout).split("\n").filter((line) => line !== "").map(Number);
}

const hasPgrep = spawnSync("pgrep", ["-V"]).status === 0;

/** One client is in the middle of a download when the desk dies, and another one is between two. */
async function dieInTheMiddle({ folder, server, errors, connect }: Served, die: () => void) {
  const small = folder.write("small", "a few bytes");
  folder.fill("big", BIG);
  const waiting = await connect();
  assertEquals((await waiting.request("GET /small")).body, small);
  await sleep(50);
  const before = countDescriptors();
  const cut = await connect();
  await cut.send("GET /big");
  await cut.answerHead();
  await expectStats(server, { active: 1 });
  die();
  assert(await cut.countUntilEnd() < BIG, "it was not cut off");
  await expectStats(server, { active: 0, connections: 1 });
  assertEquals(new Set(errors), new Set(["DOWNLOAD_LOST"]));
  assertEquals((await waiting.request("GET /small")).body, small); // on the same connection
  const late = await connect();
  assertEquals((await late.request("GET /small", { Connection: "close" })).body, small);
  for (const { socket } of [cut, late]) socket.abort();
  await expectStats(server, { active: 0, queued: 0, connections: 1, finished: 4 });
  // Bun 1.4.5 does not close the files that a dead thread had open; its sockets it does.
  const kept = runtime === "bun" && server.placement === "thread" ? 1 : 0;
  await descriptorsBack(before === undefined ? undefined : before + kept);
}

test("a manager's process that is killed loses what it sent, and another one takes its place", {
  skip: hasPgrep ? false : "no pgrep",
}, async () => {
  await serving(async (served) => {
    const [desk] = desks();
    await dieInTheMiddle(served, () => process.kill(desk!, "SIGKILL"));
    assert(!desks().includes(desk!));
    assertEquals(desks().length, 1);
  }, { placement: "process" });
  assertEquals(desks(), []);
});

test("a manager's process ends when its program is killed, and with it what it sent", {
  skip: hasPgrep ? false : "no pgrep",
}, async () => {
  const folder = new Folder();
  folder.fill("big", BIG);
  const script = fileURLToPath(new URL("../../clients/placed_server.ts", import.meta.url));
  const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const program = spawn(process.execPath, [...flags, script, folder.path, "process"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve) =>
    program.stdout.on("data", (text) => resolve(Number(/:(\d+)\/$/m.exec(String(text))?.[1])))
  );
  const client = await Client.connect({ hostname: "127.0.0.1", port });
  try {
    await client.send("GET /big");
    await client.answerHead();
    const [desk] = desks(program.pid);
    assert(desk !== undefined);
    program.kill("SIGKILL");
    // Read only then: until the process has noticed, it sends what is taken.
    await eventually(() => !isAlive(desk), () => "the desk lives on");
    assert(await client.countUntilEnd() < BIG);
  } finally {
    program.kill("SIGKILL");
    client.socket.abort();
    folder.remove();
  }
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const way of ["throw", "exit"]) {
  test(
    `a manager's thread that dies (${way}) loses what it sent, and another one takes its place`,
    {
      skip: runtime === "node" ? "no live socket moves to a thread in Node" : false,
    },
    async () => {
      const flag = join(tmpdir(), `jackfield-dies-${process.pid}-${way}`);
      const script = new URL("../../fixtures/dying_desk.ts", import.meta.url);
      process.env.JACKFIELD_DIES = flag;
      const options: Partial<ServeDownloadsOptions> = { placement: "thread", workerUrl: script };
      try {
        await serving((served) =>
          dieInTheMiddle(served, () => {
            writeFileSync(flag, way);
            void eventually(() => served.errors.length > 0, () => "it has died").then(() =>
              rmSync(flag)
            );
          }), options);
      } finally {
        rmSync(flag, { force: true });
        delete process.env.JACKFIELD_DIES;
      }
    },
  );
}
