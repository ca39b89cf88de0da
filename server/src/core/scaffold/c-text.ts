/**
 * Words of the workspace on their way into C, make and comments: nothing here lets a name end the comment or the
 * string that it stands in.
 */

/** Characters that change how a line reads or where it ends: controls, line separators, bidirectional marks. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MAX_COMMENT_WORD = 120;

/** A word of the workspace for the inside of a C comment or a `#` line of make: one line, cut to 120 characters. */
export function commentText(text: string): string {
  const safe = inComment(text);
  return safe.length > MAX_COMMENT_WORD ? inComment(`${safe.slice(0, MAX_COMMENT_WORD - 3)}...`) : safe;
}

/** One line that ends no comment and begins none: `*` and `/` are never next to each other. */
function inComment(text: string): string {
  const line = text.replace(INVISIBLE, ' ').replace(/\s+/g, ' ').trim();
  return line
    .replaceAll('\\', '/')
    .replace(/\*(?=\/)/g, '* ')
    .replace(/\/(?=\*)/g, '/ ')
    .replace(/\?(?=\?)/g, '? ');
}

/** A text as a C string literal; what is not printable ASCII becomes octal escapes of its UTF-8 bytes. */
export function cString(text: string): string {
  let out = '';
  for (const byte of utf8(text)) {
    if (byte === 34 || byte === 92) out += `\\${String.fromCharCode(byte)}`;
    else if (byte === 10) out += '\\n';
    else if (byte === 9) out += '\\t';
    else if (byte === 63) out += out.endsWith('?') ? '\\?' : '?';
    else if (byte >= 32 && byte < 127) out += String.fromCharCode(byte);
    else out += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `"${out}"`;
}

/** Lower-case letters, digits and `_` only, at most 30 of them; never empty. */
export function slug(text: string): string {
  const word = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 30)
    .replace(/^_+|_+$/g, '');
  return word === '' ? 'x' : word;
}

/** Whether a text is one C identifier. */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_]\w{0,200}$/.test(text);
}

/** A comment of C in the kernel's style, wrapped at 90 columns; each paragraph is made safe for it. */
export function blockComment(paragraphs: readonly string[]): string[] {
  const lines = ['/*'];
  paragraphs.forEach((paragraph, index) => {
    if (index > 0) lines.push(' *');
    for (const line of wrapWords(inComment(paragraph), 87)) lines.push(` * ${line}`);
  });
  lines.push(' */');
  return lines;
}

function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

function* utf8(text: string): Iterable<number> {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const c = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    if (c < 0x80) yield c;
    else if (c < 0x800) yield* [0xc0 | (c >> 6), 0x80 | (c & 63)];
    else if (c < 0x10000) yield* [0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
    else yield* [0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
  }
}
