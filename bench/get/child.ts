// The program that is measured: one file, as `jackfield get` fetches it, and nothing around it. With a
// URL of "-" it does nothing but start.
import process from "node:process";
import { parallelGet } from "../../mod.ts";

const [url, to, sockets, digest] = process.argv.slice(2) as [string, string, string, string];
if (url !== "-") {
  await parallelGet(url, { to, sockets: Number(sockets), digest: digest === "digest" });
}
