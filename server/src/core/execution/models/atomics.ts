import type { ApiContext, ApiModel } from '../api';
import type { EffectRow } from '../catalogue-row';
import { COUNTER } from '../catalogue-synthetic';
import { isInteger, isPointer, isUnknown, type Pointer, type Value } from '../values';
import { argument, isNull, nameOf, numberOf, pure } from './arguments';

/**
 * atomic_t, refcount_t, kref. In the module's own memory and on the heap they are plain arithmetic; in the kernel's
 * own memory the number is unknown, and what counts is whether every step up was taken back.
 */

type Kind = 'atomic' | 'refcount' | 'kref';
const CELL: Readonly<Record<Kind, string>> = {
  atomic: '.counter',
  refcount: '.refs.counter',
  kref: '.refcount.refs.counter',
};

const LOWERED: EffectRow = {
  ...COUNTER,
  family: 'lowered counter',
  do: 'atomic_dec',
  undo: [{ name: 'atomic_inc', identity: [{ arg: 0 }] }],
};

function cellOf(context: ApiContext, pointer: Value, kind: Kind): Value {
  return isPointer(pointer) ? context.at(pointer, CELL[kind]) : pointer;
}

function read(context: ApiContext, pointer: Value, kind: Kind): Value {
  return context.load(cellOf(context, pointer, kind));
}

/** Adds `by` and answers the new value. */
function add(context: ApiContext, pointer: Value, kind: Kind, by: Value): Value {
  if (isPointer(pointer) && context.machine.memoryKind(pointer) === 'kernel')
    return countKernel(context, pointer, by);
  const cell = cellOf(context, pointer, kind);
  const old = context.load(cell);
  const sum: Value = isInteger(old) && isInteger(by) ? Number(old) + Number(by) : later(context, pointer);
  if (kind !== 'atomic' && typeof sum === 'number') checkReferences(context, pointer, old, sum);
  context.store(cell, sum);
  return sum;
}

function countKernel(context: ApiContext, pointer: Pointer, by: Value): Value {
  const { ledger } = context.state;
  const step = numberOf(by);
  const [same, opposite] = step !== null && step < 0 ? [LOWERED, COUNTER] : [COUNTER, LOWERED];
  const taken = ledger.find(opposite.family, [pointer]);
  if (taken) ledger.undo(context.host, taken, context.call.actor);
  else {
    const key = nameOf(context, pointer);
    ledger.done(context.host, { row: same, identity: [pointer], key, by: context.call.actor, holds: [] });
  }
  return later(context, pointer);
}

function checkReferences(context: ApiContext, pointer: Value, old: Value, sum: number): void {
  if (sum < 0)
    context.fault('refcount-underflow', `${context.call.name}(${context.describe(pointer)}) below zero`);
  else if (isNull(old) && sum > 0)
    context.fault('warn', `${context.call.name}(${context.describe(pointer)}) on a count of zero`);
}

function later(context: ApiContext, pointer: Value): Value {
  return context.unknown(`${context.call.name}(${context.describe(pointer)})`);
}

function isZero(value: Value): Value {
  if (isInteger(value)) return isNull(value) ? 1 : 0;
  return isUnknown(value) ? { k: 'unknown', id: `zero(${value.id})` } : 0;
}

function set(context: ApiContext, pointer: Value, kind: Kind, value: Value): Value {
  context.store(cellOf(context, pointer, kind), value);
  return 0;
}

