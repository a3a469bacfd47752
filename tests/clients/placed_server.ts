// Serves a folder with the manager where the second argument says, until it is ended; prints the URL.
import process from "node:process";
import { type DownloadManagerOptions, serveDownloads } from "../../mod.ts";

const [root, placement] = process.argv.slice(2) as [string, string];
const server = await serveDownloads({
  root,
  placement: placement as DownloadManagerOptions["placement"],
  maxBytesPerSecond: 150_000_000, // slow enough to look at the connections meanwhile
  onError: (error) => console.log(String(error)),
});
console.log(`${server.placement} at ${server.url}`);
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
