// The ways out of a host: what is missing is named, and what was named helps.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test } from "../harness.ts";
import type { Outcome } from "./serve_lines.ts";
import { type Child, type Namespace, noNamespaces, withNamespaces } from "./tools.ts";

const skip = noNamespaces;

/** The sentence with which a check fails; `undefined` when it does not. */
async function check(child: Child, to: string, from: string): Promise<string | undefined> {
  const { code, message } = await child.ask<Outcome<void>>(["checkRoute", to, from]);
  if (message !== undefined) assertEquals(code, "ADDRESS_ASSIGN_FAILED", message);
  return message;
}

const FAMILIES = [
  { family: "IPv4", near: ["10.1.0.1", "10.2.0.1"], far: ["10.1.0.254", "10.2.0.254"], bits: 24 },
  {
    family: "IPv6",
    near: ["2001:db8:1::1", "2001:db8:2::1"],
    far: ["2001:db8:1::fe", "2001:db8:2::fe"],
    bits: 64,
  },
];
const TARGET = { IPv4: "192.0.2.1", IPv6: "2001:db8:ff::1" } as Readonly<Record<string, string>>;

for (const { family, near, far, bits } of FAMILIES) {
  const ip = family === "IPv4" ? "ip" : "ip -6";
  test(
    `Interfaces.checkRoute() names the missing ${family} rule, and with it connects get through`,
    { skip },
    () =>
      withNamespaces(async (create) => {
        const target = TARGET[family]!;
        const [host, router] = [await create(), await create()];
        for (const [at, wire] of ["first", "second"].entries()) {
          host.connect(wire, router, wire);
          const nodad = family === "IPv6" ? "nodad" : "";
          host.run(`ip address add ${near[at]}/${bits} dev ${wire} ${nodad}`);
          router.run(`ip address add ${far[at]}/${bits} dev ${wire} ${nodad}`);
        }
        router.run(`ip address add ${target} dev lo`);
        // As routers do that let nobody in through the wrong door (RFC 2827).
        if (family === "IPv4") {
          router.run("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $f; done");
        }
        const server = router.start("table_child.ts");
        await server.ask(["listen", [target], 7000]);
        const child = host.start("interfaces_child.ts");

        const noRoute = await check(child, target, near[0]!);
        assertEquals(
          noRoute,
          `Cannot reach ${target} from ${near[0]}: no route leads there; ` +
            `missing: ip route add ${target} via GATEWAY dev first`,
        );
        host.run(
          named(noRoute!, far[0]!).replace(`ip route add ${target}`, `${ip} route add default`),
        );
        assertEquals(await check(child, target, near[0]!), undefined);
        const connectFrom = (from: string) =>
          child.ask<Outcome<string>>(["connect", target, 7000, from, 1000]);
        assertEquals(await connectFrom(near[0]!), { value: near[0] });

        const noRule = await check(child, target, near[1]!);
        assertStringIncludes(noRule!, "its packets would leave through first");
        assertStringIncludes(noRule!, `${ip} rule add from ${near[1]} lookup `);
        if (family === "IPv4") {
          assertEquals((await connectFrom(near[1]!)).code, "CONNECT_TIMEOUT");
        }
        host.run(named(noRule!, far[1]!).replace("; ", " && "));
        assertEquals(await check(child, target, near[1]!), undefined);
        assertEquals(await connectFrom(near[1]!), { value: near[1] });

        // The command says the same, in one line for each address.
        const own = near.join();
        const words = ["addresses", "--json", "--addresses", own, "--check"];
        const to = family === "IPv4" ? target : `[${target}]`;
        const through = await host.start(CLI, [...words, `${to}:7000`]).answer<Printed>();
        assertEquals(through.check.from.map(({ connected }) => connected), [true, true]);
        host.run(`${ip} route del default`);
        const stuck = await host.start(CLI, [...words, `${to}:7000`]).answer<Printed>();
        assertEquals(stuck.check.from.map(({ connected }) => connected), [false, true]);
        assertStringIncludes(noRoute!, stuck.check.from[0]!.why!);
      }),
  );
}

