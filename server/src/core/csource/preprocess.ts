import type { Place } from '../place';
import { evaluateCondition } from './conditions';
import { defineMacro } from './define';
import { Expander, type Stretch } from './expand';
import { FIRST_ON_LINE, NAME, PUNCTUATOR, STRING, type Tokens } from './lexer';
import { literalText } from './literals';
import { MacroTable, type Token, tokenAt } from './macro-table';
import { names } from './names';
import type { SourceProvider } from './unit';

/** An active stretch of a file between two directives, or the file that an `#include` in front of it brings in. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  /** The included file; `from` and `to` are then the directive's tokens. */
  readonly layer: Layer | null;
}

/** One reading of one file within a unit. */
export interface Layer {
  readonly file: string;
  readonly tokens: Tokens;
  readonly segments: Segment[];
  /** The file was included between braces or parentheses: its text belongs to the item around. */
  readonly inside: boolean;
}

export interface Preprocessed {
  readonly root: Layer;
  /** All layers in order of inclusion. */
  readonly layers: readonly Layer[];
  readonly macros: MacroTable;
  readonly missing: readonly { readonly name: string; readonly place: Place }[];
  readonly assumptions: readonly { readonly name: string; readonly taken: boolean; readonly place: Place }[];
  /** False if a bound was hit. */
  readonly complete: boolean;
}

export interface PreprocessInput {
  readonly file: string;
  readonly tokens: Tokens;
  readonly provider: SourceProvider;
  readonly base: MacroTable;
  /** Names whose absence is a decision, not an assumption. */
  readonly decided: ReadonlySet<number>;
  /** Tokens of an included file, undefined if it cannot be read. */
  readonly lexed: (file: string) => Tokens | undefined;
  readonly place: (file: string, start: number, end: number) => Place;
}

const MAX_DEPTH = 24;
const MAX_LAYERS = 400;
const MAX_INCLUDED_TEXT = 8_000_000;

const IF = names.id('if');
const IFDEF = names.id('ifdef');
const IFNDEF = names.id('ifndef');
const ELIF = names.id('elif');
const ELIFDEF = names.id('elifdef');
const ELIFNDEF = names.id('elifndef');
const ELSE = names.id('else');
const ENDIF = names.id('endif');
const DEFINE = names.id('define');
const UNDEF = names.id('undef');
const INCLUDE = names.id('include');
const PRAGMA = names.id('pragma');
const ONCE = names.id('once');

/** Carries out the directives of a file and of what it includes. Never fails. */
export function preprocess(input: PreprocessInput): Preprocessed {
  return new Preprocessor(input).run();
}

interface Branch {
  /** Whether the text around is active. */
  readonly around: boolean;
  active: boolean;
  /** A branch was taken already. */
  done: boolean;
}

class Preprocessor {
  private readonly macros: MacroTable;
  private readonly expander: Expander;
  private readonly layers: Layer[] = [];
  private readonly missing: { name: string; place: Place }[] = [];
  private readonly assumptions: { name: string; taken: boolean; place: Place }[] = [];
  private readonly once = new Set<string>();
  private readonly open: string[] = [];
  private sequence = 0;
  private size = 0;
  private complete = true;

  constructor(private readonly input: PreprocessInput) {
    this.macros = new MacroTable(input.base);
    this.expander = new Expander(this.macros);
  }

  run(): Preprocessed {
    const root = this.layer(this.input.file, this.input.tokens, false);
    const { layers, macros, missing, assumptions, complete } = this;
    return { root, layers, macros, missing, assumptions, complete };
  }

  private layer(file: string, tokens: Tokens, inside: boolean): Layer {
    const layer: Layer = { file, tokens, segments: [], inside };
    this.layers.push(layer);
    this.open.push(file);
    this.size += tokens.text.length;
    const branches: Branch[] = [];
    const open = unclosed(tokens);
    let active = true;
    let from = 0;
    // Brace and parenthesis level of the active text, brought up to date only where somebody asks for it.
    const level = { upTo: 0, value: 0 };
    for (const at of tokens.directives) {
      if (at < from) continue;
      const to = lineEnd(tokens, at);
      if (active && at > from) layer.segments.push({ from, to: at, sequence: this.sequence, layer: null });
      from = to;
      const word = tokens.kind[at + 1] === NAME && at + 1 < to ? (tokens.id[at + 1] as number) : 0;
      switch (word) {
        case IF:
        case IFDEF:
        case IFNDEF: {
          // Half-typed: without its #endif it would take the rest of the file with it.
          const value: boolean = active && (open.has(at) || this.condition(file, tokens, at + 2, to, word));
          branches.push({ around: active, active: value, done: value });
          active = value;
          break;
        }
        case ELIF:
        case ELIFDEF:
        case ELIFNDEF:
        case ELSE: {
          const branch = branches[branches.length - 1];
          if (branch === undefined) break;
          branch.active = branch.around && !branch.done;
          if (branch.active && word !== ELSE) branch.active = this.condition(file, tokens, at + 2, to, word);
          branch.done ||= branch.active;
          active = branch.active;
          break;
        }
        case ENDIF: {
          const branch = branches.pop();
          if (branch !== undefined) active = branch.around;
          break;
        }
        default:
          if (active) this.directive(layer, word, at, to, level);
      }
    }
    if (active && tokens.count > from) {
      layer.segments.push({ from, to: tokens.count, sequence: this.sequence, layer: null });
    }
    this.open.pop();
    return layer;
  }

