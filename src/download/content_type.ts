import mime from "mime";

/** The media type of a file by the ending of its name, with a charset where text needs one. */
export function contentTypeOf(path: string): string {
  const type = mime.getType(path) ?? "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
