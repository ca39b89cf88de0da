import { type Expr, type FunctionIr, MODULE_NAME_PLACEHOLDER } from '../csource/ir';
import type { CType } from '../csource/types';
import type { UnitImage } from '../execution/program';
import type { StateId } from '../kernel/types';
import { cString } from './c-text';
import { castType, type FaultyCode, isZero } from './faulty-code';

/** An expression of a faulty version in the words of another module. */
export interface Portable {
  readonly text: string;
  /** 3: may stand before `.` and `->`; 2: unary; 1: needs parentheses. */
  readonly level: 1 | 2 | 3;
  /** The state whose entry, written `prev`, it reads; null where it reads none. */
  readonly state: StateId | null;
  /** It reads what the entry's `data` leads to. */
  readonly data: boolean;
  /** The call that finds the shadow variable, written `saved`, that it reads; null where it reads none. */
  readonly shadow: string | null;
  /** Structs of the faulty version whose members it names. */
  readonly structs: readonly string[];
  /** Names of the kernel in it, beyond the called function. */
  readonly names: readonly string[];
}

/** Why another module cannot say the same: for a message, beginning with what is in the way. */
export interface Unportable {
  readonly because: string;
}

const VOID: CType = { k: 'pointer', to: { k: 'void' } };

const MAX_DEPTH = 24;
/** A variable that is set in more places leads nowhere in particular. */
const MAX_VALUES = 4;

export function isPortable(result: Portable | Unportable): result is Portable {
  return 'text' in result;
}

/**
 * Says a faulty version's expressions in the words of another module: constants, names of the kernel, and what hangs
 * from the faulty version's state entries, which klp_get_prev_state() finds. Its own variables are out of reach,
 * except where it published their value in a state entry.
 */
export class Translator {
  readonly #code: FaultyCode;
  #published: ReadonlyMap<string, Portable> | null = null;
  /** Of what is published, what stands there as `void *`. */
  readonly #untyped = new Set<string>();
  #building = false;

  constructor(code: FaultyCode) {
    this.#code = code;
  }

  translate(unit: UnitImage, fn: FunctionIr, expr: Expr, depth = 0): Portable | Unportable {
    if (depth > MAX_DEPTH) return { because: 'the expression is too deep' };
    const again = (inner: Expr): Portable | Unportable => this.translate(unit, fn, inner, depth + 1);
    const key = this.#building ? null : keyOf(expr);
    const known = key === null ? undefined : this.#publishedValues().get(key);
    if (known) return known;
    switch (expr.k) {
      case 'int':
        return integer(expr.value);
      case 'string':
        return expr.value.includes(MODULE_NAME_PLACEHOLDER)
          ? { because: 'the text holds the name of the faulty module' }
          : atom(cString(expr.value));
      case 'local':
        return this.#local(unit, fn, expr.slot, depth);
      case 'name':
        return this.#name(unit, expr.name, depth);
      case 'call':
        return this.#call(unit, again, expr, depth);
      case 'member': {
        const of = this.#object(again, expr.of);
        if (!isPortable(of)) return of;
        const struct = structOf(expr.of.type);
        const data = of.data || (of.text === 'prev' && expr.name === 'data');
        const text = `${grouped(of, 3)}${expr.arrow ? '->' : '.'}${expr.name}`;
        const structs = struct === null || of.text === 'prev' ? of.structs : [...of.structs, struct];
        return { ...of, text, level: 3, data, structs };
      }
      case 'index': {
        const of = this.#object(again, expr.of);
        if (!isPortable(of)) return of;
        const index = again(expr.index);
        return isPortable(index) ? both(of, index, `${grouped(of, 3)}[${index.text}]`, 3) : index;
      }
      case 'unary': {
        const of = expr.op === '*' ? this.#object(again, expr.of) : again(expr.of);
        return isPortable(of) ? { ...of, text: `${expr.op}${grouped(of, 2)}`, level: 2 } : of;
      }
      case 'logical':
      case 'binary': {
        const say = expr.op === '+' || expr.op === '-' ? (it: Expr) => this.#object(again, it) : again;
        const left = say(expr.left);
        if (!isPortable(left)) return left;
        const right = say(expr.right);
        return isPortable(right)
          ? both(left, right, `${grouped(left, 2)} ${expr.op} ${grouped(right, 2)}`, 1)
          : right;
      }
      case 'cast': {
        const of = again(expr.of);
        if (!isPortable(of)) return of;
        const type = castType(expr.type);
        if (type === null) return { because: 'a cast to a type without a name' };
        if (of.text === '0' && type === 'void *') return { ...of, text: 'NULL', level: 3 };
        // A number that stands in the place of a pointer may be 0.
        const data = of.data && !(of.text === 'prev->data' && expr.type.k === 'int');
        return { ...of, text: `(${type})${grouped(of, 2)}`, level: 2, data };
      }
      default:
        return { because: 'an expression of a kind that is not copied' };
    }
  }

