// The other end of the bare primitive: takes up a connection in the runtime's own way, and writes one
// byte.
import net from "node:net";
import process from "node:process";

interface BunLike {
  connect(options: unknown): Promise<unknown>;
}

interface Scope {
  readonly Bun?: BunLike & { readonly isMainThread: boolean };
  readonly Deno?: unknown;
  readonly WorkerGlobalScope?: unknown;
  postMessage(message: unknown): void;
  onmessage: (event: { data: { fd: number } }) => void;
}

const scope = globalThis as unknown as Scope;
const BYTE = new Uint8Array([120]);

function answer(socket: net.Socket): void {
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  socket.resume();
  socket.write(BYTE);
}

if (scope.Bun !== undefined && !scope.Bun.isMainThread) {
  scope.onmessage = ({ data: { fd } }) => {
    void scope.Bun!.connect({
      fd,
      socket: {
        open: (socket: { write(bytes: Uint8Array): void }) => socket.write(BYTE),
        data() {},
        close() {},
        error() {},
      },
    });
  };
  scope.postMessage("ready");
} else if (scope.Deno !== undefined && scope.WorkerGlobalScope !== undefined) {
  scope.onmessage = ({ data: { fd } }) => answer(new net.Socket({ fd }));
  scope.postMessage("ready");
} else {
  process.on("message", (_message, socket) => answer(socket as net.Socket));
  process.on("disconnect", () => process.exit(0));
  process.send!("ready");
}
