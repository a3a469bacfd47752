import { assertEquals, assertThrows } from "@std/assert";
import { startStrategy, strategyByName } from "../../src/core.ts";
import { test } from "../harness.ts";

test("strategyByName() knows the strategies by the names they have", () => {
  for (const name of ["round-robin", "random"]) {
    const strategy = strategyByName<string>(name);
    assertEquals(strategy.name, name);
    assertEquals(startStrategy(strategy).pick(["only"], undefined), "only");
  }
});

test("strategyByName() lists the names when there is no such strategy", () => {
  for (const name of ["", "roundRobin", "toString", "__proto__", "constructor"]) {
    const message = `Cannot use strategy "${name}": expected one of round-robin, random`;
    assertThrows(() => strategyByName(name), RangeError, message);
  }
});
