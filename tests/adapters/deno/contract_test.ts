import { denoTransport } from "../../../src/adapters/deno/mod.ts";
import { nodeTransport } from "../../../src/adapters/node/mod.ts";
import { runtime } from "../../harness.ts";
import { transportContract } from "../../transport/contract.ts";

transportContract("deno", {
  make: denoTransport,
  peer: nodeTransport, // Deno's own sockets cannot send a reset
  skip: runtime !== "deno" && "needs Deno",
});
