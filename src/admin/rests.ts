import type { AdminAddresses } from "./admin_options.ts";
import { errorAnswer, jsonAnswer } from "./answers.ts";

/** The longest body that is read. */
const MAX_BYTES = 64 * 1024;

/** What `POST /addresses/rests` says. */
interface RestOrder {
  readonly address?: unknown;
  readonly target?: unknown;
  readonly forMs?: unknown;
}

/** Let an address rest as the body says: `{ address, target?, forMs? }`; without `forMs` it is a ban. */
export async function addRest(request: Request, addresses: AdminAddresses): Promise<Response> {
  const { address, target, forMs = Infinity } = await readOrder(request);
  if (typeof address !== "string" || typeof forMs !== "number" || !isTarget(target)) {
    return errorAnswer(400, "Cannot read body: expected { address, target?, forMs? } in JSON");
  }
  try {
    addresses.rest(address, target, forMs);
  } catch (error) {
    return refuseValue(error);
  }
  return jsonAnswer(201, { rests: addresses.state().rests });
}

/** End a rest or a ban: `?address=&target=`. */
export function liftRest(query: URLSearchParams, addresses: AdminAddresses): Response {
  const address = query.get("address");
  if (address === null) return errorAnswer(400, "Cannot lift rest: expected ?address=");
  try {
    if (!addresses.lift(address, query.get("target") ?? undefined)) {
      return errorAnswer(404, `Cannot lift rest: "${address}" does not rest for that target`);
    }
  } catch (error) {
    return refuseValue(error);
  }
  return jsonAnswer(200, { rests: addresses.state().rests });
}

/** Nothing at all for what is no JSON, or too much of it. */
async function readOrder(request: Request): Promise<RestOrder> {
  try {
    const value: unknown = JSON.parse(await readText(request));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

async function readText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new RangeError("too long");
  }
  return text + decoder.decode();
}

/** As the table names its targets. */
function isTarget(target: unknown): target is string | undefined {
  return target === undefined || typeof target === "string";
}

/** The table's own words for a value that it cannot use. */
function refuseValue(error: unknown): Response {
  if (error instanceof TypeError || error instanceof RangeError) {
    return errorAnswer(400, error.message);
  }
  throw error;
}
