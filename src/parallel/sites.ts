import { SocketPool } from "../pool/mod.ts";
import type { Site } from "./answer.ts";
import type { GetSettings } from "./get_settings.ts";
import { redirectTarget, type UrlTarget } from "./url_target.ts";

/** Where a transfer has come to: one place at a time, with a pool of sockets that lead there. */
export class Sites {
  #settings: GetSettings;
  #site: Site;

  /** Begins at the URL that was asked for. */
  constructor(settings: GetSettings) {
    this.#settings = settings;
    this.#site = this.#open(settings.url);
  }

  /** Where it is now. */
  get current(): Site {
    return this.#site;
  }

  /** Go where a redirect leads; sockets to the same server are kept. */
  async move(from: Site, location: string | undefined): Promise<Site> {
    const url = redirectTarget(from.url, location, this.#settings.tls);
    if (url.origin === from.url.origin) this.#site = { ...from, url };
    else {
      await this.close();
      this.#site = this.#open(url);
    }
    return this.#site;
  }

  /** End every socket. */
  async close(): Promise<void> {
    const { pool } = this.#site;
    pool.abort();
    await pool.close();
  }

  #open(url: UrlTarget): Site {
    const { url: first, headers, ...settings } = this.#settings;
    const { transport, addresses, sockets, strategy, clock, random } = settings;
    const { connectTimeoutMs, backoffMs, maxBackoffMs } = settings;
    const pool = new SocketPool({
      transport,
      addresses,
      target: url.target,
      maxSize: sockets,
      maxWaiting: sockets,
      strategy,
      connectTimeoutMs,
      backoffMs: Math.max(1, backoffMs),
      maxBackoffMs: Math.max(1, backoffMs, maxBackoffMs),
      clock,
      random,
    });
    // What proves who asks is for the server that was asked, and no other.
    return { url, pool, headers: url.origin === first.origin ? headers : [] };
  }
}
