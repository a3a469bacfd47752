// The plan of the house as a pure function: which file may import which. It knows nothing of files
// or runtimes, so that the tests can show it a house with faults.

/** One import. */
export interface Edge {
  /** The importing file, relative to the top: `src/pool/mod.ts`. */
  from: string;
  /** A file of the house, or a specifier with a scheme: `node:net`, `npm:mime@^4`. */
  to: string;
  /** Whether only types are imported, so that nothing is loaded. */
  typeOnly?: boolean;
}

/** Files and their imports. */
export interface Graph {
  /** Every file, relative to the top. */
  nodes: readonly string[];
  /** Every import. */
  edges: readonly Edge[];
}

/** A broken rule. */
export interface Violation {
  /** Which rule. */
  rule: "place" | "arrow" | "root" | "runtime" | "integration" | "scheme" | "package" | "cycle";
  /** What breaks it, in words. */
  message: string;
}

/** The floor of each room: arrows point from a higher number to a lower one. */
const FLOORS: Readonly<Record<string, number>> = {
  transport: 0,
  strategy: 1,
  queue: 1,
  http: 1,
  files: 1,
  handoff: 1,
  adapters: 1,
  address_table: 2,
  download: 2,
  workers: 2,
  pool: 3,
  native: 3,
  parallel: 4,
  relay: 4,
  admin: 4,
  roots: 4,
  testing: 5,
  integrations: 5,
  cli: 5,
};

/** Rooms with rooms of their own inside, which know of each other no more than `shared`. */
const DIVIDED: readonly string[] = ["adapters", "integrations"];
/** Doors of the core: they put core and adapters together, and no integration. */
const DOORS: readonly string[] = [
  "mod.ts",
  "src/core.ts",
  "src/system.ts",
  "src/system_transport.ts",
];
/** Rooms whose files are roots too. */
const ROOT_ROOMS: readonly string[] = ["roots", "cli"];
/** Rooms that may know a runtime: its schemes, and the adapters. */
const RUNTIME_ROOMS: readonly string[] = ["adapters", "native", "roots", "integrations", "cli"];
/** Rooms outside the core that may import an adapter. */
const ADAPTER_USERS: readonly string[] = [...RUNTIME_ROOMS, "testing"];
/** The core's only libraries, and the room that may import each, from one file. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "ipaddr.js": "address_table",
  mime: "download",
};

interface Place {
  /** The room: `pool`, `adapters`; "" for a door. */
  room: string;
  /** The room inside a divided room: `deno`, `hono`. */
  inner: string;
  root: boolean;
  floor: number;
}

/**
 * Check a graph against the rules of the house. What stands outside mod.ts and src/ (tests,
 * benches, examples) may import anything, and is imported from inside by nobody.
 *
 * @param graph the files and their imports
 * @returns the broken rules; none if all is well
 */
export function checkHouse(graph: Graph): Violation[] {
  const inside = graph.nodes.filter(isInside);
  const edges = graph.edges.filter((edge) => isInside(edge.from));
  return [
    ...inside.filter((file) => placeOf(file) === undefined).map((file) =>
      broken("place", `${file} stands in no room of the plan`)
    ),
    ...edges.flatMap((edge) => checkEdge(edge)),
    ...checkLibraries(edges),
    ...findCycles(inside, edges),
  ];
}

function broken(rule: Violation["rule"], message: string): Violation {
  return { rule, message };
}

function isInside(file: string): boolean {
  return file === "mod.ts" || file.startsWith("src/");
}

function placeOf(file: string): Place | undefined {
  if (DOORS.includes(file)) return { room: "", inner: "", root: true, floor: Infinity };
  const [top, room, ...rest] = file.split("/");
  if (top !== "src" || room === undefined || rest.length === 0) return undefined;
  const floor = FLOORS[room];
  if (floor === undefined) return undefined;
  const divided = DIVIDED.includes(room);
  if (divided && rest.length === 1) return undefined; // each file stands in one of the inner rooms
  return { room, inner: divided ? rest[0]! : "", root: ROOT_ROOMS.includes(room), floor };
}

