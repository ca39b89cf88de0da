import type { Unit } from '../core/csource/unit';
import type { Lineage, LineageVersion } from '../core/lineage/lineage';
import type { Transitions } from '../core/lineage/transitions';
import type { ParsedManifest } from '../core/manifest/parse';
import type { Problem } from '../core/manifest/problem';
import type { Place, Severity, Span } from '../core/place';

/** All that a rule may look at. Rules read, they change nothing; what is dear is run once and kept in `transitions`. */
export interface RuleContext {
  readonly manifestFile: string;
  readonly parsed: ParsedManifest;
  /** What the host found wrong with the manifest's sources: missing files, paths that leave the workspace. */
  readonly sourceProblems: readonly Problem[];
  readonly lineage: Lineage;
  readonly transitions: Transitions;
  /** The severity that the manifest sets for a rule, or the rule's own; null when it is off. */
  severity(code: string, standard: Severity): Severity | null;
  /** The text of a file that belongs to the lineage; empty where it is not known. */
  text(file: string): string;
  unitsOf(version: LineageVersion): readonly Unit[];
  /** A place in the manifest. */
  manifestPlace(span: Span): Place;
}
