// Has headless Chromium download a file, as a person's browser would, over the DevTools protocol.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly state?: string };
  readonly error?: { readonly message: string };
}

/** Download a URL with Chromium into a file of that folder; resolves to the file's path. */
export async function downloadWithChromium(url: string, folder: string): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), "jackfield-chromium-"));
  const downloads = join(folder, "chromium");
  mkdirSync(downloads, { recursive: true });
  const browser = spawn("chromium", [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: "ignore",
  });
  try {
    await follow(await endpoint(profile), downloads, url);
    return join(downloads, new URL(url).pathname.split("/").at(-1)!);
  } finally {
    await ended(browser);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Where the browser listens: it writes that into its profile. */
async function endpoint(profile: string): Promise<string> {
  const file = join(profile, "DevToolsActivePort");
  for (let tries = 0; tries < 200; tries++) {
    const [port, path] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Chromium did not open its DevTools within 10 s");
}

/** Start the download and wait until the browser says that it is complete. */
function follow(endpoint: string, downloadPath: string, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(endpoint);
    const timer = setTimeout(() => end(new Error("no download within 60 s")), 60_000);
    const end = (error?: Error) => {
      clearTimeout(timer);
      socket.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    const send = (id: number, method: string, params: object) =>
      socket.send(JSON.stringify({ id, method, params }));
    socket.onerror = () => end(new Error("Chromium closed its DevTools"));
    socket.onopen = () =>
      send(1, "Browser.setDownloadBehavior", {
        behavior: "allow",
        downloadPath,
        eventsEnabled: true,
      });
    socket.onmessage = ({ data }) => {
      const { id, method, params, error } = JSON.parse(String(data)) as Message;
      if (error !== undefined) return end(new Error(error.message));
      if (id === 1) send(2, "Target.createTarget", { url });
      if (method !== "Browser.downloadProgress") return;
      if (params?.state === "completed") end();
      if (params?.state === "canceled") end(new Error("Chromium gave the download up"));
    };
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("close", () => resolve());
    child.kill("SIGKILL");
  });
}
