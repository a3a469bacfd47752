// Numbers and layouts of the C library and the kernel of Linux, for 64-bit little-endian machines:
// x86-64 and aarch64 have all of these alike. `tests/native/layouts_test.ts` asks C compilers for both.

/** fcntl(2). */
export const F_GETFL = 3;
/** fcntl(2). */
export const F_SETFL = 4;
/** fcntl(2). */
export const F_DUPFD_CLOEXEC = 1030;
/** open(2). */
export const O_NONBLOCK = 0o4000;

/** send(2). */
export const MSG_DONTWAIT = 0x40;
/** send(2). */
export const MSG_NOSIGNAL = 0x4000;
/** send(2): more follows, which shall go along with it. */
export const MSG_MORE = 0x8000;

/** The family of sockaddr_in (ip(7)). */
export const AF_INET = 2;
/** The family of sockaddr_in6 (ipv6(7)). */
export const AF_INET6 = 10;
/** The structs of both families in one; the port and the addresses are in network order. */
export const SOCKADDR = { bytes: 28, family: 0, port: 2, ipv4: 4, ipv6: 8 } as const;
/** setsockopt(2): the level of sockets. */
export const SOL_SOCKET = 1;
/** getsockopt(2): whether it listens. */
export const SO_ACCEPTCONN = 30;
/** getsockopt(2): the memory of a socket, in words of 4 bytes (linux/sock_diag.h). */
export const SO_MEMINFO = 55;
/** Words of it: how much may be queued, */
export const SK_MEMINFO_SNDBUF = 3;
/** how much is, */
export const SK_MEMINFO_WMEM_QUEUED = 5;
/** and how many there are. */
export const SK_MEMINFO_VARS = 9;
/** setsockopt(2): the level of TCP. */
export const IPPROTO_TCP = 6;
/** tcp(7): send at once. */
export const TCP_NODELAY = 1;

/** preadv2(2): fail with EAGAIN instead of waiting for the disk. */
export const RWF_NOWAIT = 8;
/** The iovec of preadv2(2): an address and a length, 8 bytes each. */
export const IOVEC = { bytes: 16, address: 0, length: 8 } as const;

/** posix_fadvise(2). */
export const POSIX_FADV_DONTNEED = 4;

/** statx(2): the descriptor that is given, and not a path. */
export const AT_EMPTY_PATH = 0x1000;
/** statx(2): a link itself. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** statx(2): paths are relative to the current folder. */
export const AT_FDCWD = -100;
/** statx(2): what stat(2) tells. */
export const STATX_BASIC_STATS = 0x7ff;
/** The struct of statx(2), which is one for all machines. A time has 8 bytes of seconds and 4 more. */
export const STATX = {
  bytes: 256,
  mode: 28,
  inode: 32,
  size: 40,
  changed: 96,
  modified: 112,
  deviceMajor: 136,
  deviceMinor: 140,
} as const;
/** The bits of a mode that say what it is. */
export const S_IFMT = 0o170000;
/** A socket. */
export const S_IFSOCK = 0o140000;
/** A regular file. */
export const S_IFREG = 0o100000;

/** The struct of fstatfs(2); it begins with the type. */
export const STATFS = { bytes: 120, type: 0 } as const;
/** File systems that lie in memory. */
export const TMPFS_MAGIC = 0x01021994;
/** File systems that lie in memory. */
export const RAMFS_MAGIC = 0x858458f6;

/** errno(3). */
export const EAGAIN = 11;
/** errno(3). */
export const EOPNOTSUPP = 95;
/** Names of the errors that connections end with, errno(3). */
export const ERROR_NAMES: Readonly<Record<number, string>> = {
  5: "EIO",
  9: "EBADF",
  12: "ENOMEM",
  24: "EMFILE",
  32: "EPIPE",
  88: "ENOTSOCK",
  103: "ECONNABORTED",
  104: "ECONNRESET",
  107: "ENOTCONN",
  110: "ETIMEDOUT",
  113: "EHOSTUNREACH",
};
