/** Sources that a build may not see: those that reach for files outside of what was named. Pure. */

export interface SourceText {
  /** Relative to the module's folder, with `/`. */
  readonly file: string;
  readonly text: string;
}

export interface Refusal {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

const FILE = /^(?:[A-Za-z0-9_+-][A-Za-z0-9_.+-]*\/)*[A-Za-z0-9_+-][A-Za-z0-9_.+-]*\.[ch]$/;
const MODULE = /^[A-Za-z0-9_]{1,55}$/;

/** Whether a name can be a module's, as lsmod shows it. */
export function isModuleName(name: string): boolean {
  return MODULE.test(name);
}

/** Why these sources are not built; empty where they are. */
export function refusalsOf(sources: readonly SourceText[]): Refusal[] {
  const given = new Set(sources.map((source) => source.file));
  return sources.flatMap((source) => {
    if (!FILE.test(source.file))
      return [{ file: source.file, line: 1, message: 'is not the name of a .c or .h file below its folder' }];
    return refusalsIn(source, given);
  });
}

function refusalsIn({ file, text }: SourceText, given: ReadonlySet<string>): Refusal[] {
  const found: Refusal[] = [];
  const plain = withoutComments(text);
  let line = 0;
  for (const raw of plain.split('\n')) {
    line++;
    const directive =
      /^[ \t\f\v]*(?:#|%:|\?\?=)[ \t\f\v]*(include|include_next|import|embed)\b[ \t]*(.*)$/.exec(raw);
    if (!directive) continue;
    const message = includeProblem(file, (directive[2] ?? '').trim(), directive[1] === 'embed', given);
    if (message !== null) found.push({ file, line, message });
  }
  // The assembler opens files as well. Adjacent literals are one string to it, and escapes may hide letters.
  const joined = unescape(plain.replace(/"\s*"/g, ''));
  const assembler = /\.\s*(incbin|include)\b/i.exec(joined.replaceAll('""', ''));
  if (assembler) {
    const at = plain.search(/\.\s*(?:incbin|include)\b/i);
    const before = at < 0 ? '' : plain.slice(0, at);
    found.push({
      file,
      line: at < 0 ? 1 : before.split('\n').length,
      message: `has the assembler's .${assembler[1]?.toLowerCase()}, which reads any file`,
    });
  }
  return found;
}

function includeProblem(
  file: string,
  operand: string,
  embed: boolean,
  given: ReadonlySet<string>,
): string | null {
  if (embed) return '#embed reads any file';
  const match = /^(?:"([^"]*)"|<([^>]*)>)/.exec(operand);
  if (!match) return `#include ${operand.slice(0, 60)}: the name of the file must be written out`;
  const path = match[1] ?? match[2] ?? '';
  if (path.startsWith('/')) return `#include of the absolute path ${path}`;
  const parts = path.split('/');
  if (!parts.includes('..')) return null;
  const inside = normalised([...file.split('/').slice(0, -1), ...parts]);
  if (inside !== null && match[1] !== undefined && given.has(inside)) return null;
  return `#include "${path}" leaves the module's folder and the kernel's headers`;
}

/** The path with `.` and `..` resolved, or null where it leaves its root. */
function normalised(parts: readonly string[]): string | null {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.pop() === undefined) return null;
  }
  return kept.join('/');
}

/** Comments become one blank, spliced lines are joined; the number of lines stays. */
function withoutComments(text: string): string {
  const result: string[] = [];
  let owed = 0;
  let i = 0;
  const spliced = text.replaceAll('\r\n', '\n');
  const length = spliced.length;
  while (i < length) {
    const c = spliced[i] as string;
    if (c === '\\' && /^\\[ \t]*\n/.test(spliced.slice(i, i + 40))) {
      i = spliced.indexOf('\n', i) + 1;
      owed++;
    } else if (c === '\n') {
      result.push('\n'.repeat(1 + owed));
      owed = 0;
      i++;
    } else if (c === '/' && spliced[i + 1] === '*') {
      const end = spliced.indexOf('*/', i + 2);
      const stop = end < 0 ? length : end + 2;
      for (let k = i; k < stop; k++) if (spliced[k] === '\n') owed++;
      result.push(' ');
      i = stop;
    } else if (c === '/' && spliced[i + 1] === '/') {
      while (i < length && spliced[i] !== '\n') {
        if (spliced[i] === '\\' && spliced[i + 1] === '\n') {
          owed++;
          i++;
        }
        i++;
      }
    } else if (c === '"' || c === "'") {
      const start = i++;
      while (i < length && spliced[i] !== c && spliced[i] !== '\n') i += spliced[i] === '\\' ? 2 : 1;
      i = Math.min(i + (spliced[i] === c ? 1 : 0), length);
      const literal = spliced.slice(start, i);
      for (const char of literal) if (char === '\n') owed++;
      result.push(literal.replaceAll('\\\n', ''));
    } else {
      result.push(c);
      i++;
    }
  }
  return result.join('');
}

/** Octal and hexadecimal escapes as the characters they stand for. */
function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))/g, (_, hex, octal) =>
    String.fromCharCode(
      hex === undefined ? Number.parseInt(String(octal), 8) : Number.parseInt(String(hex), 16),
    ),
  );
}
