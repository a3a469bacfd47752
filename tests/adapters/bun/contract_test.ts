import { bunTransport } from "../../../src/adapters/bun/mod.ts";
import { runtime } from "../../harness.ts";
import { transportContract } from "../../transport/contract.ts";

transportContract("bun", { make: bunTransport, skip: runtime !== "bun" && "needs Bun" });
