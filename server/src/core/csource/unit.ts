import type { Place, Relocate, Span } from '../place';
import type { FunctionIr, Positions, VariableIr } from './ir';
import type { KernelConfig } from './kernel-config';
import type { CType, StructType } from './types';

/** A function as the file's structure shows it; its body is lowered when somebody asks for it. */
export interface FunctionItem {
  readonly name: string;
  readonly static: boolean;
  /** `__init`, `__exit`, `noinline`, …: what was rewritten to spaces in front of it. */
  readonly annotations: readonly string[];
  readonly returns: CType;
  readonly parameters: readonly { readonly name: string; readonly type: CType }[];
  readonly namePlace: Place;
  readonly place: Place;
}

export interface VariableItem {
  readonly name: string;
  readonly static: boolean;
  readonly extern: boolean;
  readonly annotations: readonly string[];
  readonly type: CType;
  readonly hasInitialiser: boolean;
  readonly namePlace: Place;
  readonly place: Place;
}

/** A macro called at file scope: module_init(f), MODULE_INFO(livepatch, "Y"), module_param(…), DEFINE_MUTEX(m). */
export interface FileScopeCall {
  readonly macro: string;
  /** The arguments as written, white space trimmed; string literals still quoted. */
  readonly args: readonly string[];
  readonly place: Place;
}

export interface ModuleParameter {
  /** Name as given to insmod; `variable` is the C variable (module_param_named). */
  readonly name: string;
  readonly variable: string;
  readonly type: string;
  readonly permissions: number;
  /** The variable that gets the number of elements given (module_param_array); null for none. */
  readonly count: string | null;
  readonly place: Place;
}

/**
 * One translation unit: a .c file with what it includes from its own sources. Cannot fail: what could not be read
 * is absent or unknown, and `complete` is false.
 */
export interface Unit {
  readonly file: string;
  readonly revision?: string;
  readonly functions: ReadonlyMap<string, FunctionItem>;
  readonly variables: ReadonlyMap<string, VariableItem>;
  readonly calls: readonly FileScopeCall[];
  readonly moduleInit: { readonly function: string; readonly place: Place } | null;
  readonly moduleExit: { readonly function: string; readonly place: Place } | null;
  readonly parameters: readonly ModuleParameter[];
  /** The files whose text is part of this unit, itself first, in order of inclusion. */
  readonly files: readonly string[];
  /** `#include "…"` of own sources that could not be found. */
  readonly missingIncludes: readonly { readonly name: string; readonly place: Place }[];
  /** Configuration names that `#if` asked for and nothing decided, with the side that was taken. */
  readonly assumptions: readonly { readonly name: string; readonly taken: boolean; readonly place: Place }[];
  readonly complete: boolean;
  /** Files of this unit whose text could not be used at all, and why. */
  readonly unread?: readonly {
    readonly file: string;
    readonly because: 'missing' | 'not a text file' | 'too large';
  }[];
  struct(tag: string): StructType | undefined;
  enumerator(name: string): number | bigint | undefined;
  typedef(name: string): CType | undefined;
  /** The last definition of an object-like or function-like macro, as text, or undefined. */
  macro(name: string): { readonly parameters: readonly string[] | null; readonly body: string } | undefined;
  /** Lowers the function's body; the result is kept. Undefined for an unknown name. */
  lower(name: string): FunctionIr | undefined;
  /** Lowers a file-scope variable's initialiser; the last definition with an initialiser wins. */
  variable(name: string): VariableIr | undefined;
  /** The position tables of what has been lowered so far, under names that tell functions and variables apart. */
  loweredPositions(): ReadonlyMap<string, Positions>;
  /** Hash over what `names` and all they can reach within the unit lower to, without positions. */
  fingerprint(names: readonly string[]): string;
  /** The comments that hold `livepatch-ignore`. */
  readonly suppressions: readonly SuppressionComment[];
}

export interface SuppressionComment {
  readonly codes: readonly string[];
  readonly reason: string;
  /** The comment itself. */
  readonly place: Place;
  /** The lines it speaks for, as one stretch: its own line and, when it stands alone there, the next. */
  readonly covers: Span;
  /** No token beside it is compiled: it may speak of another configuration. */
  readonly uncompiled?: true;
}

/** Texts of own sources; `resolve` answers the file that `name`, included from `from`, means. */
export interface SourceProvider {
  text(file: string): string | undefined;
  resolve(name: string, from: string): string | undefined;
  /** Where places of texts that stand for others are shown; absent where every text is what a person wrote. */
  readonly relocate?: Relocate;
}

/** What decides `#if` beside the text itself. A value of "y", "m" or "n" for CONFIG_ names, any text otherwise. */
export interface UnitOptions {
  readonly defines: Readonly<Record<string, string>>;
  readonly kernelRelease: string;
  /** As `uname -m` prints it; where that is left out, what the configuration says, or x86_64. */
  readonly arch?: string | undefined;
  /** The kernel's `.config`; `defines` go before. The same object for the same text. */
  readonly config?: KernelConfig | undefined;
}
