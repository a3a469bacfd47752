/** The shortest token that may be used. */
const LEAST_LENGTH = 16;
/** A b64token (RFC 6750, section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** Names that lead to this host, whatever a name server says. */
const OWN_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Why a request is not served, and how to say so. */
export interface AccessRefusal {
  /** The status of the answer. */
  readonly status: 401 | 403;
  /** Why, in words. */
  readonly reason: string;
}

/**
 * Make sure that not everybody may ask.
 *
 * @throws {TypeError} Without a token and without the word that only this host can ask, or for a token
 * that cannot be used.
 */
export function checkAccess(token: string | undefined, loopback: boolean): void {
  if (token === undefined) {
    if (loopback) return;
    throw new TypeError(
      "Cannot make admin handler without a token: expected one, or loopback: true",
    );
  }
  if (token.length >= LEAST_LENGTH && TOKEN.test(token)) return;
  throw new TypeError(
    `Cannot use token of ${token.length} characters: expected at least ${LEAST_LENGTH}, letters, ` +
      "digits and -._~+/ with = at the end",
  );
}

/**
 * Why a request is not served because of who asks; `undefined` when it is.
 *
 * Without a token, web pages that a browser of this host shows are the danger: they can send requests
 * here, also under a name of their own that leads to this host. What they say of themselves in Host
 * and Origin, they cannot choose.
 */
export function refuseAccess(
  request: Request,
  token: string | undefined,
): AccessRefusal | undefined {
  if (token !== undefined) {
    const [scheme, given = ""] = (request.headers.get("authorization") ?? "").split(" ", 2);
    if (scheme!.toLowerCase() === "bearer" && isSame(given, token)) return undefined;
    return { status: 401, reason: "Cannot answer: expected the token as Authorization: Bearer" };
  }
  const url = new URL(request.url);
  if (!OWN_NAMES.has(url.hostname)) {
    return {
      status: 403,
      reason: "Cannot answer: expected a name of this host, such as 127.0.0.1",
    };
  }
  const origin = request.headers.get("origin");
  if (origin === null || origin === url.origin) return undefined;
  return { status: 403, reason: "Cannot answer: another page has asked" };
}

/** Compare in a time that says nothing of where a guess goes wrong. */
function isSame(given: string, token: string): boolean {
  let difference = given.length ^ token.length;
  for (let index = 0; index < token.length; index++) {
    difference |= token.charCodeAt(index) ^ given.charCodeAt(index); // NaN counts as 0.
  }
  return difference === 0;
}
