import type { CallbackKind, StateId } from '../kernel/types';
import type { Place } from '../place';

/**
 * What the C of one module says, without running more than its init. Contract between facts.ts, which makes these,
 * and lineage, rules, scaffold, features and command line, which read them.
 */
export interface LivepatchFacts {
  /** One per struct klp_patch that is defined with an initialiser or handed to klp_enable_patch(). */
  readonly patches: readonly PatchFacts[];
  /** The patch that init hands to klp_enable_patch(), or the only one there is; null where there is none. */
  readonly patch: PatchFacts | null;
  readonly init: FunctionFact | null;
  readonly exit: FunctionFact | null;
  /** MODULE_INFO(livepatch, "Y"). */
  readonly livepatchInfo: Place | null;
  readonly license: { readonly text: string; readonly place: Place } | null;
  /** Whether init reaches klp_enable_patch() (or klp_register_patch()) as far as can be seen; null where it cannot. */
  readonly enables: boolean | null;
  readonly parameters: readonly { readonly name: string; readonly variable: string; readonly place: Place }[];
  /** Every use of the shadow variable API in any function of the module. */
  readonly shadow: readonly ShadowUse[];
  /** Calls of kernel functions (not the module's own), with who reaches them. */
  readonly calls: readonly CallFact[];
  /** False where something that matters could not be read or evaluated. */
  readonly complete: boolean;
}

export interface PatchFacts {
  /** The variable's name. */
  readonly variable: string;
  /** The variable's name in its definition. */
  readonly place: Place;
  /** The whole initialiser `{ … }`, or the definition where there is none. */
  readonly initialiser: Place;
  /** null where a module parameter or something unknown decides. */
  readonly replace: boolean | null;
  /** The `.replace` element (or the assignment), null where it is not written. */
  readonly replacePlace: Place | null;
  readonly mod: { readonly set: boolean; readonly place: Place | null };
  /** null where `.objs` is not set. */
  readonly objects: readonly ObjectFacts[] | null;
  readonly objectsPlace: Place | null;
  readonly states: readonly StateFacts[];
  readonly statesPlace: Place | null;
  /** Arrays without their terminating empty element, which the kernel would read past. */
  readonly unterminated: readonly {
    readonly array: 'objects' | 'functions' | 'states';
    readonly name: string;
    readonly place: Place;
  }[];
  /** Elements behind an empty one, which ends the table; objects that are such an end and have callbacks. */
  readonly unseen: readonly UnseenFacts[];
  /** Whether this is for certain what klp_enable_patch() gets: init does nothing before that is not known. */
  readonly settled: boolean;
  readonly complete: boolean;
}

export interface UnseenFacts {
  readonly array: 'objects' | 'functions' | 'states';
  readonly what: 'behind' | 'callbacks';
  /** The table's name. */
  readonly name: string;
  readonly place: Place;
}

export interface ObjectFacts {
  /** null: vmlinux. */
  readonly name: string | null;
  /** The `.name` element, or the object's element. */
  readonly namePlace: Place | null;
  readonly place: Place;
  /** null where `.funcs` is not set, which the kernel refuses. */
  readonly functions: readonly FunctionEntry[] | null;
  readonly callbacks: readonly CallbackFacts[];
}

export interface FunctionEntry {
  readonly old: string;
  readonly new: string;
  readonly sympos: number;
  readonly place: Place;
}

export interface CallbackFacts {
  readonly callback: CallbackKind;
  readonly function: string;
  /** The entry in the table (`.pre_patch = f`). */
  readonly place: Place;
  /** The function's name in its definition, where that is in the module's sources. */
  readonly definition: Place | null;
}

export interface StateFacts {
  readonly id: StateId;
  readonly version: number | null;
  readonly place: Place;
}

export interface FunctionFact {
  readonly name: string;
  readonly place: Place;
}

export interface ShadowUse {
  readonly id: string;
  readonly api: string;
  /** The C function that holds the call. */
  readonly function: string;
  readonly place: Place;
  /** Size argument where the API has one and it is known. */
  readonly size: number | null;
}

/** One call of a kernel function in the module's sources. */
export interface CallFact {
  readonly callee: string;
  readonly function: string;
  readonly place: Place;
  /** From where the calling function is reached: 'init', 'exit', 'pre_patch', …, 'patched' (any new_func). Sorted. */
  readonly reachedFrom: readonly string[];
}