function checkEdge({ from, to }: Edge): Violation[] {
  const source = placeOf(from);
  if (source === undefined) return []; // said already
  const arrow = `${from} imports ${to}`;
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(to)?.[1];
  if (scheme !== undefined) return checkScheme(source, scheme, to, arrow);
  if (!isInside(to)) {
    return [broken("arrow", `${arrow}, which stands outside the house`)];
  }
  const target = placeOf(to);
  if (target === undefined) return [];
  if (target.room === "integrations" && DOORS.includes(from)) {
    return [broken("integration", `${arrow}: the core knows no integration`)];
  }
  if (source.root) return [];
  if (target.root) return [broken("root", `${arrow}: a root is imported by roots only`)];
  if (source.room === target.room) return checkInner(source, target, arrow);
  if (target.room === "integrations") {
    return [broken("integration", `${arrow}: the core knows no integration`)];
  }
  if (target.floor >= source.floor) {
    return [
      broken(
        "arrow",
        `${arrow}: floor ${source.floor} to floor ${target.floor}, which is not down`,
      ),
    ];
  }
  if (target.room === "adapters" && !ADAPTER_USERS.includes(source.room)) {
    return [broken("runtime", `${arrow}: the core knows no adapter`)];
  }
  return [];
}

/** Inside a divided room, the inner rooms see themselves and `shared`; `shared` sees itself. */
function checkInner(source: Place, target: Place, arrow: string): Violation[] {
  if (source.inner === target.inner || target.inner === "shared") return [];
  return [broken("arrow", `${arrow}: ${source.inner} and ${target.inner} do not know each other`)];
}

function checkScheme(source: Place, scheme: string, to: string, arrow: string): Violation[] {
  if (scheme === "node" || scheme === "bun" || scheme === "cloudflare") {
    if (RUNTIME_ROOMS.includes(source.room)) return [];
    return [broken("scheme", `${arrow}: ${scheme}: belongs in ${RUNTIME_ROOMS.join(", ")}`)];
  }
  if (scheme !== "npm") return [broken("package", `${arrow}: ${scheme}: is not for src`)];
  const room = LIBRARIES[packageName(to)];
  if (room === source.room || (room === undefined && source.room === "integrations")) return [];
  return [broken("package", `${arrow}: ${room === undefined ? "no room" : room} may import it`)];
}

/** `npm:/mime@4.1.2/lite` and `npm:@scope/name@^1` without scheme, version and path. */
function packageName(specifier: string): string {
  return /^npm:\/?((?:@[^/]+\/)?[^@/]+)/.exec(specifier)?.[1] ?? specifier;
}

function checkLibraries(edges: readonly Edge[]): Violation[] {
  return Object.keys(LIBRARIES).flatMap((library) => {
    const users = edges.filter(({ to }) => to.startsWith("npm:") && packageName(to) === library);
    const files = [...new Set(users.map(({ from }) => from))];
    if (files.length <= 1) return [];
    return [
      broken("package", `${library} is imported by ${files.join(" and ")}: one file is enough`),
    ];
  });
}

/** One violation per group of files that reach each other (Tarjan's components). */
function findCycles(nodes: readonly string[], edges: readonly Edge[]): Violation[] {
  const next = new Map<string, string[]>(nodes.map((node) => [node, []]));
  for (const { from, to, typeOnly } of edges) {
    if (!typeOnly && next.has(to)) next.get(from)?.push(to);
  }
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: Violation[] = [];
  const visit = (node: string): void => {
    const own = order.size;
    order.set(node, own);
    lowest.set(node, own);
    stack.push(node);
    for (const child of next.get(node)!) {
      if (!order.has(child)) visit(child);
      else if (!stack.includes(child)) continue;
      lowest.set(node, Math.min(lowest.get(node)!, lowest.get(child)!));
    }
    if (lowest.get(node) === own) {
      const group = stack.splice(stack.indexOf(node));
      const alone = group.length === 1 && !next.get(node)!.includes(node);
      if (!alone) found.push(broken("cycle", `${group.sort().join(", ")} import each other`));
    }
  };
  for (const node of nodes) if (!order.has(node)) visit(node);
  return found;
}