  private directive(
    layer: Layer,
    word: number,
    at: number,
    to: number,
    level: { upTo: number; value: number },
  ): void {
    const { tokens, file } = layer;
    if (word === DEFINE) {
      const macro = defineMacro(tokens, at + 2, to);
      if (macro !== null) this.macros.set(macro.name, macro, ++this.sequence);
    } else if (word === UNDEF) {
      if (tokens.kind[at + 2] === NAME) this.macros.set(tokens.id[at + 2] as number, null, ++this.sequence);
    } else if (word === PRAGMA) {
      if (tokens.id[at + 2] === ONCE && at + 2 < to) this.once.add(file);
    } else if (word === INCLUDE) {
      const name = this.includeName(tokens, at + 2, to);
      if (name !== null) this.include(layer, name, at, to, level);
    }
  }

  /** The name in `"…"`; null for `<…>`, which the built-in knowledge stands for. */
  private includeName(tokens: Tokens, from: number, to: number): string | null {
    if (from >= to) return null;
    if (tokens.kind[from] === STRING)
      return literalText(tokens.text.slice(tokens.start[from], tokens.end[from]));
    if (tokens.kind[from] === PUNCTUATOR) return null;
    const line = this.expander.expandList(lineTokens(tokens, from, to), this.sequence);
    const first = line[0];
    return first !== undefined && first.kind === STRING ? literalText(names.text(first.id)) : null;
  }

  private include(
    layer: Layer,
    name: string,
    at: number,
    to: number,
    level: { upTo: number; value: number },
  ): void {
    const { input } = this;
    const { tokens, file } = layer;
    const place = input.place(file, tokens.start[at] as number, tokens.end[to - 1] as number);
    const found = input.provider.resolve(name, file);
    const theirs = found === undefined ? undefined : input.lexed(found);
    if (found === undefined || theirs === undefined) {
      this.missing.push({ name, place });
      return;
    }
    if (this.once.has(found) || this.open.includes(found)) return;
    if (
      this.open.length >= MAX_DEPTH ||
      this.layers.length >= MAX_LAYERS ||
      this.size + theirs.text.length > MAX_INCLUDED_TEXT
    ) {
      this.complete = false;
      return;
    }
    for (const segment of layer.segments) {
      if (segment.from < level.upTo || segment.layer !== null) continue;
      level.value += levelChange(tokens, segment.from, segment.to);
      level.upTo = segment.to;
    }
    const inner = this.layer(found, theirs, layer.inside || level.value > 0);
    layer.segments.push({ from: at, to, sequence: this.sequence, layer: inner });
  }

  private condition(file: string, tokens: Tokens, from: number, to: number, word: number): boolean {
    let value: boolean;
    if (word === IF || word === ELIF) {
      const line = lineTokens(tokens, from, to);
      value = evaluateCondition(line, this.macros, this.expander, this.sequence);
    } else {
      const defined = this.macros.at(tokens.id[from] as number, this.sequence) !== null && from < to;
      value = word === IFDEF || word === ELIFDEF ? defined : !defined;
    }
    for (let i = from; i < to; i++) this.assume(file, tokens, i, value);
    return value;
  }

  private assume(file: string, tokens: Tokens, i: number, taken: boolean): void {
    if (tokens.kind[i] !== NAME) return;
    const id = tokens.id[i] as number;
    const start = tokens.start[i] as number;
    if (!tokens.text.startsWith('CONFIG_', start) || this.input.decided.has(id)) return;
    if (this.macros.at(id, this.sequence) !== null) return;
    this.assumptions.push({
      name: names.text(id),
      taken,
      place: this.input.place(file, start, tokens.end[i] as number),
    });
  }
}

/** Index of the first token on a later line than token `at`. */
function lineEnd(tokens: Tokens, at: number): number {
  let i = at + 1;
  while (i < tokens.count && ((tokens.flags[i] as number) & FIRST_ON_LINE) === 0) i++;
  return i;
}

function lineTokens(tokens: Tokens, from: number, to: number): Token[] {
  const line: Token[] = [];
  for (let i = from; i < to; i++) line.push(tokenAt(tokens, i));
  return line;
}

function levelChange(tokens: Tokens, from: number, to: number): number {
  let level = 0;
  for (let i = from; i < to; i++) {
    if (tokens.kind[i] !== PUNCTUATOR) continue;
    const id = tokens.id[i] as number;
    if (id === 123 || id === 40 || id === 91) level++;
    else if (id === 125 || id === 41 || id === 93) level--;
  }
  return level;
}

/**
 * The active tokens of a layer from index `from` to `to`, included files that lie between them in their place.
 */
export function stretches(layer: Layer, from: number, to: number): Stretch[] {
  const out: Stretch[] = [];
  collect(layer, from, to, null, out);
  return out;
}

function collect(
  layer: Layer,
  from: number,
  to: number,
  place: { readonly start: number; readonly end: number } | null,
  out: Stretch[],
): void {
  const { segments, tokens } = layer;
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle] as Segment).to <= from) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < segments.length; i++) {
    const segment = segments[i] as Segment;
    if (segment.from >= to) return;
    if (segment.layer !== null) {
      if (!segment.layer.inside || segment.from < from) continue;
      const at = place ?? {
        start: tokens.start[segment.from] as number,
        end: tokens.end[segment.to - 1] as number,
      };
      collect(segment.layer, 0, segment.layer.tokens.count, at, out);
      continue;
    }
    out.push({
      tokens,
      from: Math.max(from, segment.from),
      to: Math.min(to, segment.to),
      sequence: segment.sequence,
      place,
    });
  }
}

/** The conditionals that no #endif ends, by their token. */
function unclosed(tokens: Tokens): ReadonlySet<number> {
  const stack: number[] = [];
  for (const at of tokens.directives) {
    if (tokens.kind[at + 1] !== NAME) continue;
    const word = tokens.id[at + 1] as number;
    if (word === IF || word === IFDEF || word === IFNDEF) stack.push(at);
    else if (word === ENDIF) stack.pop();
  }
  return new Set(stack);
}
