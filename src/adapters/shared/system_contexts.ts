import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import type { Contexts, ContextVariable, Diagnostics } from "../../transport/mod.ts";

/** Values that go along with asynchronous work, by `AsyncLocalStorage`. */
export const systemContexts: Contexts = {
  create<T>(): ContextVariable<T> {
    const storage = new AsyncLocalStorage<T>();
    return {
      get: () => storage.getStore(),
      run: (value, work) => storage.run(value, work),
    };
  },
};

/** Channels of `node:diagnostics_channel`. */
export const systemDiagnostics: Diagnostics = { channel: (name) => channel(name) };
