import type { Span } from '../place';
import type { ParsedManifest } from './parse';
import type { YamlEntry, YamlList, YamlMap, YamlNode } from './yaml-tree';

export interface ManifestNode {
  /** From the root: keys, and positions in lists as text (`['versions', '0', 'status']`). */
  readonly path: readonly string[];
  readonly kind: 'key' | 'value';
  readonly place: Span;
}

/**
 * The key or single value that stands at an offset (its end counts); null between them. A value inside a list has
 * its position as the last word of the path.
 */
export function nodeAt(parsed: ParsedManifest, offset: number): ManifestNode | null {
  let node = parsed.root;
  const path: string[] = [];
  while (node !== null) {
    if (node.k === 'scalar')
      return holds(node.place, offset) ? { path, kind: 'value', place: node.place } : null;
    if (node.k === 'list') {
      const at = lastBefore(node.items, (item) => item.place.start, offset);
      const item = node.items[at];
      if (item === undefined) return null;
      path.push(String(at));
      node = item;
      continue;
    }
    const entry: YamlEntry | undefined =
      node.entries[lastBefore(node.entries, (e) => e.keyPlace.start, offset)];
    if (entry === undefined) return null;
    path.push(entry.key);
    if (holds(entry.keyPlace, offset)) return { path, kind: 'key', place: entry.keyPlace };
    node = entry.node;
  }
  return null;
}

/**
 * Into what a key or value written at `offset` would go: the path of the map, list or (behind a key) value. In block
 * style the indentation of the line decides, so it also answers on lines that are still empty.
 */
export function containerAt(parsed: ParsedManifest, text: string, offset: number): readonly string[] {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const indent = /^\uFEFF?([ -]*)/.exec(text.slice(lineStart, offset))?.[1]?.length ?? 0;
  const column = (at: number): number => at - (text.lastIndexOf('\n', at - 1) + 1);
  const path: string[] = [];
  let node = parsed.root;
  while (node !== null && node.k !== 'scalar') {
    const child = childBefore(node, offset - 1);
    if (child === null) break;
    if (node.flow) {
      const inside = node.place.start < offset && offset < node.place.end;
      if (!inside || text.slice(child.end, offset).includes(',')) break;
    } else if (child.start < lineStart) {
      const outside = node.k === 'map' ? indent <= column(child.start) : indent < column(child.start);
      if (outside) break;
    }
    // A key that is being written belongs to the map it is in.
    if (offset <= child.keyEnd) break;
    path.push(child.name);
    node = child.node;
  }
  return path;
}

interface Child extends Span {
  readonly name: string;
  /** -1 in lists. */
  readonly keyEnd: number;
  readonly node: YamlNode | null;
}

/** The last element of a map or list that starts at or before the offset. */
function childBefore(parent: YamlMap | YamlList, offset: number): Child | null {
  if (parent.k === 'map') {
    const entry = parent.entries[lastBefore(parent.entries, (e) => e.keyPlace.start, offset)];
    if (entry === undefined) return null;
    const { key: name, keyPlace, node } = entry;
    return { name, keyEnd: keyPlace.end, node, start: keyPlace.start, end: node?.place.end ?? keyPlace.end };
  }
  const at = lastBefore(parent.items, (item) => item.place.start, offset);
  const node = parent.items[at];
  return node === undefined ? null : { name: String(at), keyEnd: -1, node, ...node.place };
}

function holds(place: Span, offset: number): boolean {
  return place.start <= offset && offset <= place.end;
}

/** Index of the last element that starts at or before the offset, by bisection; -1 where none does. */
function lastBefore<T>(elements: readonly T[], start: (element: T) => number, offset: number): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = elements[middle];
    if (element !== undefined && start(element) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
