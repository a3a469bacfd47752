import { assertEquals } from "@std/assert";
import { countPorts, readHeld } from "../../src/cli/kernel_view.ts";
import { wrap } from "../../src/cli/wrap.ts";
import { test } from "../harness.ts";

/** As proc_net(5) has them, cut after the columns that are read. */
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0200007F:8000 0100007F:1F90 01 00000000:00000000
   2: 0200007F:8001 0100007F:1F90 06 00000000:00000000
   3: 0300007F:8000 0100007F:1F90 01 00000000:00000000
   4: 0100007F:1F90 0200007F:8000 01 00000000:00000000
`;
const TCP6 = `  sl  local_address rem_address   st
   0: B80D0120000000000000000001000000:8005 B80D0120000000000000000002000000:01BB 01
   1: 0000000000000000FFFF00000200007F:8002 0000000000000000FFFF00000100007F:1F90 01
`;

test("countPorts() counts local ports of the range per address and destination", () => {
  assertEquals(countPorts([TCP, TCP6], 0x8000, 0x9000), [
    { localAddress: "127.0.0.2", destination: "127.0.0.1:8080", ports: 3 },
    { localAddress: "127.0.0.3", destination: "127.0.0.1:8080", ports: 1 },
    { localAddress: "2001:db8::1", destination: "[2001:db8::2]:443", ports: 1 },
  ]);
  // The listener's own side is left out.
  assertEquals(countPorts([TCP], 1, 65_535).length, 2);
  assertEquals(countPorts([TCP], 0x8001, 0x8001).map(({ ports }) => ports), [1]);
  assertEquals(countPorts([], 1, 65_535), []);
});

test("readHeld() finds the names that stand for addresses, and no others", () => {
  const held = readHeld([
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000000000000: 00000002 00000000 00010000 0001 01 23965 @jackfield/address/127.0.0.2",
    "0000000000000000: 00000002 00000000 00010000 0001 01 23966 @jackfield/added/2001:db8::1",
    "0000000000000000: 00000002 00000000 00010000 0001 01 23967 @jackfield/other/127.0.0.3",
    "0000000000000000: 00000002 00000000 00010000 0001 01 23968 /jackfield/address/127.0.0.4",
    "0000000000000000: 00000003 00000000 00000000 0001 03 23969",
    "",
  ].join("\n"));
  assertEquals([...held.exclusive], ["127.0.0.2"]);
  assertEquals([...held.added], ["2001:db8::1"]);
});

test("wrap() breaks at spaces, and never inside a word", () => {
  assertEquals(wrap("one two three", 7), ["one two", "three"]);
  assertEquals(wrap("one two three", 6), ["one", "two", "three"]);
  assertEquals(wrap("a much-too-long word", 5), ["a", "much-too-long", "word"]);
  assertEquals(wrap("", 5), [""]);
});
