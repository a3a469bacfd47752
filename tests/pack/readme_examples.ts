/** A file of a fresh project. */
export type ProjectFile = readonly [path: string, text: string];

/** The TypeScript blocks of a Markdown text, in their order, as files of a project. */
export function readExamples(markdown: string): ProjectFile[] {
  const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
  return blocks.map((code, index) => [`readme_${index + 1}.ts`, code]);
}

/** A file of this repository as a program outside would write it: with the package's name. */
export function importByName(
  code: string,
  name: string,
  entries: Readonly<Record<string, string>>,
): string {
  for (const [entry, file] of Object.entries(entries)) {
    code = code.replaceAll(`"${file.replace("./", "../")}"`, `"${entry.replace(".", name)}"`);
  }
  return code;
}
