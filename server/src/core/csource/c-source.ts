import type { FunctionIr, VariableIr } from './ir';
import { lex, type Tokens } from './lexer';
import type { Lowered } from './lower';
import { mask } from './mask';
import type { Layer } from './preprocess';
import { type ItemSpan, splitSound, splitTokens } from './split';
import { parserFor, SourceTree, type TopNode } from './tree';

/** Longest text that is read, in UTF-16 units. */
export const MAX_TEXT = 2_000_000;

/** What was lowered of a file last, by `f:function` and `v:variable`. */
export type LoweredItems = Map<string, Lowered<FunctionIr | VariableIr>>;

/** What of one file outlives a reading. */
interface FileEntry {
  text: string;
  tokens: Tokens;
  open: boolean;
  tree: SourceTree | null;
  masked: string | null;
  top: readonly TopNode[] | null;
  lowered: LoweredItems;
  lastUse: number;
}

export interface Counters {
  lexed: number;
  masked: number;
  /** Texts parsed from the start. */
  parsed: number;
  /** Trees brought up to date by an edit. */
  edited: number;
  /** Bodies and initialisers lowered. */
  lowered: number;
  /** Lowered items taken over from an earlier reading. */
  reused: number;
}

/** Characters of closed files whose tokens are kept. */
const KEPT_TEXT = 24_000_000;

/**
 * The memory of the C front end: tokens, masked texts and lowered items by file, and the trees of open documents.
 * Only open documents keep a tree; `liveTrees()` equals their number once they were read.
 */
export class CSource {
  readonly counters: Counters = { lexed: 0, masked: 0, parsed: 0, edited: 0, lowered: 0, reused: 0 };
  private readonly files = new Map<string, FileEntry>();
  private readonly opened = new Set<string>();
  private kept = 0;
  private clock = 0;

  /** From now on the file keeps its tree between readings. */
  open(file: string): void {
    this.opened.add(file);
    const entry = this.files.get(file);
    if (entry !== undefined) entry.open = true;
  }

  /** The file's tree is deleted. */
  close(file: string): void {
    this.opened.delete(file);
    const entry = this.files.get(file);
    if (entry === undefined) return;
    entry.open = false;
    entry.tree?.delete();
    entry.tree = null;
  }

  /** Forgets a file altogether. */
  forget(file: string): void {
    this.close(file);
    const entry = this.files.get(file);
    if (entry === undefined) return;
    this.kept -= entry.text.length;
    this.files.delete(file);
  }

  /** Gives all memory back. */
  dispose(): void {
    for (const file of this.files.keys()) this.forget(file);
    this.opened.clear();
  }

  /** The file's tokens; its earlier ones if the text is the same. */
  update(file: string, text: string): Tokens {
    const known = this.files.get(file);
    this.clock++;
    if (known !== undefined && known.text === text) {
      known.lastUse = this.clock;
      return known.tokens;
    }
    const tokens = lex(text, known?.tokens ?? null);
    this.counters.lexed++;
    this.kept += text.length - (known?.text.length ?? 0);
    if (known !== undefined) {
      known.text = text;
      known.tokens = tokens;
      known.lastUse = this.clock;
    } else {
      this.files.set(file, {
        text,
        tokens,
        open: this.opened.has(file),
        tree: null,
        masked: null,
        top: null,
        lowered: new Map(),
        lastUse: this.clock,
      });
    }
    if (this.kept > KEPT_TEXT) this.evict(file);
    return tokens;
  }

  /**
   * The top-level items of a layer. Matching brackets say all there is to say, and unlike the tree of the masked text
   * they keep the annotations in front of an item. Where they do not match, the tree is asked, and if that is broken
   * or missing, the brackets once more, with recovery. An open document has its tree from the first reading on that
   * finds a parser; edits bring it up to date, all at once, when it is next asked. Throws `ParserMissing`.
   */
  spans(file: string, layer: Layer): readonly ItemSpan[] {
    const sound = splitSound(layer);
    const entry = this.files.get(file);
    const known = parserFor(sound === null) && entry !== undefined && entry.tokens === layer.tokens;
    if (!known || (sound !== null && (!entry.open || entry.tree !== null)))
      return sound ?? splitTokens(layer, 0, layer.tokens.count);
    const top = this.topNodes(entry, layer);
    if (sound !== null) return sound;
    return top === null ? splitTokens(layer, 0, layer.tokens.count) : spansOf(layer, top);
  }

  /** What was lowered of a file, for reading and adding. */
  lowered(file: string): LoweredItems {
    return this.files.get(file)?.lowered ?? new Map();
  }

  private topNodes(entry: FileEntry, layer: Layer): readonly TopNode[] | null {
    const masked = mask(layer);
    this.counters.masked++;
    if (entry.masked === masked && (entry.tree !== null || !entry.open)) return entry.top;
    let tree = entry.tree;
    entry.tree = null;
    if (tree !== null) {
      this.counters.edited++;
      if (!tree.update(masked)) {
        tree.delete();
        tree = null;
      }
    } else {
      this.counters.parsed++;
      tree = SourceTree.parse(masked);
    }
    entry.masked = masked;
    entry.top = tree === null ? null : tree.top();
    if (entry.open) entry.tree = tree;
    else tree?.delete();
    return entry.top;
  }

  private evict(except: string): void {
    const closed = [...this.files].filter(([file, entry]) => !entry.open && file !== except);
    closed.sort((a, b) => a[1].lastUse - b[1].lastUse);
    for (const [file] of closed) {
      if (this.kept <= KEPT_TEXT / 2) return;
      this.forget(file);
    }
  }
}

/** Top-level nodes as spans of tokens. */
function spansOf(layer: Layer, top: readonly TopNode[]): ItemSpan[] {
  const { tokens } = layer;
  const out: ItemSpan[] = [];
  let at = 0;
  for (const node of top) {
    if (node.type === 'comment' || node.start === node.end) continue;
    while (at < tokens.count && (tokens.end[at] as number) <= node.start) at++;
    const from = at;
    while (at < tokens.count && (tokens.start[at] as number) < node.end) at++;
    if (at > from) out.push({ from, to: at });
  }
  return out;
}
