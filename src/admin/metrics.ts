import type { AddressTableState } from "../address_table/mod.ts";
import type { AdminDownloadsState, AdminPoolState, AdminState } from "./admin_state.ts";
import type { Labels, MetricFamily } from "./prometheus.ts";

type Sample = readonly [labels: Labels, value: number];

const POOL_STATES = ["idle", "leased", "connecting", "checking", "closing"] as const;
const TARGET_STATES = ["idle", "leased", "connecting"] as const;
const HEALTHS = ["up", "resting", "down"] as const;
const ADDRESS_STATES = ["leased", "draining", "resting"] as const;
const REST_REASONS = ["asked", "banned", "failed"] as const;

/** The state as metrics. */
export function metricsOf(state: AdminState): MetricFamily[] {
  const { pools, addresses, downloads } = state;
  return [
    gauge(
      "jackfield_ready",
      "Whether new work may come: 1 or 0.",
      plain(state.notReady.length === 0 ? 1 : 0),
    ),
    ...poolMetrics(Object.entries(pools)),
    ...(addresses === undefined ? [] : addressMetrics(addresses)),
    ...(downloads === undefined ? [] : downloadMetrics(downloads)),
  ];
}

function poolMetrics(pools: readonly (readonly [string, AdminPoolState])[]): MetricFamily[] {
  const each = (samplesOf: (state: AdminPoolState, labels: Labels) => Sample[]): Sample[] =>
    pools.flatMap(([name, state]) => samplesOf(state, name === "" ? {} : { pool: name }));
  return [
    gauge(
      "jackfield_pool_sockets",
      "Sockets of the pool, by state.",
      each((pool, labels) => POOL_STATES.map((state) => [{ ...labels, state }, pool[state]])),
    ),
    gauge(
      "jackfield_pool_max_sockets",
      "The most sockets of the pool at any instant.",
      each(({ maxSize }, labels) => [[labels, maxSize]]),
    ),
    gauge(
      "jackfield_pool_waiting",
      "Callers that wait for a socket.",
      each(({ waiting }, labels) => [[labels, waiting]]),
    ),
    gauge(
      "jackfield_pool_target_sockets",
      "Sockets of the pool, by target and state.",
      each(({ targets }, labels) =>
        targets.flatMap((one) =>
          TARGET_STATES.map((state): Sample => [
            { ...labels, target: one.target, state },
            one[state],
          ])
        )
      ),
    ),
    gauge(
      "jackfield_pool_target_health",
      "1 for the state of health that a target has.",
      each(({ targets }, labels) =>
        targets.flatMap(({ target, health }) =>
          HEALTHS.map((one): Sample => [{ ...labels, target, health: one }, one === health ? 1 : 0])
        )
      ),
    ),
  ];
}

function addressMetrics({ addresses, leaseable, ports, rests }: AddressTableState): MetricFamily[] {
  return [
    gauge(
      "jackfield_addresses",
      "Addresses of the table that are not free, by state.",
      ADDRESS_STATES.map((state): Sample => [{ state }, count(addresses, "state", state)]),
    ),
    gauge(
      "jackfield_addresses_leaseable",
      "Addresses that the source can lease in all.",
      plain(leaseable),
    ),
    gauge("jackfield_address_ports", "Local ports of the table that are not free, by state.", [
      [{ state: "used" }, ports.used],
      [{ state: "resting" }, ports.resting],
      [{ state: "reserved" }, ports.reserved],
    ]),
    gauge(
      "jackfield_address_rests",
      "Addresses that rest for a target, by reason.",
      REST_REASONS.map((why): Sample => [{ why }, count(rests, "why", why)]),
    ),
  ];
}

function downloadMetrics(downloads: AdminDownloadsState): MetricFamily[] {
  const { active, queued, finished, refused, bytes, engine } = downloads;
  const { connections, descriptors, generations } = downloads;
  return [
    gauge("jackfield_downloads", "Downloads, by state.", [
      [{ state: "active" }, active],
      [{ state: "queued" }, queued],
    ]),
    gauge("jackfield_download_connections", "Connections of the server.", plain(connections)),
    gauge(
      "jackfield_download_descriptors",
      "File descriptors, as the server counts them.",
      plain(descriptors?.used),
    ),
    gauge(
      "jackfield_download_max_descriptors",
      "How many file descriptors there may be.",
      plain(descriptors?.limit),
    ),
    gauge(
      "jackfield_download_generations",
      "Processes that serve, this one included.",
      plain(generations),
    ),
    counter(
      "jackfield_downloads_finished_total",
      "Downloads that ended, failed ones included.",
      plain(finished),
    ),
    counter(
      "jackfield_downloads_refused_total",
      "Requests that were answered without a place.",
      plain(refused),
    ),
    counter("jackfield_download_bytes_total", "Bytes of bodies that were sent.", plain(bytes)),
    gauge("jackfield_download_engine", "1 for the engine that sends.", [
      [{ name: engine.name, mode: engine.mode ?? "" }, 1],
    ]),
  ];
}

/** One sample without labels, if there is a value. */
function plain(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[{}, value]];
}

function count<T, Name extends keyof T>(all: readonly T[], name: Name, value: T[Name]): number {
  return all.filter((one) => one[name] === value).length;
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, type: "counter", help, samples };
}
