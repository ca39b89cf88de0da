import type { KnownLine, Stretch } from './patched-file';

/** A piece of a patched file at file scope, as lines [from, to) of a stretch. */
export interface Piece {
  /**
   * `function`: whole. `head`: a function whose end is not shown. `tail`: the inside of something that begins above;
   * `name` is empty where nothing tells the function.
   */
  readonly kind: 'function' | 'head' | 'tail' | 'data' | 'declaration' | 'call' | 'directive' | 'comment';
  readonly name: string;
  readonly stretch: Stretch;
  readonly from: number;
  readonly to: number;
  /** The line in which it was changed first, or null. */
  readonly changed: KnownLine | null;
  /** The line that names it was added, so that it may be new. */
  readonly isNew: boolean;
  /** The text up to the body or the initialiser, comments taken out; for a call the whole of it. */
  readonly head: string;
}

/** `name(` of a head; attributes and keywords in front of a parenthesis are no names. */
const NAMES = /\b([A-Za-z_]\w*)\s*\(/g;
const NO_NAMES =
  /^(?:__\w*attribute__|__aligned|__section|__acquires|__releases|__must_hold|__printf|__scanf|noinline_for_\w+|if|while|for|switch|return|sizeof|typeof)$/;

/** The name of the function whose head this is (`static int foo(int a)`), or an empty text. */
export function functionIn(head: string): string {
  if (/^\s*(?:#|\w+\s*:\s*(?:$|\/))/.test(head) || /^[^(]*[={;]/.test(head)) return '';
  for (const [, name = ''] of head.matchAll(NAMES)) {
    if (NO_NAMES.test(name)) continue;
    const syscall = /^(?:K(?:LP|PATCH)_)?(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(name)
      ? /\(\s*(\w+)/.exec(head.slice(head.indexOf(name)))?.[1]
      : undefined;
    return syscall === undefined ? name : `__do_${name.includes('COMPAT') ? 'compat_' : ''}sys_${syscall}`;
  }
  return '';
}

/** The pieces of a stretch in their order. Linear; kernel style (what begins in column one is at file scope). */
export function piecesOf(stretch: Stretch): Piece[] {
  return new Scan(stretch).pieces();
}

class Scan {
  readonly #lines: readonly KnownLine[];
  #at = 0;

  constructor(private readonly stretch: Stretch) {
    this.#lines = stretch.lines;
  }

  pieces(): Piece[] {
    const found: Piece[] = [];
    const inside = this.#tail();
    if (inside) found.push(inside);
    while (this.#at < this.#lines.length) {
      const text = this.#text(this.#at);
      if (text.trim() === '' || /^[}\s]/.test(text)) this.#at++;
      else if (/^\/[*/]/.test(text)) found.push(this.#comment());
      else if (text.startsWith('#')) found.push(this.#directive());
      else found.push(this.#item());
    }
    return found;
  }

  #text(index: number): string {
    return this.#lines[index]?.text ?? '';
  }

  /** What is inside something at the first line, up to where that ends. */
  #tail(): Piece | null {
    if (this.stretch.at === 1) return null;
    let first = 0;
    while (first < this.#lines.length && /^(?:\s*$|#|\s*\*)/.test(this.#text(first))) first++;
    const decisive = this.#text(first);
    if (first >= this.#lines.length || /^(?:[A-Za-z_](?!\w*\s*:\s*(?:$|\/\*))|\/)/.test(decisive))
      return null;
    let to = first;
    while (to < this.#lines.length) {
      const text = this.#text(to);
      if (/^[A-Za-z_](?!\w*\s*:\s*(?:$|\/\*))/.test(text)) break;
      to++;
      if (text.startsWith('}')) break;
    }
    this.#at = to;
    return this.#piece('tail', functionIn(this.stretch.heading), 0, to, '', false);
  }

  #comment(): Piece {
    const from = this.#at;
    if (!this.#text(this.#at).startsWith('//')) {
      while (this.#at < this.#lines.length && !this.#text(this.#at).includes('*/')) this.#at++;
    }
    this.#at = Math.min(this.#at + 1, this.#lines.length);
    return this.#piece('comment', '', from, this.#at, this.#text(from), false);
  }

  #directive(): Piece {
    const from = this.#at;
    while (this.#text(this.#at).endsWith('\\')) this.#at++;
    this.#at = Math.min(this.#at + 1, this.#lines.length);
    return this.#piece('directive', '', from, this.#at, this.#text(from), false);
  }

  #item(): Piece {
    const from = this.#at;
    const walk = new Walk();
    for (let at = from; at < this.#lines.length; at++) {
      const text = this.#text(at);
      if (at > from && text.startsWith('#')) {
        while (this.#text(at).endsWith('\\')) at++;
        continue;
      }
      walk.line(text);
      // `}` in column one ends a body whatever the branches of #if did to the count.
      const closed = walk.body === 'function' && text.startsWith('}') && !walk.inComment;
      if (closed || walk.ended || this.#endsAsCall(walk, at)) {
        this.#at = at + 1;
        return this.#made(walk, from, at + 1);
      }
    }
    this.#at = this.#lines.length;
    const head = walk.head;
    const name = functionIn(head);
    const kind = name !== '' && walk.equals === false ? 'head' : 'data';
    return this.#piece(kind, kind === 'head' ? name : '', from, this.#lines.length, head, true);
  }

  /** `EXPORT_SYMBOL(f)` without a semicolon: something else begins on the next line. */
  #endsAsCall(walk: Walk, at: number): boolean {
    if (walk.depth > 0 || walk.body !== null || walk.head.length > 2000) return false;
    if (!/^\s*\w+\s*\([^]*\)\s*$/.test(walk.head)) return false;
    let next = at + 1;
    while (next < this.#lines.length && this.#text(next).trim() === '') next++;
    return next >= this.#lines.length ? next > at + 1 : /^[A-Za-z_#/]/.test(this.#text(next));
  }

  #made(walk: Walk, from: number, to: number): Piece {
    const { head } = walk;
    if (walk.body === 'function') return this.#piece('function', functionIn(head), from, to, head, true);
    if (/^\s*[A-Za-z_]\w*\s*\(/.test(head)) {
      return this.#piece('call', /^\s*(\w+)/.exec(head)?.[1] ?? '', from, to, head, true);
    }
    const plain = head
      .replace(/=[^]*$/, '')
      .trim()
      .replace(/;$/, '')
      .trim();
    const isData =
      walk.equals || (!plain.includes('(') && walk.body === null && !/^(?:typedef|extern)\b/.test(plain));
    const isTag = /^(?:struct|union|enum)\s+\w+$/.test(plain);
    if (!isData || isTag) return this.#piece('declaration', '', from, to, head, true);
    const name = /\b(\w+)\s*(?:\[[^\]]*\]\s*)*(?:\b__\w+\b(?:\([^)]*\))?\s*)*$/.exec(plain)?.[1] ?? '';
    return this.#piece('data', name, from, to, head, true);
  }

  #piece(kind: Piece['kind'], name: string, from: number, to: number, head: string, hasHead: boolean): Piece {
    let added: KnownLine | null = null;
    let cut: KnownLine | null = null;
    for (let at = from; at < to && !added; at++) {
      const line = this.#lines[at] as KnownLine;
      // What was taken away in front of the head belongs to what stands above.
      const before = line.cutBefore && (at > from || !hasHead);
      const behind = line.cutBehind && (at + 1 < to || (kind !== 'function' && to === this.#lines.length));
      if (before || behind) cut ??= line;
      if (line.added && /^\s*[^\s*/]|^\s*\*\w/.test(line.text)) added = line;
    }
    const changed = added ?? cut;
    const named = name === '' ? from : this.#lineOf(name, from, to);
    return {
      kind,
      name,
      stretch: this.stretch,
      from,
      to,
      changed,
      isNew: hasHead && (this.#lines[named]?.added ?? false),
      head,
    };
  }

  #lineOf(name: string, from: number, to: number): number {
    for (let at = from; at < to; at++) if (this.#text(at).includes(name)) return at;
    return from;
  }
}

/** Brackets, comments and literals over the lines of one item. */
class Walk {
  head = '';
  depth = 0;
  ended = false;
  inComment = false;
  equals = false;
  body: 'function' | 'other' | null = null;
  #parenthesised = false;

  line(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const c = text[i] as string;
      if (this.inComment) {
        const end = text.indexOf('*/', i);
        if (end < 0) return;
        this.inComment = false;
        i = end + 1;
      } else if (c === '/' && text[i + 1] === '/') break;
      else if (c === '/' && text[i + 1] === '*') {
        this.inComment = true;
        i++;
      } else if (c === '"' || c === "'") {
        const from = i;
        for (i++; i < text.length && text[i] !== c; i++) if (text[i] === '\\') i++;
        if (this.body === null) this.head += text.slice(from, i + 1);
      } else this.#character(c);
      if (this.ended) return;
    }
    if (this.body === null) this.head += ' ';
  }

  #character(c: string): void {
    if (c === '{' && this.depth === 0 && this.body === null) {
      this.body = this.#parenthesised && !this.equals ? 'function' : 'other';
    }
    if (this.body === null) this.head += c;
    if (c === '(' || c === '{' || c === '[') this.depth++;
    else if (c === ')' || c === '}' || c === ']') {
      this.depth = Math.max(0, this.depth - 1);
      if (this.depth > 0) return;
      if (c === ')' && this.body === null) this.#parenthesised = true;
      if (c === '}' && this.body === 'function') this.ended = true;
    } else if (this.depth === 0) {
      if (c === '=') this.equals = true;
      if (c === ';') this.ended = true;
    }
  }
}
