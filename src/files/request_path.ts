/** Where a path leads, as plain names from the root on. */
export interface WantedPath {
  /** The names of folders, and of a file at the end; none is the root itself. */
  readonly names: readonly string[];
  /** Whether a folder is asked for, with a slash at the end. */
  readonly isFolder: boolean;
}

/** What counts as a name. */
export interface NameRules {
  /** Whether names may begin with a dot. */
  readonly dots: boolean;
  /** Whether the system reads names as Windows does. */
  readonly windows: boolean;
}

/** What Windows does not take for a name of a file: characters, an ending, devices. */
const NOT_IN_WINDOWS =
  // deno-lint-ignore no-control-regex
  /[<>:"|?*\u0000-\u001f]|[. ]$|^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[. ]|$)/i;

/**
 * Read the path of a request's target (RFC 3986, section 3.3). Each part is decoded once, after the
 * path was cut at its slashes, so that nothing encoded can become a slash or a step upwards.
 *
 * @returns `undefined` for everything that cannot be a file of the root
 */
export function parseTargetPath(path: string, rules: NameRules): WantedPath | undefined {
  if (!path.startsWith("/")) return undefined;
  return wantedPath(path, rules, decodeName);
}

/** Read a plain path, which is relative to the root whether it begins with a slash or not. */
export function parsePlainPath(path: string, rules: NameRules): WantedPath | undefined {
  return wantedPath(path, rules, (name) => name.isWellFormed() ? name : undefined);
}

/** The path as it stands in a URL; it begins with a single slash, for two would name a host. */
export function encodePath(names: readonly string[], isFolder: boolean): string {
  const path = names.map((name) => `/${encodeURIComponent(name)}`).join("");
  return isFolder ? `${path}/` : path;
}

function wantedPath(
  path: string,
  rules: NameRules,
  decode: (part: string) => string | undefined,
): WantedPath | undefined {
  const names: string[] = [];
  for (const part of path.split("/")) {
    if (part === "") continue;
    const name = decode(part);
    if (name === undefined || !isName(name, rules)) return undefined;
    names.push(name);
  }
  return { names, isFolder: names.length === 0 || path.endsWith("/") };
}

function decodeName(part: string): string | undefined {
  if (!part.includes("%")) return part.isWellFormed() ? part : undefined;
  try {
    return decodeURIComponent(part); // Refuses broken and overlong UTF-8.
  } catch {
    return undefined;
  }
}

/** Whether this can be one name in a folder, and may be seen. */
export function isName(name: string, { dots, windows }: NameRules): boolean {
  if (name === "" || name === "." || name === "..") return false;
  if (name.startsWith(".") && !dots) return false;
  // A backslash is a letter on some systems and a slash on others: it is served on none.
  if (name.includes("/") || name.includes("\\") || name.includes("\0")) return false;
  return !windows || !NOT_IN_WINDOWS.test(name);
}
