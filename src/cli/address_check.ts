import { ipVersion, isJackfieldError, type SocketAddress } from "../core.ts";
import { systemTransport } from "../../mod.ts";
import { wrap } from "./wrap.ts";

/** How a connect from one address went. */
export interface Checked {
  /** The address. */
  readonly localAddress: string;
  /** Whether the target answered. */
  readonly connected: boolean;
  /** How long it took. */
  readonly milliseconds: number;
  /** What is missing, or what failed. */
  readonly why?: string;
}

/** What a check needs to know of an address. */
export interface CheckCandidate {
  /** The IP literal. */
  readonly hostname: string;
  /** How far it reaches, if an interface says so. */
  readonly scope?: string;
}

/** Who does not answer within that time is taken for silent. */
const TIMEOUT_MS = 3000;

/** As many are checked; one descriptor each. */
const MAX_CHECKS = 64;

/**
 * Connect to a target from each address that could lead there; `all` takes those as well of which it
 * is plain that they do not.
 */
export async function checkFrom(
  candidates: readonly CheckCandidate[],
  target: SocketAddress,
  all: boolean,
): Promise<Checked[]> {
  const { names } = systemTransport().host;
  const resolved = ipVersion(target.hostname) !== 0
    ? [target.hostname]
    : (await names!.lookup(target.hostname)).map(({ hostname }) => hostname);
  const pairs = candidates.slice(0, MAX_CHECKS).flatMap(({ hostname, scope }) => {
    const to = resolved.find((one) => ipVersion(one) === ipVersion(hostname));
    if (to === undefined) return [];
    const home = /^(127\.|::1$)/.test(to);
    return all || home || scope !== "host" ? [{ from: hostname, to }] : [];
  });
  return await Promise.all(pairs.map(({ from, to }) => check(from, to, target.port)));
}

async function check(localAddress: string, hostname: string, port: number): Promise<Checked> {
  const transport = systemTransport();
  const start = performance.now();
  const [missing, failure] = await Promise.all([
    whatIsMissing(hostname, localAddress),
    failureOf(async () => {
      const options = { localAddress, timeoutMs: TIMEOUT_MS };
      const socket = await transport.connect({ hostname, port }, options);
      await socket.close();
    }),
  ]);
  const milliseconds = Math.round((performance.now() - start) * 10) / 10;
  // What works is right, whatever the rules look like.
  if (failure === undefined) return { localAddress, connected: true, milliseconds };
  return { localAddress, connected: false, milliseconds, why: missing ?? sentence(failure) };
}

/** What the routes lack, where that can be told; otherwise the connect has the last word. */
async function whatIsMissing(to: string, from: string): Promise<string | undefined> {
  const failure = await failureOf(() => systemTransport().host.interfaces?.checkRoute(to, from));
  const told = isJackfieldError(failure, "ADDRESS_ASSIGN_FAILED") && failure.osCode !== "ENOENT";
  return told ? sentence(failure) : undefined;
}

async function failureOf(run: () => Promise<void> | undefined): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
}

/** A message without "Cannot … :", which the line says already. */
function sentence(error: unknown): string {
  return (error as Error).message.replace(/^Cannot .*?: /, "");
}

/** For people: one line for each address that gets through, and more for one that does not. */
export function describeCheck(
  { target, from }: { readonly target: string; readonly from: readonly Checked[] },
): string[] {
  if (from.length === 0) return [`No address of this host could lead to ${target}`];
  const width = Math.max(...from.map(({ localAddress }) => localAddress.length));
  return [
    `To ${target} from`,
    ...from.flatMap(({ localAddress, connected, milliseconds, why }) => {
      const word = connected ? `connected in ${milliseconds} ms` : `no: ${why}`;
      const [first, ...rest] = wrap(word, 76 - width);
      const indent = " ".repeat(width + 4);
      return [
        `  ${localAddress.padEnd(width)}  ${first}`,
        ...rest.map((line) => `${indent}${line}`),
      ];
    }),
  ];
}
