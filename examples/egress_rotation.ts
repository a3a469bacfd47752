// Requests leave from three local addresses in turn. A server turns away an address that asked twice;
// that address then rests, for this server only, and the others go on.
import { AddressTable, hostAddresses, systemTransport } from "../mod.ts";

const listener = await systemTransport().listen({ port: 0 });
const visits = new Map<string, number>();
const serving = (async () => {
  for await (const socket of listener) {
    const { hostname } = socket.remoteAddress;
    const count = (visits.get(hostname) ?? 0) + 1;
    visits.set(hostname, count);
    await socket.write(new TextEncoder().encode(count > 2 ? "429" : "200"));
    await socket.close();
  }
})();

const addresses = new AddressTable({
  source: hostAddresses(["127.0.0.11", "127.0.0.12", "127.0.0.13"]),
});

/** Ask from the next address; one that is turned away rests for a minute, and another one asks. */
async function ask(): Promise<string> {
  for (;;) {
    const socket = await addresses.connect(listener.address);
    const { hostname } = socket.localAddress;
    const buffer = new Uint8Array(8);
    const count = await socket.read(buffer) ?? 0;
    await socket.close();
    if (new TextDecoder().decode(buffer.subarray(0, count)) === "200") return hostname;
    addresses.rest(hostname, listener.address, 60_000);
  }
}

const answered: string[] = [];
for (let request = 0; request < 6; request++) answered.push(await ask());
console.log("answered:", answered.map((hostname) => hostname.split(".")[3]).join(" ")); // 11 12 13 11 12 13

try {
  await ask(); // Each has asked twice: one after the other is turned away, until all rest.
} catch (error) {
  console.log((error as { code?: string }).code); // ADDRESS_EXHAUSTED
}

await addresses.closeAll();
await listener.close();
await serving;
