import { runtime } from "../harness.ts";
import { realCases } from "./real_cases.ts";

realCases("thread", runtime === "node" && "Node cannot duplicate a descriptor");
