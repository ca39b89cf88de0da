import type { Expr } from '../csource/ir';
import { type CType, LONG } from '../csource/types';
import type { Frame } from './frames';
import { wrap } from './integers';
import type { Interpreter } from './interpreter';
import { compute, convert } from './interpreter-arithmetic';
import { binaryValues, evaluate } from './interpreter-expressions';
import { bitField, type Place, place } from './interpreter-places';
import type { FieldPlace } from './layout';
import { isInteger, type Value } from './values';

/** The value of an assignment, simple or compound. */
export function assign(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'assign' }>): Value {
  const target = e.target;
  const value = evaluate(it, f, e.value);
  if (target.k === 'local' && f.info?.boxed[target.slot] === false) {
    const done = e.op === '=' ? value : compound(it, f, e, evaluate(it, f, target), value);
    const result = convert(it, done, target.type, e.op === '=' ? e.value.type : e.operands);
    f.slots[target.slot] = result;
    return result;
  }
  const at = place(it, f, target);
  const done = e.op === '=' ? value : compound(it, f, e, it.load(at, target.type, f, e.at), value);
  return storeTo(
    it,
    f,
    target,
    at,
    convert(it, done, target.type, e.op === '=' ? e.value.type : e.operands),
    e.at,
  );
}

function compound(
  it: Interpreter,
  f: Frame,
  e: Extract<Expr, { k: 'assign' }>,
  before: Value,
  value: Value,
): Value {
  return binaryValues(it, f, e.op.slice(0, -1), before, value, e.operands, e.operands, e.at);
}

/** Stores a value of the target's type; what the place then holds. */
export function storeTo(
  it: Interpreter,
  f: Frame,
  target: Expr,
  at: Place,
  value: Value,
  node: number,
): Value {
  const field = bitField(f, target);
  const kept = field !== null && isInteger(value) ? narrow(value, field) : value;
  it.store(at, target.type, kept, f, node);
  return kept;
}

function narrow(value: number | bigint, field: FieldPlace): number | bigint {
  const type = field.type;
  if (type.k !== 'int') return value;
  return type.bool ? (value === 0 ? 0 : 1) : wrap(value, field.bits, type.signed);
}

/** Assigns to whatever `target` names: for builtins and iteration macros. */
export function assignTo(it: Interpreter, f: Frame, target: Expr, value: Value, node: number): void {
  const converted = convert(it, value, target.type, null);
  if (target.k === 'local' && f.info?.boxed[target.slot] === false) f.slots[target.slot] = converted;
  else storeTo(it, f, target, place(it, f, target), converted, node);
}

/** `++` and `--`, before and behind. */
export function step(it: Interpreter, f: Frame, e: Extract<Expr, { k: 'step' }>): Value {
  const op = e.op === '++' ? '+' : '-';
  const type = e.of.type;
  const operands: CType =
    type.k === 'int' && type.bits < 32
      ? { k: 'int', bits: 32, signed: true }
      : type.k === 'unknown'
        ? LONG
        : type;
  const direct = e.of.k === 'local' && f.info?.boxed[e.of.slot] === false;
  const at = direct ? null : place(it, f, e.of);
  const before = direct ? evaluate(it, f, e.of) : it.load(at, type, f, e.at);
  const after = convert(it, compute(it, op, before, 1, operands, f.unit.layout), type, operands);
  let kept = after;
  if (e.of.k === 'local' && direct) f.slots[e.of.slot] = after;
  else kept = storeTo(it, f, e.of, at, after, e.at);
  return e.prefix ? kept : before;
}
