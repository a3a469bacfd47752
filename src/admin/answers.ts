/** An answer in JSON. */
export function jsonAnswer(status: number, value: unknown, headers: HeadersInit = {}): Response {
  return textAnswer(status, `${JSON.stringify(value)}\n`, "application/json", headers);
}

/** An answer that says in JSON what went wrong. */
export function errorAnswer(status: number, error: string, headers: HeadersInit = {}): Response {
  return jsonAnswer(status, { error }, headers);
}

/** An answer as text of some kind. */
export function textAnswer(
  status: number,
  text: string,
  contentType: string,
  headers: HeadersInit = {},
): Response {
  const all = new Headers(headers);
  all.set("content-type", contentType);
  all.set("cache-control", "no-store");
  all.set("x-content-type-options", "nosniff");
  return new Response(text, { status, headers: all });
}
