import type { Certainty, Place, Severity } from '../core/place';
import type { RuleContext } from './context';

/** What one rule has to say, at one place. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly certainty: Certainty;
  readonly place: Place;
  /** The versions it speaks of, the one it stands on first. */
  readonly versions: readonly string[];
  readonly related: readonly RelatedPlace[];
  /** The shortest run that shows it, as steps. */
  readonly run?: readonly string[];
  readonly fixes: readonly Fix[];
  /** Code that can never run. */
  readonly unnecessary?: true;
  /** What is behind it, equal for equal causes: of some rules only the first speaks of one cause (see engine.ts). */
  readonly cause?: string;
}

export interface RelatedPlace {
  readonly message: string;
  readonly place: Place;
}

/** A change a person can accept: text edits by file, offsets from 0 in the text the finding was made from. */
export interface Fix {
  readonly title: string;
  /** Safe to apply to every finding of its kind at once. */
  readonly preferred: boolean;
  readonly edits: readonly { readonly place: Place; readonly text: string }[];
  /** A command to run instead of edits (generate a cleanup version). */
  readonly command?: { readonly id: string; readonly arguments: readonly string[] };
}

export interface Rule {
  /** What a person types to suppress it. */
  readonly code: string;
  readonly severity: Severity;
  /** facts: reads the C, runs nothing. run: reports only what a run shows. manifest: the manifest alone. */
  readonly kind: 'facts' | 'run' | 'manifest';
  /** Speaks of replacement: silent for a version without replace unless another version of the lineage has it. */
  readonly replacement: boolean;
  /** One line for tables. */
  readonly summary: string;
  /** The page of explanation, Markdown below the title: the kernel fact, a bad and a good example, what to do. */
  readonly page: string;
  /** Path below the kernel's Documentation/ that the page links to, with an anchor if there is one. */
  readonly documentation: { readonly page: string; readonly anchor?: string };
  check(context: RuleContext): readonly Finding[];
}
