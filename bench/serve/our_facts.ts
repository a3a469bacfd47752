/** An engine of ours; see `jackfield serve --help`. */
export type Engine = "copy" | "sendfile" | "accept";

/** What the child that serves is told. */
export interface OurPlan {
  /** Options of `serveDownloads`, the transport left out. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether what is garbage is collected before its facts are told; V8 needs --expose-gc too. */
  readonly collect: boolean;
  /** What sends the files. @default {"copy"} */
  readonly engine?: Engine;
}

/** The first line of the child. */
export interface OurStart {
  readonly port: number;
  /** Of the runtime itself, not of an npx in front of it. */
  readonly pid: number;
  /** The runtime and its version. */
  readonly version: string;
}

/** What the child says of itself. */
export interface OurFacts {
  /** Memory as the runtime counts it, in bytes. */
  readonly memory: Readonly<Record<"rss" | "heapUsed" | "external" | "arrayBuffers", number>>;
  /** What keeps the event loop busy, by kind, as far as the runtime tells: none in Bun. */
  readonly resources: Readonly<Record<string, number>>;
  /** The server's own books. */
  readonly stats: Readonly<Record<string, number>>;
  /** How often `onError` was told which code. */
  readonly errors: Readonly<Record<string, number>>;
}
