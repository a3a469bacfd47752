import type { ListingEntry } from "../files/mod.ts";

/** A plain page with links to what a folder has. */
export function listingPage(
  path: string,
  names: readonly Omit<ListingEntry, "modifiedMs">[],
  isCut: boolean,
): string {
  const title = escapeText(path);
  const rows = names.map(({ name, kind, size }) => {
    const slash = kind === "directory" ? "/" : "";
    // A first part with a colon would be a scheme (RFC 3986, section 4.2).
    const href = `./${encodeURIComponent(name)}${slash}`;
    const bytes = kind === "file" ? String(size) : "";
    return `<tr><td><a href="${href}">${escapeText(name)}${slash}</a></td><td>${bytes}</td></tr>`;
  });
  if (path !== "/") rows.unshift('<tr><td><a href="../">../</a></td><td></td></tr>');
  const note = isCut ? `<p>Only the first ${names.length} names are listed.</p>\n` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { padding: .2rem .5rem; text-align: left; overflow-wrap: anywhere }
th + th, td + td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr + tr td { border-top: 1px solid #8884 }
</style>
</head>
<body>
<h1>${title}</h1>
<table>
<thead><tr><th>Name</th><th>Bytes</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
${note}</body>
</html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.toWellFormed().replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
