import { memoryTransport } from "../../../src/adapters/memory/mod.ts";
import { transportContract } from "../../transport/contract.ts";

transportContract("memory", { make: memoryTransport, real: false });
