// What the host's interfaces do to a real interface, as ip(8) shows it.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "../harness.ts";
import type { InterfaceAddress } from "../../src/transport/mod.ts";
import type { Outcome } from "./serve_lines.ts";
import { type Child, type Namespace, noNamespaces, withNamespaces } from "./tools.ts";

const skip = noNamespaces;

/** What ip(8) tells of an address. */
interface Shown {
  readonly local: string;
  readonly prefixlen: number;
  readonly label?: string;
  readonly deprecated?: boolean;
  readonly tentative?: boolean;
  readonly valid_life_time: number;
}

/** The addresses of the cable's end `wire`, without those that the kernel gives itself. */
function shown(host: Namespace): Shown[] {
  const [link] = JSON.parse(host.run("ip -j address show dev wire scope global"));
  return (link?.addr_info ?? []).filter(({ local }: Partial<Shown>) => local !== undefined);
}

/** In Deno it needs no more than this. */
const PERMISSIONS = ["--allow-net", "--allow-run=ip,ss", "--allow-sys=networkInterfaces"];

function start(host: Namespace): Child {
  return host.start("interfaces_child.ts", [], PERMISSIONS);
}

/** A host with the cable's end `wire` and 10.8.0.1/24 on it, and a child in it. */
function withHost(run: (host: Namespace, child: Child) => Promise<void>): Promise<void> {
  return withNamespaces(async (create) => {
    const host = await create();
    host.connect("wire", host, "end");
    host.run("ip address add 10.8.0.1/24 dev wire");
    await run(host, start(host));
  });
}

const V4 = "10.8.0.20";
const V6 = "2001:db8::20";

test(
  "Interfaces.assign() adds host addresses, and remove() takes them away",
  { skip },
  () =>
    withHost(async (host, child) => {
      for (const hostname of [V4, V6]) {
        const options = { hostname, interface: "wire", validMs: 60_900 };
        assertEquals(await child.ask(["assign", options]), { value: null });
      }
      const [, v4, v6] = shown(host);
      assertEquals([v4!.local, v4!.prefixlen, v4!.label], [V4, 32, "wire:jf"]);
      // Deprecated: nobody gets it for a source who did not ask; and usable at once.
      assertEquals([v6!.local, v6!.prefixlen, v6!.deprecated], [V6, 128, true]);
      assertEquals(v6!.tentative, undefined);
      for (const { valid_life_time: left } of [v4!, v6!]) assert(left === 60 || left === 59);

      const { value: list = [] } = await child.ask<Outcome<InterfaceAddress[]>>(["list"]);
      assertEquals(list.find(({ hostname }) => hostname === V4), {
        hostname: V4,
        family: 4,
        interface: "wire", // and not the label
        prefixLength: 32,
        scope: "global",
      });

      for (const hostname of [V4, V6]) await child.ask(["renew", hostname, 90_000]);
      for (const { valid_life_time: left } of shown(host).slice(1)) assert(left > 80 && left <= 90);

      for (const hostname of [V4, V6]) {
        assertEquals(await child.ask(["remove", hostname]), { value: null });
        assertEquals(await child.ask(["remove", hostname]), { value: null });
        const { code } = await child.ask<Outcome<void>>(["renew", hostname, 90_000]);
        assertEquals(code, "ADDRESS_LEASE_LOST");
      }
      assertEquals(shown(host).map(({ local }) => local), ["10.8.0.1"]);
    }),
);

test(
  "Interfaces.assign() leaves alone what is there, and says why it cannot add",
  { skip },
  () =>
    withHost(async (host, child) => {
      const refused = async (hostname: string, name: string): Promise<string> => {
        const options = { hostname, interface: name, validMs: 60_000 };
        const { code, message } = await child.ask<Outcome<void>>(["assign", options]);
        assertEquals(code, "ADDRESS_ASSIGN_FAILED");
        return message!;
      };
      const taken = "Cannot add 10.8.0.1 to wire: the host or another process has it already";
      assertEquals(await refused("10.8.0.1", "wire"), taken);
      assertEquals(
        await refused(V4, "nothing"),
        `Cannot add ${V4} to nothing: there is no such interface`,
      );
      await child.ask(["assign", { hostname: V4, interface: "wire", validMs: 60_000 }]);
      assertStringIncludes(await refused(V4, "wire"), "another process");
      const second = start(host);
      const options = { hostname: V4, interface: "wire", validMs: 60_000 };
      const { message } = await second.ask<Outcome<void>>(["assign", options]);
      assertStringIncludes(message!, "another process");
      assertEquals(shown(host).length, 2);
    }),
);

