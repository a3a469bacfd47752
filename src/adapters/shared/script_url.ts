/**
 * The URL of a script of this package. It lies where this file lies: in a checkout, an installed
 * package, or behind the address that the package was loaded from.
 */
export function scriptUrl(script: string, url: string | URL | undefined): URL {
  if (url !== undefined) return new URL(url);
  if (!/^[a-z][a-z0-9_]*$/.test(script)) {
    throw new TypeError(
      `Cannot start script "${script}": expected the name of a file in src/roots/`,
    );
  }
  const extension = /\.[a-z]+$/.exec(new URL(import.meta.url).pathname)?.[0] ?? ".js";
  return new URL(`../../roots/${script}${extension}`, import.meta.url);
}
