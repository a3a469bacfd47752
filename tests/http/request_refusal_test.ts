import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseRequestHead, readRequest, refusalOf, refuseRequest } from "../../src/core.ts";
import { JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { head } from "./tools.ts";

const HOST = "Host: a";

/** What is answered to a head: its status, and `close` when the connection ends. */
function answer(...lines: readonly string[]): string {
  const result = readRequest(head(...lines));
  return "status" in result ? `${result.status}${result.close ? " close" : ""}` : "served";
}

test("readRequest() gives the request of GET and HEAD", () => {
  const result = readRequest(head("HEAD /a HTTP/1.1", HOST));
  assert(!("status" in result));
  assertEquals([result.method, result.target], ["HEAD", "/a"]);
});

test("readRequest() refuses as a value, with a reason of one printable line", () => {
  const result = readRequest(head("GET /\x01 HTTP/1.1", HOST));
  assert("status" in result);
  assertEquals([result.status, result.close, result.fields], [400, true, []]);
  assert(/^Cannot read request: [ -~]+$/.test(result.reason), result.reason);
});

test("readRequest() lets a connection go on only after a head that was understood", () => {
  assertEquals(answer("GET / HTTP/1.1", HOST), "served");
  assertEquals(answer("PUT / HTTP/1.1", HOST), "405");
  assertEquals(answer("PUT / HTTP/1.0"), "405 close");
  assertEquals(answer("BREW / HTTP/1.1", HOST), "501");
  assertEquals(answer("PUT / HTTP/1.1", HOST, "Content-Length: 1"), "413 close");
  assertEquals(answer("BREW / HTTP/1.1", HOST, "Content-Length: 1"), "413 close");
  assertEquals(answer("CONNECT a:1 HTTP/1.1", HOST), "405 close");
  assertEquals(answer("GET / HTTP/1.2", HOST), "505 close");
});

test("readRequest() passes limits on (RFC 9112, 3; RFC 6585, 5)", () => {
  const bytes = head("GET /abcd HTTP/1.1", HOST, "X: 1");
  const status = (options: object): unknown => {
    const result = readRequest(bytes, options);
    return "status" in result ? result.status : undefined;
  };
  assertEquals(status({ maxTargetBytes: 5, maxFields: 2 }), undefined);
  assertEquals(status({ maxTargetBytes: 4 }), 414);
  assertEquals(status({ maxFields: 1 }), 431);
});

test("refuseRequest() looks at requests that another server has read", () => {
  const request = { method: "GET", hasBody: false, keepAlive: true };
  assertEquals(refuseRequest(request), undefined);
  assertEquals(refuseRequest({ ...request, hasBody: true })?.status, 413);
  assertEquals(refuseRequest({ ...request, method: "POST" })?.fields, [["Allow", "GET, HEAD"]]);
  assertEquals(refuseRequest({ ...request, method: "get" })?.status, 501);
});

test("refusalOf() knows only errors about requests", () => {
  assertEquals(refusalOf(new Error("other")), undefined);
  assertEquals(
    refusalOf(new JackfieldError("SOCKET_RESET", "Cannot read socket: reset")),
    undefined,
  );
  assertEquals(refusalOf(new JackfieldError("HTTP_BAD_RESPONSE", "Cannot read")), undefined);
  const error = assertThrows(() => parseRequestHead(head("GET / HTTP/1.1")));
  assertEquals(refusalOf(error), {
    status: 400,
    reason: "Cannot read request: field Host is missing",
    close: true,
    fields: [],
  });
  // An error of another copy, or of a reader that has no status.
  const bare = new JackfieldError("HTTP_BAD_REQUEST", "Cannot read request: x");
  assertEquals(refusalOf(bare)?.status, 400);
});
