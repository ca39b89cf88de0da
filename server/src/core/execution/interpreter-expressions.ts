import { type Expr, MODULE_NAME_PLACEHOLDER } from '../csource/ir';
import { type CType, INT, LONG } from '../csource/types';
import type { Frame } from './frames';
import { wrap } from './integers';
import type { Interpreter } from './interpreter';
import { compute, convert, unary } from './interpreter-arithmetic';
import { assign, step } from './interpreter-assignments';
import { call } from './interpreter-calls';
import { address, bitField, compoundPlace, exported, place } from './interpreter-places';
import { castPointer, containerOf } from './interpreter-pointers';
import { runBody } from './interpreter-statements';
import { type Aggregate, cellOf, isInteger, type Value } from './values';

/** The value of an expression. */
export function evaluate(it: Interpreter, f: Frame, e: Expr): Value {
  switch (e.k) {
    case 'int':
      return e.value;
    case 'local': {
      const block = f.boxes[e.slot];
      if (block === 0 && !f.info?.boxed[e.slot]) {
        const value = f.slots[e.slot];
        return value ?? it.unknowns.named(`${f.name}.${f.ir?.locals[e.slot]?.name ?? ''} (not set)`, e.type);
      }
      return it.load(place(it, f, e), e.type, f, -1);
    }
    case 'string':
      return { k: 'string', text: stringText(f, e.value), offset: 0 };
    case 'binary':
      return binary(it, f, e);
    case 'assign':
      return assign(it, f, e);
    case 'call':
      return call(it, f, e);
    case 'member':
    case 'index':
      return readPlace(it, f, e, e.at);
    case 'name':
      return readName(it, f, e);
    case 'unary':
      if (e.op === '&') return address(it, f, e.of);
      if (e.op === '*') return readPlace(it, f, e, e.at);
      return unary(it, e.op, promote(it, f, e.of, e.type), e.type);
    case 'logical': {
      const left = it.truth(evaluate(it, f, e.left), f, atOf(e.left));
      if (e.op === '&&' ? !left : left) return left ? 1 : 0;
      return it.truth(evaluate(it, f, e.right), f, atOf(e.right)) ? 1 : 0;
    }
    case 'cast': {
      const value = evaluate(it, f, e.of);
      if (e.type.k === 'void') return 0;
      if (e.type.k === 'pointer' && typeof value === 'object' && value.k === 'pointer')
        return castPointer(it, value, e.type.to);
      return convert(it, value, e.type, e.of.type);
    }
    case 'conditional': {
      if (e.then === null) {
        const value = evaluate(it, f, e.test);
        return it.truth(value, f, atOf(e.test))
          ? convert(it, value, e.type, e.test.type)
          : evaluateAs(it, f, e.otherwise, e.type);
      }
      const taken = it.truth(evaluate(it, f, e.test), f, atOf(e.test)) ? e.then : e.otherwise;
      return evaluateAs(it, f, taken, e.type);
    }
    case 'step':
      return step(it, f, e);
    case 'comma':
      evaluate(it, f, e.first);
      return evaluate(it, f, e.second);
    case 'statements':
      return runBody(it, f, e.body);
    case 'compound':
      return readCompound(it, f, e);
    case 'container': {
      const of = evaluate(it, f, e.of);
      if (typeof of === 'object' && of.k === 'pointer') {
        const found = containerOf(of, e.path);
        if (found !== null) return found;
        const at = it.memory.block(of.block);
        return it.behind(
          `container_of(${at === undefined ? of.block : it.kernel.cellName(at, of.path)}, ${e.path})`,
        );
      }
      // container_of of NULL is what an empty list's end looks like: never dereferenced by correct code.
      return it.unknowns.derive(
        '-',
        of,
        f.unit.layout.offsetof(e.type.k === 'pointer' ? e.type.to : e.type, `.${e.path}`) ?? 0,
        LONG,
      );
    }
    case 'sizeof':
      return (
        f.unit.layout.sizeof(e.measured) ?? it.unknowns.named(`sizeof(${typeName(e.measured)})`, e.type, 8)
      );
    case 'offsetof': {
      const path = e.path.startsWith('[') ? e.path : `.${e.path}`;
      return (
        f.unit.layout.offsetof(e.measured, path) ??
        it.unknowns.named(`offsetof(${typeName(e.measured)}, ${e.path})`, e.type)
      );
    }
    case 'unknown':
      it.host.unknown({ kind: 'unread', text: e.text, place: it.place(f, e.at) });
      return it.unknowns.named(e.text === '' ? 'an unread expression' : e.text, e.type);
  }
}

/** The value converted to `type`. */
export function evaluateAs(it: Interpreter, f: Frame, e: Expr, type: CType): Value {
  const value = evaluate(it, f, e);
  return type === e.type && !(type.k === 'int') ? value : convert(it, value, type, e.type);
}

function promote(it: Interpreter, f: Frame, e: Expr, type: CType): Value {
  return evaluateAs(it, f, e, type.k === 'int' && !(e.type.k === 'pointer') ? type : e.type);
}

export function stringText(f: Frame, text: string): string {
  return text.includes('\ue000') ? text.replaceAll(MODULE_NAME_PLACEHOLDER, f.image.program.name) : text;
}

function typeName(type: CType): string {
  return type.k === 'struct' ? `struct ${type.tag}` : type.k === 'unknown' ? type.name : type.k;
}

