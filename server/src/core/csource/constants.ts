import type { Expr } from './ir';
import { offsetOf, type StructLookup, sizeOf } from './layout';
import type { CType } from './types';

/** A value brought into the range of an integer type; a bigint only where a double cannot hold it. */
export function wrap(value: bigint | number, type: CType): number | bigint {
  if (type.k !== 'int') return typeof value === 'number' ? value : narrow(value);
  if (type.bool === true) return BigInt(value) === 0n ? 0 : 1;
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    if (type.bits === 32) return type.signed ? value | 0 : (value | 0) >>> 0;
    if (type.bits === 64 && (type.signed || value >= 0)) return value;
  }
  const exact = BigInt(value);
  return narrow(type.signed ? BigInt.asIntN(type.bits, exact) : BigInt.asUintN(type.bits, exact));
}

function narrow(value: bigint): number | bigint {
  return value <= 0x1fffffffffffffn && value >= -0x1fffffffffffffn ? Number(value) : value;
}

const MAX_DEPTH = 200;

/** The value of a constant expression, null if it is none. */
export function constantValue(expr: Expr, structs: StructLookup, depth = 0): number | bigint | null {
  if (depth > MAX_DEPTH) return null;
  const of = (inner: Expr): number | bigint | null => constantValue(inner, structs, depth + 1);
  switch (expr.k) {
    case 'int':
      return expr.value;
    case 'sizeof':
      return sizeOf(expr.measured, structs) ?? null;
    case 'offsetof':
      return offsetOf(expr.measured, expr.path, structs)?.offset ?? null;
    case 'cast': {
      const value = of(expr.of);
      return value === null || (expr.type.k !== 'int' && expr.type.k !== 'pointer')
        ? null
        : wrap(value, expr.type);
    }
    case 'unary': {
      const value = of(expr.of);
      if (value === null) return null;
      if (expr.op === '-') return wrap(-BigInt(value), expr.type);
      if (expr.op === '~') return wrap(~BigInt(value), expr.type);
      if (expr.op === '!') return value === 0 ? 1 : 0;
      return expr.op === '+' ? value : null;
    }
    case 'logical': {
      const left = of(expr.left);
      if (left === null) return null;
      if (expr.op === '&&' ? left === 0 : left !== 0) return expr.op === '&&' ? 0 : 1;
      const right = of(expr.right);
      return right === null ? null : right === 0 ? 0 : 1;
    }
    case 'conditional': {
      const test = of(expr.test);
      if (test === null) return null;
      return test !== 0 ? (expr.then === null ? test : of(expr.then)) : of(expr.otherwise);
    }
    case 'binary': {
      const left = of(expr.left);
      const right = of(expr.right);
      if (left === null || right === null || expr.operands.k !== 'int') return null;
      return compute(expr.op, BigInt(wrap(left, expr.operands)), BigInt(right), expr.operands, expr.type);
    }
    default:
      return null;
  }
}

function compute(op: string, a: bigint, given: bigint, operands: CType, type: CType): number | bigint | null {
  const shift = op === '<<' || op === '>>';
  const b = shift ? given : BigInt(wrap(given, operands));
  if (shift && (b < 0n || b > 63n)) return null;
  switch (op) {
    case '+':
      return wrap(a + b, type);
    case '-':
      return wrap(a - b, type);
    case '*':
      return wrap(a * b, type);
    case '/':
      return b === 0n ? null : wrap(a / b, type);
    case '%':
      return b === 0n ? null : wrap(a % b, type);
    case '<<':
      return wrap(a << b, type);
    case '>>':
      return wrap(a >> b, type);
    case '&':
      return wrap(a & b, type);
    case '|':
      return wrap(a | b, type);
    case '^':
      return wrap(a ^ b, type);
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
    default:
      return a !== b ? 1 : 0;
  }
}
