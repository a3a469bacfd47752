import { assertEquals, assertThrows } from "@std/assert";
import { checkHeaders, parseUrl, redirectTarget } from "../../src/parallel/url_target.ts";
import { JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";

test("parseUrl() takes a URL apart", () => {
  assertEquals(parseUrl("http://a.example/b%20c?d#e"), {
    href: "http://a.example/b%20c?d",
    target: { hostname: "a.example", port: 80 },
    origin: "http://a.example",
    host: "a.example",
    path: "/b%20c?d",
  });
  const secured = parseUrl("https://[::1]:8443/", { caCerts: ["x"] });
  assertEquals(secured.target, { hostname: "::1", port: 8443, tls: { caCerts: ["x"] } });
  assertEquals(secured.host, "[::1]:8443");
});

test("redirectTarget() leads where it says, relative or not", () => {
  const from = parseUrl("http://a.example/b/c?d");
  const cases: [string, string][] = [
    ["e", "http://a.example/b/e"],
    ["/e#f", "http://a.example/e"],
    ["?g", "http://a.example/b/c?g"],
    ["//b.example/x", "http://b.example/x"],
    ["https://a.example/x", "https://a.example/x"],
  ];
  for (const [location, href] of cases) assertEquals(redirectTarget(from, location).href, href);
});

test("redirectTarget() keeps a name to verify for its own host, and authorities for all", () => {
  const tls = { serverName: "a.example", caCerts: ["x"] };
  const from = parseUrl("https://127.0.0.1/x", tls);
  assertEquals(redirectTarget(from, "/y", tls).target.tls, tls);
  const other = redirectTarget(from, "https://b.example/x", tls);
  assertEquals(other.target.tls, { caCerts: ["x"] });
});

test("redirectTarget() refuses to leave https, other schemes, user names, and nothing at all", () => {
  const from = parseUrl("https://a.example/x");
  const cases = [
    undefined,
    "http://a.example/x",
    "http://:80",
    "ftp://a.example/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://me:secret@b.example/x",
  ];
  for (const location of cases) {
    const error = assertThrows(() => redirectTarget(from, location), JackfieldError, "redirects");
    assertEquals(error.code, "HTTP_BAD_RESPONSE");
    assertEquals(error.message.includes("secret"), false);
  }
});

test("checkHeaders() refuses what a transfer writes itself, and what is no field", () => {
  assertEquals(checkHeaders({ Authorization: "x", Cookie: "y" }).length, 2);
  for (const name of ["Range", "if-range", "HOST", "Accept-Encoding", "Connection", "a b", ""]) {
    assertThrows(() => checkHeaders({ [name]: "x" }), TypeError, name);
  }
  assertThrows(() => checkHeaders({ A: "x\r\nRange: bytes=0-1" }), TypeError);
});
