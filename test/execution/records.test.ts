import { expect, test } from 'vitest';
import type { MemoryReader } from '../../server/src/core/execution/api';
import { readPatch } from '../../server/src/core/execution/records';
import type { Pointer, Value } from '../../server/src/core/execution/values';

const pointer = (block: number, path = ''): Pointer => ({ k: 'pointer', block, path });
const text = (value: string): Value => ({ k: 'string', text: value, offset: 0 });
const fn = (name: string): Value => ({ k: 'function', name, instance: 1 });
const unknown = (id: string): Value => ({ k: 'unknown', id });

/** Memory by `block:path`; what is not in it is zero, or unknown in `unknownBlocks`. */
function reader(
  cells: Readonly<Record<string, Value>>,
  extents: Readonly<Record<number, number>> = {},
  unknownBlocks: readonly number[] = [],
): MemoryReader {
  return {
    peek: ({ block, path }) =>
      cells[`${block}:${path}`] ?? (unknownBlocks.includes(block) ? unknown(`${block}${path}`) : 0),
    at: (from, path) => ({ ...from, path: from.path + path }),
    element: (from, n) => ({ ...from, path: `[${n}]` }),
    string: (value) => (typeof value === 'object' && value.k === 'string' ? value.text : null),
    extent: (from) => extents[from.block] ?? null,
  };
}

const PATCH = pointer(1);
const TABLES = {
  '1:.mod': pointer(9),
  '1:.objs': pointer(2),
  '1:.replace': 1,
  '2:[0].funcs': pointer(3),
  '2:[0].callbacks.pre_patch': fn('pre'),
  '2:[1].name': text('ext4'),
  '2:[1].funcs': pointer(3),
  '3:[0].old_name': text('f'),
  '3:[0].new_func': fn('klpp_f'),
};

test('objects, functions, callbacks', () => {
  const record = readPatch(reader(TABLES), PATCH);
  expect(record.image).toEqual({
    replace: 'everything',
    hasModule: true,
    states: [],
    objects: [
      {
        name: null,
        functions: [{ oldName: 'f', newName: 'klpp_f', sympos: 0 }],
        callbacks: new Set(['pre_patch']),
      },
      { name: 'ext4', functions: [{ oldName: 'f', newName: 'klpp_f', sympos: 0 }], callbacks: new Set() },
    ],
  });
  expect(record.objectPointers).toEqual([pointer(2, '[0]'), pointer(2, '[1]')]);
  expect(record.callbackValues[0]?.pre_patch).toEqual(fn('pre'));
  expect(record.complete).toBe(true);
});

test('a function with only a position is still a function; an object with only a name is still an object', () => {
  const record = readPatch(
    reader({
      '1:.objs': pointer(2),
      '2:[0].name': text('a'),
      '2:[0].funcs': pointer(3),
      '3:[0].old_sympos': 2,
      '2:[1].name': text('b'),
    }),
    PATCH,
  );
  expect(record.image.objects?.map((object) => [object.name, object.functions?.length ?? null])).toEqual([
    ['a', 1],
    ['b', null],
  ]);
});

test('states end at id 0, whatever else stands there', () => {
  const record = readPatch(
    reader({ '1:.states': pointer(4), '4:[0].id': 1, '4:[0].version': 0, '4:[1].version': 7, '4:[2].id': 3 }),
    PATCH,
  );
  expect(record.image.states).toEqual([{ id: 1, version: 0 }]);
});

test('an unknown element is no end', () => {
  const record = readPatch(
    reader(
      {
        ...TABLES,
        '3:[0].old_name': unknown('name()'),
        '3:[0].new_func': unknown('function()'),
        '3:[0].old_sympos': unknown('position()'),
        '3:[1].old_name': text('g'),
        '3:[1].new_func': fn('klpp_g'),
      },
      { 3: 3 },
    ),
    PATCH,
  );
  expect(record.complete).toBe(false);
  expect(record.image.objects?.[0]?.functions?.map((entry) => entry.oldName)).toEqual(['name()', 'g']);
  expect(record.unterminated).toEqual([]);
});

test('memory of which nothing is known is not walked for ever', () => {
  const record = readPatch(reader({ '1:.objs': pointer(5) }, {}, [5]), PATCH);
  expect(record.image.objects).toEqual([]);
  expect(record.complete).toBe(false);
});

test('the end of an array without its empty element is noted', () => {
  const record = readPatch(reader(TABLES, { 2: 2, 3: 2 }), PATCH);
  expect(record.unterminated).toEqual([{ array: 'objects', pointer: pointer(2) }]);
  expect(record.image.objects).toHaveLength(2);
});

test('what is not set, and what is not known', () => {
  const bare = readPatch(reader({}), PATCH);
  expect(bare.image).toEqual({ replace: 'nothing', objects: null, states: [], hasModule: false });
  const undecided = readPatch(reader({ '1:.replace': unknown('parameter replace') }), PATCH);
  expect(undecided).toMatchObject({ replaceKnown: false, image: { replace: 'nothing' }, complete: true });
  const version = readPatch(
    reader({ '1:.states': pointer(4), '4:[0].id': unknown('ACME_ID'), '4:[0].version': unknown('v()') }),
    PATCH,
  );
  expect(version.image.states).toEqual([]);
  const symbolic: Value = { k: 'unknown', id: 'ACME_ID', symbolic: true };
  const named = readPatch(
    reader({ '1:.states': pointer(4), '4:[0].id': symbolic, '4:[0].version': unknown('v()') }),
    PATCH,
  );
  expect(named.image.states).toEqual([{ id: 'ACME_ID', version: null }]);
  expect(named.complete).toBe(false);
});

test('an element of a single unknown name may be a macro with the end in it', () => {
  const table = (cells: Readonly<Record<string, Value>>): ReturnType<typeof readPatch> =>
    readPatch(reader({ '1:.objs': pointer(2), '2:[0].funcs': pointer(3), ...cells }, { 3: 1 }), PATCH);
  const macro = table({ '3:[0].old_name': unknown('LP_TABLE') });
  expect(macro.unterminated).toEqual([]);
  expect(macro.complete).toBe(false);
  // With a function beside it the name is one of a function.
  const named = table({ '3:[0].old_name': unknown('NAME'), '3:[0].new_func': fn('klpp_f') });
  expect(named.unterminated).toEqual([{ array: 'functions', pointer: pointer(3) }]);
});
