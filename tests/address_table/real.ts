import { systemTransport } from "../../src/system_transport.ts";

/** The reason why this host cannot run tests on addresses of 127.0.0.0/8; `false` if it can. */
export async function skipUnlessLocal(): Promise<string | false> {
  const transport = systemTransport();
  if (!transport.capabilities.localAddress) return "no localAddress here";
  try {
    await (await transport.listen({ hostname: "127.0.0.3" })).close();
    return false;
  } catch {
    return "127.0.0.3 is not on this host";
  }
}

/** The reason why addresses cannot be held against other processes here; `false` if they can. */
export async function skipUnlessHeld(): Promise<string | false> {
  try {
    await (await systemTransport().listen({ path: "\0jackfield/probe" })).close();
    return false;
  } catch {
    return "no abstract Unix sockets here";
  }
}
