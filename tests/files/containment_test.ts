// What counts as a proof where the kernel does not say what is open: a made-up folder with times of
// change that the test sets.
import { assert, assertEquals } from "@std/assert";
import { Containment } from "../../src/files/containment.ts";
import type { FileFacts, Files, OpenFile } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { instantClock } from "./tools.ts";

const OPENED_MS = 1_000_000;
/** Just long enough ago, and just not. */
const [QUIET, RECENT] = [OPENED_MS - 2100, OPENED_MS - 2099];

/** Facts with a number and a time of change. */
function factsOf(kind: FileFacts["kind"], inode: number, changedMs: number): FileFacts {
  return {
    size: 1,
    modifiedMs: 0,
    kind,
    device: 1n,
    inode: BigInt(inode),
    modifiedNs: 0n,
    changedNs: BigInt(changedMs) * 1_000_000n,
    links: 1,
    mode: 0,
    userId: 0,
    groupId: 0,
  };
}

/** A world of `/root/folder/file`, whose looks are counted and can be changed. */
class World {
  readonly facts: Map<string, FileFacts>;
  looks = 0;
  onLook: (path: string) => void = () => {};
  open: FileFacts;

  constructor(rootMs: number, folderMs: number, fileMs: number) {
    this.open = factsOf("file", 3, fileMs);
    this.facts = new Map([
      ["/root", factsOf("directory", 1, rootMs)],
      ["/root/folder", factsOf("directory", 2, folderMs)],
      ["/root/folder/file", this.open],
    ]);
  }

  async admit(): Promise<FileFacts | undefined> {
    const files = {
      join: (...parts: string[]) => parts.join("/"),
      realPath: (path: string) => Promise.resolve(path),
      lookUp: (path: string) => {
        this.looks++;
        this.onLook(path);
        return Promise.resolve(this.facts.get(path));
      },
    } as unknown as Files;
    const file = {
      realPath: () => Promise.resolve(undefined),
      stat: () => Promise.resolve(this.open),
    } as unknown as OpenFile;
    const containment = new Containment(files, "/root", "inside", instantClock);
    return await containment.admit(file, ["folder", "file"], OPENED_MS);
  }
}

test("Containment.admit() takes one look where each name was quiet, or the folder around it", async () => {
  const proofs: [rootMs: number, folderMs: number, fileMs: number, isProof: boolean][] = [
    [QUIET, QUIET, QUIET, true],
    [QUIET, QUIET, RECENT, true], // written anew, by the same name
    [RECENT, QUIET, RECENT, true], // others come and go beside the folder
    [QUIET, RECENT, QUIET, true], // others come and go beside the file
    [RECENT, QUIET, QUIET, true],
    [QUIET, RECENT, RECENT, false],
    [RECENT, RECENT, QUIET, false],
    [RECENT, RECENT, RECENT, false],
  ];
  for (const [rootMs, folderMs, fileMs, isProof] of proofs) {
    const world = new World(rootMs, folderMs, fileMs);
    assertEquals(await world.admit(), world.open);
    const when = [rootMs, folderMs, fileMs].map((ms) => ms === QUIET ? "quiet" : "recent").join();
    assertEquals(world.looks, isProof ? 3 : 3 * 32, when);
  }
});

test("Containment.admit() admits nothing that is another file in any of its rounds", async () => {
  for (let at = 1; at < 3 * 32; at++) {
    const world = new World(RECENT, RECENT, RECENT);
    const others = new Map([
      ["/root/folder/file", factsOf("file", 4, RECENT)],
      ["/root/folder", factsOf("link", 5, RECENT)],
      ["/root", factsOf("other", 6, RECENT)],
    ]);
    world.onLook = (path) => {
      if (world.looks === at) world.facts.set(path, others.get(path)!);
    };
    assertEquals(await world.admit(), undefined, `look ${at}`);
  }
});

test("Containment.admit() looks in an order that nobody can foresee", async () => {
  const world = new World(RECENT, RECENT, RECENT);
  const firsts = new Set<string>();
  world.onLook = (path) => {
    if (world.looks % 3 === 1) firsts.add(path);
  };
  await world.admit();
  assert(firsts.size === 2, [...firsts].join());
});
