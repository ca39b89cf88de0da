import type { CType } from '../csource/types';

/** An integer value: a number where a double holds it exactly, a bigint otherwise. Equal integers are `===`. */
export type Integer = number | bigint;
export type IntType = Extract<CType, { readonly k: 'int' }>;

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER);
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The one form of an integer. */
export function canonical(value: bigint): Integer {
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value;
}

/** Wraps a mathematical integer to `bits`, as a conversion in C does (two's complement). */
export function wrap(value: Integer, bits: number, signed: boolean): Integer {
  if (typeof value === 'bigint') {
    return canonical(signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
  }
  if (bits === 32) return signed ? value | 0 : value >>> 0;
  if (bits < 32) {
    const low = value << (32 - bits);
    return signed ? low >> (32 - bits) : low >>> (32 - bits);
  }
  if (bits === 64) {
    if (signed || value >= 0) return value;
    return canonical(BigInt.asUintN(64, BigInt(value)));
  }
  return wrap(BigInt(value), bits, signed);
}

/** Converts an integer to an integer type. */
export function toInteger(value: Integer, type: IntType): Integer {
  if (type.bool) return value === 0 ? 0 : 1;
  return wrap(value, type.bits, type.signed);
}

/**
 * `left op right` in `type`, to which both are converted here; `right` of a shift keeps its value, modulo the
 * width as x86 does. Null for a division by zero. Comparisons give 0 or 1.
 */
export function arithmetic(op: string, left: Integer, right: Integer, type: IntType): Integer | null {
  const a = toInteger(left, type);
  if (op === '<<' || op === '>>') return shift(op, a, right, type);
  const b = toInteger(right, type);
  switch (op) {
    case '<':
      return a < b ? 1 : 0;
    case '>':
      return a > b ? 1 : 0;
    case '<=':
      return a <= b ? 1 : 0;
    case '>=':
      return a >= b ? 1 : 0;
    case '==':
      return a === b ? 1 : 0;
    case '!=':
      return a === b ? 0 : 1;
    default:
  }
  if (type.bits <= 32 && typeof a === 'number' && typeof b === 'number') return narrow(op, a, b, type);
  if (typeof a === 'number' && typeof b === 'number') {
    const exact = wide(op, a, b);
    if (
      exact !== undefined &&
      (exact === null || (Number.isSafeInteger(exact) && (type.signed || exact >= 0)))
    ) {
      return exact;
    }
  }
  return big(op, BigInt(a), BigInt(b), type);
}

function narrow(op: string, a: number, b: number, type: IntType): Integer | null {
  let r: number;
  switch (op) {
    case '+':
      r = a + b;
      break;
    case '-':
      r = a - b;
      break;
    case '*':
      r = Math.imul(a, b);
      break;
    case '/':
      if (b === 0) return null;
      r = Math.trunc(a / b);
      break;
    case '%':
      if (b === 0) return null;
      r = a % b;
      break;
    case '&':
      r = a & b;
      break;
    case '|':
      r = a | b;
      break;
    case '^':
      r = a ^ b;
      break;
    default:
      return 0;
  }
  return wrap(r, type.bits, type.signed);
}

/** 64-bit operations on doubles: undefined where a double might not be exact. */
function wide(op: string, a: number, b: number): number | null | undefined {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b + 0;
    case '/':
      return b === 0 ? null : (a - (a % b)) / b + 0;
    case '%':
      return b === 0 ? null : (a % b) + 0;
    default:
  }
  if (a < 0 || b < 0 || a > 0x7fffffff || b > 0x7fffffff) return undefined;
  return op === '&' ? a & b : op === '|' ? a | b : op === '^' ? a ^ b : undefined;
}

function big(op: string, a: bigint, b: bigint, type: IntType): Integer | null {
  let r: bigint;
  switch (op) {
    case '+':
      r = a + b;
      break;
    case '-':
      r = a - b;
      break;
    case '*':
      r = a * b;
      break;
    case '/':
      if (b === 0n) return null;
      r = a / b;
      break;
    case '%':
      if (b === 0n) return null;
      r = a % b;
      break;
    case '&':
      r = a & b;
      break;
    case '|':
      r = a | b;
      break;
    case '^':
      r = a ^ b;
      break;
    default:
      r = 0n;
  }
  return wrap(r, type.bits, type.signed);
}

function shift(op: string, a: Integer, by: Integer, type: IntType): Integer {
  const mask = type.bits === 64 ? 63 : 31;
  const count = typeof by === 'number' ? by & mask : Number(by & BigInt(mask));
  if (type.bits <= 32 && typeof a === 'number') {
    if (op === '<<') return wrap(a << count, type.bits, type.signed);
    return type.signed ? a >> count : a >>> count;
  }
  if (op === '>>') {
    if (typeof a === 'number') return Math.floor(a / 2 ** count);
    return canonical(a >> BigInt(count));
  }
  if (typeof a === 'number') {
    const r = a * 2 ** count;
    if (Number.isSafeInteger(r) && (type.signed || r >= 0)) return r;
  }
  return wrap(BigInt(a) << BigInt(count), type.bits, type.signed);
}

/** `-a`, `~a`, `+a` in `type`. */
export function negate(op: '-' | '~' | '+', value: Integer, type: IntType): Integer {
  const a = toInteger(value, type);
  if (op === '+') return a;
  if (op === '~') {
    if (typeof a === 'number' && Number.isSafeInteger(-a - 1)) return wrap(-a - 1, type.bits, type.signed);
    return wrap(-BigInt(a) - 1n, type.bits, type.signed);
  }
  return typeof a === 'number' ? wrap(0 - a, type.bits, type.signed) : wrap(-a, type.bits, type.signed);
}

/** ERR_PTR(-errno): the top of the address space, as the kernel stores an error in a pointer. */
export function errorPointer(errno: number): Integer {
  return wrap(-Math.abs(errno), 64, false);
}

/** IS_ERR_VALUE(): whether an integer lies in the last page of the address space. */
export function isErrorPointer(value: Integer): boolean {
  const unsigned = BigInt.asUintN(64, BigInt(value));
  return unsigned >= 0xfffffffffffff001n;
}
