// C compilers, where there are any, are asked about every number and layout.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assertEquals } from "@std/assert";
import * as layouts from "../../src/native/layouts.ts";
import { test } from "../harness.ts";

/** The compiler of this machine, and one for the other kind of machine that is known. */
const COMPILERS = {
  "this machine": process.env.CC ?? "cc",
  "aarch64": "aarch64-linux-gnu-gcc",
} as const;

const HEADERS = `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <sys/types.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>`;

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

/** What C calls it, and the number that it has here. */
function expectedNumbers(): Record<string, number> {
  const { SOCKADDR, IOVEC, STATX, STATFS, ERROR_NAMES, ...rest } = layouts;
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
    // The widths that libc.ts gives the arguments and results of its calls.
    "sizeof(int)": 4,
    "sizeof(size_t)": 8,
    "sizeof(off_t)": 8,
    "sizeof(void *)": 8,
  };
  for (const [name, member] of Object.entries(STATX_MEMBERS)) {
    expected[`offsetof(struct statx, ${member})`] = STATX[name as keyof typeof STATX_MEMBERS];
  }
  for (const [errno, name] of Object.entries(ERROR_NAMES)) expected[name] = Number(errno);
  return expected;
}

/** What a compiler says to numbers that are asserted; it runs nothing, so it may be a cross compiler. */
function complaints(compiler: string, expected: Readonly<Record<string, number>>): string[] {
  const lines = Object.entries(expected)
    .map(([name, value]) => `_Static_assert((${name}) == ${value}, "${name} is not ${value}");`);
  const words = ["-x", "c", "-fsyntax-only", "-"];
  const options = { input: `${HEADERS}\n${lines.join("\n")}\n`, encoding: "utf8" } as const;
  const { status, stderr, error } = spawnSync(compiler, words, options);
  if (error !== undefined) return [error.message];
  const found = stderr.split("\n").filter((line) => line.includes("error:"));
  return status === 0 || found.length > 0 ? found : [stderr];
}

for (const [where, compiler] of Object.entries(COMPILERS)) {
  const isThere = process.platform === "linux" && complaints(compiler, {}).length === 0;
  test(`layouts.ts says what the C library of ${where} says`, {
    skip: isThere ? false : `no ${compiler} with the headers of its C library`,
  }, () => {
    const expected = expectedNumbers();
    assertEquals(Object.values(expected).every(Number.isInteger), true);
    assertEquals(complaints(compiler, expected), []);
    assertEquals(complaints(compiler, { EAGAIN: 12, "sizeof(struct iovec)": 16 }).length, 1);
  });
}
