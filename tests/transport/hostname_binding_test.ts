import { assertEquals } from "@std/assert";
import {
  bindHostname,
  connectionError,
  type JackfieldError,
  type ListenerDriver,
  type Names,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { FakeListenerDriver, systemError } from "./fakes.ts";
import { rejection } from "./tools.ts";

const BOTH = ["::1", "127.0.0.1"];

/** A resolver that knows one name. */
function namesOf(...hostnames: string[]): Names {
  return {
    lookup: () =>
      Promise.resolve(
        hostnames.map((hostname) => ({ hostname, family: hostname.includes(":") ? 6 : 4 })),
      ),
  };
}

/**
 * A host that binds: port 0 gives the next free one, `taken` ports and `missing` addresses fail.
 * What happened stands in `log`.
 */
function fakeHost(options: { taken?: string[]; missing?: string[]; broken?: string } = {}) {
  const { taken = [], missing = [], broken } = options;
  const drivers: FakeListenerDriver[] = [];
  const log: string[] = [];
  let next = 5000;
  const bind = (hostname: string, port: number): Promise<ListenerDriver> => {
    log.push(`${hostname} ${port}`);
    const refuse = (code: string) =>
      Promise.reject(connectionError("listen", { hostname, port }, systemError(code)));
    if (missing.includes(hostname)) return refuse("EADDRNOTAVAIL");
    if (hostname === broken) return refuse("EACCES");
    const given = port === 0 ? next++ : port;
    if (taken.includes(`${hostname} ${given}`)) return refuse("EADDRINUSE");
    const driver = new FakeListenerDriver(given, hostname);
    drivers.push(driver);
    return Promise.resolve(driver);
  };
  return { bind, log, drivers, open: () => drivers.filter((driver) => driver.closed === 0) };
}

test("bindHostname() binds a literal as it is, without a look-up", async () => {
  const names: Names = { lookup: () => Promise.reject(new Error("nobody asked")) };
  for (const hostname of ["127.0.0.1", "::1", "[::1]"]) {
    const host = fakeHost();
    const bound = await bindHostname(names, hostname, 0, host.bind);
    assertEquals(bound.length, 1);
    assertEquals(host.log, [hostname === "[::1]" ? "::1 0" : `${hostname} 0`]);
  }
});

test("bindHostname() gives both families of a name one port", async () => {
  const host = fakeHost();
  const bound = await bindHostname(namesOf(...BOTH), "two.test", 0, host.bind);
  assertEquals(bound.map(({ address }) => address), [
    { hostname: "::1", port: 5000 },
    { hostname: "127.0.0.1", port: 5000 },
  ]);
  assertEquals(host.log, ["::1 0", "127.0.0.1 5000"]);
});

test("bindHostname() binds an address once, however often it was found", async () => {
  const host = fakeHost();
  await bindHostname(namesOf("::1", "::1", "127.0.0.1", "::1"), "two.test", 80, host.bind);
  assertEquals(host.log, ["::1 80", "127.0.0.1 80"]);
});

test("bindHostname() tries again when the port it found is taken on the second address", async () => {
  const host = fakeHost({ taken: ["127.0.0.1 5000", "127.0.0.1 5001"] });
  const bound = await bindHostname(namesOf(...BOTH), "two.test", 0, host.bind);
  assertEquals(bound.map(({ address }) => address.port), [5002, 5002]);
  assertEquals(host.drivers.map(({ closed }) => closed), [1, 1, 0, 0]);
});

test("bindHostname() does not try for ever", async () => {
  const taken = Array.from({ length: 100 }, (_, at) => `127.0.0.1 ${5000 + at}`);
  const host = fakeHost({ taken });
  const error = await rejection(bindHostname(namesOf(...BOTH), "two.test", 0, host.bind));
  assertEquals((error as JackfieldError).reason, "address-in-use");
  assertEquals([host.open().length, host.log.length], [0, 20]);
});

test("bindHostname() does not try again for a port that was asked for", async () => {
  const host = fakeHost({ taken: ["127.0.0.1 80"] });
  const error = await rejection(bindHostname(namesOf(...BOTH), "two.test", 80, host.bind));
  assertEquals((error as JackfieldError).reason, "address-in-use");
  assertEquals([host.log, host.open().length], [["::1 80", "127.0.0.1 80"], 0]);
});

test("bindHostname() leaves out a family that the host does not have", async () => {
  for (const missing of BOTH) {
    const host = fakeHost({ missing: [missing] });
    const bound = await bindHostname(namesOf(...BOTH), "two.test", 0, host.bind);
    const other = BOTH.find((hostname) => hostname !== missing)!;
    assertEquals(bound.map(({ address }) => address), [{ hostname: other, port: 5000 }]);
  }
});

test("bindHostname() fails when no address of the name is on the host", async () => {
  const host = fakeHost({ missing: BOTH });
  const error = await rejection(bindHostname(namesOf(...BOTH), "two.test", 0, host.bind));
  assertEquals((error as JackfieldError).reason, "address-not-available");
  assertEquals(host.log.length, 2);
});

test("bindHostname() closes what was bound when a later address fails", async () => {
  const host = fakeHost({ broken: "127.0.0.1" });
  const error = await rejection(bindHostname(namesOf(...BOTH), "two.test", 0, host.bind));
  assertEquals((error as JackfieldError).reason, "permission");
  assertEquals([host.drivers.length, host.open().length], [1, 0]);
});

test("bindHostname() says that a name has no address at all", async () => {
  const host = fakeHost();
  const error = await rejection(bindHostname(namesOf(), "none.test", 0, host.bind));
  assertEquals([error.code, (error as JackfieldError).reason], ["NAME_NOT_FOUND", "name"]);
  assertEquals(error.message, 'Cannot listen on "none.test": the host name has no address');
});

test("bindHostname() gives a failed look-up as it is", async () => {
  const failure = new Error("no such name");
  const names: Names = { lookup: () => Promise.reject(failure) };
  const host = fakeHost();
  assertEquals(await rejection(bindHostname(names, "none.test", 0, host.bind)) === failure, true);
  assertEquals(host.log, []);
});
