import { type CType, LONG } from '../csource/types';
import { arithmetic, type Integer, type IntType, negate, toInteger, wrap } from './integers';
import type { Interpreter } from './interpreter';
import { addTo, castPointer, difference, order, samePlace } from './interpreter-pointers';
import type { Layout } from './layout';
import { isInteger, type Pointer, type StringPointer, type Value } from './values';

/** `left op right` done in `type`; unknown where an operand is. `layout` tells sizes for pointer arithmetic. */
export function compute(
  it: Interpreter,
  op: string,
  left: Value,
  right: Value,
  type: CType,
  layout: Layout | null,
): Value {
  if (isInteger(left) && isInteger(right)) {
    if (type.k === 'int')
      return arithmetic(op, left, right, type) ?? it.unknowns.derive(op, left, right, type);
    if (op === '!') return left === 0 ? 1 : 0;
    if (type.k === 'pointer') return addressArithmetic(op, left, right, type, layout);
    return arithmetic(op, left, right, LONG as IntType) ?? it.unknowns.derive(op, left, right, type);
  }
  if (isUnknownOf(left) || isUnknownOf(right)) return withUnknown(it, op, left, right, type);
  return withPointers(it, op, left, right, type, layout);
}

function isUnknownOf(value: Value): boolean {
  return typeof value === 'object' && (value.k === 'unknown' || value.k === 'aggregate');
}

/** Pointers that are plain addresses: NULL, error pointers. */
function addressArithmetic(
  op: string,
  left: Integer,
  right: Integer,
  type: CType,
  layout: Layout | null,
): Value {
  const unsigned: IntType = { k: 'int', bits: 64, signed: false };
  if (op === '+' || op === '-') {
    const size = (type.k === 'pointer' ? layout?.sizeof(type.to) : undefined) ?? 1;
    const by = arithmetic('*', right, size, LONG as IntType) ?? 0;
    return arithmetic(op, left, by, unsigned) ?? 0;
  }
  return arithmetic(op, left, right, unsigned) ?? 0;
}

function withUnknown(it: Interpreter, op: string, left: Value, right: Value, type: CType): Value {
  const same =
    typeof left === 'object' &&
    typeof right === 'object' &&
    left.k === 'unknown' &&
    right.k === 'unknown' &&
    left.id === right.id;
  if (same) {
    if (op === '==' || op === '<=' || op === '>=') return 1;
    if (op === '!=' || op === '<' || op === '>') return 0;
    if (op === '-' || op === '^') return 0;
    if (op === '&' || op === '|') return left;
  }
  if ((op === '==' || op === '!=') && isConstantName(left) && isConstantName(right))
    return op === '==' ? 0 : 1;
  if (op === '+' || op === '|' || op === '^' || op === '-' || op === '<<' || op === '>>') {
    if (right === 0) return left;
    if (left === 0 && (op === '+' || op === '|' || op === '^')) return right;
  }
  if ((op === '*' || op === '&') && (left === 0 || right === 0)) return 0;
  if (op === '*' || op === '/') {
    if (right === 1) return left;
    if (left === 1 && op === '*') return right;
  }
  return it.unknowns.derive(op, left, right, type);
}

/** A constant whose header is not at hand; two of different names are taken for different. */
function isConstantName(value: Value): boolean {
  return (
    typeof value === 'object' && value.k === 'unknown' && value.symbolic === true && /^\w+$/.test(value.id)
  );
}

function withPointers(
  it: Interpreter,
  op: string,
  a: Value,
  b: Value,
  type: CType,
  layout: Layout | null,
): Value {
  switch (op) {
    case '==':
      return equal(it, a, b) ? 1 : 0;
    case '!=':
      return equal(it, a, b) ? 0 : 1;
    case '<':
    case '>':
    case '<=':
    case '>=':
      return compareOrder(it, op, a, b) ?? it.unknowns.derive(op, a, b, type);
    case '+':
      return move(it, a, b, 1, type) ?? move(it, b, a, 1, type) ?? it.unknowns.derive(op, a, b, type);
    case '-':
      return (
        move(it, a, b, -1, type) ?? subtract(it, a, b, type, layout) ?? it.unknowns.derive(op, a, b, type)
      );
    default:
      return it.unknowns.derive(op, a, b, type);
  }
}

