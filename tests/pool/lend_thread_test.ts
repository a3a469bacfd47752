import { runtime } from "../harness.ts";
import { lendCases } from "./lend_cases.ts";

lendCases("thread", runtime === "node" && "Node cannot duplicate a descriptor");
