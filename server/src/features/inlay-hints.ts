import type { Place, Span } from '../core/place';
import type { Analysis } from './analysis';
import { inlineCode } from './markdown';
import { callbacksOf } from './mentions';
import { type Replaced, replacedBy } from './replaced';

/** A few words shown behind the code; offset from 0. */
export interface Hint {
  readonly at: number;
  readonly label: string;
  /** Markdown. */
  readonly tooltip: string;
}

/**
 * Behind the entries of callbacks in `span` of a C file: which replacement skips them. Behind a version's name in the
 * manifest: the first version whose taking over is not clean.
 */
export function inlayHints(analysis: Analysis, file: string, span: Span): Hint[] {
  const found: Hint[] = [];
  const isHere = (place: Place): boolean =>
    place.file === file && place.revision === undefined && place.end >= span.start && place.start <= span.end;
  for (const version of analysis.lineage.versions) {
    const { place } = version.entry.version;
    const inManifest = file === analysis.manifestFile && isHere({ file, ...place });
    const entries = callbacksOf(version).filter(({ callback }) => isHere(callback.place));
    if (!inManifest && entries.length === 0) continue;
    const replaced = replacedBy(analysis, version);
    if (inManifest) {
      const left = replaced.find(({ verdict }) => verdict !== 'clean');
      const tooltip = left && `When ${inlineCode(left.by.name)} replaces it: ${inlineCode(left.because)}`;
      if (left) found.push({ at: place.end, label: outcome(left), tooltip: tooltip ?? '' });
    }
    for (const { object, callback } of entries) {
      const by = replaced.filter(({ skipped }) =>
        skipped.some((it) => it.object === object && it.callback === callback.callback),
      );
      if (by.length === 0) continue;
      const names = by.map((it) => inlineCode(it.by.name)).join(', ');
      const tooltip = `The kernel calls no callback of a livepatch that another one replaces: ${inlineCode(callback.function)} does not run when ${names} replaces ${inlineCode(version.name)}.`;
      found.push({ at: callback.place.end, label: 'skipped when replaced', tooltip });
    }
  }
  return found;
}

function outcome({ by, verdict }: Replaced): string {
  if (verdict === 'refused') return `cannot be replaced by ${by.name}`;
  return `${verdict === 'unsafe' ? 'unsafe' : 'leaves something'} when ${by.name} replaces it`;
}
