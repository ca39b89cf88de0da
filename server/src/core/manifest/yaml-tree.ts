import { Composer, type CST, isAlias, isMap, isScalar, isSeq, Lexer, type Node, Parser } from 'yaml';
import type { Span } from '../place';
import type { ProblemList } from './problem';
import { syntaxMessage } from './yaml-messages';

/** A manifest's YAML with places and nothing else: no aliases, tags or prototypes. */
export type YamlNode = YamlScalar | YamlMap | YamlList;

export interface YamlScalar {
  readonly k: 'scalar';
  /** By YAML 1.2's core schema: `yes` and `off` are text, `6.10` is a number. */
  readonly value: string | number | boolean | null;
  /** The value as text; for numbers and booleans their spelling in the manifest. */
  readonly text: string;
  /** Offset in the manifest of text[0] where every unit of `text` stands there one for one; else null. */
  readonly verbatim: number | null;
  readonly place: Span;
}

export interface YamlEntry {
  readonly key: string;
  readonly keyPlace: Span;
  /** Null where nothing follows the key. */
  readonly node: YamlNode | null;
}

export interface YamlMap {
  readonly k: 'map';
  readonly entries: readonly YamlEntry[];
  readonly flow: boolean;
  readonly place: Span;
}

export interface YamlList {
  readonly k: 'list';
  readonly items: readonly YamlNode[];
  readonly flow: boolean;
  readonly place: Span;
}

/** Longer texts (in UTF-16 units) are refused unread. */
export const MAX_LENGTH = 1_000_000;
/** A manifest needs 5 levels; the parsers behind this recurse. */
export const MAX_DEPTH = 32;

/** The first document of `text`, with everything that is wrong with its YAML; null where there is no value. */
export function readYaml(text: string, problems: ProblemList): YamlNode | null {
  if (text.length > MAX_LENGTH) {
    const message = `The manifest has ${text.length} characters, the limit is ${MAX_LENGTH}: it is not read.`;
    problems.error(message, { start: 0, end: 0 });
    return null;
  }
  const clean = withoutControls(text, problems);
  try {
    const tokens = tokenize(clean, problems);
    if (tokens === null) return null;
    refuse(tokens, problems);
    return compose(tokens, clean, problems);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    problems.error(`The YAML cannot be read: ${reason}`, { start: 0, end: 0 });
    return null;
  }
}

/** YAML allows no control characters but tab and line ends, and the lexer uses some as marks of its own. */
function withoutControls(text: string, problems: ProblemList): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (c, at: number) => {
    const code = c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    problems.error(`Control character U+${code}: remove it, or write it as "\\u${code}" in double quotes.`, {
      start: at,
      end: at + 1,
    });
    return '\ufffd';
  });
}

