import { expect, test } from 'vitest';
import type { CType, StructType } from '../../server/src/core/csource/types';
import { arithmetic, type IntType, negate, wrap } from '../../server/src/core/execution/integers';
import { Layout } from '../../server/src/core/execution/layout';
import { Memory } from '../../server/src/core/execution/memory';
import { splitPath } from '../../server/src/core/execution/paths';
import type { Value } from '../../server/src/core/execution/values';
import { Random } from './random';

const int = (bits: 8 | 16 | 32 | 64, signed: boolean): IntType => ({ k: 'int', bits, signed });
const U8 = int(8, false);
const U16 = int(16, false);
const U32 = int(32, false);
const S32 = int(32, true);
const U64 = int(64, false);
const array = (of: CType, length: number): CType => ({ k: 'array', of, length });
const struct = (tag: string): CType => ({ k: 'struct', tag });

const STRUCTS: readonly StructType[] = [
  {
    tag: 'inner',
    union: false,
    fields: [
      { name: 'a', type: U8 },
      { name: 'b', type: U32 },
    ],
  },
  {
    tag: 'word',
    union: true,
    fields: [
      { name: 'whole', type: U32 },
      { name: 'byte', type: array(U8, 4) },
      { name: 'half', type: U16 },
    ],
  },
  {
    tag: 'outer',
    union: false,
    fields: [
      { name: 'x', type: U16 },
      { name: 'in', type: struct('inner') },
      { name: 'w', type: struct('word') },
      { name: 'last', type: U64 },
    ],
  },
  {
    tag: 'bits',
    union: false,
    fields: [
      { name: 'a', type: U32, bits: 3 },
      { name: 'b', type: U32, bits: 30 },
      { name: 'c', type: U8 },
    ],
  },
  {
    tag: 'packed',
    union: false,
    packed: true,
    fields: [
      { name: 'a', type: U8 },
      { name: 'b', type: U64 },
    ],
  },
  {
    tag: 'nameless',
    union: false,
    fields: [
      { name: 'h', type: U8 },
      { name: '', type: struct('word') },
    ],
  },
];
const layout = new Layout((tag) => STRUCTS.find((s) => s.tag === tag));

// Sizes and offsets: the x86-64 ABI, checked by hand.
test('struct layout: alignment, padding, unions, bit-fields, packing', () => {
  expect(layout.sizeof(struct('inner'))).toBe(8);
  expect(layout.offsetof(struct('outer'), '.in')).toBe(4);
  expect(layout.offsetof(struct('outer'), '.w.byte[3]')).toBe(15);
  expect(layout.offsetof(struct('outer'), '.last')).toBe(16);
  expect(layout.sizeof(struct('outer'))).toBe(24);
  expect(layout.sizeof(struct('word'))).toBe(4);
  expect(layout.sizeof(struct('bits'))).toBe(12);
  expect(layout.offsetof(struct('bits'), '.c')).toBe(8);
  expect(layout.sizeof(struct('packed'))).toBe(9);
  expect(layout.offsetof(struct('nameless'), '.half')).toBe(4);
  expect(layout.sizeof(struct('missing'))).toBeUndefined();
});

test('paths fall into segments', () => {
  expect(splitPath('[1].callbacks.pre_patch')).toEqual(['[1]', '.callbacks', '.pre_patch']);
  expect(splitPath('.a[2][30]')).toEqual(['.a', '[2]', '[30]']);
  expect(splitPath('')).toEqual([]);
});

function memory() {
  const made = new Memory({ open: () => undefined });
  const id = made.create('heap', null, 'it', 'zero', struct('outer'), layout);
  const block = () => made.block(id) ?? expect.fail('the block is there');
  return { made, id, block };
}

test('unwritten cells read as the block is filled; writes touch nothing else', () => {
  const { made, block } = memory();
  expect(made.load(block(), '.in.b', U32)).toBe(0);
  made.store(block(), '.in.b', 7, U32, null, -1);
  expect(made.load(block(), '.in.b', U32)).toBe(7);
  expect(made.load(block(), '.in.a', U8)).toBe(0);
  const unknown = made.create('stack', null, 'local', 'unknown', null, null);
  expect(made.load(made.block(unknown) ?? expect.fail(), '.x', U32)).toBeUndefined();
});

