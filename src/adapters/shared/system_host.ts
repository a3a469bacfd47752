import { createHash } from "node:crypto";
import type { Hash, Host } from "../../transport/mod.ts";
import { systemFiles } from "./system_files.ts";
import { systemInterfaces } from "./system_interfaces.ts";
import { systemContexts, systemDiagnostics } from "./system_contexts.ts";
import { systemNames } from "./system_names.ts";
import { systemPorts } from "./system_ports.ts";

/** The parts of a host that `node:` modules give in Deno, Bun and Node alike. */
export const systemHost: Host = {
  names: systemNames,
  contexts: systemContexts,
  diagnostics: systemDiagnostics,
  interfaces: systemInterfaces,
  localPorts: systemPorts,
  files: systemFiles,
  get hash() {
    return systemHash;
  },
};

const systemHash: Hash = {
  sha256() {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  },
};
