import { lex, NAME } from '../csource/lexer';
import type { Unit } from '../csource/unit';

/** Definitions as they stand in a faulty version's sources, for copies of them. */

/** `#define NAME` of the files of a unit. */
export function ownMacros(unit: Unit, text: (file: string) => string): ReadonlySet<string> {
  const macros = new Set<string>();
  for (const file of unit.files) {
    for (const match of text(file).matchAll(/^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)/gm))
      macros.add(match[1] ?? '');
  }
  return macros;
}

/** Headers in angle brackets that a unit's files include outside any `#if`; sorted. */
export function includedHeaders(unit: Unit, text: (file: string) => string): string[] {
  const found = new Set<string>();
  for (const file of unit.files) {
    let depth = 0;
    for (const match of text(file).matchAll(
      /^[ \t]*#[ \t]*(if|ifdef|ifndef|endif|include)\b[ \t]*(?:<([\w./-]{1,200})>)?/gm,
    )) {
      if (match[1] === 'endif') depth--;
      else if (match[1] !== 'include') depth++;
      else if (match[2] !== undefined && (depth === 0 || file !== unit.file)) found.add(match[2]);
    }
  }
  return [...found].sort();
}

/**
 * The definitions of these structs and of the structs of the same sources that they hold, innermost first. A struct
 * that no own file defines belongs to the kernel and is left out. Null with a reason where the text cannot be copied.
 */
export function structDefinitions(
  tags: readonly string[],
  unit: Unit,
  text: (file: string) => string,
): ReadonlyMap<string, string> | { readonly because: string } {
  const macros = ownMacros(unit, text);
  const found = new Map<string, string>();
  const visiting = new Set<string>();
  const visit = (tag: string): string | null => {
    if (found.has(`struct ${tag}`) || visiting.has(tag)) return null;
    const definition = structText(tag, unit, text);
    if (definition === null) return null;
    visiting.add(tag);
    for (const word of words(definition)) {
      if (macros.has(word)) return `struct ${tag} uses the macro ${word}`;
    }
    for (const match of definition.matchAll(/\bstruct\s+([A-Za-z_]\w*)/g)) {
      const wrong = match[1] === undefined || match[1] === tag ? null : visit(match[1]);
      if (wrong !== null) return wrong;
    }
    found.set(`struct ${tag}`, definition);
    return null;
  };
  for (const tag of tags) {
    const wrong = visit(tag);
    if (wrong !== null) return { because: wrong };
  }
  return found;
}

/** `struct tag { … };` as written, or null. */
function structText(tag: string, unit: Unit, text: (file: string) => string): string | null {
  if (!/^[A-Za-z_]\w*$/.test(tag)) return null;
  for (const file of unit.files) {
    const source = text(file);
    const head = new RegExp(`\\bstruct\\s+${tag}\\s*\\{`).exec(source);
    if (!head) continue;
    const tokens = lex(source);
    let depth = 0;
    for (let i = 0; i < tokens.count; i++) {
      if ((tokens.start[i] as number) < head.index || tokens.kind[i] !== 5) continue;
      if (tokens.id[i] === 123) depth++;
      else if (tokens.id[i] === 125 && --depth === 0) {
        return `${source.slice(head.index, tokens.end[i]).replace(/\r\n?/g, '\n')};`;
      }
    }
  }
  return null;
}

/** The names in a stretch of C, comments and literals left out. */
export function words(text: string): ReadonlySet<string> {
  const tokens = lex(text);
  const found = new Set<string>();
  for (let i = 0; i < tokens.count; i++) {
    if (tokens.kind[i] === NAME) found.add(text.slice(tokens.start[i], tokens.end[i]));
  }
  return found;
}
