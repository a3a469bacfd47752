import { checkAccess, refuseAccess } from "./access.ts";
import type { AdminOptions } from "./admin_options.ts";
import { readState } from "./admin_state.ts";
import { errorAnswer, jsonAnswer, textAnswer } from "./answers.ts";
import { Drain } from "./drain.ts";
import { metricsOf } from "./metrics.ts";
import { adminPage } from "./page.ts";
import { encodeMetrics, METRICS_TYPE } from "./prometheus.ts";
import { addRest, liftRest } from "./rests.ts";

/** Answers requests, as `Deno.serve` and `Bun.serve` ask for it. */
export type AdminHandler = (request: Request) => Promise<Response>;

type Answer = (request: Request, url: URL) => Response | Promise<Response>;

/** What is found at a path. */
interface Place {
  /** The answers, by method; HEAD is that of GET. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Whether anybody may ask: it says no more than load balancers have to know. */
  readonly isOpen: boolean;
}

/**
 * A fetch handler that shows what a pool, an address table and a download manager hold and do, and
 * lets addresses rest and everything drain.
 *
 * | path | what |
 * | --- | --- |
 * | `GET /` | the state in JSON; for a browser, a page that shows it |
 * | `GET /health` | 200 while the program answers |
 * | `GET /ready` | 200, or 503 while it drains, callers wait for a full pool, or downloads wait |
 * | `GET /metrics` | Prometheus' text format |
 * | `GET /addresses/rests` | which addresses rest, and why |
 * | `POST /addresses/rests` | `{ address, target?, forMs? }`: rest; without `forMs`, a ban |
 * | `DELETE /addresses/rests?address=&target=` | the end of a rest or a ban |
 * | `POST /drain` | take no more, finish what there is |
 *
 * Everything but the page without its figures, `/health` and `/ready` asks for the token.
 *
 * @throws {TypeError} Without a token, unless `loopback` is said; for a token that is too short.
 *
 * @example
 * ```ts
 * import { adminHandler } from "@jackfield/jackfield/core";
 *
 * const token = "a-secret-of-16-letters-or-more";
 * const handler = adminHandler({ token });
 * const refused = await handler(new Request("http://127.0.0.1/metrics"));
 * const ready = await handler(new Request("http://127.0.0.1/ready"));
 * if (refused.status !== 401 || ready.status !== 200) throw new Error("unexpected");
 * ```
 */
export function adminHandler(options: AdminOptions): AdminHandler {
  const { token, loopback = false } = options;
  checkAccess(token, loopback);
  const drain = new Drain(options);
  const places = placesOf(options, drain);
  return async (request) => {
    const url = new URL(request.url);
    const { method } = request;
    const place = places.get(url.pathname);
    const isPage = url.pathname === "/" && method === "GET" && prefersHtml(request);
    const refusal = place?.isOpen || isPage && token !== undefined
      ? undefined
      : refuseAccess(request, token);
    if (refusal !== undefined) {
      const { status, reason } = refusal;
      return errorAnswer(status, reason, status === 401 ? { "www-authenticate": "Bearer" } : {});
    }
    if (isPage) return adminPage();
    if (place === undefined) return errorAnswer(404, "Cannot answer: there is nothing here");
    const answer = place.answers.get(method === "HEAD" ? "GET" : method);
    if (answer === undefined) {
      return errorAnswer(405, `Cannot answer ${method}`, { allow: methodsOf(place) });
    }
    const response = await answer(request, url);
    return method === "HEAD" ? new Response(null, response) : response;
  };
}

function placesOf(options: AdminOptions, drain: Drain): ReadonlyMap<string, Place> {
  const state = () => readState(options, drain);
  const metrics = () => textAnswer(200, encodeMetrics(metricsOf(state())), METRICS_TYPE);
  const startDraining = () => {
    drain.start();
    return jsonAnswer(202, { drain: drain.state });
  };
  const ready = () => {
    const { notReady } = state();
    const isReady = notReady.length === 0;
    return jsonAnswer(isReady ? 200 : 503, { ready: isReady, notReady });
  };
  const places = new Map<string, Place>([
    ["/", place({ GET: () => jsonAnswer(200, state()) })],
    ["/health", place({ GET: () => jsonAnswer(200, { status: "ok" }) }, true)],
    ["/ready", place({ GET: ready }, true)],
    ["/metrics", place({ GET: metrics })],
    ["/drain", place({ POST: startDraining })],
  ]);
  const { addresses } = options;
  if (addresses !== undefined) {
    places.set(
      "/addresses/rests",
      place({
        GET: () => jsonAnswer(200, { rests: addresses.state().rests }),
        POST: (request) => addRest(request, addresses),
        DELETE: (_request, url) => liftRest(url.searchParams, addresses),
      }),
    );
  }
  return places;
}

function place(answers: Readonly<Record<string, Answer>>, isOpen = false): Place {
  return { answers: new Map(Object.entries(answers)), isOpen };
}

/** Whether a browser asks to show something, and not a program for data. */
function prefersHtml(request: Request): boolean {
  return (request.headers.get("accept") ?? "").split(",")[0]!.trim().startsWith("text/html");
}

/** For the field Allow. */
function methodsOf({ answers }: Place): string {
  return [...answers.keys()].map((method) => method === "GET" ? "GET, HEAD" : method).join(", ");
}
