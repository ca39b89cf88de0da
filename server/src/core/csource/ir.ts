import type { Relocate } from '../place';
import type { CType } from './types';

/**
 * The intermediate form: what execution, fingerprints and caches work on. Immutable, without positions. Nodes
 * that somebody may want to show carry a small number `at`, the index of their stretch of text in the side table
 * `FunctionIr.positions` (or `VariableIr.positions`). Macros are expanded already; what they expanded to is
 * placed at the macro's name. What could not be read is `unknown`, never left out and never zero.
 */
export type Expr =
  /** `value` is a bigint only for 64-bit types whose value a double cannot hold exactly. */
  | { readonly k: 'int'; readonly value: number | bigint; readonly type: CType }
  /**
   * Adjacent literals are joined. KBUILD_MODNAME among them, whose text only the build knows, stands in the value
   * as the characters U+E000 KBUILD_MODNAME U+E001 (see MODULE_NAME_PLACEHOLDER); alone it is a `name`.
   */
  | { readonly k: 'string'; readonly value: string; readonly type: CType }
  /** A parameter or local of this function: index into FunctionIr.locals. */
  | { readonly k: 'local'; readonly slot: number; readonly type: CType }
  /** Anything with linkage: variable or function of this unit, of another unit of the module, or of the kernel. */
  | { readonly k: 'name'; readonly name: string; readonly type: CType; readonly at: number }
  | {
      readonly k: 'call';
      readonly callee: Expr;
      readonly args: readonly Expr[];
      /** Arguments that are types, as in kzalloc_obj(struct x): index → type; `args` holds an `unknown` there. */
      readonly typeArgs?: Readonly<Record<number, CType>>;
      readonly type: CType;
      readonly at: number;
    }
  | {
      readonly k: 'member';
      readonly of: Expr;
      readonly name: string;
      readonly arrow: boolean;
      readonly type: CType;
      readonly at: number;
    }
  | {
      readonly k: 'index';
      readonly of: Expr;
      readonly index: Expr;
      readonly type: CType;
      readonly at: number;
    }
  /** `&` and `*` are here as well. */
  | {
      readonly k: 'unary';
      readonly op: '+' | '-' | '!' | '~' | '&' | '*';
      readonly of: Expr;
      readonly type: CType;
      readonly at: number;
    }
  | {
      readonly k: 'step';
      readonly op: '++' | '--';
      readonly prefix: boolean;
      readonly of: Expr;
      readonly type: CType;
      readonly at: number;
    }
  /** Arithmetic is done in `operands` (after the usual conversions); the result has `type`. */
  | {
      readonly k: 'binary';
      readonly op: BinaryOp;
      readonly left: Expr;
      readonly right: Expr;
      readonly operands: CType;
      readonly type: CType;
    }
  | {
      readonly k: 'logical';
      readonly op: '&&' | '||';
      readonly left: Expr;
      readonly right: Expr;
      readonly type: CType;
    }
  | {
      readonly k: 'assign';
      readonly op: '=' | AssignOp;
      readonly target: Expr;
      readonly value: Expr;
      /** For compound assignment: the type in which the operation is done. */
      readonly operands: CType;
      readonly type: CType;
      readonly at: number;
    }
  /** `a ?: b` has no `then`. */
  | {
      readonly k: 'conditional';
      readonly test: Expr;
      readonly then: Expr | null;
      readonly otherwise: Expr;
      readonly type: CType;
    }
  | { readonly k: 'cast'; readonly of: Expr; readonly type: CType }
  | { readonly k: 'comma'; readonly first: Expr; readonly second: Expr; readonly type: CType }
  /** `({ … })`; its value is that of the last expression statement. */
  | { readonly k: 'statements'; readonly body: readonly Stmt[]; readonly type: CType }
  /** `(struct x){ … }`. */
  | { readonly k: 'compound'; readonly init: Init; readonly type: CType }
  /**
   * container_of(of, type, member), list_entry and the like: strip `path` from the pointer. `path` is the member
   * as C writes it, without a dot in front: `list`, `sub.list`, `heads[1]`. `type` is the pointer that results.
   */
  | {
      readonly k: 'container';
      readonly of: Expr;
      readonly path: string;
      readonly type: CType;
      readonly at: number;
    }
  | { readonly k: 'sizeof'; readonly measured: CType; readonly type: CType }
  | { readonly k: 'offsetof'; readonly measured: CType; readonly path: string; readonly type: CType }
  /** The text, so that the same unknown expression can have the same answer throughout. */
  | { readonly k: 'unknown'; readonly text: string; readonly type: CType; readonly at: number };

