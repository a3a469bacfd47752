// The worker that main.ts starts in workerd: it runs one case for each request. Nothing here may
// need more than workerd has.
import { cases, type Ports } from "./cases.ts";

/** How long one case may take, in milliseconds. */
const LIMIT_MS = 10_000;

/** Answers `/` with the names of the cases, and `/?name=…` with how that one went. */
async function answer(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const run = cases[searchParams.get("name") ?? ""];
  if (run === undefined) return Response.json(Object.keys(cases));
  const ports = JSON.parse(searchParams.get("ports")!) as Ports;
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error(`no end within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    await Promise.race([run(ports), late]);
    return Response.json({ ok: true });
  } catch (error) {
    return Response.json({ ok: false, error: (error as Error)?.stack ?? String(error) });
  }
}

const worker: { fetch(request: Request): Promise<Response> } = { fetch: answer };
export default worker; // workerd asks for it