test('a struct is copied as a whole, its unwritten members included', () => {
  const { made, block } = memory();
  made.store(block(), '.in.a', 1, U8, null, -1);
  made.store(block(), '.in.b', 2, U32, null, -1);
  const copy = made.aggregate(block(), '.in');
  made.store(block(), '.in.b', 9, U32, null, -1);
  const empty: Value = { k: 'aggregate', cells: new Map() };
  made.store(block(), '.in', empty, struct('inner'), null, -1);
  expect(made.load(block(), '.in.b', U32)).toBe(0);
  made.store(block(), '.in', copy, struct('inner'), null, -1);
  expect([made.load(block(), '.in.a', U8), made.load(block(), '.in.b', U32)]).toEqual([1, 2]);
});

test('members of a union share their bytes, little end first', () => {
  const { made, block } = memory();
  made.store(block(), '.w.whole', 0x01020304, U32, null, -1);
  expect(made.load(block(), '.w.byte[0]', U8)).toBe(4);
  made.store(block(), '.w.byte[3]', 0xff, U8, null, -1);
  expect(made.load(block(), '.w.whole', U32)).toBe(0xff020304);
  expect(made.load(block(), '.w.half', U16)).toBe(0x0304);
});

test('a clone shares everything until one side writes, and then nothing of that', () => {
  const { made, id, block } = memory();
  made.store(block(), '.x', 1, U16, null, -1);
  const copy = made.clone({ open: () => undefined });
  made.store(block(), '.x', 2, U16, null, -1);
  copy.store(copy.block(id) ?? expect.fail(), '.last', 3, U64, null, -1);
  expect([made.load(block(), '.x', U16), made.load(block(), '.last', U64)]).toEqual([2, 0]);
  const other = copy.block(id) ?? expect.fail();
  expect([copy.load(other, '.x', U16), copy.load(other, '.last', U64)]).toEqual([1, 3]);
});

test('freed memory stays known as such', () => {
  const { made, block } = memory();
  made.bury(block(), 'freed');
  expect(block().dead).toBe('freed');
});

/** The second model: unbounded integers, wrapped at the end. */
function model(op: string, a: bigint, b: bigint, type: IntType): bigint | null {
  const cut = (v: bigint): bigint =>
    type.signed ? BigInt.asIntN(type.bits, v) : BigInt.asUintN(type.bits, v);
  const [x, y] = [cut(a), cut(b)];
  switch (op) {
    case '+':
      return cut(x + y);
    case '-':
      return cut(x - y);
    case '*':
      return cut(x * y);
    case '/':
      return y === 0n ? null : cut(x / y);
    case '%':
      return y === 0n ? null : cut(x % y);
    case '&':
      return cut(x & y);
    case '|':
      return cut(x | y);
    case '^':
      return cut(x ^ y);
    case '<<':
      return cut(x << (b & BigInt(type.bits - 1)));
    case '>>':
      return cut(x >> (b & BigInt(type.bits - 1)));
    case '<':
      return x < y ? 1n : 0n;
    case '>=':
      return x >= y ? 1n : 0n;
    default:
      return x === y ? 1n : 0n;
  }
}

test('integer operations agree with unbounded integers, in 32 and 64 bits', () => {
  const random = new Random(7);
  const interesting = [
    0n,
    1n,
    -1n,
    2n,
    7n,
    255n,
    2n ** 31n,
    2n ** 31n - 1n,
    -(2n ** 31n),
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 53n - 1n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 64n - 1n,
  ];
  const value = (): bigint =>
    random.below(2) === 0
      ? random.pick(interesting)
      : (BigInt(random.below(2 ** 31)) << BigInt(random.below(34))) - BigInt(random.below(1000));
  for (let i = 0; i < 20_000; i++) {
    const type = random.pick([S32, U32, int(64, true), U64]);
    const op = random.pick(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '<', '>=', '==']);
    const a = value();
    const b = value();
    const left = wrap(a, type.bits, type.signed);
    const right = op === '<<' || op === '>>' ? Number(b & 63n) : wrap(b, type.bits, type.signed);
    const result = arithmetic(op, left, right, type);
    const expected = model(op, a, op === '<<' || op === '>>' ? b & 63n : b, type);
    if ((result === null ? null : BigInt(result)) !== expected)
      expect.fail(`${a} ${op} ${b} in ${type.signed ? 's' : 'u'}${type.bits}: ${result}, not ${expected}`);
    if (typeof result === 'bigint') expect(Number.isSafeInteger(Number(result))).toBe(false);
    expect(Object.is(result, -0)).toBe(false);
  }
});

test('negation and complement wrap', () => {
  expect(negate('-', -2147483648, S32)).toBe(-2147483648);
  expect(negate('-', 1, U64)).toBe(18446744073709551615n);
  expect(negate('~', 0, U32)).toBe(4294967295);
  expect(wrap(300, 8, false)).toBe(44);
  expect(wrap(200, 8, true)).toBe(-56);
});
