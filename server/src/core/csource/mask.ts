import { ANNOTATIONS, ASM, CALLED_ANNOTATIONS, KEYWORDS, looksAnnotated } from './annotations';
import { AND_AND, ELLIPSIS, FIRST_ON_LINE, NAME, PUNCTUATOR, STRING, type Tokens } from './lexer';
import { MaskedText } from './masked-text';
import { nameSet, names } from './names';
import type { Layer } from './preprocess';
import { activeTokens } from './split';

const TYPE_WORDS = nameSet(
  'struct union enum const volatile unsigned signed long short int char void float double _Bool',
);
const BASIC_TYPES = nameSet('unsigned signed long short int char void float double _Bool');
const RECORDS = nameSet('struct union enum');
const STORAGE = nameSet('static extern inline');
const TYPEOF = nameSet('typeof __typeof__ __typeof');
const KNOWN_TYPE_ARGUMENTS = nameSet('sizeof _Alignof __alignof__ typeof __typeof__ __typeof _Generic');
const OFFSETOF = names.id('offsetof');
const CASE = names.id('case');
const GOTO = names.id('goto');
const RETURN = names.id('return');

const TOP = 0;
const BLOCK = 1;
const RECORD = 2;
const LIST = 3;
const PARENTHESES = 4;
const BRACKETS = 5;

/**
 * The text as tree-sitter-c can read it, of equal length, line breaks in place: directives, inactive branches and
 * annotations become spaces, and macros that look like no C are rewritten to something of the same shape. Offsets
 * in the result are offsets in the text.
 */
export function mask(layer: Layer): string {
  return new Masker(layer).run();
}

interface Open {
  readonly kind: number;
  /** Position, among the active tokens, of the bracket. */
  readonly at: number;
  /** Position at which the argument or statement at hand begins. */
  begin: number;
  /** Holds a `;` or a block directly. */
  odd: boolean;
}

class Masker {
  private readonly tokens: Tokens;
  private readonly active: Int32Array;
  private readonly page: MaskedText;
  private readonly stack: Open[] = [{ kind: TOP, at: -1, begin: 0, odd: false }];
  private inCase = false;

  constructor(layer: Layer) {
    const { tokens } = layer;
    this.tokens = tokens;
    this.active = activeTokens(layer);
    this.page = new MaskedText(tokens.text);
    let from = 0;
    for (const segment of layer.segments) {
      if (segment.layer !== null) continue;
      this.blankTokens(from, segment.from);
      from = segment.to;
    }
    this.blankTokens(from, tokens.count);
  }

  run(): string {
    const { tokens, active, stack } = this;
    const { kind, id } = tokens;
    for (let n = 0; n < active.length; n++) {
      const i = active[n] as number;
      const what = kind[i];
      if (what === NAME) {
        if (n + 1 < active.length) n = this.name(n, id[i] as number);
        continue;
      }
      if (what !== PUNCTUATOR) continue;
      const top = stack[stack.length - 1] as Open;
      switch (id[i]) {
        case 40:
        case 91:
          stack.push({ kind: id[i] === 40 ? PARENTHESES : BRACKETS, at: n, begin: n + 1, odd: false });
          break;
        case 123:
          stack.push({ kind: this.braces(n, top), at: n, begin: n + 1, odd: false });
          break;
        case 41:
          if (top.kind === PARENTHESES) {
            stack.pop();
            this.argument(top, n);
            n = this.closed(top, n);
          }
          break;
        case 93:
          if (top.kind === BRACKETS) stack.pop();
          break;
        case 125:
          this.closeBraces();
          (stack[stack.length - 1] as Open).begin = n + 1;
          break;
        case 59:
          top.odd = true;
          top.begin = n + 1;
          this.inCase = false;
          break;
        case 44:
          if (top.kind === PARENTHESES) {
            this.argument(top, n);
            top.begin = n + 1;
          }
          break;
        case 58:
          this.inCase = false;
          if (top.kind === BLOCK) top.begin = n + 1;
          break;
        case ELLIPSIS:
          if (this.inCase) this.write(i, ' + ');
          break;
        case AND_AND:
          if (this.isPrefix(n)) this.write(i, ' &');
          break;
      }
    }
    return this.page.toString();
  }

  /** A `}` without its partner: what is open between is given up. */
  private closeBraces(): void {
    for (let n = this.stack.length - 1; n > 0; n--) {
      const { kind } = this.stack[n] as Open;
      if (kind === BLOCK || kind === RECORD || kind === LIST) {
        this.stack.length = n;
        return;
      }
    }
  }

