import process from "node:process";

/** What a program that serves a folder is told, as JSON in its argument. */
export interface ContenderPlan {
  /** The folder. */
  readonly root: string;
  /** A certificate and its key, in PEM; it speaks https then. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** What it was told. */
export function readPlan(): ContenderPlan {
  return JSON.parse(process.argv[2]!);
}

/** It listens. */
export function sayPort(port: number): void {
  console.log(JSON.stringify({ port }));
}