/** The node that says where an expression stands, or -1. */
export function atOf(e: Expr): number {
  switch (e.k) {
    case 'name':
    case 'call':
    case 'member':
    case 'index':
    case 'unary':
    case 'step':
    case 'assign':
    case 'container':
    case 'unknown':
      return e.at;
    case 'binary':
    case 'logical': {
      const left = atOf(e.left);
      return left < 0 ? atOf(e.right) : left;
    }
    case 'cast':
      return atOf(e.of);
    case 'conditional':
      return atOf(e.test);
    case 'comma':
      return atOf(e.second);
    default:
      return -1;
  }
}

function binary(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'binary' }>): Value {
  const left = evaluate(it, f, e.left);
  const right = evaluate(it, f, e.right);
  const narrowField =
    e.operands.k === 'int' &&
    !e.operands.signed &&
    e.operands.bits === 32 &&
    (e.left.k === 'member' || e.right.k === 'member');
  if (narrowField && isSmall(f, e.left) && isSmall(f, e.right)) {
    return binaryValues(it, f, e.op, left, right, INT, e.type === e.operands ? INT : e.type, atOf(e));
  }
  return binaryValues(it, f, e.op, left, right, e.operands, e.type, atOf(e));
}

/** Whether the operand is promoted to int: a bit-field narrower than its type is, even an unsigned one. */
function isSmall(f: Frame, e: Expr): boolean {
  if (e.type.k !== 'int') return false;
  if (e.type.bits < 32 || (e.type.bits === 32 && e.type.signed)) return true;
  const field = bitField(f, e);
  return field !== null && field.bits < 32;
}

/** The operation on two values, with its faults. */
export function binaryValues(
  it: Interpreter,
  f: Frame,
  op: string,
  left: Value,
  right: Value,
  operands: CType,
  type: CType,
  at: number,
): Value {
  if ((op === '/' || op === '%') && right === 0) {
    it.fault('warn', 'division by zero', f, at);
    return it.unknowns.fresh(`(division by zero)`, type);
  }
  if (op === '+' && operands.k === 'pointer' && isInteger(left) && typeof right === 'object') {
    return compute(it, op, right, left, operands, f.unit.layout);
  }
  const value = compute(it, op, left, right, operands, f.unit.layout);
  return type.k === 'int' && isInteger(value) && type !== operands
    ? wrap(value, type.bits, type.signed)
    : value;
}

/** The value at a place: what `member`, `index` and `*` read. */
function readPlace(it: Interpreter, f: Frame, e: Expr, at: number): Value {
  if (e.k === 'member' && !e.arrow && !isPlace(e.of)) {
    const of = evaluate(it, f, e.of);
    if (typeof of === 'object' && of.k === 'aggregate') return part(it, of, `.${e.name}`, e.type);
  }
  if (e.k === 'unary' && e.op === '*') {
    const of = evaluate(it, f, e.of);
    if (typeof of === 'object' && of.k === 'function') return of;
    return it.load(it.deref(of, f, at), e.type, f, at);
  }
  if (e.type.k === 'function') return evaluate(it, f, e);
  return it.load(place(it, f, e), e.type, f, at);
}

function part(it: Interpreter, of: Aggregate, path: string, type: CType): Value {
  if (type.k === 'struct' || type.k === 'array') {
    const cells = new Map<string, Value>();
    for (const [sub, value] of of.cells) if (sub.startsWith(path)) cells.set(sub.slice(path.length), value);
    return { k: 'aggregate', cells, fill: of.fill ?? 'zero' };
  }
  return cellOf(of, path) ?? it.unknowns.fresh(`(value)${path}`, type);
}

function isPlace(e: Expr): boolean {
  switch (e.k) {
    case 'local':
    case 'name':
    case 'index':
    case 'compound':
      return true;
    case 'member':
      return e.arrow || isPlace(e.of);
    case 'unary':
      return e.op === '*';
    default:
      return false;
  }
}

/** The value of a name: of a variable, or the function or constant that it is. */
export function readName(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'name' }>): Value {
  const ref = f.image.resolve(f.unit, e.name);
  if (ref.k === 'function') {
    const fn = { k: 'function', name: e.name, instance: f.instance } as const;
    return ref.static ? { ...fn, unit: ref.unit.index } : fn;
  }
  if (ref.k === 'variable') {
    const type = e.type.k === 'unknown' ? (f.image.slot(ref.slot)?.type ?? e.type) : e.type;
    return it.load(it.staticPointer(f.instance, ref.slot), type, f, e.at);
  }
  if (e.name === 'THIS_MODULE') return it.staticPointer(f.instance, 0);
  if (e.name === 'NULL' || e.name === 'false') return 0;
  if (e.name === 'true') return 1;
  if (e.name === 'KBUILD_MODNAME') return { k: 'string', text: f.image.program.name, offset: 0 };
  if (/^(?=[A-Z_][0-9_]*[A-Z])[A-Z_][A-Z0-9_]*$|^[A-Z]$/.test(e.name) && e.type.k !== 'function') {
    return { k: 'unknown', id: e.name, symbolic: true };
  }
  const other = exported(it, f, e.name);
  if (other !== null) return other.k === 'function' ? other : it.load(other, e.type, f, e.at);
  if (e.type.k === 'function') return { k: 'function', name: e.name, instance: null };
  return it.load({ k: 'pointer', block: it.kernel.variable(e.name), path: '' }, e.type, f, e.at);
}

function readCompound(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'compound' }>): Value {
  if (e.type.k === 'struct' || e.type.k === 'array') return it.load(compoundPlace(it, f, e), e.type, f, -1);
  const first = e.init.k === 'value' ? e.init : e.init.elements[0]?.init;
  return first?.k === 'value' ? evaluateAs(it, f, first.value, e.type) : 0;
}