  /** Rewrites what a name alone decides; answers the position of the last token dealt with. */
  private name(n: number, name: number): number {
    const { active } = this;
    const i = active[n] as number;
    if (ANNOTATIONS.has(name)) {
      this.blank(i, i);
      return n;
    }
    const next = active[n + 1] as number;
    const calls = this.is(next, 40);
    if (CALLED_ANNOTATIONS.has(name) && calls && !ASM.has(name)) return this.blankCall(n);
    const before = n > 0 ? (active[n - 1] as number) : -1;
    if (looksAnnotated(name) && before >= 0 && this.tokens.kind[before] === NAME) {
      const last = this.tokens.id[before] as number;
      const top = (this.stack[this.stack.length - 1] as Open).kind;
      if (calls && !KEYWORDS.has(last) && top !== TOP && this.isDeclared(n)) return this.blankCall(n);
      const words = this.tokens.kind[next] === NAME || this.is(next, 42);
      if (words && (BASIC_TYPES.has(last) || !KEYWORDS.has(last)) && !TYPEOF.has(name)) this.blank(i, i);
      return n;
    }
    if (name === CASE) this.inCase = true;
    // The grammar's own offsetof takes no path: a plain call does.
    else if (name === OFFSETOF && calls) this.write(i, 'O');
    else if (this.tokens.kind[next] === NAME && !KEYWORDS.has(name) && this.announces(n, next))
      this.blank(i, i);
    else if (name === GOTO && this.is(next, 42)) this.blank(next, next);
    else if (STORAGE.has(name) && this.tokens.kind[next] === NAME && n + 2 < active.length) {
      const word = this.tokens.id[next] as number;
      if (this.is(active[n + 2] as number, 40) && !KEYWORDS.has(word)) this.blank(i, i);
    }
    return n;
  }

  /** An unknown word in front of a declaration: `const_debug unsigned int x;`. */
  private announces(n: number, next: number): boolean {
    const word = this.tokens.id[next] as number;
    if ((this.stack[this.stack.length - 1] as Open).begin !== n) return false;
    return STORAGE.has(word) || RECORDS.has(word) || BASIC_TYPES.has(word);
  }

  /** `p __free(kfree) =`: whether what follows the parentheses shows a declaration. */
  private isDeclared(n: number): boolean {
    const close = this.closing(n + 1);
    const after = this.active[close + 1];
    return (
      after !== undefined &&
      (this.is(after, 61) || this.is(after, 59) || this.is(after, 44)) &&
      close === n + 3
    );
  }

  private blankCall(n: number): number {
    const close = this.closing(n + 1);
    this.blank(this.active[n] as number, this.active[close] as number);
    return close;
  }

  /** Position of the bracket that closes the one at position `n`. */
  private closing(n: number): number {
    let level = 0;
    let k = n;
    for (; k < this.active.length; k++) {
      const i = this.active[k] as number;
      if (this.is(i, 40)) level++;
      else if (this.is(i, 41) && --level === 0) return k;
    }
    return k - 1;
  }

  /** What kind of braces open at position `n`. */
  private braces(n: number, around: Open): number {
    const before = n > 0 ? (this.active[n - 1] as number) : -1;
    if (before < 0) return BLOCK;
    const { kind, id } = this.tokens;
    if (kind[before] === NAME) {
      if (RECORDS.has(id[before] as number)) return RECORD;
      const earlier = n > 1 ? (this.active[n - 2] as number) : -1;
      return earlier >= 0 && kind[earlier] === NAME && RECORDS.has(id[earlier] as number) ? RECORD : BLOCK;
    }
    if (this.is(before, 61)) return LIST;
    if (around.kind === LIST) return LIST;
    if (around.kind === PARENTHESES && !this.is(before, 40)) return LIST;
    return BLOCK;
  }

  /** At the end of an argument: one that is a type keeps only its last name. */
  private argument(open: Open, n: number): void {
    const { active, tokens } = this;
    const first = active[open.begin];
    if (first === undefined || open.begin >= n || tokens.kind[first] !== NAME) return;
    const word = tokens.id[first] as number;
    if ((!TYPE_WORDS.has(word) && !STORAGE.has(word)) || n - open.begin < 2) return;
    const before = open.at > 0 ? (active[open.at - 1] as number) : -1;
    if (before < 0 || tokens.kind[before] !== NAME) return;
    const name = tokens.id[before] as number;
    if (KEYWORDS.has(name) || KNOWN_TYPE_ARGUMENTS.has(name) || this.isDeclarator(open.at - 1)) return;
    let last = -1;
    for (let k = open.begin; k < n; k++) {
      const i = active[k] as number;
      if (tokens.kind[i] === NAME) {
        if (!ANNOTATIONS.has(tokens.id[i] as number)) last = i;
      } else if (!this.is(i, 42)) {
        open.odd = true;
        return;
      }
    }
    for (let k = open.begin; k < n; k++)
      if (active[k] !== last) this.blank(active[k] as number, active[k] as number);
  }

  /** Whether the name at position `n` is the name of something declared: a type stands in front of it. */
  private isDeclarator(n: number): boolean {
    if (n === 0) return false;
    const { kind, id } = this.tokens;
    const before = this.active[n - 1] as number;
    if (kind[before] === NAME) {
      const word = id[before] as number;
      return word !== RETURN && !STORAGE.has(word) && (!KEYWORDS.has(word) || BASIC_TYPES.has(word));
    }
    return this.is(before, 42) && (this.stack[this.stack.length - 1] as Open).kind === TOP;
  }

