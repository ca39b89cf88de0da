import type { Place, Relocate, Severity } from '../../place';
import type { KernelTree } from './kernel-object';

/** A file that a version's sources name. */
export interface SourceFile {
  readonly file: string;
  /** The text as a person wrote it; undefined where it cannot be read. Read when first asked for. */
  readonly text: () => string | undefined;
}

/** What a dialect is asked to read: the files of one version, in the order of the manifest. */
export interface DialectInput {
  /** KBUILD_MODNAME of the livepatch. */
  readonly module: string;
  readonly files: readonly SourceFile[];
  /** What the manifest says of `replace`, null where it says nothing. For dialects in which it is a build flag. */
  readonly replace: boolean | null;
  /** What decides conditions beside the text itself, as in UnitOptions. */
  readonly defines: Readonly<Record<string, string>>;
  readonly kernelRelease: string;
  /** Absent where the manifest names neither the kernel's source folder nor its configuration. */
  readonly tree?: KernelTree;
}

/**
 * A version's files as C. The machinery behind it (facts, execution, rules) knows only C: a dialect that is not C
 * answers with texts made for reading, and says where their places stand in what a person wrote.
 */
export interface Reading {
  /** The texts to open as translation units, by name: files of the version, or names in `texts`. */
  readonly units: readonly string[];
  /** Texts made for reading, by names that are no files. They may include each other and real files. */
  readonly texts: ReadonlyMap<string, string>;
  /** Absent where every text is what a person wrote. */
  readonly relocate?: Relocate;
  /** What is wrong with the sources themselves, each at its place in what a person wrote. */
  readonly problems: readonly ReadingProblem[];
  /** Folders in which `#include "…"` looks behind the including file's own; absolute. */
  readonly include?: readonly string[];
}

export interface ReadingProblem {
  readonly message: string;
  readonly place: Place;
  /** An error where it is left out. */
  readonly severity?: Severity;
  /** The rule that speaks of it; the manifest's own where it is left out. */
  readonly code?: string;
  readonly related?: readonly { readonly message: string; readonly place: Place }[];
}

/** As in the manifest. */
export type DialectName = 'module' | 'kpatch' | 'klp-build' | 'suse';

/** One way to write a livepatch. */
export interface Dialect {
  readonly name: DialectName;
  /** Whether `dialect: auto` means this one for these files. May look at names first and at texts only if need be. */
  recognises(files: readonly SourceFile[], kernelRelease: string): boolean;
  read(input: DialectInput): Reading;
}
