/** The parts of the runtimes that are needed here. */
interface Runtimes {
  readonly Deno?: {
    readonly permissions: {
      querySync(permission: { readonly name: "env"; readonly variable: string }): {
        readonly state: string;
      };
    };
  };
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** An environment variable; `undefined` where there is none, or it may not be read. It never asks. */
export function environmentVariable(variable: string): string | undefined {
  const { Deno, process } = globalThis as unknown as Runtimes;
  if (Deno !== undefined) {
    if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  }
  return process?.env?.[variable];
}
