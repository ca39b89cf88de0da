import type { StateId } from '../kernel/types';
import type { LineageVersion } from '../lineage/lineage';
import type { Place } from '../place';

export type Strategy = 'state' | 'shadow' | 'name' | 'value';

/**
 * What tells that there is something to clean: the undo's own answer (a lookup that finds nothing, a free that has
 * nothing to free), or the entry that a faulty version left in its state table, with version `from` to `to`.
 */
export type Guard =
  | { readonly k: 'itself' }
  | {
      readonly k: 'state';
      readonly id: StateId;
      readonly from: number;
      readonly to: number;
      readonly data: boolean;
    };

/** How one thing that a faulty version leaves behind is undone by the new version. */
export interface Remedy {
  readonly strategy: Strategy;
  /** "debugfs file net_status", as the workspace calls it: not safe for C. */
  readonly what: string;
  readonly version: LineageVersion;
  readonly place: Place | null;
  readonly guard: Guard;
  /** Its static function is called `VERB_left_OBJECT`, OBJECT reduced to what an identifier may hold. */
  readonly verb: string;
  readonly object: string;
  /** Declarations in front of the body, without indentation. */
  readonly declarations: readonly string[];
  /** The body, lines indented from one tab on where they are nested; `prev` is the state entry under a state guard. */
  readonly body: readonly string[];
  /** How it is found and undone, for the comment above it and for people: not safe for C. */
  readonly explanation: string;
  /** Headers in angle brackets, without them. */
  readonly headers: readonly string[];
  /** Definitions that must stand in front: structs, declarations and functions by name, with their text. */
  readonly definitions: ReadonlyMap<string, string>;
  /** It names something whose header nobody knows: the faulty version's own includes are needed. */
  readonly foreign: boolean;
  /** Frees memory that other remedies read: comes last. */
  readonly last: boolean;
  /** The kernel variable that it gives a value of the author's: what then stands there is kept. */
  readonly given?: string;
}
