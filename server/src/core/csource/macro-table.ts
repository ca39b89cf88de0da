import { NAME, NUMBER, SPACE_BEFORE, STRING, type Tokens } from './lexer';
import { names } from './names';

/** Names that must not be expanded in a token any more. */
export interface HideSet {
  readonly name: number;
  readonly next: HideSet | null;
}

/** A token on its way through expansion. `id` is the number of its text, or of its punctuator. */
export interface Token {
  readonly kind: number;
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly space: boolean;
  readonly hide: HideSet | null;
}

export interface Macro {
  readonly name: number;
  /** Numbers of the parameters' names, null for an object-like macro. */
  readonly parameters: readonly number[] | null;
  /** The last parameter takes all further arguments. */
  readonly variadic: boolean;
  readonly body: readonly Token[];
  /** What the definition says, as a hash that is the same in every process. */
  readonly hash: number;
  /** Asks about a configuration name instead of being replaced by a body. */
  readonly asks?: 'enabled' | 'built-in' | 'module';
}

export const VA_ARGS = names.id('__VA_ARGS__');

interface Entry {
  readonly sequence: number;
  /** null from `#undef` on. */
  macro: Macro | null;
  /** Reads a definition that nobody has asked for yet. */
  unread: (() => Macro | null) | null;
}

function macroOf(entry: Entry): Macro | null {
  if (entry.unread !== null) {
    entry.macro = entry.unread();
    entry.unread = null;
  }
  return entry.macro;
}

/**
 * The macros of one unit by place: every definition has the number of the stretch of text it stands in front of,
 * and a look-up says from which stretch it asks.
 */
export class MacroTable {
  private readonly entries: Map<number, Entry[]>;

  constructor(private readonly base: MacroTable | null) {
    this.entries = new Map();
  }

  /** A table of its own with all that this one holds: one look-up less than a table above it. */
  copy(): MacroTable {
    const made = new MacroTable(this.base);
    for (const [name, list] of this.entries) made.entries.set(name, [...list]);
    return made;
  }

  set(name: number, macro: Macro | null, sequence: number): void {
    this.add(name, { sequence, macro, unread: null });
  }

  /** A definition in front of all text that is read when it is first asked for. */
  setUnread(name: number, unread: () => Macro | null): void {
    this.add(name, { sequence: 0, macro: null, unread });
  }

  private add(name: number, entry: Entry): void {
    const list = this.entries.get(name);
    if (list === undefined) this.entries.set(name, [entry]);
    else list.push(entry);
  }

  /** The definition in force in the stretch `sequence`. */
  at(name: number, sequence: number): Macro | null {
    const list = this.entries.get(name);
    if (list !== undefined) {
      for (let i = list.length - 1; i >= 0; i--) {
        const entry = list[i] as Entry;
        if (entry.sequence <= sequence) return macroOf(entry);
      }
    }
    return this.base === null ? null : this.base.at(name, Number.MAX_SAFE_INTEGER);
  }

  /** The last definition, in force or not, that the unit itself has. */
  last(name: number): Macro | null {
    const list = this.entries.get(name);
    if (list === undefined) return null;
    for (let i = list.length - 1; i >= 0; i--) {
      const macro = macroOf(list[i] as Entry);
      if (macro !== null) return macro;
    }
    return null;
  }

  /** Whether the unit's own text defines the name somewhere. */
  owns(name: number): boolean {
    return this.entries.has(name);
  }
}

/** What IS_ENABLED and its like answer for a configuration name. */
export function configured(
  macros: MacroTable,
  name: number,
  asks: 'enabled' | 'built-in' | 'module',
  sequence: number,
): boolean {
  const builtIn = macros.at(name, sequence) !== null;
  if (asks === 'built-in') return builtIn;
  const module = macros.at(names.id(`${names.text(name)}_MODULE`), sequence) !== null;
  return asks === 'module' ? module : builtIn || module;
}

/** Token `i` of a text, for expansion. */
export function tokenAt(tokens: Tokens, i: number): Token {
  const kind = tokens.kind[i] as number;
  const start = tokens.start[i] as number;
  const end = tokens.end[i] as number;
  return {
    kind,
    id: tokenId(tokens, i, kind, start, end),
    start,
    end,
    space: ((tokens.flags[i] as number) & SPACE_BEFORE) !== 0,
    hide: null,
  };
}

/** Number of a token's text: the lexer numbers only names and punctuators. */
export function tokenId(tokens: Tokens, i: number, kind: number, start: number, end: number): number {
  if (kind === NAME || (kind !== NUMBER && kind !== STRING && tokens.id[i] !== 0))
    return tokens.id[i] as number;
  return names.id(tokens.text.slice(start, end));
}