const CLI = "../../src/cli/mod.ts";

/** What `jackfield addresses --check --json` prints. */
interface Printed {
  readonly check: { readonly from: readonly { connected: boolean; why?: string }[] };
}

/** The commands that a sentence names, with the gateway filled in. */
function named(sentence: string, gateway: string): string {
  assertMatch(sentence, /missing: ip .*GATEWAY/);
  return sentence.split("missing: ")[1]!.replace("GATEWAY", gateway);
}

test("Interfaces.checkRoute() names an address that is missing, and a silent gateway", {
  skip,
}, () =>
  withNamespaces(async (create) => {
    const host = await create();
    host.connect("wire", await create(), "wire");
    host.run("ip address add 10.1.0.1/24 dev wire && ip route add default via 10.1.0.254");
    const child = host.start("interfaces_child.ts");
    assertEquals(
      await check(child, "192.0.2.1", "10.1.0.7"),
      "Cannot reach 192.0.2.1 from 10.1.0.7: the address is not on this host; " +
        "missing: ip address add 10.1.0.7/32 dev wire",
    );
    assertStringIncludes(
      (await check(child, "192.0.2.1", "127.0.0.1"))!,
      "a loopback address reaches this host alone",
    );
    assertEquals(await check(child, "192.0.2.1", "10.1.0.1"), undefined);
    await child.ask(["connect", "192.0.2.1", 7000, "10.1.0.1", 500]); // The kernel asks for it.
    assertStringIncludes(
      (await check(child, "192.0.2.1", "10.1.0.1"))!,
      "10.1.0.254 on wire does not answer",
    );
  }));

/** Two hosts and a gateway on one switch; behind the gateway lies 192.0.2.1, with a server. */
async function moving(
  create: () => Promise<Namespace>,
): Promise<{ readonly before: Namespace; readonly after: Namespace }> {
  const [gateway, before, after] = [await create(), await create(), await create()];
  gateway.run("ip link add bridge type bridge && ip link set bridge up");
  for (const [at, host] of [before, after].entries()) {
    gateway.connect(`port${at}`, host, "wire");
    gateway.run(`ip link set port${at} master bridge`);
    host.run(`ip address add 10.1.0.${at + 1}/24 dev wire`);
    host.run("ip route add default via 10.1.0.254");
  }
  gateway.run("ip address add 10.1.0.254/24 dev bridge && ip address add 192.0.2.1 dev lo");
  await gateway.start("table_child.ts").ask(["listen", ["192.0.2.1"], 7000]);
  return { before, after };
}

test(
  "Interfaces.assign() makes the gateway learn at once where an address has gone",
  { skip },
  () =>
    withNamespaces(async (create) => {
      const { before, after } = await moving(create);
      const [first, second] = [before, after].map((host) => host.start("interfaces_child.ts"));
      const options = { hostname: "10.1.0.20", interface: "wire", validMs: 60_000 };
      const connect = ["connect", "192.0.2.1", 7000, "10.1.0.20", 1000];

      await first!.ask(["assign", options]);
      assertEquals(await first!.ask(connect), { value: "10.1.0.20" });
      await first!.ask(["remove", "10.1.0.20"]);

      // The new host knows the gateway already, and so has no reason to ask for it.
      assertEquals(
        await second!.ask(["connect", "192.0.2.1", 7000, "10.1.0.2", 1000]),
        { value: "10.1.0.2" },
      );
      after.run("ip address add 10.1.0.20/32 dev wire");
      assertEquals((await second!.ask<Outcome<string>>(connect)).code, "CONNECT_TIMEOUT");
      after.run("ip address del 10.1.0.20/32 dev wire");

      await second!.ask(["assign", options]);
      assertEquals(await second!.ask(connect), { value: "10.1.0.20" });
    }),
);
