// A C compiler, where there is one, is asked about every number and layout.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assertEquals } from "@std/assert";
import * as layouts from "../../src/native/layouts.ts";
import { test } from "../harness.ts";

const compiler = process.env.CC ?? "cc";
const hasCompiler = process.platform === "linux" && spawnSync(compiler, ["--version"]).status === 0;

/** What C calls a member, by what we call it. */
const STATX_MEMBERS = {
  mode: "stx_mode",
  inode: "stx_ino",
  size: "stx_size",
  changed: "stx_ctime",
  modified: "stx_mtime",
  deviceMajor: "stx_dev_major",
  deviceMinor: "stx_dev_minor",
} as const;

test("layouts.ts says what the C library of this machine says", {
  skip: hasCompiler ? false : "no C compiler",
}, () => {
  const { SOCKADDR, IOVEC, STATX, STATFS, ERROR_NAMES, ...rest } = layouts;
  const numbers = Object.entries(rest) as [string, number][];
  const expected: Record<string, number> = {
    ...rest,
    "sizeof(struct sockaddr_in6)": SOCKADDR.bytes,
    "offsetof(struct sockaddr_in6, sin6_family)": SOCKADDR.family,
    "offsetof(struct sockaddr_in6, sin6_port)": SOCKADDR.port,
    "offsetof(struct sockaddr_in, sin_port)": SOCKADDR.port,
    "offsetof(struct sockaddr_in, sin_addr)": SOCKADDR.ipv4,
    "offsetof(struct sockaddr_in6, sin6_addr)": SOCKADDR.ipv6,
    "sizeof(struct iovec)": IOVEC.bytes,
    "offsetof(struct iovec, iov_base)": IOVEC.address,
    "offsetof(struct iovec, iov_len)": IOVEC.length,
    "sizeof(struct statx)": STATX.bytes,
    "sizeof(struct statfs)": STATFS.bytes,
    "offsetof(struct statfs, f_type)": STATFS.type,
    "offsetof(struct statx_timestamp, tv_nsec)": 8,
  };
  for (const [name, member] of Object.entries(STATX_MEMBERS)) {
    expected[`offsetof(struct statx, ${member})`] = STATX[name as keyof typeof STATX_MEMBERS];
  }
  for (const [errno, name] of Object.entries(ERROR_NAMES)) expected[name] = Number(errno);
  assertEquals(numbers.every(([, value]) => Number.isInteger(value)), true);
  const folder = mkdtempSync(join(tmpdir(), "jackfield-"));
  try {
    const lines = Object.keys(expected).map((name) =>
      `printf("%s\\t%lld\\n", "${name}", (long long)(${name}));`
    );
    writeFileSync(join(folder, "probe.c"), `${HEADERS}\nint main(void){${lines.join("\n")}}\n`);
    const program = join(folder, "probe");
    const built = spawnSync(compiler, ["-o", program, join(folder, "probe.c")], {
      encoding: "utf8",
    });
    assertEquals(built.stderr, "");
    const said = spawnSync(program, { encoding: "utf8" }).stdout.trim().split("\n");
    const actual = Object.fromEntries(
      said.map((line) => line.split("\t")).map(([name, value]) => [name!, Number(value)]),
    );
    assertEquals(actual, expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const HEADERS = `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>`;
