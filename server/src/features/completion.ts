import type { Span } from '../core/place';
import type { Analysis } from './analysis';
import { completeC } from './completion-c';
import { completeManifest } from './completion-manifest';

export type CompletionKind =
  | 'key'
  | 'value'
  | 'version'
  | 'module'
  | 'callback'
  | 'constant'
  | 'step'
  | 'rule';

/** One thing that could be written at the cursor. */
export interface Completion {
  readonly label: string;
  readonly kind: CompletionKind;
  /** A few words behind the label. */
  readonly detail: string;
  /** Markdown, or empty. */
  readonly documentation: string;
  /** What takes the place of `span`. */
  readonly insert: string;
  readonly span: Span;
}

/**
 * What fits at an offset (UTF-16, from 0), in the order in which it should be shown. In C only what the lineage knows
 * and nobody else: other extensions complete the language.
 */
export function completions(analysis: Analysis, file: string, offset: number): Completion[] {
  return file === analysis.manifestFile
    ? completeManifest(analysis, offset)
    : completeC(analysis, file, offset);
}