  /** Rewrites `name(…)` when its parentheses close at position `n`. */
  private closed(open: Open, n: number): number {
    const { active, tokens, stack } = this;
    const at = open.at - 1;
    if (at < 0) return n;
    const i = active[at] as number;
    const name = tokens.kind[i] === NAME ? (tokens.id[i] as number) : 0;
    if (name === 0) return n;
    const openAt = active[open.at] as number;
    const closeAt = active[n] as number;
    const nextAt = active[n + 1] ?? -1;
    const nextIsName = nextAt >= 0 && tokens.kind[nextAt] === NAME;
    if (TYPEOF.has(name)) {
      // typeof(x) y: a type called `typeof`.
      const before = at > 0 ? (active[at - 1] as number) : -1;
      const cast = nextAt >= 0 && this.is(nextAt, 41) && before >= 0 && this.is(before, 40);
      if (nextIsName || cast || (nextAt >= 0 && this.is(nextAt, 42))) this.blank(openAt, closeAt);
      return n;
    }
    if (KEYWORDS.has(name)) return n;
    const top = stack[stack.length - 1] as Open;
    const first = top.begin === at || (at === top.begin + 1 && this.wasStorage(top.begin));
    const beside = at > 0 && tokens.kind[active[at - 1] as number] === STRING;
    if (beside || (nextAt >= 0 && tokens.kind[nextAt] === STRING)) {
      this.blank(openAt, closeAt);
      return n;
    }
    const braces = nextAt >= 0 && this.is(nextAt, 123);
    const newLine = nextAt < 0 || ((tokens.flags[nextAt] as number) & FIRST_ON_LINE) !== 0;
    if (top.kind === TOP && first) {
      if (braces) this.define(i, openAt, closeAt, true);
      else if (nextAt < 0 || (nextIsName && newLine)) {
        this.blank(openAt, closeAt);
        this.write(closeAt, ';');
        top.begin = n + 1;
      } else if (open.odd) this.blankInside(openAt, closeAt);
    } else if (top.kind === RECORD && first) this.define(i, openAt, closeAt, false);
    else if (top.kind === BLOCK) {
      const loops = /for_?each|^scoped_|^for_/.test(names.text(name));
      if (braces || (loops && nextAt >= 0 && (nextIsName || this.is(nextAt, 42) || this.is(nextAt, 40)))) {
        this.loop(i, closeAt, open.at + 1 === n || open.odd);
      } else if (names.text(name).startsWith('while_')) {
        this.blank(i, i);
        this.write(i, 'while');
      } else if (first && (nextIsName || (nextAt >= 0 && this.is(nextAt, 125)))) {
        this.blank(openAt, closeAt);
        // On one line with a single name it is a type, as in `typeof_member(struct x, m) y;`.
        const called = this.is(active[n + 2] ?? nextAt, 40);
        if (newLine || called || !nextIsName) {
          this.write(closeAt, ';');
          top.begin = n + 1;
        }
      } else if (open.odd) this.blankInside(openAt, closeAt);
    }
    return n;
  }

  private wasStorage(n: number): boolean {
    const i = this.active[n] as number;
    return this.tokens.kind[i] === NAME && STORAGE.has(this.tokens.id[i] as number);
  }

  /** `NAME(…) {` as `int ME(   ) {`, and as a member of a struct, `int ME ;`. */
  private define(name: number, open: number, close: number, isFunction: boolean): void {
    const length = (this.tokens.end[name] as number) - (this.tokens.start[name] as number);
    if (length < 5) return;
    this.write(name, 'int ');
    if (isFunction) this.blankInside(open, close);
    else this.blank(open, close);
  }

  /** `name(…) {` as `while (…) {`, or `{` alone if there is nothing to test. */
  private loop(name: number, close: number, empty: boolean): void {
    const length = (this.tokens.end[name] as number) - (this.tokens.start[name] as number);
    if (empty || length < 2) {
      this.blank(name, close);
      return;
    }
    this.blank(name, name);
    this.write(name, length < 5 ? 'if' : 'while');
  }

  private isPrefix(n: number): boolean {
    if (n === 0) return false;
    const before = this.active[n - 1] as number;
    if (this.tokens.kind[before] === NAME) return this.tokens.id[before] === RETURN;
    return this.tokens.kind[before] === PUNCTUATOR && !this.is(before, 41) && !this.is(before, 93);
  }

  private is(i: number, punctuator: number): boolean {
    return this.tokens.kind[i] === PUNCTUATOR && this.tokens.id[i] === punctuator;
  }

  private blankTokens(from: number, to: number): void {
    if (to > from) this.blank(from, to - 1);
  }

  /** Spaces from the start of token `from` to the end of token `to`. */
  private blank(from: number, to: number): void {
    this.page.spaces(this.tokens.start[from] as number, this.tokens.end[to] as number);
  }

  private blankInside(open: number, close: number): void {
    this.page.spaces(this.tokens.end[open] as number, this.tokens.start[close] as number);
  }

  private write(token: number, text: string): void {
    this.page.write(this.tokens.start[token] as number, text);
  }
}
