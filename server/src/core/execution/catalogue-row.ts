/** What the undo needs, which decides whether another module can do it. */
export type EffectKey = 'name' | 'pointer' | 'handle' | 'value' | 'heap' | 'reference' | 'count' | 'none';

/** What a replacement that leaves the effect without an owner leads to, in the words of the JSON output. */
export type Hazard = 'use-after-free' | 'double-application' | 'stuck-value' | 'leak';

/** How a call says that it failed. */
export type FailureForm = 'null' | 'errno' | 'errptr' | 'false' | 'never';

/**
 * Where in a call something stands: an argument from 0 (`member`: what to read behind it, `.attr.name` or
 * `.attrs->[0]->name`; `text`: it is a string and counts by its characters, not by its address), or the result.
 */
export type CallPart =
  | { readonly arg: number; readonly member?: string; readonly text?: true }
  | { readonly result: true };

/** One do/undo pair of kernel functions. One row, one `do`. */
export interface EffectRow {
  /** API family: rows of one family undo each other's effects (proc_create and proc_mkdir are both `proc`). */
  readonly family: string;
  readonly do: string;
  /** Preferred first; empty where nothing undoes it. Another row's undo list may hold the same name. */
  readonly undo: readonly UndoCall[];
  readonly header: string;
  readonly key: EffectKey;
  /** Where the identity of the effect stands in the do call: the name, the object's address, the returned handle. */
  readonly identity: readonly CallPart[];
  /** What people know it by, where that is not the first part of `identity`. */
  readonly label?: CallPart;
  /** The kernel refuses another one with the same label, whichever module asks. */
  readonly unique?: true;
  /** Which part of `identity` is the folder that holds it: a recursive undo of that takes this along. */
  readonly parent?: number;
  /** Arguments through which the kernel keeps a pointer to memory or code of the caller. */
  readonly holds: readonly number[];
  readonly hazards: readonly Hazard[];
  readonly fails: FailureForm;
  /** Releases that have it: `since` inclusive, `until` exclusive ("6.2"); absent means no known bound. */
  readonly since?: string;
  readonly until?: string;
  /** What a second do with the same identity does; `errno` means failing with `repeatedErrno` (17, EEXIST). */
  readonly repeated?: 'errno' | 'corrupts' | 'counts' | 'harmless';
  readonly repeatedErrno?: number;
  /** What this row is beside the calls of its name: a write that goes past every API, state data, a shadow variable. */
  readonly synthetic?: true;
  /** Words for messages: "notifier", "debugfs file", "static key". */
  readonly noun: string;
}

export interface UndoCall {
  readonly name: string;
  /**
   * Where the identity stands in the undo call, part for part as in EffectRow.identity. Fewer parts than there
   * undo everything that agrees in those; none at all without `handle` undoes every effect of the row.
   */
  readonly identity: readonly CallPart[];
  /** The undo gets what the do returned, here. */
  readonly handle?: CallPart;
  /** Takes along every effect whose folder is what it removes. */
  readonly recursive?: true;
  /** What it does where there is nothing to undo; `warns` where absent. */
  readonly absent?: 'warns' | 'errno' | 'harmless';
  /** A NULL (or error) pointer is accepted and means nothing. */
  readonly acceptsNull?: true;
  readonly header?: string;
  /** Set for all shipped rows by catalogue-atomic.ts. */
  readonly maySleep?: boolean;
  readonly since?: string;
  readonly until?: string;
}
