import type { YamlNode } from '../core/manifest/yaml-tree';
import type { Span } from '../core/place';
import type { Analysis } from './analysis';

/** A stretch of several lines that can be folded away; offsets from 0. */
export interface Fold extends Span {
  readonly kind: 'region' | 'comment';
}

/** Sections, entries of lists and lists of the manifest, and comments of several lines. */
export function manifestFolds(analysis: Analysis): Fold[] {
  const text = analysis.text(analysis.manifestFile);
  const found = new Map<number, Fold>();
  const add = (start: number, end: number, kind: Fold['kind']): void => {
    const line = text.lastIndexOf('\n', start - 1) + 1;
    const known = found.get(line);
    if (text.slice(start, end).includes('\n') && (known?.end ?? 0) < end)
      found.set(line, { start, end, kind });
  };
  const visit = (node: YamlNode | null): void => {
    if (node?.k === 'list') {
      for (const item of node.items) {
        add(item.place.start, item.place.end, 'region');
        visit(item);
      }
    } else if (node?.k === 'map') {
      for (const { keyPlace, node: value } of node.entries) {
        if (value) add(keyPlace.start, value.place.end, 'region');
        visit(value);
      }
    }
  };
  visit(analysis.parsed.root);
  for (const { index, 0: block } of text.matchAll(/(?:^[ \t]*#.*\r?\n)+(?:[ \t]*#.*)?/gm))
    add(index, index + block.trimEnd().length, 'comment');
  return [...found.values()].sort((a, b) => a.start - b.start);
}
