import { assertThrows } from "@std/assert";
import { serveRequests, serveSockets } from "../../src/roots/worker.ts";
import { test } from "../harness.ts";

test("serveSockets() and serveRequests() do nothing outside of a thread, and want a function", async () => {
  for (const serve of [serveSockets, serveRequests]) {
    assertThrows(() => serve(5 as never), TypeError, 'Cannot use handler "5"');
    serve(() => {
      throw new Error("nothing comes here");
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
});
