// Random steps over a network that loses, doubles and delays: whatever happens, an address that a
// socket may use is leased to it, by the server's own book and clock.
import { assert, assertEquals } from "@std/assert";
import { isJackfieldError, type Socket } from "../../../src/core.ts";
import { clientIdentifier, colonHex } from "../../../src/integrations/dhcp/identity.ts";
import { test } from "../../harness.ts";
import { type Dice, withSeeds } from "../../support/seeds.ts";
import { CAPTURED } from "./captured.ts";
import type { Fate } from "./fake_server.ts";
import { type Scene, scene, TARGET } from "./scene.ts";

const OWNER = "5f0d3c1a-7b52-4f4e-9a55-1b6f2f6a9c01";

/** What a bad network does to one datagram. */
function badFate({ random, below }: Dice): Fate {
  const drawn = random();
  if (drawn < 0.15) return { delaysMs: [] };
  if (drawn < 0.25) return { delaysMs: [below(20), below(5000)] };
  if (drawn < 0.35) return { delaysMs: [below(5000)] };
  if (drawn < 0.4) return { delaysMs: [1], spoil: (bytes) => bytes.slice(0, below(bytes.length)) };
  return { delaysMs: [below(5)] };
}

/** What the table may use is leased to it. */
function checkSafety({ server, table, clock }: Scene, what: string): void {
  for (const { hostname, state, owner, descriptors } of table.state().addresses) {
    // What is on its way back is used by nobody.
    if (state === "resting" || descriptors.length === 0) continue;
    const binding = server.bindings.get(hostname);
    assertEquals(binding?.owner, owner, `${hostname} ${what}`);
    const leftMs = binding!.endsAtMs - clock.now();
    assert(leftMs > 0, `${hostname} is over since ${-leftMs} ms ${what}`);
  }
}

test("dhcpAddresses() uses no address that its server could give to others, in random steps with faults (A4)", () =>
  withSeeds([3, 7], async (dice) => {
    let isBad = true;
    const made = await scene({
      server: {
        size: 40,
        leaseSeconds: 60,
        fate: () => isBad ? badFate(dice) : { delaysMs: [1] },
      },
      dhcp: { owner: OWNER, random: dice.random },
    });
    const { clock, server, source, table } = made;
    const open: (number | Socket)[] = [];
    const failures: Record<string, number> = {};
    const pending = new Set<Promise<unknown>>();
    let what = "";
    /** Something that may fail for reasons of the network, and nothing else. */
    const begin = (operation: Promise<unknown>) => {
      const settled = operation.catch((error) => {
        const { code } = error;
        assert(isJackfieldError(error) && /^ADDRESS_/.test(code), `${error} ${what}`);
        failures[code] = (failures[code] ?? 0) + 1;
      }).finally(() => pending.delete(settled));
      pending.add(settled);
    };
    for (let step = 0; step < 500; step++) {
      what = `in step ${step}`;
      const drawn = dice.random();
      if (drawn < 0.2) begin(table.create().then((descriptor) => open.push(descriptor)));
      else if (drawn < 0.3) begin(table.connect(TARGET).then((socket) => open.push(socket)));
      else if (drawn < 0.5 && open.length > 0) {
        const [one] = open.splice(dice.below(open.length), 1) as [number | Socket];
        begin(typeof one === "number" ? table.close(one) : one.close());
      } else if (drawn < 0.52) server.isSilent = dice.random() < 0.4;
      else if (drawn < 0.57) server.isRefusing = dice.random() < 0.2;
      else if (drawn < 0.6) server.inject(dice.oneOf(CAPTURED).bytes);
      else if (drawn < 0.61) { // Somebody else takes an address that is free.
        const taken = `10.7.0.${1 + dice.below(40)}`;
        if (!server.leased.includes(taken)) {
          server.bindings.set(taken, { owner: "other", endsAtMs: clock.now() + 30_000 });
        }
      }
      const ms = dice.oneOf([0, 1, 10, 500, 3000, 10_000]);
      for (let at = 0; at < 4; at++) {
        await clock.advance(ms / 4);
        checkSafety(made, what);
      }
    }
    // The network is well again: everything ends, and the server's book agrees.
    isBad = server.isSilent = server.isRefusing = false;
    await clock.advance(70_000);
    const closing = table.closeAll();
    await clock.advance(70_000);
    await closing;
    await Promise.all(pending);
    assertEquals([server.leased, server.bound, source.stats().leased], [[], 0, 0]);
    assertEquals(clock.pending, 0);
    const { resent, malformed, foreign, refused } = source.stats();
    assert(Math.min(resent, malformed, foreign, refused) > 0, JSON.stringify(source.stats()));
    assert((failures.ADDRESS_EXHAUSTED ?? 0) > 0, JSON.stringify(failures));
    assert(colonHex(clientIdentifier(OWNER, 0)).endsWith("6a:9c:01"));
  }));
