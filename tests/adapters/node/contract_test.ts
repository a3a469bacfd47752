import { nodeTransport } from "../../../src/adapters/node/mod.ts";
import { transportContract } from "../../transport/contract.ts";

transportContract("node", { make: nodeTransport });
