import type { Span } from '../place';
import type { Located } from './manifest';
import { nearest } from './nearest';
import type { ProblemFix, ProblemList } from './problem';
import type { YamlEntry, YamlList, YamlMap, YamlNode, YamlScalar } from './yaml-tree';

/**
 * Readers of single values. Each takes what is to be read and the words for it in a message (as "`status`"), and
 * answers what could be understood, null (or nothing) where nothing could; what is wrong goes to `problems`.
 */

/** A key of the manifest with a value. */
export interface Field {
  readonly keyPlace: Span;
  readonly node: YamlNode;
}

export type Fields<K extends string> = ReadonlyMap<K, Field>;

function kindOf(node: YamlNode): string {
  if (node.k === 'map') return 'a map';
  if (node.k === 'list') return 'a list';
  if (node.value === null) return 'null';
  return typeof node.value === 'string' ? 'text' : `a ${typeof node.value}`;
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function wrongType(problems: ProblemList, node: YamlNode, what: string, wanted: string): void {
  problems.error(`${what} must be ${wanted}, not ${kindOf(node)}.`, firstLine(node));
}

/** Problems about a whole collection stand at its start: the rest of it may be right. */
function firstLine(node: YamlNode): Span {
  if (node.k === 'scalar' || node.flow) return node.place;
  const first = node.k === 'map' ? node.entries[0]?.keyPlace : node.items[0]?.place;
  return first ?? node.place;
}

export function replaceFix(place: Span, text: string): { fix: ProblemFix } {
  return { fix: { title: `Change to ${text}`, edits: [{ ...place, text }] } };
}

/**
 * The entries of a map by key. Unknown keys, keys written twice (the first counts) and keys without a value are
 * reported and left out. `inside` is words for the map, as "a version".
 */
export function fieldsOf<K extends string>(
  problems: ProblemList,
  map: YamlMap,
  known: readonly K[],
  inside: string,
): Fields<K> {
  const result = new Map<K, Field>();
  const present = new Set(map.entries.map((e) => e.key));
  for (const entry of uniqueEntries(problems, map, inside)) {
    const key = known.find((k) => k === entry.key);
    if (key === undefined) {
      unknownKey(problems, entry, known, inside, present);
    } else if (entry.node === null) {
      problems.error(`\`${key}\` has no value: write one, or remove the key.`, entry.keyPlace);
    } else {
      result.set(key, { keyPlace: entry.keyPlace, node: entry.node });
    }
  }
  return result;
}

/** The entries of a map with those left out (and reported) whose key was there before. */
export function uniqueEntries(problems: ProblemList, map: YamlMap, inside: string): YamlEntry[] {
  const seen = new Map<string, YamlEntry>();
  for (const entry of map.entries) {
    const first = seen.get(entry.key);
    if (first === undefined) {
      seen.set(entry.key, entry);
      continue;
    }
    problems.error(
      `\`${shorten(entry.key)}\` is written twice in ${inside}; the first one counts.`,
      entry.keyPlace,
      {
        related: [{ message: 'The first one is here.', place: first.keyPlace }],
      },
    );
  }
  return [...seen.values()];
}

function unknownKey(
  problems: ProblemList,
  entry: YamlEntry,
  known: readonly string[],
  inside: string,
  present: ReadonlySet<string>,
): void {
  if (entry.key === '<<') {
    problems.error(
      'Merge keys (<<) are not used in a manifest: write the values out, or use `defaults`.',
      entry.keyPlace,
    );
    return;
  }
  const near = problems.full ? null : nearest(entry.key, known);
  const taken = near !== null && present.has(near);
  const hint = near === null ? `Known keys: ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
  problems.error(
    `\`${shorten(entry.key)}\` is not a key of ${inside}. ${hint}`,
    entry.keyPlace,
    near === null || taken ? {} : replaceFix(entry.keyPlace, near),
  );
}

export function asMap(problems: ProblemList, node: YamlNode, what: string): YamlMap | null {
  if (node.k === 'map') return node;
  wrongType(problems, node, what, 'a map');
  return null;
}

