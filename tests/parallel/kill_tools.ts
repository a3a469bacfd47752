// `jackfield get` is killed at random, and begun again, until it is done.
import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readState } from "../../src/parallel/state_file.ts";
import { withChildren } from "../cli/tools.ts";
import { Folder } from "../download/tools.ts";
import type { Dice } from "../support/seeds.ts";
import { bytesOf, pattern, sha256, sleep } from "../transport/tools.ts";
import { type Asked, partialHead, withServer } from "./tools.ts";

const UNIT = 64 * 1024;
const SOCKETS = 4;

/** Kill it so many times; resolves to how often it really died with something in hand. */
export async function killAndResume(dice: Dice, kills: number): Promise<number> {
  const folder = new Folder();
  // No zeros: they tell what has been written.
  const bytes = pattern((40 + dice.below(60)) * UNIT + dice.below(UNIT), dice.below(1e9))
    .map((byte) => byte | 1);
  let died = 0;
  try {
    const answer = async (asked: Asked) => {
      await asked.socket.write(bytesOf(partialHead(asked, bytes.byteLength)));
      const end = Math.min(asked.end, bytes.byteLength);
      for (let at = asked.start; at < end; at += 16_384) {
        await asked.socket.write(bytes.subarray(at, Math.min(at + 16_384, end)));
        await sleep(4);
      }
    };
    await withServer(answer, async ({ url, asked }) => {
      const to = folder.at("copy.bin");
      for (let run = 0;; run++) {
        asked.length = 0;
        let isDone = false;
        await withChildren(async (start) => {
          const child = start("get", url, "-o", to, "--sockets", `${SOCKETS}`, "--unit", "64K");
          const ended = child.ended.then(({ code, stderr }) => {
            isDone = code === 0;
            if (code !== null && code !== 0 && code !== 137) throw new Error(stderr);
          });
          if (run >= kills) return await ended;
          while (asked.length === 0 && !isDone) await sleep(2);
          await sleep(dice.random() ** 2 * 250);
        }); // Here it is killed.
        if (isDone || existsSync(to)) { // It has its name; whether it had time to say so or not.
          assertEquals(sha256(readFileSync(to)), sha256(bytes));
          if (isDone) assertEquals(readdirSync(folder.path), ["copy.bin"]);
          return;
        }
        died++;
        checkLeftover(to, bytes);
      }
    });
    return died;
  } finally {
    folder.remove();
  }
}

/** What is there is right, and hardly more of it than the state says. */
function checkLeftover(to: string, bytes: Uint8Array): void {
  if (!existsSync(`${to}.part.state`)) return;
  const state = readState(readFileSync(`${to}.part.state`, "utf8"));
  assert(state !== undefined, "the state cannot be read");
  const part = readFileSync(`${to}.part`);
  assertEquals(part.byteLength, bytes.byteLength);
  let written = 0;
  for (let at = 0; at < part.byteLength; at++) {
    if (part[at] === 0) continue;
    written++;
    if (part[at] !== bytes[at]) throw new Error(`byte ${at} is wrong`);
  }
  let done = 0;
  for (const { start, end } of state.done) {
    done += end - start;
    for (let at = start; at < end; at++) {
      if (part[at] === 0) throw new Error(`byte ${at} is missing`);
    }
  }
  const twice = written - done;
  assert(twice <= SOCKETS * UNIT, `${twice} bytes will be fetched twice`);
}
