import type { Span } from '../core/place';
import type { Analysis } from './analysis';
import { hoverC } from './hover-c';
import { hoverManifest } from './hover-manifest';

export interface HoverAnswer {
  readonly markdown: string;
  /** What the hover speaks of, offsets from 0. */
  readonly span: Span;
}

/** What is to be said about the place at `offset` (UTF-16, from 0) of a file of this lineage; null off its entities. */
export function hover(analysis: Analysis, file: string, offset: number): HoverAnswer | null {
  return file === analysis.manifestFile ? hoverManifest(analysis, offset) : hoverC(analysis, file, offset);
}

/** A place holds an offset; its end counts too, where the cursor stands behind the last character. */
export function holds(span: Span, offset: number): boolean {
  return span.start <= offset && offset <= span.end;
}
