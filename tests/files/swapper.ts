// Started by races_test.ts: gives two things in a folder each other's name, over and over, until it is
// ended. What was told to be at `one` is there half of the time.
//
//   swapper.ts FOLDER ONE OTHER
import { renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const [folder = "", one = "", other = ""] = process.argv.slice(2);
const [first, second, between] = [one, other, `${one}-between`].map((name) => join(folder, name));

process.stdout.write("swapping\n");
process.stdin.on("end", () => process.exit()).resume(); // Ends with the test.
for (;;) {
  for (let count = 0; count < 2000; count++) {
    renameSync(first!, between!);
    renameSync(second!, first!);
    renameSync(between!, second!);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
}
