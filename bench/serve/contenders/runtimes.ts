/** What the programs beside use of Deno and Bun. */
export interface Runtimes {
  readonly Deno?: {
    serve(options: object, handler: Handler): unknown;
    open(path: string): Promise<DenoFile>;
  };
  readonly Bun?: {
    serve(options: object): { readonly port: number };
    file(path: string): Blob;
  };
}

interface DenoFile {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  stat(): Promise<{ readonly size: number }>;
}

/** Answers requests. */
export type Handler = (request: Request) => Response | Promise<Response>;

const runtimes = globalThis as unknown as Runtimes;

/** Deno, in Deno. */
export const deno: Runtimes["Deno"] = runtimes.Deno;

/** Bun, in Bun. */
export const bun: Runtimes["Bun"] = runtimes.Bun;
