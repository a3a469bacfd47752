// The script of the threads of the tests' groups; what it does with a socket or a request is said in
// the data that comes along.
import process from "node:process";
import { handOff } from "../../src/core.ts";
import { serveRequests, serveSockets } from "../../src/roots/worker.ts";

/** What to do with a socket. */
export type Errand =
  /** Send back what comes, until the end, or until it is wanted back. */
  | { readonly kind: "echo" }
  /** Read so many bytes, use half of them, and give it back. */
  | { readonly kind: "half"; readonly count: number }
  /** Say which thread this is, and close. */
  | { readonly kind: "who" }
  /** Do nothing, whatever is wanted. */
  | { readonly kind: "deaf" }
  /** Fail, in the handler or somewhere else; leave; or compute for long. */
  | { readonly kind: "throw" | "crash" | "exit" | "block" };

const me = Math.floor(Math.random() * 2 ** 40);

serveSockets(async (socket, { data, ready }) => {
  const errand = (data ?? { kind: "who" }) as Errand;
  const buffer = new Uint8Array(65_536);
  switch (errand.kind) {
    case "echo":
      while (await ready()) {
        const count = await socket.read(buffer);
        if (count === null) return;
        await socket.write(buffer.subarray(0, count));
      }
      return socket;
    case "half": {
      let filled = 0;
      while (filled < errand.count) filled += await socket.read(buffer.subarray(filled)) ?? 0;
      return handOff(socket, buffer.slice(filled >> 1, filled));
    }
    case "who":
      await socket.write(new TextEncoder().encode(`${me}`));
      return;
    case "deaf":
      await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
      return;
    case "throw":
      throw new RangeError("on purpose");
    default:
      return await end(errand.kind);
  }
});

async function end(how: "crash" | "exit" | "block"): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20)); // Until it is known that the socket is here.
  if (how === "exit") process.exit(0);
  if (how === "crash") {
    setTimeout(() => {
      throw new Error("on purpose");
    }, 0);
  }
  // Not for ever: Deno would never stop it.
  if (how === "block") { for (const until = Date.now() + 2200; Date.now() < until;); }
  await new Promise(() => {});
}

/** Requests are lines: `echo TEXT`, `late MS TEXT`, `fail`, `crash`, `who`, `silent`. */
serveRequests(async (request, { data }) => {
  const [word, ...rest] = new TextDecoder().decode(request).trimEnd().split(" ");
  switch (word) {
    case "late":
      await new Promise((resolve) => setTimeout(resolve, Number(rest[0])));
      return answer(rest[1]!);
    case "fail":
      throw new RangeError("on purpose");
    case "crash":
      await end("crash");
      return;
    case "who":
      return answer(`${me}`);
    case "data":
      return answer(JSON.stringify(data));
    case "silent":
      return;
    default:
      return answer(rest.join(" "));
  }
});

function answer(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\n`);
}
