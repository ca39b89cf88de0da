import { expect, test } from 'vitest';
import { pruneWasm } from '../../scripts/prune-wasm.mjs';

/** Four functions that return an i32: a calls the second, which gives 42; c calls the fourth, which gives 7. */
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPES = [1, 5, 1, 0x60, 0, 1, 0x7f];
const FUNCTIONS = [3, 5, 4, 0, 0, 0, 0];
const BOTH = [7, 9, 2, 1, 0x61, 0, 0, 1, 0x63, 0, 2];
const ONLY_A = [7, 5, 1, 1, 0x61, 0, 0];
const CALLS_SECOND = [4, 0, 0x10, 1, 0x0b];
const GIVES_42 = [4, 0, 0x41, 42, 0x0b];
const CALLS_FOURTH = [4, 0, 0x10, 3, 0x0b];
const GIVES_7 = [4, 0, 0x41, 7, 0x0b];
const TRAP = [3, 0, 0x00, 0x0b];

const CODE = [10, 21, 4, ...CALLS_SECOND, ...GIVES_42, ...CALLS_FOURTH, ...GIVES_7];
const WHOLE = Uint8Array.of(...HEAD, ...TYPES, ...FUNCTIONS, ...BOTH, ...CODE);

test('what only a dropped export needs becomes a trap, the rest keeps its numbers', async () => {
  const pruned = pruneWasm(WHOLE, (name) => name !== 'c');
  const code = [10, 19, 4, ...CALLS_SECOND, ...GIVES_42, ...TRAP, ...TRAP];
  expect([...pruned]).toEqual([...HEAD, ...TYPES, ...FUNCTIONS, ...ONLY_A, ...code]);
  const module = await WebAssembly.compile(new Uint8Array(pruned));
  const { exports } = await WebAssembly.instantiate(module);
  expect(Object.keys(exports)).toEqual(['a']);
  expect((exports.a as () => number)()).toBe(42);
});

test('what is not entered becomes a trap, and so does what it alone calls; calls of it stay', () => {
  const pruned = pruneWasm(WHOLE, () => true, new Set([2]));
  const code = [10, 19, 4, ...CALLS_SECOND, ...GIVES_42, ...TRAP, ...TRAP];
  expect([...pruned]).toEqual([...HEAD, ...TYPES, ...FUNCTIONS, ...BOTH, ...code]);
  const called = pruneWasm(WHOLE, () => true, new Set([1]));
  expect([...called]).toEqual([
    ...HEAD,
    ...TYPES,
    ...FUNCTIONS,
    ...BOTH,
    10,
    20,
    4,
    ...CALLS_SECOND,
    ...TRAP,
    ...CALLS_FOURTH,
    ...GIVES_7,
  ]);
});

test('a module of which all is used stays as it is', () => {
  expect([...pruneWasm(WHOLE, () => true)]).toEqual([...WHOLE]);
});

test('what a table holds stays, although no export leads to it', () => {
  const table = [4, 4, 1, 0x70, 0, 1];
  const element = [9, 7, 1, 0, 0x41, 0, 0x0b, 1, 2];
  const bytes = Uint8Array.of(...HEAD, ...TYPES, ...FUNCTIONS, ...table, ...BOTH, ...element, ...CODE);
  const code = [10, 19, 4, ...TRAP, ...TRAP, ...CALLS_FOURTH, ...GIVES_7];
  const none = [7, 1, 0];
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect([...pruneWasm(bytes, () => false)]).toEqual([
    ...HEAD,
    ...TYPES,
    ...FUNCTIONS,
    ...table,
    ...none,
    ...element,
    ...code,
  ]);
});

test('an instruction that is not known is an error, not a guess', () => {
  const strange = [10, 21, 4, 4, 0, 0xfd, 1, 0x0b, ...GIVES_42, ...CALLS_FOURTH, ...GIVES_7];
  const bytes = Uint8Array.of(...HEAD, ...TYPES, ...FUNCTIONS, ...BOTH, ...strange);
  expect(() => pruneWasm(bytes, () => true)).toThrow(/unknown WebAssembly instruction 0xfd/);
});