test(
  "Interfaces.assign() does many at once in a few calls of ip(8)",
  { skip },
  () =>
    withHost(async (host, child) => {
      const names = Array.from({ length: 300 }, (_, at) => `10.9.${at >> 8}.${at & 255}`);
      const options = (hostname: string) => ({ hostname, interface: "wire", validMs: 60_000 });
      const all = names.map(options);
      const bad = { hostname: "10.10.0.1", interface: "nothing", validMs: 60_000 };
      all.splice(100, 0, bad); // It fails alone.
      const why = "Cannot add 10.10.0.1 to nothing: there is no such interface";
      assertEquals(await child.ask(["assignMany", all]), { value: [why] });
      assertEquals(shown(host).length, 301);
      await child.kill();
      const next = start(host);
      assertEquals(await next.ask(["assignMany", names.map(options)]), { value: [] });
      assertEquals(shown(host).length, 301);
      await next.ask(["removeMany", names]);
      assertEquals(shown(host).length, 1);
    }),
);

test(
  "Interfaces.removeLeftovers() removes what killed owners have left, at once",
  { skip },
  () =>
    withHost(async (host, child) => {
      const living = start(host);
      for (const [owner, hostname] of [[child, V4], [child, V6], [living, "10.8.0.30"]] as const) {
        await owner.ask(["assign", { hostname, interface: "wire", validMs: 600_000 }]);
      }
      assertEquals(await living.ask(["removeLeftovers"]), { value: [] });
      await child.kill();
      assertEquals(await living.ask(["removeLeftovers", "end"]), { value: [] });
      assertEquals(shown(host).length, 4);
      assertEquals(await living.ask(["removeLeftovers", "wire"]), { value: [V4, V6] });
      assertEquals(shown(host).map(({ local }) => local), ["10.8.0.1", "10.8.0.30"]);
    }),
);

test(
  "Interfaces.assign() takes over what a killed owner has left",
  { skip },
  () =>
    withHost(async (host, child) => {
      await child.ask(["assign", { hostname: V4, interface: "wire", validMs: 600_000 }]);
      await child.kill();
      const next = start(host);
      const options = { hostname: V4, interface: "wire", validMs: 60_000 };
      assertEquals(await next.ask(["assign", options]), { value: null });
      assert(shown(host)[1]!.valid_life_time <= 60);
    }),
);

test(
  "AssignedAddress.remove() destroys the sockets that still use the address",
  { skip },
  () =>
    withHost(async (_host, child) => {
      for (const hostname of [V4, V6]) {
        await child.ask(["assign", { hostname, interface: "wire", validMs: 60_000 }]);
        // Without that, the read would wait for ever.
        assertEquals(await child.ask(["destroyed", hostname]), { value: "SOCKET_RESET" });
      }
    }),
);

test(
  "AssignedAddress.remove() waits for the last bytes of sockets that were closed",
  { skip },
  () =>
    withHost(async (_host, child) => {
      await child.ask(["assign", { hostname: V4, interface: "wire", validMs: 60_000 }]);
      assertEquals(await child.ask(["lastBytes", V4, 400_000]), { value: 400_000 });
    }),
);

test(
  "AssignedAddress.renew() never brings back an address whose time is over",
  { skip },
  () =>
    withHost(async (host, child) => {
      await child.ask(["assign", { hostname: V4, interface: "wire", validMs: 1999 }]);
      assertEquals(shown(host)[1]!.valid_life_time <= 1, true); // Whole seconds, rounded down.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const { code, message } = await child.ask<Outcome<void>>(["renew", V4, 60_000]);
      assertEquals([code, message], [
        "ADDRESS_LEASE_LOST",
        `Cannot renew ${V4} on wire: its time is over`,
      ]);
      for (const { local, valid_life_time: left } of shown(host)) assert(local !== V4 || left <= 1);
      assertEquals(await child.ask(["remove", V4]), { value: null }); // Gone or not.
      assertEquals(shown(host).length, 1);
    }),
);