/** What stands for KBUILD_MODNAME inside a joined string. */
export const MODULE_NAME_PLACEHOLDER = '\ue000KBUILD_MODNAME\ue001';

export type BinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '<<'
  | '>>'
  | '&'
  | '|'
  | '^'
  | '<'
  | '>'
  | '<='
  | '>='
  | '=='
  | '!=';
export type AssignOp = '+=' | '-=' | '*=' | '/=' | '%=' | '<<=' | '>>=' | '&=' | '|=' | '^=';

/** An initialiser. Elements stand in source order; a later one for the same path wins. */
export type Init =
  | { readonly k: 'value'; readonly value: Expr; readonly at: number }
  | { readonly k: 'list'; readonly elements: readonly InitElement[]; readonly at: number };

export interface InitElement {
  /** Empty for a positional element, which takes the next subobject. */
  readonly designators: readonly Designator[];
  readonly init: Init;
}

export type Designator =
  | { readonly k: 'field'; readonly name: string }
  | { readonly k: 'index'; readonly from: Expr; readonly to: Expr | null };

export type Stmt =
  | { readonly k: 'expression'; readonly value: Expr; readonly at: number }
  /** A declaration reached in the flow; `static` locals are not here but in FunctionIr.statics. */
  | { readonly k: 'declare'; readonly slot: number; readonly init: Init | null; readonly at: number }
  | {
      readonly k: 'if';
      readonly test: Expr;
      readonly then: readonly Stmt[];
      readonly otherwise: readonly Stmt[];
      readonly at: number;
    }
  /** while: test first. do: body first. for: `init` stands before it in a block of its own. */
  | {
      readonly k: 'loop';
      readonly form: 'while' | 'do';
      readonly test: Expr | null;
      /** What runs after the body and after `continue`. */
      readonly step: Expr | null;
      readonly body: readonly Stmt[];
      readonly at: number;
    }
  /** An iteration macro with its body: list_for_each_entry and every other unknown `name(…) { … }`. */
  | {
      readonly k: 'iterate';
      readonly macro: string;
      readonly args: readonly Expr[];
      /** Member names among the arguments (list_for_each_entry's third), by index. */
      readonly names: Readonly<Record<number, string>>;
      readonly body: readonly Stmt[];
      readonly at: number;
    }
  | { readonly k: 'switch'; readonly on: Expr; readonly body: readonly Stmt[]; readonly at: number }
  /** `from` is null for `default`. */
  | { readonly k: 'case'; readonly from: Expr | null; readonly to: Expr | null }
  | { readonly k: 'label'; readonly name: string }
  | { readonly k: 'goto'; readonly name: string; readonly at: number }
  | { readonly k: 'break' }
  | { readonly k: 'continue' }
  | { readonly k: 'return'; readonly value: Expr | null; readonly at: number }
  | { readonly k: 'block'; readonly body: readonly Stmt[] }
  | { readonly k: 'unknown'; readonly text: string; readonly at: number };

export interface Local {
  readonly name: string;
  readonly type: CType;
  /** Function of `__free(f)` (gets the value), or `&f` for `__cleanup(f)` (gets the variable's address). */
  readonly cleanup?: string;
}

/** Stretches of text for the `at` numbers: start of n at [2n], end at [2n+1], offsets from `base`. */
export interface Positions {
  readonly file: string;
  readonly revision?: string;
  readonly base: number;
  readonly table: Int32Array;
  /** Set where the file is a text made for reading. */
  readonly relocate?: Relocate;
}

export interface FunctionIr {
  readonly name: string;
  readonly returns: CType;
  /** The first `parameters` locals. */
  readonly parameters: number;
  readonly variadic: boolean;
  readonly locals: readonly Local[];
  /** `static` locals: reached as `name` expressions under the made-up name `function.variable`. */
  readonly statics: readonly VariableIr[];
  readonly body: readonly Stmt[];
  readonly positions: Positions;
  /** Hash of all of the above but the positions. */
  readonly fingerprint: string;
}

export interface VariableIr {
  readonly name: string;
  readonly type: CType;
  readonly static: boolean;
  /** null for a tentative definition. */
  readonly init: Init | null;
  readonly positions: Positions;
  readonly fingerprint: string;
}