  /** What is looked into: a pointer that is handed over by `void *` has to say again what it points at. */
  #object(again: (inner: Expr) => Portable | Unportable, expr: Expr): Portable | Unportable {
    const value = again(expr);
    const key = this.#building ? null : keyOf(expr);
    if (key === null || !isPortable(value) || !this.#untyped.has(key)) return value;
    // An array that is handed over has become a pointer to its first element.
    const { type } = expr;
    return this.#typed(value, type.k === 'array' ? { k: 'pointer', to: type.of } : type, VOID);
  }

  /** A local variable that has one value in its function. */
  #local(unit: UnitImage, fn: FunctionIr, slot: number, depth: number): Portable | Unportable {
    const name = fn.locals[slot]?.name ?? 'a local variable';
    if (slot < fn.parameters) return { because: `it hangs on ${name}, an argument of ${fn.name}()` };
    const values = this.#code.valuesOf(fn, slot);
    const value = values?.[0];
    if (!values || values.length !== 1 || value === undefined)
      return { because: `${name} of ${fn.name}() has no single value` };
    const result = this.translate(unit, fn, value, depth + 1);
    return isPortable(result) ? this.#typed(result, fn.locals[slot]?.type, value.type) : result;
  }

  /** `struct x *p = state->data`: the conversion that the declaration makes must be written. */
  #typed(value: Portable, type: CType | undefined, from: CType): Portable | Unportable {
    if (type === undefined || type.k !== 'pointer' || from.k !== 'pointer' || from.to.k !== 'void')
      return value;
    if (type.to.k === 'void') return value;
    const text = castType(type);
    if (text === null) return { because: 'a pointer to a type without a name' };
    return { ...value, text: `(${text})${grouped(value, 2)}`, level: 2 };
  }

  #name(unit: UnitImage, name: string, depth: number): Portable | Unportable {
    if (name === 'THIS_MODULE') return { because: 'it is the faulty module itself' };
    const ref = this.#code.resolve(unit, name);
    if (ref.k === 'foreign') {
      return /^[A-Za-z_]\w*$/.test(name)
        ? { ...atom(name), names: [name] }
        : { because: `${name} has no name in C` };
    }
    if (ref.k === 'function') return { because: `${name}() is code of the faulty version` };
    // A variable of its own that holds a state entry or what hangs from it leads there all the same.
    const assigned = this.#code.assignmentsTo(unit, name);
    if (assigned.length > MAX_VALUES) return { because: `its own variable ${name} has many values` };
    const values = assigned
      .map((found) => this.translate(found.unit, found.fn, found.expr.value, depth + 1))
      .filter((value) => !isPortable(value) || value.text !== '0');
    const [value] = values;
    if (
      values.length === 1 &&
      value &&
      isPortable(value) &&
      /^\(?(?:\([\w *]+\))?prev(?:->data)?\)?$/.test(value.text)
    )
      return value;
    return { because: `only the faulty version's own variable ${name} knows it` };
  }

  #call(
    unit: UnitImage,
    again: (inner: Expr) => Portable | Unportable,
    expr: Extract<Expr, { readonly k: 'call' }>,
    depth: number,
  ): Portable | Unportable {
    const callee = expr.callee.k === 'name' ? expr.callee.name : '';
    if (callee === 'klp_shadow_get') return this.#shadow(again, expr.args);
    if ((callee === 'IS_ERR' || callee === 'IS_ERR_OR_NULL') && expr.args[0]) {
      const of = again(expr.args[0]);
      return isPortable(of) ? { ...of, text: `${callee}(${of.text})`, level: 3 } : of;
    }
    const idArgument =
      callee === 'klp_get_state' ? expr.args[1] : callee === 'klp_get_prev_state' ? expr.args[0] : undefined;
    if (idArgument === undefined)
      return (
        (expr.args.length === 0 ? this.#returned(unit, callee, depth) : null) ?? {
          because: `it is what ${callee === '' ? 'a call' : `${callee}()`} returns`,
        }
      );
    const id = stateId(idArgument);
    if (id === null) {
      const value = again(idArgument);
      return { because: isPortable(value) ? `the state ${value.text} is not constant` : value.because };
    }
    return { ...atom('prev'), state: id };
  }

  /** What a function of its own returns that does nothing else; null where it is none. */
  #returned(unit: UnitImage, name: string, depth: number): Portable | Unportable | null {
    const ref = this.#code.resolve(unit, name);
    const fn = ref.k === 'function' ? this.#code.lower(ref.unit, name) : undefined;
    const last = fn?.body.at(-1);
    if (ref.k !== 'function' || !fn || last?.k !== 'return' || !last.value) return null;
    if (fn.body.some((stmt) => stmt !== last && stmt.k !== 'declare')) return null;
    const value = this.translate(ref.unit, fn, last.value, depth + 1);
    return isPortable(value) ? this.#typed(value, fn.returns, last.value.type) : value;
  }

  /** A shadow variable that any module finds: its object and its id are constants or names of the kernel. */
  #shadow(again: (inner: Expr) => Portable | Unportable, args: readonly Expr[]): Portable | Unportable {
    const parts: string[] = [];
    for (const arg of args) {
      const part = again(arg);
      if (!isPortable(part)) return part;
      if (part.state !== null || part.shadow !== null)
        return { because: 'its shadow variable hangs from another' };
      parts.push(isZero(arg) && parts.length === 0 ? 'NULL' : part.text);
    }
    return { ...atom('saved'), shadow: `klp_shadow_get(${parts.join(', ')})` };
  }

  /** Values that the faulty version has put where its state entries lead, by the expression that they come from. */
  #publishedValues(): ReadonlyMap<string, Portable> {
    if (this.#published !== null) return this.#published;
    const published = new Map<string, Portable>();
    this.#published = published;
    this.#building = true;
    for (const { unit, fn, expr } of this.#code.assignments()) {
      if (expr.target.k !== 'member' && expr.target.k !== 'index' && expr.target.k !== 'unary') continue;
      const key = keyOf(expr.value);
      if (key === null || published.has(key)) continue;
      const target = this.translate(unit, fn, expr.target);
      if (!isPortable(target) || target.state === null || !target.data || !this.#isOwn(unit, expr.value))
        continue;
      published.set(key, target);
      const { type } = expr.target;
      if (type.k === 'pointer' && type.to.k === 'void') this.#untyped.add(key);
    }
    this.#building = false;
    return published;
  }

  /** Whether an expression names a variable of the faulty version. */
  #isOwn(unit: UnitImage, expr: Expr): boolean {
    if (expr.k === 'name') return this.#code.resolve(unit, expr.name).k !== 'foreign';
    return 'of' in expr && this.#isOwn(unit, expr.of);
  }
}

