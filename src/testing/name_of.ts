/** A candidate of a strategy in a word: its name, its address, its port. */
export function nameOf(candidate: unknown): string {
  if (typeof candidate !== "object" || candidate === null) return String(candidate);
  const { name, hostname, localAddress } = candidate as {
    readonly name?: unknown;
    readonly hostname?: unknown;
    readonly localAddress?: { readonly port: number };
  };
  return String(name ?? hostname ?? localAddress?.port ?? "a candidate");
}