/** atomic_inc and its kin; `pointerAt` because atomic_add(n, v) has its pointer second. */
function atomics(prefix: string): Record<string, ApiModel> {
  const by = (sign: number, pointerAt: number, valueAt: number | null): [ApiModel, ApiModel] => {
    const change = (context: ApiContext): Value => {
      const given = valueAt === null ? 1 : argument(context, valueAt);
      const amount = numberOf(given);
      return add(context, argument(context, pointerAt), 'atomic', amount === null ? given : sign * amount);
    };
    return [
      (context) => {
        change(context);
        return 0;
      },
      change,
    ];
  };
  const [inc, incReturn] = by(1, 0, null);
  const [dec, decReturn] = by(-1, 0, null);
  const [plus, plusReturn] = by(1, 1, 0);
  const [minus, minusReturn] = by(-1, 1, 0);
  return {
    [`${prefix}_read`]: (context) => read(context, argument(context, 0), 'atomic'),
    [`${prefix}_set`]: (context) => set(context, argument(context, 0), 'atomic', argument(context, 1)),
    [`${prefix}_inc`]: inc,
    [`${prefix}_dec`]: dec,
    [`${prefix}_add`]: plus,
    [`${prefix}_sub`]: minus,
    [`${prefix}_inc_return`]: incReturn,
    [`${prefix}_dec_return`]: decReturn,
    [`${prefix}_add_return`]: plusReturn,
    [`${prefix}_sub_return`]: minusReturn,
    [`${prefix}_fetch_inc`]: (context) => before(context, 1),
    [`${prefix}_fetch_dec`]: (context) => before(context, -1),
    [`${prefix}_dec_and_test`]: (context) => isZero(decReturn(context) ?? 0),
    [`${prefix}_inc_and_test`]: (context) => isZero(incReturn(context) ?? 0),
    [`${prefix}_sub_and_test`]: (context) => isZero(minusReturn(context) ?? 0),
    [`${prefix}_inc_not_zero`]: (context) => notZero(context, 'atomic'),
    [`${prefix}_xchg`]: (context) => {
      const old = read(context, argument(context, 0), 'atomic');
      set(context, argument(context, 0), 'atomic', argument(context, 1));
      return old;
    },
    [`${prefix}_cmpxchg`]: (context) => {
      const old = read(context, argument(context, 0), 'atomic');
      const expected = argument(context, 1);
      if (!isInteger(old) || !isInteger(expected)) return old;
      if (Number(old) === Number(expected))
        set(context, argument(context, 0), 'atomic', argument(context, 2));
      return old;
    },
  };
}

function before(context: ApiContext, by: number): Value {
  const pointer = argument(context, 0);
  const old = read(context, pointer, 'atomic');
  add(context, pointer, 'atomic', by);
  return old;
}

function notZero(context: ApiContext, kind: Kind): Value {
  const pointer = argument(context, 0);
  const old = read(context, pointer, kind);
  if (isNull(old)) return 0;
  if (isUnknown(old) && !context.decide(`${context.call.name}(${old.id})`, true)) return 0;
  add(context, pointer, kind, 1);
  return 1;
}

function counted(kind: 'refcount' | 'kref', by: number): ApiModel {
  return (context) => {
    add(context, argument(context, 0), kind, by);
    return 0;
  };
}

const krefPut: ApiModel = (context) => {
  const pointer = argument(context, 0);
  const left = add(context, pointer, 'kref', -1);
  const last = isNull(left);
  if (last && !isNull(argument(context, 1))) context.invoke(argument(context, 1), [pointer]);
  return last ? 1 : 0;
};

export const ATOMIC_MODELS: Readonly<Record<string, ApiModel>> = {
  ...atomics('atomic'),
  ...atomics('atomic64'),
  ...atomics('atomic_long'),
  refcount_set: (context) => set(context, argument(context, 0), 'refcount', argument(context, 1)),
  refcount_read: (context) => read(context, argument(context, 0), 'refcount'),
  refcount_inc: counted('refcount', 1),
  refcount_dec: counted('refcount', -1),
  refcount_inc_not_zero: (context) => notZero(context, 'refcount'),
  refcount_dec_and_test: (context) => isZero(add(context, argument(context, 0), 'refcount', -1)),
  kref_init: (context) => set(context, argument(context, 0), 'kref', 1),
  kref_read: (context) => read(context, argument(context, 0), 'kref'),
  kref_get: counted('kref', 1),
  kref_get_unless_zero: (context) => notZero(context, 'kref'),
  kref_put: krefPut,
  set_bit: (context) => bit(context, true).done,
  clear_bit: (context) => bit(context, false).done,
  __set_bit: (context) => bit(context, true).done,
  __clear_bit: (context) => bit(context, false).done,
  test_and_set_bit: (context) => bit(context, true).old,
  test_and_clear_bit: (context) => bit(context, false).old,
  test_bit: (context) => bit(context, null).old,
};

/** Bit operations on an unsigned long (or array of them). */
function bit(context: ApiContext, value: boolean | null): { readonly old: Value; readonly done: Value } {
  const number = numberOf(argument(context, 0));
  const base = argument(context, 1);
  if (number === null || !isPointer(base)) return { old: pure(context, argument(context, 0), base), done: 0 };
  const cell = number < 64 ? base : context.element(base, Math.floor(number / 64));
  const word = context.load(cell);
  if (!isInteger(word)) {
    if (value !== null) context.store(cell, later(context, base));
    return { old: pure(context, argument(context, 0), base), done: 0 };
  }
  const mask = 1n << BigInt(number % 64);
  const old = BigInt(word);
  if (value !== null) {
    const changed = BigInt.asUintN(64, value ? old | mask : old & ~mask);
    context.store(cell, changed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(changed) : changed);
  }
  return { old: (old & mask) === 0n ? 0 : 1, done: 0 };
}
