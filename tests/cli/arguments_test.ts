import { assertEquals, assertThrows } from "@std/assert";
import { readArguments, readNumber, readSize, readText } from "../../src/cli/arguments.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { test } from "../harness.ts";

const FLAGS = {
  output: { type: "string", short: "o" },
  port: { type: "string" },
  all: { type: "boolean" },
} as const;

const read = (...words: string[]) => readArguments(words, FLAGS, 1);

test("readArguments() reads flags in every form, and words", () => {
  for (
    const words of [["-o", "f", "x"], ["x", "-of"], ["--output=f", "x"], ["x", "--output", "f"]]
  ) {
    const { values, positionals } = read(...words);
    assertEquals([values.output, positionals], ["f", ["x"]]);
  }
  assertEquals(read("--all", "-h").values, { all: true, help: true });
  assertEquals(read().positionals, []);
});

test("readArguments() ignores a leading -- and takes a later one for what it is", () => {
  assertEquals(read("--", "--port", "1", "x").values.port, "1");
  assertEquals(read("--", "--port", "1", "x").positionals, ["x"]);
  assertEquals(read("--all", "--", "--port").positionals, ["--port"]);
});

test("readArguments() refuses what it does not know, in one sentence", () => {
  const cases: [string[], string][] = [
    [["--nonsense"], "--nonsense"],
    [["-z"], "-z"],
    [["--port"], "--port"],
    [["--port", "--all"], "--port"],
    [["--all=yes"], "--all"],
    [["a", "b"], "'b'"],
  ];
  for (const [words, text] of cases) {
    const error = assertThrows(() => read(...words), UsageError, text);
    assertEquals([error.message.includes("\n"), error.message === ""], [false, false]);
    assertEquals(error.message.endsWith("."), false, error.message);
  }
});

test("readNumber() takes whole numbers in range", () => {
  const number = (text: string) => readNumber(read(`--port=${text}`), "port", 7, 1, 100);
  assertEquals(readNumber(read(), "port", 7, 1, 100), 7);
  assertEquals([number("1"), number("100"), number("007")], [1, 100, 7]);
  for (const text of ["", "0", "101", "1.5", "1e1", "0x10", "-1", " 1", "x", "9".repeat(400)]) {
    assertThrows(() => number(text), UsageError, `'${text}', expected 1 to 100`);
  }
});

test("readSize() takes bytes, and K, M and G", () => {
  const size = (text: string) => readSize(read(`--port=${text}`), "port", 7);
  assertEquals(readSize(read(), "port", 7), 7);
  assertEquals([size("1024"), size("1K"), size("4m"), size("1G")], [1024, 1024, 2 ** 22, 2 ** 30]);
  for (const text of ["", "0", "1023", "2G", "1.5M", "1T", "K", "-1K", "1 K", "1KB"]) {
    assertThrows(() => size(text), UsageError, `'${text}', expected 1K to 1G`);
  }
});

test("readText() takes text, and nothing for nothing", () => {
  assertEquals([readText(read("-o", "f"), "output"), readText(read(), "output")], ["f", undefined]);
});
