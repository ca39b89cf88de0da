import { CHAR, type CType, INT, LONG, UINT, ULONG, UNKNOWN_TYPE } from './types';

/** The type an expression of this type has as an operand: arrays and functions become pointers. */
export function decay(type: CType): CType {
  if (type.k === 'array') return { k: 'pointer', to: type.of };
  if (type.k === 'function') return { k: 'pointer', to: type };
  return type;
}

/** Integer promotion. */
export function promote(type: CType): CType {
  return type.k === 'int' && type.bits < 32 ? INT : type;
}

/** The usual arithmetic conversions; unknown if either side is. */
function usual(left: CType, right: CType): CType {
  const a = promote(left);
  const b = promote(right);
  if (a.k !== 'int' || b.k !== 'int') return UNKNOWN_TYPE;
  const unsigned = a.bits === b.bits ? !a.signed || !b.signed : a.bits > b.bits ? !a.signed : !b.signed;
  if (a.bits === 64 || b.bits === 64) return unsigned ? ULONG : LONG;
  return unsigned ? UINT : INT;
}

/** Type in which `left op right` is computed and type of the result. */
export function binaryTypes(op: string, left: CType, right: CType): { operands: CType; type: CType } {
  const a = decay(left);
  const b = decay(right);
  switch (op) {
    case '<<':
    case '>>': {
      const type = a.k === 'int' ? promote(a) : UNKNOWN_TYPE;
      return { operands: type, type };
    }
    case '<':
    case '>':
    case '<=':
    case '>=':
    case '==':
    case '!=':
      if (a.k === 'pointer' || b.k === 'pointer') return { operands: a.k === 'pointer' ? a : b, type: INT };
      return { operands: usual(a, b), type: INT };
    default: {
      if (a.k === 'pointer') {
        if (b.k === 'pointer') return { operands: a, type: LONG };
        return { operands: a, type: a };
      }
      if (b.k === 'pointer' && op === '+') return { operands: b, type: b };
      const type = usual(a, b);
      return { operands: type, type };
    }
  }
}

/** The type of `a ? b : c`. */
export function conditionalType(then: CType, otherwise: CType): CType {
  const a = decay(then);
  const b = decay(otherwise);
  if (a.k === 'int' && b.k === 'int') return usual(a, b);
  if (a.k === 'pointer' && b.k === 'pointer') return a.to.k === 'void' ? b : a;
  if (a.k === 'pointer' && b.k !== 'unknown') return a;
  if (b.k === 'pointer' && a.k !== 'unknown') return b;
  if (a.k === 'unknown') return b;
  return a;
}

/** What dereferencing gives. */
export function pointee(type: CType): CType {
  if (type.k === 'pointer') return type.to;
  if (type.k === 'array') return type.of;
  if (type.k === 'function') return type;
  return UNKNOWN_TYPE;
}

/** What calling gives. */
export function resultOf(callee: CType): CType {
  if (callee.k === 'function') return callee.returns;
  if (callee.k === 'pointer' && callee.to.k === 'function') return callee.to.returns;
  return UNKNOWN_TYPE;
}

export function pointerTo(type: CType): CType {
  return { k: 'pointer', to: type };
}

/** Type of a string literal of `length` characters. */
export function stringType(length: number): CType {
  return { k: 'array', of: CHAR, length: length + 1 };
}

/** A type written out, equal for equal types. */
export function typeText(type: CType): string {
  switch (type.k) {
    case 'void':
      return 'void';
    case 'int':
      return type.bool === true ? 'bool' : `${type.signed ? 's' : 'u'}${type.bits}`;
    case 'pointer':
      return `${typeText(type.to)}*`;
    case 'array':
      return `${typeText(type.of)}[${type.length ?? ''}]`;
    case 'struct':
      return `struct ${type.tag}`;
    case 'function':
      return `${typeText(type.returns)}()`;
    default:
      return `?${type.name}`;
  }
}
