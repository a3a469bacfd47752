import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  connectionError,
  isJackfieldError,
  JackfieldError,
  osCodeOf,
  permissionDenied,
  socketError,
  unsupported,
} from "../../src/core.ts";
import { test } from "../harness.ts";

const address = { hostname: "192.0.2.1", port: 80 };

/** An error as a runtime throws it. */
function raw(facts: { name?: string; code?: unknown; message?: string }): Error {
  const error = new Error(facts.message ?? "it failed");
  if (facts.name !== undefined) error.name = facts.name;
  return "code" in facts ? Object.assign(error, { code: facts.code }) : error;
}

test("connectionError() gives one reason for every runtime's way of saying it", () => {
  const cases: [Parameters<typeof raw>[0], string, string | undefined][] = [
    // The system's codes, as Node, Bun and Deno give them.
    [{ code: "ECONNREFUSED" }, "refused", "ECONNREFUSED"],
    [{ code: "ENETUNREACH" }, "unreachable", "ENETUNREACH"],
    [{ code: "EHOSTUNREACH" }, "unreachable", "EHOSTUNREACH"],
    [{ code: "ECONNRESET" }, "reset", "ECONNRESET"],
    [{ code: "ETIMEDOUT" }, "timeout", "ETIMEDOUT"],
    [{ code: "EADDRINUSE" }, "address-in-use", "EADDRINUSE"],
    [{ code: "EADDRNOTAVAIL" }, "address-not-available", "EADDRNOTAVAIL"],
    [{ code: "EAFNOSUPPORT" }, "address-not-available", "EAFNOSUPPORT"],
    [{ code: "EMFILE" }, "descriptors", "EMFILE"],
    [{ code: "ENFILE" }, "descriptors", "ENFILE"],
    [{ code: "ENOTFOUND" }, "name", "ENOTFOUND"],
    [{ code: "EAI_AGAIN" }, "name", "EAI_AGAIN"],
    [{ code: "EACCES" }, "permission", "EACCES"],
    [{ code: "EPERM" }, "permission", "EPERM"],
    [{ code: "ENOENT" }, "path", "ENOENT"],
    [{ code: "EWHATEVER" }, "other", "EWHATEVER"],
    // Deno's names, where there is no code.
    [{ name: "ConnectionRefused" }, "refused", "ECONNREFUSED"],
    [{ name: "ConnectionReset" }, "reset", "ECONNRESET"],
    [{ name: "ConnectionAborted" }, "reset", "ECONNABORTED"],
    [{ name: "BrokenPipe" }, "reset", "EPIPE"],
    [{ name: "AddrInUse" }, "address-in-use", "EADDRINUSE"],
    [{ name: "AddrNotAvailable" }, "address-not-available", "EADDRNOTAVAIL"],
    [{ name: "NetworkUnreachable" }, "unreachable", "ENETUNREACH"],
    [{ name: "TimedOut" }, "timeout", "ETIMEDOUT"],
    [{ name: "NotFound" }, "path", "ENOENT"],
    [{ name: "PermissionDenied" }, "permission", "EACCES"],
    [
      { message: "failed to lookup address information: Name or service not known" },
      "name",
      "ENOTFOUND",
    ],
    [{ code: "EAI_FAIL", message: "getaddrinfo EAI_FAIL a.test" }, "name", "EAI_FAIL"],
    [{ code: "EAI_NODATA" }, "name", "EAI_NODATA"],
    // TLS.
    [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "tls", undefined],
    [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, "tls", undefined],
    [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, "tls", undefined],
    [{ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, "tls", undefined],
    [{ code: "CERT_HAS_EXPIRED" }, "tls", undefined],
    [{ code: "ERR_SSL_WRONG_VERSION_NUMBER" }, "tls", undefined],
    [{ name: "InvalidData", message: "invalid peer certificate: UnknownIssuer" }, "tls", undefined],
    // Neither a code nor a name that says anything.
    [{ code: 12 }, "other", undefined],
    [{ code: "ERR_SOCKET_CLOSED" }, "other", undefined],
    [{}, "other", undefined],
  ];
  for (const [facts, reason, osCode] of cases) {
    const cause = raw(facts);
    const error = connectionError("connect", address, cause);
    const what = JSON.stringify(facts);
    assertEquals([error.code, error.reason], ["CONNECT_FAILED", reason], what);
    assertEquals([error.osCode, osCodeOf(cause)], [osCode, osCode], what);
    assertEquals([error.operation, error.address], ["connect", address]);
    assertEquals(error.cause === cause, true);
    assertStringIncludes(error.message, "Cannot connect to 192.0.2.1:80: ");
  }
});

test("connectionError() says what was to be done, and from where", () => {
  const refused = raw({ code: "EADDRINUSE" });
  const listening = connectionError("listen", { hostname: "::1", port: 80 }, refused);
  assertEquals(listening.code, "LISTEN_FAILED");
  assertEquals(listening.message, "Cannot listen on [::1]:80: the address is in use");
  const from = connectionError("connect", address, refused, { localAddress: "192.0.2.9" });
  assertEquals(from.localAddress, "192.0.2.9");
  assertEquals(
    from.message,
    "Cannot connect to 192.0.2.1:80 from 192.0.2.9: the address is in use",
  );
  const other = connectionError("connect", address, raw({ message: "odd luck" }));
  assertEquals(other.message, "Cannot connect to 192.0.2.1:80: the system refused: odd luck");
  const said = connectionError("connect", address, raw({ code: "ECONNRESET" }), { reason: "tls" });
  assertEquals([said.reason, said.osCode], ["tls", "ECONNRESET"]);
});

test("connectionError() knows what EINVAL means with a local address", () => {
  const einval = (facts: object) => Object.assign(raw({ code: "EINVAL" }), facts);
  const options = { localAddress: "192.0.2.9" };
  const reasonOf = (cause: Error, options = {}) =>
    connectionError("connect", address, cause, options).reason;
  const bind = einval({ syscall: "bind" }); // Deno: the address is not on the host.
  const connect = einval({ syscall: "connect" }); // No way from there to here.
  const inUse = einval({ syscall: "connect", localPort: 40_000 }); // Deno: the tuple is in use.
  assertEquals([bind, connect].map((cause) => reasonOf(cause)), ["other", "other"]);
  assertEquals(reasonOf(bind, options), "address-not-available");
  assertEquals(reasonOf(connect, options), "unreachable");
  assertEquals(reasonOf(inUse, options), "address-not-available");
});

test("connectionError() turns a missing permission of Deno into PERMISSION_DENIED", () => {
  const cause = raw({ name: "NotCapable", message: "Requires net access" });
  const error = connectionError("connect", address, cause);
  assertEquals(
    [error.code, error.permission, error.reason, error.operation],
    ["PERMISSION_DENIED", "--allow-net", "permission", "connect"],
  );
  assertEquals(error.message, "Cannot connect: permission is missing, run with --allow-net");
  assertEquals(error.cause === cause, true);
});

test("connectionError() and socketError() leave our own errors as they are", () => {
  const own = unsupported("x", "it is not there");
  assertEquals(connectionError("connect", address, own) === own, true);
  assertEquals(socketError("read", address, own) === own, true);
});

test("connectionError() survives causes that are no errors", () => {
  for (const cause of [undefined, null, "text", 5, {}]) {
    const error = connectionError("connect", address, cause);
    assertEquals([error.code, error.reason], ["CONNECT_FAILED", "other"]);
    assertEquals(socketError("read", address, cause).code, "SOCKET_FAILED");
  }
});

test("socketError() tells a reset from other failures", () => {
  const resets: Parameters<typeof raw>[0][] = [
    { code: "ECONNRESET" },
    { code: "EPIPE" },
    { code: "ECONNABORTED" },
    { code: "ENOTCONN" },
    { code: "ESHUTDOWN" },
    { name: "BrokenPipe" },
    { name: "ConnectionReset" },
    { name: "NotConnected" },
  ];
  for (const facts of resets) {
    const error = socketError("write", address, raw(facts));
    assertEquals(error.code, "SOCKET_RESET", JSON.stringify(facts));
    assertEquals(
      error.message,
      "Cannot write socket to 192.0.2.1:80: the peer reset the connection",
    );
  }
  const other = socketError("read", address, raw({ code: "EIO", message: "broken cable" }));
  assertEquals([other.code, other.osCode], ["SOCKET_FAILED", "EIO"]);
  assertEquals(other.message, "Cannot read socket to 192.0.2.1:80: broken cable");
});

test("isJackfieldError() knows an error of another copy of the class", () => {
  const own = new JackfieldError("POOL_CLOSED", "Cannot acquire socket: pool is closed");
  class OtherCopy extends Error {
    override readonly name = "JackfieldError";
    readonly code = "POOL_CLOSED";
  }
  for (const error of [own, new OtherCopy("Cannot acquire socket: pool is closed")]) {
    assertEquals(isJackfieldError(error), true);
    assertEquals(isJackfieldError(error, "POOL_CLOSED"), true);
    assertEquals(isJackfieldError(error, "POOL_TIMEOUT"), false);
  }
  const nameless = Object.assign(new Error("x"), { name: "JackfieldError" });
  for (const other of [new Error("x"), raw({ code: "POOL_CLOSED" }), nameless, null, "x"]) {
    assertEquals(isJackfieldError(other), false);
  }
});

test("JackfieldError carries its facts as fields, and no field for what is not known", () => {
  const cause = new Error("below");
  const error = new JackfieldError("POOL_TIMEOUT", "Cannot acquire socket", {
    cause,
    phase: "wait",
    limit: 5,
  });
  assertEquals([error.name, error.code, error.phase, error.limit], [
    "JackfieldError",
    "POOL_TIMEOUT",
    "wait",
    5,
  ]);
  assertEquals(error.cause === cause, true);
  assertEquals("status" in error, false);
  assertEquals("cause" in new JackfieldError("POOL_CLOSED", "x"), false);
  assertEquals(String(error), "JackfieldError: Cannot acquire socket");
});

test("unsupported() and permissionDenied() name what is missing", () => {
  const missing = unsupported("backlog", "the x transport cannot do it");
  assertEquals([missing.code, missing.feature], ["UNSUPPORTED", "backlog"]);
  assertEquals(missing.message, "Cannot use backlog: the x transport cannot do it");
  const denied = permissionDenied("listen", "--allow-net=127.0.0.1");
  assertEquals([denied.code, denied.permission, denied.operation], [
    "PERMISSION_DENIED",
    "--allow-net=127.0.0.1",
    "listen",
  ]);
});
