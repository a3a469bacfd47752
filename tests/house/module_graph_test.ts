import { assert, assertEquals } from "@std/assert";
import { runtime, test } from "../harness.ts";
import { checkHouse, type Edge, type Violation } from "./module_graph.ts";
import { listSources, readGraph, readJson } from "./read_graph.ts";

const elsewhere = runtime === "deno" ? false : "deno info is Deno's";

/** The rules that the given imports break; each is written `from -> to`. */
function broken(...arrows: string[]): Violation["rule"][] {
  const edges: Edge[] = arrows.map((arrow) => {
    const [from = "", kind, to = ""] = arrow.split(/ (->|-type->) /);
    return { from, to, typeOnly: kind === "-type->" };
  });
  const files = edges.flatMap(({ from, to }) => /^[a-z]+:/.test(to) ? [from] : [from, to]);
  return checkHouse({ nodes: [...new Set(files)], edges }).map(({ rule }) => rule);
}

test("house: every import of mod.ts, the entries and src/ follows the plan", {
  skip: elsewhere,
}, () => {
  const entries = Object.values(readJson("deno.json").exports as Record<string, string>)
    .map((entry) => entry.replace("./", ""));
  const sources = listSources("src");
  const graph = readGraph([...entries, ...sources]);
  for (const file of [...entries, ...sources]) assert(graph.nodes.includes(file), file);
  assertEquals(checkHouse(graph).map(({ rule, message }) => `${rule}: ${message}`), []);
});

test("checkHouse() lets arrows point down, within a room, and from the roots", () => {
  assertEquals(
    broken(
      "src/pool/mod.ts -> src/pool/socket_pool.ts",
      "src/pool/socket_pool.ts -> src/transport/mod.ts",
      "src/parallel/get.ts -> src/address_table/mod.ts",
      "src/adapters/bun/mod.ts -> src/adapters/shared/files.ts",
      "src/adapters/shared/files.ts -> node:fs",
      "src/address_table/parse.ts -> npm:/ipaddr.js@2.5.0",
      "src/integrations/hono/mod.ts -> npm:hono@^4/factory",
      "src/roots/thread.ts -> src/adapters/node/mod.ts",
      "src/system_transport.ts -> src/adapters/node/mod.ts",
      "src/testing/mod.ts -> src/adapters/memory/mod.ts",
      "mod.ts -> src/system_transport.ts",
      "src/cli/mod.ts -> mod.ts",
      "tests/pool/x_test.ts -> mod.ts",
      "tests/pool/x_test.ts -> jsr:@std/assert@^1",
    ),
    [],
  );
});

test("checkHouse() reports an arrow that does not point down", () => {
  assertEquals(broken("src/transport/socket.ts -> src/pool/mod.ts"), ["arrow"]);
  assertEquals(broken("src/download/mod.ts -> src/pool/mod.ts"), ["arrow"]);
  assertEquals(broken("src/strategy/mod.ts -> src/queue/mod.ts"), ["arrow"]);
  assertEquals(broken("src/strategy/mod.ts -type-> src/queue/mod.ts"), ["arrow"]);
  assertEquals(broken("src/pool/mod.ts -> tests/harness.ts"), ["arrow"]);
});

test("checkHouse() reports adapters that know each other", () => {
  assertEquals(broken("src/adapters/deno/mod.ts -> src/adapters/bun/mod.ts"), ["arrow"]);
  assertEquals(broken("src/adapters/shared/files.ts -> src/adapters/node/mod.ts"), ["arrow"]);
  assertEquals(broken("src/integrations/hono/mod.ts -> src/integrations/redis/mod.ts"), ["arrow"]);
});

test("checkHouse() reports a core file that imports an adapter", () => {
  assertEquals(broken("src/pool/mod.ts -> src/adapters/node/mod.ts"), ["runtime"]);
});

test("checkHouse() reports a root imported by another file", () => {
  assertEquals(broken("src/pool/mod.ts -> src/system_transport.ts"), ["root"]);
  assertEquals(broken("src/integrations/hono/mod.ts -> mod.ts"), ["root"]);
  assertEquals(broken("src/testing/mod.ts -> src/roots/thread.ts"), ["root"]);
});

test("checkHouse() reports a runtime's scheme outside its rooms", () => {
  assertEquals(broken("src/pool/mod.ts -> node:net"), ["scheme"]);
  assertEquals(broken("src/transport/mod.ts -type-> node:net"), ["scheme"]);
  assertEquals(broken("mod.ts -> bun:ffi"), ["scheme"]);
  assertEquals(broken("src/core.ts -> cloudflare:sockets"), ["scheme"]);
});

test("checkHouse() reports an integration imported by the core", () => {
  assertEquals(broken("src/pool/mod.ts -> src/integrations/redis/mod.ts"), ["integration"]);
  assertEquals(broken("mod.ts -> src/integrations/hono/mod.ts"), ["integration"]);
});

test("checkHouse() reports a library in the wrong room, or in two files", () => {
  assertEquals(broken("src/pool/mod.ts -> npm:/ipaddr.js@2.5.0"), ["package"]);
  assertEquals(broken("src/pool/mod.ts -> npm:hono@^4"), ["package"]);
  assertEquals(broken("src/pool/mod.ts -> jsr:@std/assert@^1"), ["package"]);
  assertEquals(
    broken("src/download/a.ts -> npm:mime@^4", "src/download/b.ts -> npm:mime@^4/lite"),
    ["package"],
  );
});

test("checkHouse() reports a cycle, but not one of types", () => {
  const there = "src/pool/a.ts -> src/pool/b.ts";
  assertEquals(broken(there, "src/pool/b.ts -> src/pool/c.ts", "src/pool/c.ts -> src/pool/a.ts"), [
    "cycle",
  ]);
  assertEquals(broken("src/pool/a.ts -> src/pool/a.ts"), ["cycle"]);
  assertEquals(broken(there, "src/pool/b.ts -type-> src/pool/a.ts"), []);
});

test("checkHouse() reports a file in no room", () => {
  assertEquals(broken("src/helpers/a.ts -> src/transport/mod.ts"), ["place"]);
  assertEquals(broken("src/extra.ts -> src/transport/mod.ts"), ["place"]);
  assertEquals(broken("src/adapters/extra.ts -> src/transport/mod.ts"), ["place"]);
});
