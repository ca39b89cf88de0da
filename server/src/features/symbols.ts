import type { YamlNode } from '../core/manifest/yaml-tree';
import type { Place, Span } from '../core/place';
import type { Analysis } from './analysis';
import { mentionsOf } from './mentions';

export type SymbolKind =
  | 'version'
  | 'target'
  | 'callback'
  | 'state'
  | 'shadow'
  | 'scenario'
  | 'section'
  | 'step';

/** One entry of a manifest's outline; offsets from 0. */
export interface ManifestSymbol {
  readonly name: string;
  readonly detail: string;
  readonly kind: SymbolKind;
  readonly span: Span;
  /** Within `span`. */
  readonly nameSpan: Span;
  readonly children: readonly ManifestSymbol[];
}

const KIND_OF_ITEMS: Readonly<Record<string, SymbolKind>> = {
  versions: 'version',
  targets: 'target',
  scenarios: 'scenario',
};

/** The outline of the manifest: its sections; in them versions, targets, effects, scenarios and steps, rules. */
export function manifestSymbols(analysis: Analysis): ManifestSymbol[] {
  const { root } = analysis.parsed;
  if (root?.k !== 'map') return [];
  return root.entries.map(({ key, keyPlace, node }): ManifestSymbol => {
    const span = { start: keyPlace.start, end: Math.max(keyPlace.end, node?.place.end ?? 0) };
    const detail = node?.k === 'scalar' ? node.text : '';
    return { name: key, detail, kind: 'section', span, nameSpan: keyPlace, children: childrenOf(key, node) };
  });
}

function childrenOf(section: string, node: YamlNode | null): ManifestSymbol[] {
  if (node?.k === 'list')
    return node.items.flatMap((item) => itemSymbol(item, KIND_OF_ITEMS[section] ?? 'section'));
  if (node?.k !== 'map' || section !== 'rules') return [];
  return node.entries.map(({ key, keyPlace, node: value }) => ({
    ...leaf(key, 'section', keyPlace, value?.place.end),
    detail: value?.k === 'scalar' ? value.text : '',
  }));
}

/** An entry of a list is called what its first named value says. */
function itemSymbol(item: YamlNode, kind: SymbolKind): ManifestSymbol[] {
  if (item.k === 'scalar') return item.text === '' ? [] : [leaf(item.text, kind, item.place)];
  if (item.k !== 'map') return [];
  const value = (key: string): YamlNode | null =>
    item.entries.find((entry) => entry.key === key)?.node ?? null;
  const named = ['version', 'name', 'module', 'do'].map(value).find((it) => it?.k === 'scalar');
  if (named?.k !== 'scalar' || named.text === '') return [];
  const words = kind === 'version' ? [value('module'), value('status')] : [value('expect'), value('undo')];
  const detail = words.flatMap((it) => (it?.k === 'scalar' ? [it.text] : [])).join(', ');
  const steps = value('steps');
  const children = steps?.k === 'list' ? steps.items.flatMap((step) => itemSymbol(step, 'step')) : [];
  return [{ name: named.text, detail, kind, span: item.place, nameSpan: named.place, children }];
}

function leaf(name: string, kind: SymbolKind, nameSpan: Span, end = nameSpan.end): ManifestSymbol {
  const span = { start: nameSpan.start, end: Math.max(end, nameSpan.end) };
  return { name, detail: '', kind, span, nameSpan, children: [] };
}

/** Something of the lineage that can be looked for by name. */
export interface LineageSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  /** What it belongs to, in words. */
  readonly container: string;
  readonly place: Place;
}

/** At most this many answers to one search. */
export const MOST_SYMBOLS = 500;

/**
 * Versions, callbacks, states and shadow variables whose name holds the letters of `query` in that order, whatever
 * their case; an editor sorts them.
 */
export function lineageSymbols(analysis: Analysis, query: string): LineageSymbol[] {
  const found = new Map<string, LineageSymbol>();
  for (const { kind, id, role, place, text, version } of mentionsOf(analysis)) {
    if (role !== 'name' && role !== 'declares') continue;
    if (kind === 'target' || place.revision !== undefined || found.size >= MOST_SYMBOLS) continue;
    const name = kind === 'state' ? `state ${text}` : kind === 'shadow' ? `shadow ${text}` : text;
    if (!matches(name, query)) continue;
    const owner = version?.name ?? '';
    const container =
      kind === 'callback' ? `${owner}, ${id}` : kind === 'version' ? analysis.lineage.name : owner;
    const key = kind === 'callback' ? `${place.file} ${place.start}` : `${kind} ${owner} ${id}`;
    if (!found.has(key)) found.set(key, { name, kind, container, place });
  }
  return [...found.values()];
}

function matches(name: string, query: string): boolean {
  const letters = name.toLowerCase();
  let at = -1;
  for (const c of query.toLowerCase()) {
    if (c !== ' ' && (at = letters.indexOf(c, at + 1)) < 0) return false;
  }
  return true;
}
