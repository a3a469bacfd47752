// Fact 1 of this library: a local address alone cuts the range of ports (ip(7), IP_BIND_ADDRESS_NO_PORT
// is set by no runtime), so that it serves all destinations together once; the table's own choice of
// the port serves each destination with the whole range.
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import type { Outcome } from "./serve_lines.ts";
import { noNamespaces, withNamespaces } from "./tools.ts";

interface Opened {
  readonly open: number;
  readonly refused: Readonly<Record<string, number>>;
}

test(
  "AddressTable.connect() uses every port of a cut range once for each destination",
  { skip: noNamespaces },
  () =>
    withNamespaces(async (create) => {
      const host = await create();
      host.run("echo 40000 40009 > /proc/sys/net/ipv4/ip_local_port_range");
      const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
      const targets = ["127.0.1.1", "127.0.1.2", "127.0.1.3"].map((hostname) => {
        return { hostname, port: 7000 };
      });
      const [server, plain, table] = ["", "", ""].map(() => host.start("table_child.ts"));
      await server!.ask(["listen", targets.map(({ hostname }) => hostname), 7000]);
      const all = addresses.length * 10 * targets.length;

      const alone = await plain!.ask<Outcome<Opened>>(["plain", addresses, targets, all]);
      assertEquals(alone.value, {
        open: addresses.length * 10,
        refused: { "address-in-use": all - addresses.length * 10 },
      });
      await plain!.kill();

      await table!.ask(["table", addresses, {}]);
      const wide = await table!.ask<Outcome<Opened>>(["connect", targets, all]);
      assertEquals(wide.value, { open: all, refused: {} });
      const more = await table!.ask<Outcome<Opened>>(["connect", targets, 1]);
      assertEquals(more.value, { open: 0, refused: { ADDRESS_EXHAUSTED: 1 } });

      const { value: ends = [] } = await table!.ask<Outcome<[string, string][]>>(["ends"]);
      assertEquals(new Set(ends.map((pair) => pair.join(" "))).size, all);
      const listed = host.run("ss -Htn state established sport ge :40000 and sport le :40009");
      assertEquals(listed.trim().split("\n").length, all);
    }),
);