/** A state's id where it is a constant: its number, or the name of a constant of the kernel. */
export function stateId(expr: Expr): StateId | null {
  if (expr.k === 'int') return Number(expr.value);
  if (expr.k === 'cast') return stateId(expr.of);
  return expr.k === 'name' && /^[A-Z_][A-Z0-9_]*$/.test(expr.name) ? expr.name : null;
}

/** Equal for expressions that name the same variable or its address. */
function keyOf(expr: Expr): string | null {
  switch (expr.k) {
    case 'name':
      return expr.name;
    case 'cast':
      return keyOf(expr.of);
    case 'unary':
    case 'member': {
      const of = keyOf(expr.of);
      if (of === null) return null;
      if (expr.k === 'member') return `${of}${expr.arrow ? '->' : '.'}${expr.name}`;
      return expr.op === '&' ? `&${of}` : null;
    }
    default:
      return null;
  }
}

function structOf(type: CType): string | null {
  if (type.k === 'pointer') return structOf(type.to);
  return type.k === 'struct' ? type.tag : null;
}

function atom(text: string): Portable {
  return { text, level: 3, state: null, data: false, shadow: null, structs: [], names: [] };
}

function integer(value: number | bigint): Portable {
  const negative = value < 0;
  const text = String(value);
  const big = value > 0x7fffffff || value < -0x80000000;
  const written = big ? `${text}${value > 0x7fffffffffffffffn ? 'ULL' : 'LL'}` : text;
  return { ...atom(written), level: negative ? 2 : 3 };
}

function grouped(value: Portable, level: 2 | 3): string {
  return value.level >= level ? value.text : `(${value.text})`;
}

function both(a: Portable, b: Portable, text: string, level: 1 | 3): Portable | Unportable {
  if (a.state !== null && b.state !== null && a.state !== b.state)
    return { because: 'it reads two states at once' };
  if (a.shadow !== null && b.shadow !== null && a.shadow !== b.shadow)
    return { because: 'it reads two shadow variables at once' };
  return {
    text,
    level,
    state: a.state ?? b.state,
    data: a.data || b.data,
    shadow: a.shadow ?? b.shadow,
    structs: [...a.structs, ...b.structs],
    names: [...a.names, ...b.names],
  };
}
