// The other end of the bare primitive: takes up a connection in the runtime's own way, and writes one
// byte. Where it is asked to, it says which one it has taken up.
import net from "node:net";
import process from "node:process";

/** A connection: its descriptor for a thread, and the number to answer with, if an answer is wanted. */
export interface BareMessage {
  /** A duplicate, for a thread. */
  readonly fd?: number;
  /** What the answer says. */
  readonly answer?: number;
}

interface BunLike {
  connect(options: unknown): Promise<unknown>;
}

interface Scope {
  readonly Bun?: BunLike & { readonly isMainThread: boolean };
  readonly Deno?: unknown;
  readonly WorkerGlobalScope?: unknown;
  postMessage(message: unknown): void;
  onmessage: (event: { data: BareMessage }) => void;
}

const scope = globalThis as unknown as Scope;
const BYTE = new Uint8Array([120]);

function serve(socket: net.Socket): void {
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  socket.resume();
  socket.write(BYTE);
}

if (scope.Bun !== undefined && !scope.Bun.isMainThread) {
  scope.onmessage = ({ data: { fd, answer } }) => {
    void scope.Bun!.connect({
      fd,
      socket: {
        open: (socket: { write(bytes: Uint8Array): void }) => socket.write(BYTE),
        data() {},
        close() {},
        error() {},
      },
    });
    if (answer !== undefined) scope.postMessage(answer);
  };
  scope.postMessage("ready");
} else if (scope.Deno !== undefined && scope.WorkerGlobalScope !== undefined) {
  scope.onmessage = ({ data: { fd, answer } }) => {
    serve(new net.Socket({ fd }));
    if (answer !== undefined) scope.postMessage(answer);
  };
  scope.postMessage("ready");
} else {
  process.on("message", ({ answer }: BareMessage, socket) => {
    serve(socket as net.Socket);
    if (answer !== undefined) process.send!(answer);
  });
  process.on("disconnect", () => process.exit(0));
  process.send!("ready");
}
