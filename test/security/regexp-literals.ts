/** A regular expression in a source text. */
export interface Literal {
  readonly source: string;
  readonly flags: string;
}

/** Words behind which a value begins, unlike other names. */
const WORDS = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'await',
  'yield',
]);
const TOKEN =
  /\s+|\/\/.*|\/\*[^]*?\*\/|'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|[\p{ID_Start}$_#][\p{ID_Continue}$]*|\d[\w.]*|\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*|[^]/uy;

/**
 * Every regular expression that stands in TypeScript or JavaScript: a slash begins one where a value can begin, that is
 * behind no name, number, text or closing bracket. (A statement never begins with one here.)
 */
export function regexpLiterals(text: string): Literal[] {
  const found: Literal[] = [];
  /** Open brackets and templates; a `}` that closes `${` goes on with the template. */
  const open: string[] = [];
  let value = false;
  let at = 0;
  const template = (from: number): number => {
    let i = from;
    while (i < text.length && text[i] !== '`' && !text.startsWith('${', i)) i += text[i] === '\\' ? 2 : 1;
    if (text[i] === '`') {
      value = true;
      return i + 1;
    }
    open.push('`');
    value = false;
    return i + 2;
  };
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0] ?? '';
    const blank = /^(?:\s|\/\/|\/\*)/.test(token);
    if (!blank && token.length > 1 && token.startsWith('/')) {
      if (value) {
        // A division: only the slash is taken.
        value = false;
        at++;
        continue;
      }
      const end = token.lastIndexOf('/');
      found.push({ source: token.slice(1, end), flags: token.slice(end + 1) });
      value = true;
    } else if (token === '`') {
      at = template(at + 1);
      continue;
    } else if (token === '}' && open.at(-1) === '`') {
      open.pop();
      at = template(at + 1);
      continue;
    } else if (!blank) {
      if (token === '{') open.push(token);
      if (token === '}') open.pop();
      value = /^[\p{ID_Start}$_#]/u.test(token) ? !WORDS.has(token) : /^(?:['"\d)\]}])/.test(token);
    }
    at += token.length;
  }
  return found;
}