export function asList(problems: ProblemList, node: YamlNode, what: string): YamlList | null {
  if (node.k === 'list') return node;
  wrongType(problems, node, what, 'a list');
  return null;
}

/** Text that is not empty. A number or boolean is a problem with a fix (quotes), and counts as it is spelled. */
export function readText(problems: ProblemList, node: YamlNode, what: string): Located<string> | null {
  if (node.k !== 'scalar' || node.value === null) {
    wrongType(problems, node, what, 'text');
    return null;
  }
  if (typeof node.value !== 'string') {
    const kind = typeof node.value;
    const why = kind === 'number' ? ' (as a number, 6.10 would be the same as 6.1)' : '';
    problems.error(
      `${what} must be text, and YAML reads ${shorten(node.text)} as a ${kind}${why}: put it in quotes.`,
      node.place,
      replaceFix(node.place, `"${node.text}"`),
    );
  } else if (node.text === '') {
    problems.error(`${what} is empty.`, node.place);
    return null;
  }
  return { value: node.text, place: node.place };
}

/** Text, or a number or boolean as it is spelled. */
export function readSpelled(problems: ProblemList, node: YamlNode, what: string): Located<string> | null {
  if (node.k === 'scalar' && typeof node.value === 'number' && !Number.isFinite(node.value)) {
    problems.error(
      `${what} is no finite number: put it in quotes.`,
      node.place,
      replaceFix(node.place, `"${node.text}"`),
    );
    return null;
  }
  if (node.k === 'scalar' && node.value !== null) return { value: node.text, place: node.place };
  wrongType(problems, node, what, 'text, a number or a boolean');
  return null;
}

/** A text, or a list of them. */
export function readTexts(problems: ProblemList, node: YamlNode, what: string): Located<string>[] {
  if (node.k === 'map') {
    wrongType(problems, node, what, 'text or a list of texts');
    return [];
  }
  const nodes = node.k === 'list' ? node.items : [node];
  const words = node.k === 'list' ? `An entry of ${what}` : what;
  return nodes.map((item) => readText(problems, item, words)).filter((text) => text !== null);
}

export function readOneOf<T extends string>(
  problems: ProblemList,
  node: YamlNode,
  what: string,
  values: readonly T[],
): Located<T> | null {
  const text = readText(problems, node, what);
  if (text === null) return null;
  const value = values.find((v) => v === text.value);
  if (value !== undefined) return { value, place: text.place };
  const near = problems.full ? null : nearest(text.value, values);
  problems.error(
    `${what} must be one of ${values.join(', ')}; "${shorten(text.value)}" is none of them.`,
    text.place,
    near === null ? {} : replaceFix(text.place, near),
  );
  return null;
}

export function readBoolean(problems: ProblemList, node: YamlNode, what: string): Located<boolean> | null {
  if (node.k === 'scalar' && typeof node.value === 'boolean') return { value: node.value, place: node.place };
  const fix = node.k === 'scalar' ? booleanFix(node) : {};
  problems.error(`${what} must be true or false, not ${describeScalar(node)}.`, firstLine(node), fix);
  return null;
}

function booleanFix(node: YamlScalar): { fix: ProblemFix } | Record<never, never> {
  const word = node.text.toLowerCase();
  if (['yes', 'on', 'y', 'true', '1'].includes(word)) return replaceFix(node.place, 'true');
  if (['no', 'off', 'n', 'false', '0'].includes(word)) return replaceFix(node.place, 'false');
  return {};
}

export function readInteger(
  problems: ProblemList,
  node: YamlNode,
  what: string,
  least: number,
  most: number,
): Located<number> | null {
  if (node.k === 'scalar' && typeof node.value === 'number' && Number.isInteger(node.value)) {
    if (node.value >= least && node.value <= most) return { value: node.value, place: node.place };
    problems.error(`${what} must be from ${least} to ${most}.`, node.place);
    return null;
  }
  problems.error(`${what} must be a whole number, not ${describeScalar(node)}.`, firstLine(node));
  return null;
}

function describeScalar(node: YamlNode): string {
  return node.k === 'scalar' && typeof node.value === 'string'
    ? `the text "${shorten(node.text)}"`
    : kindOf(node);
}
