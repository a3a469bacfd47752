// Range fields with faults, against a reading of RFC 9110, section 14, that goes character by
// character and byte by byte. JACKFIELD_RANGES says how many fields, JACKFIELD_SEED which seed.
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { parseRanges } from "../../src/http/mod.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";

const FIELDS = Number(process.env.JACKFIELD_RANGES ?? 20_000);
const SEEDS: readonly number[] = Array.from({ length: 10 }, (_, index) => index + 1);
const MAX_RANGES = 8;

/** What a field asks for: nothing that counts, nothing that is there, or these bytes. */
type Verdict = "ignored" | "unsatisfiable" | ReadonlySet<number>;

/** The verdict, told from the grammar alone. */
function oracle(field: string, size: number): Verdict {
  if (field.slice(0, 6).toLowerCase() !== "bytes=") return "ignored";
  const specs: string[] = [""];
  for (const character of field.slice(6)) {
    if (character === ",") specs.push("");
    else specs[specs.length - 1] += character;
  }
  const bytes = new Set<number>();
  let count = 0;
  for (const spec of specs) {
    const characters = [...spec];
    while (characters[0] === " " || characters[0] === "\t") characters.shift();
    while (characters.at(-1) === " " || characters.at(-1) === "\t") characters.pop();
    if (characters.length === 0) continue; // An empty element (section 5.6.1.2).
    count++;
    const dash = characters.indexOf("-");
    const [first, last] = [characters.slice(0, dash), characters.slice(dash + 1)];
    const isNumber = (digits: readonly string[]) => digits.every((one) => one >= "0" && one <= "9");
    if (dash < 0 || !isNumber(first) || !isNumber(last)) return "ignored";
    if (first.length === 0 && last.length === 0) return "ignored";
    const numberOf = (digits: readonly string[]) => BigInt(digits.join(""));
    let start = 0n;
    let end = BigInt(size); // behind the last one
    if (first.length === 0) {
      const suffix = numberOf(last);
      if (suffix > 0n && size === 0) return "ignored"; // Satisfiable, but there is no byte to name.
      start = suffix < end ? end - suffix : 0n;
    } else {
      start = numberOf(first);
      if (last.length > 0) {
        if (numberOf(last) < start) return "ignored";
        end = numberOf(last) + 1n;
      }
    }
    for (let at = 0; at < size; at++) if (at >= start && at < end) bytes.add(at);
  }
  if (count === 0 || count > MAX_RANGES) return "ignored";
  return bytes.size === 0 ? "unsatisfiable" : bytes;
}

const PIECES = [
  "0",
  "1",
  "7",
  "12",
  "39",
  "40",
  "99999999999999999999",
  "00",
  "-",
  "-",
  "-",
  ",",
  ",",
];
const ODDITIES = [
  " ",
  "\t",
  "+1",
  "0x1",
  "1.5",
  "a",
  "=",
  ";",
  "*",
  "\u00a0",
  "\u0661",
  "--",
  "",
  "e3",
];

/** A field that is good, nearly good, or nothing at all. */
function mutatedField({ below, oneOf }: Dice): string {
  const unit = below(20) === 0
    ? oneOf(["byte=", "bytes", "BYTES=", "items=", "bytes =", ""])
    : "bytes=";
  if (below(3) > 0) {
    const specs = Array.from({ length: 1 + below(4) }, () => {
      const [a, b] = [below(50), below(50)];
      return oneOf([`${a}-${a + b}`, `${a}-`, `-${b}`, `${a}-${b}`, ` ${a}-${a}\t`]);
    });
    const text = specs.join(oneOf([",", ", ", " ,", ",,"]));
    if (below(2) === 0) return unit + text;
    const at = below(text.length + 1);
    return unit + text.slice(0, at) + oneOf(ODDITIES) + text.slice(at + below(2));
  }
  return unit + Array.from({ length: below(12) }, () => oneOf(PIECES)).join("");
}

test("parseRanges() agrees with the grammar about mutated fields (RFC 9110, 14.1.1, 14.2)", {
  timeoutMs: 600_000,
}, async () => {
  const verdicts = { ignored: 0, unsatisfiable: 0, bytes: 0 };
  await withSeeds(SEEDS, (dice) => {
    for (let round = 0; round < FIELDS / SEEDS.length; round++) {
      const field = mutatedField(dice);
      const size = dice.oneOf([0, 1, 13, 40]);
      const shown = `${JSON.stringify(field)} of ${size}`;
      const expected = oracle(field, size);
      const ranges = parseRanges(field, size, { maxRanges: MAX_RANGES, maxGapBytes: 0 });
      if (typeof expected === "string") {
        verdicts[expected]++;
        assertEquals(ranges ?? "ignored", expected, shown);
        continue;
      }
      verdicts.bytes++;
      assert(typeof ranges === "object", `${shown} gives ${ranges}`);
      let sum = 0;
      for (const { start, end } of ranges) {
        sum += end - start;
        for (let at = start; at < end; at++) assert(expected.has(at), `${shown} gives byte ${at}`);
      }
      assertEquals(sum, expected.size, `bytes of ${shown}`);
    }
  });
  for (const [verdict, count] of Object.entries(verdicts)) {
    assert(count > FIELDS / 50, `${count} of ${FIELDS} fields were ${verdict}`);
  }
});
