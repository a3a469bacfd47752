// What connects from local addresses fail with, the same words in every runtime: in a network
// namespace with few routes, which needs root or user namespaces (unshare(1)).
import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";

const CHILD = fileURLToPath(new URL("../fixtures/local_address_child.ts", import.meta.url));

const SETUP = [
  "ip link set lo up",
  "ip address add 10.9.0.1/24 dev lo",
  "ip address add fd00:9::1/64 dev lo nodad",
  "ip route add unreachable 10.9.1.0/24",
  "ip route add blackhole 10.9.2.0/24",
].join(" && ");

/** The words that start a program in a network namespace of its own; none if it cannot be. */
const namespace = [["unshare", "-n"], ["unshare", "-r", "-n"]]
  .map((words) => [...words, "sh", "-c", `${SETUP} && exec "$@"`, "sh"])
  .find(([command, ...args]) => {
    return spawnSync(command!, [...args, "true"], { stdio: "ignore" }).status === 0;
  });

const CASES: [to: string, from: string, reason: string][] = [
  ["10.9.0.1", "10.9.0.1", "refused"],
  ["127.0.0.1", "127.0.0.2", "refused"],
  ["127.0.0.1", "10.77.0.1", "address-not-available"],
  ["::1", "2001:db8::77", "address-not-available"],
  ["203.0.113.9", "10.9.0.1", "unreachable"],
  ["2001:db8::9", "fd00:9::1", "unreachable"],
  ["10.9.1.9", "10.9.0.1", "unreachable"],
  ["10.9.2.9", "10.9.0.1", "unreachable"],
  ["10.9.0.77", "127.0.0.2", "refused"], // All of 10.9.0.0/24 is on lo here.
];

test(
  "connect() from a local address: one word for each failure in every runtime (A5)",
  { skip: namespace === undefined && "no network namespaces here" },
  () => {
    const flags = runtime === "deno" ? ["run", "--no-check", "--allow-all", "--quiet"] : [];
    const command = [...namespace!, process.execPath, ...flags, CHILD, JSON.stringify(CASES)];
    const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), {
      encoding: "utf8",
      timeout: 30_000,
    });
    assertEquals(status, 0, stdout + stderr);
    const expected = CASES.map(([to, from, reason]) => ({
      to,
      code: "CONNECT_FAILED",
      reason,
      localAddress: from,
      hasCause: true,
    }));
    const answers = JSON.parse(stdout) as object[];
    assertEquals(answers.map((answer, at) => ({ to: CASES[at]![0], ...answer })), expected);
  },
);
