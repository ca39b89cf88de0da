/** Just enough of C to see in the kernel's text what a function returns and what it calls. Nothing of this is shipped. */

export interface Declaration {
  /** Of a function: the text of its result's type. */
  readonly returns?: string;
  /** Of a macro: what it stands for. */
  readonly body?: string;
}

/** Attributes with arguments, which stand where a function's name could. */
const ATTRIBUTES =
  /\b(?:__attribute__\s*\(\(.*?\)\)|__(?:alloc_size|realloc_size|printf|scanf|acquires|releases|must_hold|nonnull)\s*\([^()]*\)|ACPI_\w*RETURN_\w+\()/g;

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/[^\n]*/g, '');
}

/** Every function and macro that a header declares, by name. */
export function declarationsIn(header: string): [name: string, declaration: Declaration][] {
  const text = withoutComments(header).replaceAll('\\\n', ' ');
  const found: [string, Declaration][] = [];
  for (const [, name = '', body = ''] of text.matchAll(
    /^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\([^)]*\))?[ \t]*(.*)$/gm,
  ))
    found.push([name, { body: body.trim() }]);
  const plain = text.replace(/^[ \t]*#.*$/gm, '').replace(ATTRIBUTES, ' ');
  for (const [, type = '', name = ''] of plain.matchAll(
    /(?:^|[;{}\n])[ \t]*((?:[A-Za-z_]\w*[\s*]+)+?\**)\s*(\w+)\s*\((?!\*)/g,
  ))
    if (!/\b(?:return|else|goto|case|typedef)\b/.test(type)) found.push([name, { returns: type.trim() }]);
  return found;
}

/** What kind of value a declared type is. */
export function kindOf(type: string): 'pointer' | 'void' | 'bool' | 'number' {
  if (type.includes('*')) return 'pointer';
  if (/\bvoid\b/.test(type)) return 'void';
  return /\bbool\b/.test(type) ? 'bool' : 'number';
}

/** Bodies of the functions that a file defines, by name; those of one name are joined. */
export function bodiesIn(file: string): Map<string, string> {
  const text = withoutComments(file);
  const found = new Map<string, string>();
  for (const match of text.matchAll(/^(?!\s)(?:[A-Za-z_][^\n;={}#]*?[\s*])?(\w+)\(/gm)) {
    const close = closing(text, match.index + match[0].length - 1);
    const open = /^\s*(?:__\w+(?:\([^)]*\))?\s*)*\{/.exec(text.slice(close + 1, close + 120));
    if (!open) continue;
    const start = close + open[0].length;
    const line = text.indexOf('}', start);
    const end = text.slice(start, line).includes('\n') ? text.indexOf('\n}', start) : line;
    const name = match[1] ?? '';
    found.set(name, `${found.get(name) ?? ''}\n${text.slice(start, end < 0 ? undefined : end)}`);
  }
  return found;
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return text.length;
}
