/**
 * The elements of a comma-separated list without quoted strings (RFC 9110, section 5.6.1), without
 * the blanks around them; empty elements are left out.
 */
export function listElements(text: string): string[] {
  const elements: string[] = [];
  for (const part of text.split(",")) {
    const element = trimBlanks(part);
    if (element !== "") elements.push(element);
  }
  return elements;
}

/** Without the spaces and tabs around it; `trim` would also take characters that are octets here. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlankAt(text, from)) from++;
  while (to > from && isBlankAt(text, to - 1)) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isBlankAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || code === 9;
}