/** Whether two known values, one at least no integer, are the same address. */
export function equal(it: Interpreter, a: Value, b: Value): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a.k === 'pointer' && b.k === 'pointer') return samePlace(it, a, b);
  if (a.k === 'string' && b.k === 'string') return a.text === b.text && a.offset === b.offset;
  if (a.k === 'function' && b.k === 'function')
    return a.name === b.name && a.instance === b.instance && a.unit === b.unit;
  return false;
}

function compareOrder(it: Interpreter, op: string, a: Value, b: Value): number | null {
  let sign: number | null = null;
  if (isInteger(a) || isInteger(b)) {
    // Objects lie above NULL and below the error pointers.
    const address = isInteger(a) ? a : isInteger(b) ? b : 0;
    const low = wrap(address, 64, false) < 2n ** 63n;
    sign = isInteger(a) ? (low ? -1 : 1) : low ? 1 : -1;
  } else if (typeof a === 'object' && typeof b === 'object') {
    if (a.k === 'pointer' && b.k === 'pointer') sign = order(it, a, b);
    else if (a.k === 'string' && b.k === 'string' && a.text === b.text) sign = Math.sign(a.offset - b.offset);
  }
  if (sign === null) return null;
  const holds = op === '<' ? sign < 0 : op === '>' ? sign > 0 : op === '<=' ? sign <= 0 : sign >= 0;
  return holds ? 1 : 0;
}

function move(it: Interpreter, pointer: Value, by: Value, sign: 1 | -1, type: CType): Value | null {
  if (typeof pointer !== 'object' || typeof by !== 'number') return null;
  if (type.k === 'int') return movedBytes(it, pointer, by * sign);
  const to: CType = type.k === 'pointer' ? type.to : { k: 'void' };
  if (pointer.k === 'pointer')
    return by === 0 ? pointer : addTo(it, castPointer(it, pointer, to), by * sign, to);
  if (pointer.k === 'string') return shiftString(pointer, by * sign);
  return null;
}

/** An address held in an integer, moved by bytes. */
function movedBytes(it: Interpreter, pointer: Value, by: number): Value | null {
  if (by === 0) return pointer;
  if (typeof pointer !== 'object') return null;
  if (pointer.k === 'string') return shiftString(pointer, by);
  if (pointer.k !== 'pointer') return null;
  return addTo(it, pointer, by, { k: 'int', bits: 8, signed: false });
}

function shiftString(pointer: StringPointer, by: number): StringPointer {
  return { k: 'string', text: pointer.text, offset: pointer.offset + by };
}

function subtract(it: Interpreter, a: Value, b: Value, type: CType, layout: Layout | null): Value | null {
  if (typeof a !== 'object' || typeof b !== 'object') return null;
  const size = type.k === 'pointer' ? (layout?.sizeof(type.to) ?? 1) : 1;
  if (a.k === 'pointer' && b.k === 'pointer') return difference(it, a, b, size);
  if (a.k === 'string' && b.k === 'string' && a.text === b.text) return a.offset - b.offset;
  return null;
}

/** `-a`, `~a`, `+a`, `!a`. */
export function unary(it: Interpreter, op: '-' | '~' | '+' | '!', value: Value, type: CType): Value {
  if (op === '!') {
    if (isInteger(value)) return value === 0 ? 1 : 0;
    return value.k === 'unknown' ? it.unknowns.derive('==', value, 0, it.unknowns.typeOf(value) ?? LONG) : 0;
  }
  if (isInteger(value)) return negate(op, value, type.k === 'int' ? type : (LONG as IntType));
  if (op === '+') return value;
  return op === '-' ? it.unknowns.derive('-', 0, value, type) : it.unknowns.derive('^', value, -1, type);
}

/** The value as a place or variable of type `to` holds it; `from` is the type that it has now. */
export function convert(it: Interpreter, value: Value, to: CType, from: CType | null): Value {
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (to.k === 'int') return toInteger(value, to);
    if (to.k === 'pointer') return wrap(value, 64, false);
    return value;
  }
  if (value.k === 'unknown') {
    if (to.k === 'int' && to.bool && it.unknowns.typeOf(value)?.k !== 'int') {
      return it.unknowns.derive('!=', value, 0, it.unknowns.typeOf(value) ?? LONG);
    }
    it.unknowns.note(value, to);
    return value;
  }
  if (to.k === 'int') return to.bool ? 1 : value;
  if (to.k === 'pointer' && value.k === 'pointer' && from?.k === 'pointer' && from.to.k !== to.to.k) {
    return castPointer(it, value as Pointer, to.to);
  }
  return value;
}