/** Null where the text is nested too deeply. */
function tokenize(text: string, problems: ProblemList): CST.Token[] | null {
  const tokens: CST.Token[] = [];
  const parser = new Parser();
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) {
      const message = `Nested more than ${MAX_DEPTH} levels deep: the manifest is not read.`;
      problems.error(message, {
        start: Math.min(offset, text.length),
        end: Math.min(offset + 1, text.length),
      });
      return null;
    }
    // Single-character control lexemes are marks of the lexer that stand for no text.
    if (!(lexeme.length === 1 && (lexeme === '\u0002' || lexeme === '\u0018' || lexeme === '\u001f'))) {
      offset += lexeme.length;
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Reports what YAML has and a manifest has not: anchors, aliases, tags, directives, more than one document. */
function refuse(tokens: readonly CST.Token[], problems: ProblemList): void {
  let documents = 0;
  const rest: (CST.Token | null | undefined)[] = [];
  for (const token of tokens) {
    if (token.type === 'directive') {
      problems.error(
        'YAML directives are not used in a manifest: remove the line.',
        spanOf(token.offset, token.source),
      );
    }
    if (token.type === 'document') {
      if (++documents === 2) {
        const mark = token.start.find((t) => t.type === 'doc-start');
        const message =
          'A second YAML document starts here; a manifest is one document, the rest is not read.';
        problems.error(message, spanOf(mark?.offset ?? token.offset, mark?.source ?? ''));
      }
      if (documents === 1) rest.push(token);
    }
  }
  for (let token = rest.pop(); rest.length > 0 || token !== undefined; token = rest.pop()) {
    if (token === null || token === undefined) continue;
    switch (token.type) {
      case 'anchor':
        problems.error(
          'Anchors (&name) are not used in a manifest: write the value out where it is needed.',
          spanOf(token.offset, token.source),
        );
        break;
      case 'alias':
        problems.error(
          'Aliases (*name) are not used in a manifest: write the value out. A glob needs quotes: "*.c".',
          spanOf(token.offset, token.source),
        );
        break;
      case 'tag':
        problems.error(
          'Tags (!name) are not used in a manifest: remove it; put text that looks like a number in quotes.',
          spanOf(token.offset, token.source),
        );
        break;
      case 'document':
        for (const t of token.start) rest.push(t);
        rest.push(token.value);
        break;
      case 'block-scalar':
        for (const t of token.props) rest.push(t);
        break;
      case 'block-map':
      case 'block-seq':
      case 'flow-collection':
        for (const item of token.items as readonly CST.CollectionItem[]) {
          for (const t of item.start) rest.push(t);
          for (const t of item.sep ?? []) rest.push(t);
          rest.push(item.key, item.value);
        }
        break;
      default:
    }
  }
}

function spanOf(offset: number, source: string): Span {
  return { start: offset, end: offset + source.length };
}

function compose(tokens: readonly CST.Token[], text: string, problems: ProblemList): YamlNode | null {
  const options = {
    prettyErrors: false,
    uniqueKeys: false,
    merge: false,
    schema: 'core',
    logLevel: 'silent',
  } as const;
  for (const document of new Composer(options).compose(tokens, true, text.length)) {
    for (const error of document.errors) {
      const [start, after] = error.pos;
      const end = error.code === 'BAD_DQ_ESCAPE' ? start + 2 : after;
      const place = { start: Math.min(start, text.length), end: Math.min(Math.max(start, end), text.length) };
      const message = syntaxMessage(error.code, error.message);
      if (message !== null) problems.error(message, place);
    }
    if (document.contents === null) return null;
    const root = convert(document.contents as Node, text, problems);
    return isEmpty(root) ? null : root;
  }
  return null;
}

/** Recursion is bounded by MAX_DEPTH. */
function convert(node: Node, text: string, problems: ProblemList): YamlNode {
  const [start, valueEnd] = node.range ?? [0, 0];
  if (isMap(node)) {
    const entries: YamlEntry[] = [];
    for (const pair of node.items) {
      const entry = convertPair(pair.key as Node | null, pair.value as Node | null, text, problems);
      if (entry !== null) entries.push(entry);
    }
    const flow = node.flow === true;
    const last = entries[entries.length - 1];
    const end =
      flow || last === undefined ? valueEnd : Math.max(last.keyPlace.end, last.node?.place.end ?? 0);
    return { k: 'map', entries, flow, place: { start, end } };
  }
  if (isSeq(node)) {
    const items = node.items
      .filter((item) => !isAlias(item))
      .map((item) => convert(item as Node, text, problems));
    const flow = node.flow === true;
    const last = items[items.length - 1];
    return {
      k: 'list',
      items,
      flow,
      place: { start, end: flow || last === undefined ? valueEnd : Math.max(start + 1, last.place.end) },
    };
  }
  if (!isScalar(node))
    return { k: 'scalar', value: null, text: '', verbatim: null, place: { start, end: valueEnd } };
  const { value } = node;
  const plain =
    typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : null;
  const spelled = typeof plain === 'string' ? plain : (node.source ?? '');
  let end = valueEnd;
  // A block scalar's range runs to the start of the next line.
  while (end > start && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  return {
    k: 'scalar',
    value: plain,
    text: spelled,
    verbatim: verbatimOffset(text, start, end, spelled),
    place: { start, end },
  };
}

function verbatimOffset(text: string, start: number, end: number, value: string): number | null {
  const quoted = text[start] === '"' || text[start] === "'" ? 1 : 0;
  const same = end - start - 2 * quoted === value.length && text.startsWith(value, start + quoted);
  return same ? start + quoted : null;
}

function convertPair(
  key: Node | null,
  value: Node | null,
  text: string,
  problems: ProblemList,
): YamlEntry | null {
  const [start, end] = key?.range ?? value?.range ?? [0, 0];
  const keyPlace = { start, end: key === null ? start : end };
  // Refused already; without the entry there is nothing more to say about it.
  if (value !== null && isAlias(value)) return null;
  if (key === null || !isScalar(key)) {
    if (key !== null && isAlias(key)) return null;
    problems.error('A key must be a single word.', keyPlace);
    return null;
  }
  const { value: word } = key;
  const name = typeof word === 'string' ? word : (key.source ?? '');
  if (name === '') {
    problems.error('A key is missing in front of the colon.', keyPlace);
    return null;
  }
  const node = value === null ? null : convert(value, text, problems);
  return { key: name, keyPlace, node: node !== null && isEmpty(node) ? null : node };
}

/** Whether nothing at all stands there, as against an explicit `~` or `null`. */
function isEmpty(node: YamlNode): boolean {
  return node.k === 'scalar' && node.value === null && node.text === '';
}
