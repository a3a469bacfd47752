import {
  isJackfieldError,
  type JackfieldError,
  systemClock,
  type Transport,
  unsupported,
} from "../transport/mod.ts";
import type { DownloadDesk } from "./download_desk.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import { InlineDesk } from "./inline_desk.ts";
import { DoorSource } from "./placement_door.ts";
import { ownerSource, SCRIPT } from "./placement_owner.ts";
import { RemoteDesk } from "./remote_desk.ts";
import type { LineSource } from "./remote_line.ts";
import type { Settings } from "./settings.ts";

/**
 * Where a manager works.
 *
 * `inline` is the caller's own thread, everywhere. `thread` needs a runtime in which connections can
 * be duplicated: Bun, and Deno with `--allow-ffi`. `process` works everywhere; in Deno it needs
 * `--allow-run` and `--allow-env`. `auto` is the first of thread, process and inline that can be
 * without asking anybody; in Deno it starts no process.
 *
 * A connection with TLS, and one that was not made to be `transferable`, cannot leave its thread: it
 * is served there, under the same limits once more.
 */
export type Placement = "inline" | "thread" | "process" | "auto";

/** What a front works with. */
export interface PlacedDesk {
  readonly placement: Exclude<Placement, "auto">;
  readonly desk: DownloadDesk;
  /** The same desk, where it is elsewhere. */
  readonly remote: RemoteDesk | undefined;
}

/**
 * The desk for a placement.
 *
 * @throws {JackfieldError} `UNSUPPORTED` or `PERMISSION_DENIED` when it cannot be.
 * @throws {TypeError} When it is none, or an option cannot be used with it.
 */
export function placeDesk(options: DownloadManagerOptions, settings: Settings): PlacedDesk {
  const { placement = "inline" } = options;
  const inline = (): PlacedDesk => {
    return { placement: "inline", desk: new InlineDesk(options, settings), remote: undefined };
  };
  const elsewhere = (source: LineSource): PlacedDesk => {
    checkOptions(options);
    const here = new InlineDesk(options, settings);
    const desk = new RemoteDesk({
      options,
      settings,
      source,
      here,
      mayStay: placement === "auto",
      clock: systemClock,
      random: Math.random,
    });
    return { placement: source.kind, desk, remote: desk };
  };
  switch (placement) {
    case "inline":
      return inline();
    case "auto": {
      if (!isPlain(options)) return inline();
      const kind = AUTOMATIC.find((kind) => refusalOf(kind, options, true) === undefined);
      return kind === undefined ? inline() : elsewhere(ownerSource(kind, options));
    }
    case "thread":
    case "process": {
      checkOptions(options);
      const refusal = refusalOf(placement, options, false);
      if (refusal !== undefined) throw refusal;
      return elsewhere(ownerSource(placement, options));
    }
  }
  if (typeof placement === "object" && placement !== null && "postMessage" in placement) {
    return elsewhere(new DoorSource(placement, options.transport));
  }
  throw new TypeError(
    `Cannot use placement "${placement}": expected "inline", "thread", "process", "auto" or a door`,
  );
}

const AUTOMATIC = ["thread", "process"] as const;

/** Why there can be no such desk; `undefined` when there can. */
function refusalOf(
  kind: "thread" | "process",
  { transport, workerUrl, processUrl }: DownloadManagerOptions,
  automatic: boolean,
): JackfieldError | undefined {
  const { host, name } = transport;
  const feature = `placement "${kind}"`;
  const no = (reason: string) => unsupported(feature, reason);
  if (kind === "process") {
    if (host.processes === undefined) return no(`the transport "${name}" starts no processes`);
    // There a child has every permission, which is nothing to be given unasked.
    if (automatic && name === "deno") return no("it has to be asked for by name");
    return host.processes.check(SCRIPT, { url: processUrl });
  }
  if (host.workers === undefined) return no(`the transport "${name}" starts no threads`);
  const why = host.checkDescriptors?.();
  if (why?.code === "PERMISSION_DENIED") return why;
  if (why !== undefined || host.descriptors === undefined) {
    return no("a live connection cannot be duplicated for another thread here");
  }
  return host.workers.check(SCRIPT, { url: workerUrl });
}

/** Whether all options make sense elsewhere. */
function isPlain(options: DownloadManagerOptions): boolean {
  try {
    checkOptions(options);
    return true;
  } catch (error) {
    if (isJackfieldError(error)) throw error;
    return false;
  }
}

/** Refuse options that another thread or process cannot be given. */
function checkOptions({ clock, transport, placement, engine }: DownloadManagerOptions): void {
  const where = typeof placement === "string" ? `"${placement}"` : "of a door";
  if (engine?.start !== undefined) {
    throw new TypeError(
      `Cannot use placement ${where} with engine "${engine.name}": expected placement "inline"`,
    );
  }
  if (clock !== undefined && clock !== systemClock) {
    throw new TypeError(`Cannot use placement ${where} with a clock: expected the system's own`);
  }
  if (!isOfSystem(transport)) {
    throw new TypeError(
      `Cannot use placement ${where} with transport "${transport.name}": expected the system's own`,
    );
  }
}

/** Transports of a runtime's own sockets, which the script at the other end finds there too. */
function isOfSystem({ name }: Transport): boolean {
  return name === "deno" || name === "bun" || name === "node";
}
