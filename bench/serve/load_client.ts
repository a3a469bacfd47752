import { spawn } from "node:child_process";
import process from "node:process";
import { Lines } from "../addresses/lines.ts";
import { buildCProgram } from "./c_program.ts";

/** Connections of one kind; every client asks for its path again and again. */
export interface LoadClass {
  /** What it is called in the report. */
  readonly name: string;
  /** What is asked for. */
  readonly path: string;
  /** How many clients. */
  readonly clients: number;
  /** How many sockets each has: one number, or such as "1-40", spread evenly. @default {1} */
  readonly sockets?: number | string;
  /** What each socket reads, in bytes per second. @default {no limit} */
  readonly rate?: number;
  /** How often a limited socket reads, in ms. @default {2} */
  readonly every?: number;
  /** SO_RCVBUF in bytes. @default {the kernel's} */
  readonly receive?: number;
  /** TCP_MAXSEG in bytes. @default {the device's} */
  readonly segment?: number;
  /** The source of the first client; the next one has the next. @default {the kernel's choice} */
  readonly address?: string;
}

/** What came of a class. */
export interface ClassReport {
  readonly name: string;
  readonly clients: number;
  readonly sockets: number;
  /** Whole answers, from the start on. */
  readonly answers: number;
  /** Of the last answer that was neither 200 nor 206; 0 when there was none. */
  readonly lastStatus: number;
  /** What went wrong, from the start on. */
  readonly errors: {
    /** Connections that did not come about. */
    readonly connect: number;
    /** Connections that the server closed; they were made again. */
    readonly closed: number;
    /** Connections that the server reset; they were made again. */
    readonly reset: number;
    /** Answers that were neither 200 nor 206. */
    readonly answer: number;
  };
  /** Bytes of bodies that each client got in the time that counts. */
  readonly bytes: readonly number[];
  /** The fewest bytes that each client got in any second of it. */
  readonly worstSecondBytes: readonly number[];
  /** Bytes of all clients together in each second since the first request. */
  readonly seconds: readonly number[];
}

/** What came of a load. */
export interface LoadReport {
  /** The time that counts. */
  readonly seconds: number;
  /** What the load itself cost. */
  readonly cpuSeconds: number;
  readonly classes: readonly ClassReport[];
}

/** What a load is made of. */
export interface LoadPlan {
  readonly port: number;
  readonly classes: readonly LoadClass[];
  /** The seconds, after the first request, between which bytes count. */
  readonly from: number;
  readonly to: number;
}

/** Somebody who looks at the server meanwhile. */
export interface LoadWatcher {
  /** All connections stand, and nothing was asked for yet. */
  connected?(): Promise<void>;
  /** Bytes begin to count; the load goes on meanwhile. */
  counting?(): Promise<void>;
}

/** Build the client from its source; gives where it is, or ends the bench with the reason. */
export function buildLoadClient(): string {
  try {
    return buildCProgram("slow");
  } catch (error) {
    console.log((error as Error).message);
    process.exit(1);
  }
}

/** Run a load to its end. */
export async function runLoad(
  program: string,
  { port, classes, from, to }: LoadPlan,
  watcher: LoadWatcher = {},
): Promise<LoadReport> {
  const words = ["--port", port, "--from", from, "--to", to, "--hold"].map(String);
  for (const each of classes) {
    words.push("--class", Object.entries(each).map((pair) => pair.join("=")).join(","));
  }
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const lines = new Lines(child);
  try {
    const { sockets, of } = await lines.next<{ sockets: number; of: number }>();
    if (sockets < of) throw new Error(`only ${sockets} of ${of} connections came about`);
    await watcher.connected?.();
    lines.tell();
    await lines.next();
    await watcher.counting?.();
    return await lines.next<LoadReport>();
  } finally {
    lines.kill();
  }
}
