import { assertEquals, assertThrows } from "@std/assert";
import { type Loaded, startStrategy, strategyByName } from "../../src/strategy/mod.ts";
import { test } from "../harness.ts";

const NAMES = ["round-robin", "random", "least-busy", "power-of-two-choices"];

test("strategyByName() knows the strategies by the names they have (P4)", () => {
  for (const name of NAMES) {
    const strategy = strategyByName<Loaded>(name);
    assertEquals(strategy.name, name);
    const only = { load: 0 };
    const picker = startStrategy(strategy);
    picker.added?.(only);
    assertEquals(picker.pick([only], undefined), only, name);
  }
});

test("strategyByName() lists the names when there is no such strategy", () => {
  for (const name of ["", "roundRobin", "toString", "__proto__", "constructor"]) {
    const message = `Cannot use strategy "${name}": expected one of ${NAMES.join(", ")}`;
    assertThrows(() => strategyByName(name), RangeError, message);
  }
});
