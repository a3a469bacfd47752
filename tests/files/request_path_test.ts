import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  encodePath,
  isName,
  type NameRules,
  parsePlainPath,
  parseTargetPath,
} from "../../src/files/request_path.ts";
import { test } from "../harness.ts";
import { HOSTILE } from "./hostile.ts";

const RULES: NameRules = { dots: false, windows: false };
const ALL: NameRules = { dots: true, windows: false };

test("parseTargetPath() decodes each part once", () => {
  const cases: [string, string[]][] = [
    ["/a", ["a"]],
    ["/a/b.txt", ["a", "b.txt"]],
    ["//a///b", ["a", "b"]],
    ["/a%20b", ["a b"]],
    ["/%61", ["a"]],
    ["/%2561", ["%61"]],
    ["/a+b", ["a+b"]],
    ["/%E6%97%A5%e6%9c%ac", ["日本"]],
    ["/a:b", ["a:b"]],
    ["/C:/a", ["C:", "a"]],
    ["/a.", ["a."]],
    ["/a%20", ["a "]],
    ["/a%0A", ["a\n"]],
    ["/...a", []],
    ["/a...", ["a..."]],
    ["/a%3Fb%23c", ["a?b#c"]],
  ];
  for (const [path, names] of cases) {
    const expected = names.length === 0 ? undefined : { names, isFolder: false };
    assertEquals(parseTargetPath(path, RULES), expected, path);
  }
  assertEquals(parseTargetPath("/", RULES), { names: [], isFolder: true });
  assertEquals(parseTargetPath("//", RULES), { names: [], isFolder: true });
  assertEquals(parseTargetPath("/a/", RULES), { names: ["a"], isFolder: true });
  assertEquals(parseTargetPath("/...", ALL), { names: ["..."], isFolder: false });
  assertEquals(parseTargetPath("/.well-known/a", ALL)?.names, [".well-known", "a"]);
});

test("parseTargetPath() takes no step upwards, whatever the rules", () => {
  assert(HOSTILE.length >= 100, `${HOSTILE.length} targets`);
  for (const path of HOSTILE) {
    for (const dots of [false, true]) {
      for (const windows of [false, true]) {
        const names = parseTargetPath(path, { dots, windows })?.names ?? [];
        for (const name of names) {
          assert(name !== "" && name !== "." && name !== "..", `"${path}" gives "${name}"`);
          assert(!/[/\\\0]/.test(name), `"${path}" gives "${name}"`);
        }
      }
    }
  }
});

test("parseTargetPath() and parsePlainPath() give back the names that were encoded", () => {
  const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
  fc.assert(fc.property(fc.array(name, { minLength: 1 }), fc.boolean(), (names, isFolder) => {
    const encoded = encodePath(names, isFolder);
    const valid = names.every((name) => isName(name, ALL));
    assertEquals(parseTargetPath(encoded, ALL), valid ? { names, isFolder } : undefined);
    if (!valid) return;
    const plain = names.join("/") + (isFolder ? "/" : "");
    assertEquals(parsePlainPath(plain, ALL), { names, isFolder });
    assert(/^\/[^/]/.test(encoded), encoded);
  }));
});

test("parseTargetPath() never throws, and never gives what is no name", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%2f",
      "%5c",
      "%00",
      "%",
      "\\",
      "/",
      "a",
      "%c0%ae",
      "%25",
      ":",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const wanted = parseTargetPath(`/${parts.join("")}`, RULES);
      for (const name of wanted?.names ?? []) assert(isName(name, RULES), name);
    }),
    { numRuns: 2000 },
  );
});

test("isName() refuses on Windows what Windows reads in another way", () => {
  const windows: NameRules = { dots: false, windows: true };
  const refused = [
    "C:",
    "c:a",
    "a:b",
    "a::$DATA",
    "a.",
    "a ",
    "a. .",
    "con",
    "CON",
    "con.txt",
    "nul",
    "NUL .a",
    "aux.a.b",
    "prn",
    "com1",
    "COM9.x",
    "com¹",
    "lpt1",
    "conin$",
    "CONOUT$",
    "a<b",
    "a>b",
    'a"b',
    "a|b",
    "a?b",
    "a*b",
    "a\u0001b",
    "a\tb",
  ];
  for (const name of refused) {
    assertEquals(isName(name, windows), false, name);
    assertEquals(isName(name, RULES), true, name);
  }
  for (const name of ["a", "a.b", "console", "com", "com10", "nul1", "lpt", "a b", "über", "~1"]) {
    assertEquals(isName(name, windows), true, name);
  }
});

test("isName() hides names that begin with a dot unless they are served", () => {
  for (const name of [".a", ".well-known", "...", "..a"]) {
    assertEquals([isName(name, RULES), isName(name, ALL)], [false, true], name);
  }
  for (const name of ["", ".", "..", "a/b", "a\\b", "a\0"]) {
    assertEquals([isName(name, RULES), isName(name, ALL)], [false, false], name);
  }
});
