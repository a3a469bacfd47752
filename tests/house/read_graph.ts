// Reads the real module graph, as Deno sees it.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoCommand } from "../support/tools.ts";
import type { Edge, Graph } from "./module_graph.ts";

/** The top of the repository, with a slash at its end. */
export const TOP: URL = new URL("../../", import.meta.url);

interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { specifier: string; code?: Resolved; type?: Resolved }[];
  }[];
}

interface Resolved {
  specifier?: string;
  error?: string;
}

/** Every TypeScript file under a folder of the repository, relative to the top. */
export function listSources(folder: string): string[] {
  if (!existsSync(new URL(folder, TOP))) return [];
  return readdirSync(new URL(folder, TOP), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".ts") && !file.includes("/node_modules/"))
    .sort();
}

/** A JSON file of the repository. */
export function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(file, TOP), "utf8"));
}

/**
 * Ask `deno info` for the imports of every file that the given ones reach, and of the given ones.
 *
 * @param files relative to the top
 * @returns the graph; specifiers with a scheme stay as they are
 */
export function readGraph(files: readonly string[]): Graph {
  const edges = new Map<string, Edge[]>();
  for (const file of files) {
    if (edges.has(file)) continue; // reached from an earlier one
    for (const { specifier, error, dependencies = [] } of info(file).modules) {
      if (!specifier.startsWith(TOP.href)) continue;
      const from = relative(specifier);
      if (error !== undefined) throw new Error(`Cannot read graph: ${from}: ${error}`);
      edges.set(
        from,
        dependencies.map((dependency) => {
          const target = dependency.code ?? dependency.type;
          if (target?.specifier === undefined) {
            const why = target?.error ?? "it resolves to nothing";
            throw new Error(`Cannot read graph: ${from}: ${dependency.specifier}: ${why}`);
          }
          const to = relative(target.specifier);
          return { from, to, typeOnly: dependency.code === undefined };
        }),
      );
    }
  }
  return { nodes: [...edges.keys()].sort(), edges: [...edges.values()].flat() };
}

function relative(specifier: string): string {
  return specifier.startsWith(TOP.href) ? specifier.slice(TOP.href.length) : specifier;
}

function info(file: string): Info {
  const [command, ...args] = denoCommand();
  const { status, stdout, stderr } = spawnSync(command!, [...args, "info", "--json", file], {
    cwd: fileURLToPath(TOP),
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`Cannot read graph: deno info ${file}: ${stderr}`);
  return JSON.parse(stdout);
}
