import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand } from "../../tests/support/tools.ts";

/** A program that fetches files. */
export interface Program {
  /** Its name in the table. */
  readonly name: string;
  /** Whether it is ours. */
  readonly isOurs: boolean;
  /** Whether it knows more than one connection. */
  readonly isParallel: boolean;
  /** The command that fetches a file over so many connections. */
  command(url: string, folder: string, file: string, sockets: number): readonly string[];
  /** The command that only starts it, where that is worth a figure of its own. */
  startOnly?(): readonly string[];
}

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

function ours(name: string, command: readonly string[], digest: "digest" | "none"): Program {
  return {
    name,
    isOurs: true,
    isParallel: true,
    command: (url, folder, file, sockets) => [
      ...command,
      CHILD,
      url,
      `${folder}/${file}`,
      String(sockets),
      digest,
    ],
    startOnly: () => [...command, CHILD, "-"],
  };
}

/** All of them, as far as they are on this machine. */
export function programs(only: readonly string[]): readonly Program[] {
  const deno = [...denoCommand(), "run", "-A", "--no-check"];
  const bun = has("bun") ? ["bun"] : bunCommand();
  const all: Program[] = [
    ours("deno", deno, "none"),
    ours("bun", bun, "none"),
    ours("deno + SHA-256", deno, "digest"),
    ours("bun + SHA-256", bun, "digest"),
    {
      name: "curl",
      isOurs: false,
      isParallel: false,
      command: (url, folder, file) => ["curl", "-s", "-f", "-o", `${folder}/${file}`, url],
    },
    {
      name: "aria2c",
      isOurs: false,
      isParallel: true,
      command: (url, folder, file, sockets) => [
        "aria2c",
        "--quiet",
        "--file-allocation=none",
        "--min-split-size=1M",
        `--max-connection-per-server=${sockets}`,
        `--split=${sockets}`,
        `--dir=${folder}`,
        `--out=${file}`,
        url,
      ],
    },
    {
      name: "axel",
      isOurs: false,
      isParallel: true,
      command: (url, folder, file, sockets) => [
        "axel",
        "-q",
        "-n",
        String(sockets),
        "-o",
        `${folder}/${file}`,
        url,
      ],
    },
  ];
  return all.filter(({ name, isOurs }) =>
    (only.length === 0 || only.some((word) => name.startsWith(word))) && (isOurs || has(name))
  );
}

function has(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}
