import { Edit, Language, Parser, type Point, type Tree } from 'web-tree-sitter';

/** Where the two WebAssembly files are: as paths or as bytes that the host has read. */
export interface ParserFiles {
  readonly core: string | Uint8Array;
  readonly language: string | Uint8Array;
}

let language: Language | null = null;
let parser: Parser | null = null;
let starting: Promise<void> | null = null;
let live = 0;

/** Makes the parser ready; later calls wait for the first one. Fails if the files are no WebAssembly. */
export function initParser(files: ParserFiles): Promise<void> {
  starting ??= start(files).catch((error: unknown) => {
    starting = null;
    throw error;
  });
  return starting;
}

async function start(files: ParserFiles): Promise<void> {
  const { core } = files;
  await Parser.init(typeof core === 'string' ? { locateFile: () => core } : { wasmBinary: core as never });
  language = await Language.load(files.language);
  parser = new Parser();
  parser.setLanguage(language);
}

/** Thrown where a text cannot be read without the parser: start it, and ask again. */
export class ParserMissing extends Error {}

let promised = false;

/** From now on, until there is a parser, what needs one says so by `ParserMissing`; with false it does without. */
export function promiseParser(soon: boolean): void {
  promised = soon;
}

/** Whether there is a parser for a text that needs one. */
export function parserFor(needed: boolean): boolean {
  if (parser === null && needed && promised) throw new ParserMissing('the parser is not ready');
  return parser !== null;
}

/** How many trees exist outside the JavaScript heap: must equal the number of open documents. */
export function liveTrees(): number {
  return live;
}

/** A top-level node: offsets in UTF-16 units. */
export interface TopNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Steps of the parser's progress callback after which a parse is given up. */
const MAX_PROGRESS_CALLS = 400_000;

/** A parsed text. Nothing of it is reachable after `delete`, which must be called once. */
export class SourceTree {
  private tree: Tree | null;

  private constructor(
    tree: Tree,
    private text: string,
  ) {
    this.tree = tree;
    live++;
  }

  /** Parses a masked text; null if there is no parser or it gave up. */
  static parse(text: string): SourceTree | null {
    const tree = parse(text, null);
    return tree === null ? null : new SourceTree(tree, text);
  }

  /** Makes this the tree of another masked text, reading again only what differs; false if the parser gave up. */
  update(text: string): boolean {
    const old = this.use();
    if (text === this.text) return true;
    old.edit(difference(this.text, text));
    const tree = parse(text, old);
    if (tree === null) return false;
    old.delete();
    this.tree = tree;
    this.text = text;
    return true;
  }

  /**
   * The children of the root, in order. null if any part is broken: how the parser recovers then depends on the
   * edits that led to the text, and what it says of the rest cannot be relied on either.
   */
  top(): TopNode[] | null {
    if (this.broken) return null;
    const cursor = this.use().walk();
    const out: TopNode[] = [];
    try {
      if (!cursor.gotoFirstChild()) return out;
      do {
        out.push({ type: cursor.nodeType, start: cursor.startIndex, end: cursor.endIndex });
      } while (cursor.gotoNextSibling());
    } finally {
      cursor.delete();
    }
    return out;
  }

  /** Whether any part could not be parsed. */
  get broken(): boolean {
    return this.use().rootNode.hasError;
  }

  /** The tree as an S-expression, for comparison. */
  describe(): string {
    return this.use().rootNode.toString();
  }

  delete(): void {
    if (this.tree === null) return;
    this.tree.delete();
    this.tree = null;
    live--;
  }

  private use(): Tree {
    // The library answers with nonsense instead of throwing.
    if (this.tree === null) throw new Error('tree used after it was deleted');
    return this.tree;
  }
}

function parse(text: string, old: Tree | null): Tree | null {
  if (parser === null) return null;
  let calls = 0;
  try {
    const tree = parser.parse(text, old, { progressCallback: () => ++calls > MAX_PROGRESS_CALLS });
    if (tree === null) parser.reset();
    return tree;
  } catch {
    parser.reset();
    return null;
  }
}

/** The edit that turns one text into the other: all between their common beginning and their common end. */
function difference(before: string, after: string): Edit {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let tail = 0;
  while (
    tail < shorter - start &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail++;
  }
  const oldEnd = before.length - tail;
  const newEnd = after.length - tail;
  const startPosition = pointAt(before, start, { row: 0, column: 0 }, 0);
  return new Edit({
    startIndex: start,
    oldEndIndex: oldEnd,
    newEndIndex: newEnd,
    startPosition,
    oldEndPosition: pointAt(before, oldEnd, startPosition, start),
    newEndPosition: pointAt(after, newEnd, startPosition, start),
  });
}

function pointAt(text: string, index: number, from: Point, at: number): Point {
  let { row } = from;
  let lineStart = at - from.column;
  for (let i = text.indexOf('\n', at); i >= 0 && i < index; i = text.indexOf('\n', i + 1)) {
    row++;
    lineStart = i + 1;
  }
  return { row, column: index - lineStart };
}
