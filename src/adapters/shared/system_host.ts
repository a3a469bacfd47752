import { createHash } from "node:crypto";
import type { Files, Hash, Host } from "../../transport/mod.ts";
import { systemDescriptorUse } from "./descriptor_use.ts";
import { checkDescriptors, systemDescriptors } from "./system_descriptors.ts";
import { systemDatagrams } from "./system_datagrams.ts";
import { systemFiles } from "./system_files.ts";
import { systemInterfaces } from "./system_interfaces.ts";
import { systemContexts, systemDiagnostics } from "./system_contexts.ts";
import { systemNames } from "./system_names.ts";
import { systemParent } from "./system_parent.ts";
import { systemPorts } from "./system_ports.ts";
import { systemPredecessor } from "./system_predecessor.ts";
import { systemProcesses } from "./system_processes.ts";
import { systemSuccessors } from "./system_successors.ts";
import { systemWorkers } from "./system_workers.ts";

/** The parts of a host that `node:` modules give in Deno, Bun and Node alike. */
export const systemHost: Host = {
  names: systemNames,
  contexts: systemContexts,
  diagnostics: systemDiagnostics,
  interfaces: systemInterfaces,
  datagrams: systemDatagrams,
  descriptorUse: systemDescriptorUse,
  localPorts: systemPorts,
  files: systemFiles,
  workers: systemWorkers,
  processes: systemProcesses,
  get parent() {
    return systemParent();
  },
  get descriptors() {
    return systemDescriptors();
  },
  checkDescriptors,
  successors: systemSuccessors,
  get predecessor() {
    return systemPredecessor();
  },
  get hash() {
    return systemHash;
  },
};

/** The same with a runtime's own files; parts that are made on first use stay so. */
export function hostWith(files: Files): Host {
  const parts = Object.getOwnPropertyDescriptors(systemHost);
  return Object.defineProperties({}, { ...parts, files: { value: files, enumerable: true } });
}

const systemHash: Hash = {
  sha256() {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  },
};
