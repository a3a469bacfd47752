import type { PoolObserver, Socket } from "../../../src/core.ts";
import type { PoolModel } from "./pool_model.ts";

/** An observer that sees whether each lease is right at the very moment when it is made. */
export function watchingObserver(model: PoolModel): PoolObserver {
  const find = (localAddress: Socket["localAddress"], event: string) => {
    const found = model.network.find(localAddress);
    if (found === undefined) model.failures.push(`the observer was told of nothing: ${event}`);
    return found;
  };
  return {
    connected: ({ localAddress }) => {
      const connection = find(localAddress, "connected");
      if (connection !== undefined) connection.joined = true;
    },
    leased: ({ localAddress }) => {
      const connection = find(localAddress, "leased");
      if (connection === undefined) return;
      if (connection.leased) model.failures.push("one socket, two leases");
      const { socket } = connection;
      const isNew = connection.leases === 0;
      if (socket.state !== "open") model.failures.push(`leased when ${socket.state}`);
      if (socket.isBusy) model.failures.push("leased when busy");
      if (connection.condemned) model.failures.push("leased after a hook has failed");
      // What comes at once, such as a greeting, belongs to who has it first.
      const mayGreet = isNew && (!model.settings.hooks.prepare || connection.given);
      const isNews = model.network.farOf(connection)?.turn === model.clock.turn;
      if (socket.hasUnread && !mayGreet && !isNews) {
        model.failures.push("leased with something unread");
      }
      const prepared = model.settings.hooks.prepare && !connection.given ? 1 : 0;
      if (connection.prepared !== prepared) model.failures.push("leased, but not prepared once");
      connection.leased = true;
      connection.leases++;
      connection.askedAtLease = model.asked;
      connection.leaseNumber = ++model.leases;
    },
    released: ({ localAddress }) => {
      const connection = find(localAddress, "released");
      if (connection === undefined) return;
      if (!connection.leased) model.failures.push("released what nobody had");
      connection.leased = false;
    },
    closed: ({ localAddress }) => {
      const connection = find(localAddress, "closed");
      if (connection === undefined) return;
      if (connection.parted) model.failures.push("parted twice with one socket");
      connection.parted = true;
    },
  };
}
