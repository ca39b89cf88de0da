import { type CType, INT, LONG, UINT, ULONG } from './types';

/**
 * Value and type of an integer literal as C gives them on LP64; null for a floating one or none at all. The value
 * is a bigint only where a double cannot hold it.
 */
export function integerLiteral(
  text: string,
): { readonly value: number | bigint; readonly type: CType } | null {
  let end = text.length;
  let unsigned = false;
  let long = false;
  for (; end > 1; end--) {
    const c = text.charCodeAt(end - 1) | 32;
    if (c === 117) unsigned = true;
    else if (c === 108) long = true;
    else break;
  }
  const second = text.charCodeAt(1) | 32;
  let radix = 10;
  let from = 0;
  if (text.charCodeAt(0) === 48 && end > 1) {
    if (second === 120) {
      radix = 16;
      from = 2;
    } else if (second === 98) {
      radix = 2;
      from = 2;
    } else {
      radix = 8;
      from = 1;
    }
  }
  if (from >= end || end - from > 70) return null;
  let value = 0;
  for (let i = from; i < end; i++) {
    const c = text.charCodeAt(i);
    const digit = c < 58 ? c - 48 : (c | 32) - 87;
    if (digit < 0 || digit >= radix || (c >= 58 && c < 65)) return null;
    value = value * radix + digit;
  }
  let exact: number | bigint = value;
  if (value > Number.MAX_SAFE_INTEGER) {
    const prefix = radix === 16 ? '0x' : radix === 8 ? '0o' : radix === 2 ? '0b' : '';
    exact = BigInt.asUintN(64, BigInt(prefix + text.slice(from, end)));
  }
  const decimal = radix === 10;
  let type: CType;
  if (!long && !unsigned && exact <= 0x7fffffff) type = INT;
  else if (!long && (unsigned || !decimal) && exact <= 0xffffffff) type = UINT;
  else if (!unsigned && exact <= 0x7fffffffffffffffn) type = LONG;
  else type = ULONG;
  return { value: exact, type };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
};

/** The characters that a string or character literal, quotes and prefix included, stands for. */
export function literalText(text: string): string {
  const quote = text.search(/["']/);
  if (quote < 0) return '';
  const mark = text[quote];
  const last = text.length > quote + 1 && text.endsWith(mark as string) ? text.length - 1 : text.length;
  const inner = text.slice(quote + 1, last);
  if (!inner.includes('\\')) return inner;
  let out = '';
  let from = 0;
  for (let i = inner.indexOf('\\'); i >= 0; i = inner.indexOf('\\', i + 1)) {
    out += inner.slice(from, i);
    const next = inner[++i] ?? '';
    if (next === '\n' || next === '\r') {
      if (next === '\r' && inner[i + 1] === '\n') i++;
    } else if (next === 'x') {
      let code = 0;
      let digits = 0;
      for (; isHex(inner.charCodeAt(i + 1)); i++, digits++) {
        code = (code * 16 + Number.parseInt(inner[i + 1] as string, 16)) & 0xff;
      }
      out += digits > 0 ? String.fromCharCode(code) : 'x';
    } else if (next >= '0' && next <= '7') {
      let code = Number(next);
      for (let n = 0; n < 2 && (inner[i + 1] ?? 'x') >= '0' && (inner[i + 1] ?? 'x') <= '7'; n++) {
        code = code * 8 + Number(inner[++i]);
      }
      out += String.fromCharCode(code & 0xff);
    } else out += ESCAPES[next] ?? next;
    from = i + 1;
  }
  return out + inner.slice(from);
}

/** The int that a character literal is: `char` is signed. */
export function characterValue(text: string): number {
  let value = 0;
  const inner = literalText(text);
  for (let i = 0; i < inner.length && i < 8; i++) {
    const code = inner.charCodeAt(i);
    value = inner.length === 1 && code < 256 ? (code << 24) >> 24 : (value << 8) | (code & 0xff) | 0;
  }
  return value;
}

function isHex(c: number): boolean {
  return (c >= 48 && c < 58) || ((c | 32) >= 97 && (c | 32) < 103);
}
