// DHCP servers in a network namespace: dnsmasq and Kea, where they are installed. Each ends by itself
// after two minutes, so that nothing is left of it when the tests end, however they end.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Namespace, noNamespaces } from "./tools.ts";

/** What a server has leased, as its own file says. */
export interface FiledLease {
  readonly hostname: string;
  readonly owner: string;
  /** When it ends, in seconds since 1970. */
  readonly endsAt: number;
}

/** What a server is started with. */
export interface DhcpServerOptions {
  /** How many addresses it has, from 10.77.1.1 on. */
  readonly size: number;
  /** How long a lease lasts; dnsmasq has no shorter ones than two minutes. */
  readonly leaseSeconds: number;
  /** When clients are to renew; dnsmasq takes no less than three. */
  readonly renewSeconds?: number;
}

/** A server in a namespace, whose interface is `wire` with 10.77.0.1/16. */
export interface DhcpServer {
  /** What it has leased now. */
  leases(): FiledLease[];
  start(): Promise<void>;
  /** End it; what it has leased stays in its file. */
  stop(): void;
  /** End it for good. */
  remove(): void;
}

const has = (program: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Why tests with a server are left out here, or `false`. */
export const noDnsmasq: string | false = noNamespaces || (!has("dnsmasq") && "needs dnsmasq");
/** The same for Kea. */
export const noKea: string | false = noNamespaces || (!has("kea-dhcp4") && "needs kea-dhcp4");

/** How a kind of server is started and read. */
interface Kind {
  command(folder: string, options: DhcpServerOptions): string;
  read(folder: string): FiledLease[];
}

/** The last address of `size` ones from 10.77.1.1 on. */
const last = (size: number): string => `10.77.${1 + (size >> 8)}.${size & 255}`;

const DNSMASQ: Kind = {
  command: (folder, { size, leaseSeconds, renewSeconds }) =>
    "dnsmasq --conf-file=/dev/null --port=0 --keep-in-foreground --no-ping --user=root --log-facility=- " +
    `--interface=wire --bind-interfaces --pid-file --dhcp-authoritative ` +
    `--dhcp-range=10.77.1.1,${last(size)},255.255.0.0,${leaseSeconds} ` +
    (renewSeconds === undefined ? "" : `--dhcp-option=option:T1,${renewSeconds} `) +
    `--dhcp-leasefile=${folder}/leases`,
  read: (folder) =>
    linesOf(`${folder}/leases`).map((line) => {
      const [endsAt, , hostname = "", , owner = ""] = line.split(" ");
      return { hostname, owner, endsAt: Number(endsAt) };
    }),
};

const KEA: Kind = {
  command(folder, { size, leaseSeconds, renewSeconds = Math.floor(leaseSeconds / 2) }) {
    writeFileSync(
      join(folder, "kea.json"),
      JSON.stringify({
        Dhcp4: {
          "interfaces-config": { interfaces: ["wire"] },
          "lease-database": { type: "memfile", persist: true, name: `${folder}/leases` },
          "valid-lifetime": leaseSeconds,
          "renew-timer": renewSeconds,
          authoritative: true,
          // Given again at once: what has ended is nobody's.
          "expired-leases-processing": { "hold-reclaimed-time": 0 },
          subnet4: [{
            id: 1,
            subnet: "10.77.0.0/16",
            pools: [{ pool: `10.77.1.1-${last(size)}` }],
          }],
          loggers: [{
            name: "kea-dhcp4",
            severity: "FATAL",
            output_options: [{ output: "stdout" }],
          }],
        },
      }),
    );
    return `KEA_LOCKFILE_DIR=${folder} KEA_PIDFILE_DIR=${folder} kea-dhcp4 -c ${folder}/kea.json`;
  },
  read(folder) {
    const leases = new Map<string, FiledLease>();
    for (const line of linesOf(`${folder}/leases`).slice(1)) {
      const [hostname = "", , owner = "", validSeconds, endsAt] = line.split(",");
      leases.set(hostname, { hostname, owner, endsAt: Number(endsAt) });
      if (validSeconds === "0") leases.delete(hostname); // It was given back.
    }
    return [...leases.values()];
  },
};

/** The kinds of servers by name, and why one is left out. */
export const SERVERS: Readonly<Record<"dnsmasq" | "Kea", { kind: Kind; skip: string | false }>> = {
  dnsmasq: { kind: DNSMASQ, skip: noDnsmasq },
  Kea: { kind: KEA, skip: noKea },
};

/** A server that is not started yet. */
export function dhcpServer(
  host: Namespace,
  name: keyof typeof SERVERS,
  options: DhcpServerOptions,
): DhcpServer {
  const { kind } = SERVERS[name];
  const folder = mkdtempSync(join(tmpdir(), "jackfield-dhcp-"));
  let id = "";
  const stop = () => {
    // The server, and then whoever waits for its end.
    const isThere = `kill -0 ${id} 2> /dev/null`;
    if (id !== "") host.run(`kill ${id} 2> /dev/null; while ${isThere}; do sleep 0.02; done`);
    id = "";
  };
  return {
    leases: () => kind.read(folder),
    async start() {
      const command = kind.command(folder, options);
      id = host.run(`env ${envFirst(command)} > ${folder}/log 2>&1 & echo $!`).trim();
      for (let tries = 0; tries < 100; tries++) {
        if (/:67\s/.test(host.run("ss -H -a -u -n"))) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${name} does not listen: ${readFileSync(`${folder}/log`, "utf8")}`);
    },
    stop,
    remove() {
      stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Variables for env(1), and a time limit for the program behind them. */
function envFirst(command: string): string {
  return command.replace(/^((?:\w+=\S+ )*)/, "$1timeout 120 ");
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
  } catch {
    return []; // It has not written any.
  }
}
