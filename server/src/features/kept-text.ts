import type { Span } from '../core/place';
import type { Analysis } from './analysis';

interface KeptText {
  readonly text: string;
  /** What calls without an end had cost before it was made, and what they cost in making it. */
  readonly before: number;
  readonly lost: number;
}

const texts = new WeakMap<Analysis, Map<string, KeptText>>();

/**
 * What is told of the thing at a place, made once for as long as the lineage stays as it is: a pointer rests on the
 * same few places again and again, and a callback's text needs dozens of runs. No more is kept than there are such
 * places. `make` may hang on nothing but the analysis.
 */
export function keptText(analysis: Analysis, file: string, { start, end }: Span, make: () => string): string {
  const { overruns } = analysis.transitions;
  const ofThis = texts.get(analysis) ?? new Map<string, KeptText>();
  texts.set(analysis, ofThis);
  const key = `${start}-${end} ${file}`;
  const kept = ofThis.get(key);
  if (kept && overruns.same(kept)) return kept.text;
  const before = overruns.lost;
  const text = make();
  ofThis.set(key, { text, before, lost: overruns.lost - before });
  return text;
}
