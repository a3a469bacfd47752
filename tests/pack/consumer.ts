// What the fresh projects of install_check.ts hold beside the examples of the README.

/** An echo over a socket. */
export const echo = (name: string): string => `
import { systemTransport } from "${name}";

const transport = systemTransport();
const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.address;
const [client, server] = await Promise.all([
  transport.connect({ hostname: "127.0.0.1", port }),
  listener.accept(),
]);

async function readAll(socket) {
  const bytes = [];
  const buffer = new Uint8Array(1024);
  for (let count; (count = await socket.read(buffer)) !== null;) bytes.push(...buffer.slice(0, count));
  return new Uint8Array(bytes);
}

const echo = readAll(server).then(async (bytes) => {
  await server.write(bytes);
  await server.closeWrite();
});
await client.write(new TextEncoder().encode("echo, please"));
await client.closeWrite();
const text = new TextDecoder().decode(await readAll(client));
await echo;
await client.close();
await server.close();
await listener.close();
if (text !== "echo, please") throw new Error("Cannot echo: got " + JSON.stringify(text));
console.log("echo ok");
`;

/** A server whose manager is a script of the package, in a thread and in a process. */
export const placed = (name: string): string => `
import { serveDownloads } from "${name}";

const inNode = !("Deno" in globalThis) && !("Bun" in globalThis);
for (const placement of inNode ? ["process"] : ["thread", "process"]) {
  const server = await serveDownloads({ root: ".", placement });
  const response = await fetch(server.url + "package.json", { headers: { connection: "close" } });
  const { name } = await response.json();
  if (!name.startsWith("consumer-") || server.placement !== placement) throw new Error(name);
  await server.close();
}
console.log("placed ok");
`;

/** The package in a CommonJS program. */
export const required = (name: string): string => `
const { systemTransport } = require("${name}");
if (typeof systemTransport !== "function") throw new Error("Cannot require ${name}");
console.log("require ok");
`;

/** Every entry, for a strict tsc that knows no runtime's types. */
export const everyEntry = (name: string, entries: readonly string[]): string => `
import { systemTransport } from "${name}";
${
  entries.filter((path) => path !== "." && path !== "./package.json")
    .map((path, at) => `import type * as entry${at} from "${path.replace(".", name)}";`).join("\n")
}

export const transport: ReturnType<typeof systemTransport> = systemTransport();
export async function port(): Promise<number> {
  const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.address.port;
}
`;

/** A tsconfig.json. */
export interface Config {
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  readonly include: readonly string[];
}

/** Strict, and without any runtime's types. */
export const STRICT_CONFIG: Config = {
  compilerOptions: {
    target: "ESNext",
    lib: ["ESNext", "DOM"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  },
  include: ["*.ts"],
};
