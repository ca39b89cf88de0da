import { beforeAll, expect, test } from 'vitest';
import { builtAsC } from '../../server/src/core/built/as-c';
import { readBuiltModule } from '../../server/src/core/built/built-module';
import { cString } from '../../server/src/core/built/elf';
import { read, startParser } from '../csource/reader';
import { Random } from '../execution/random';
import { builtLivepatch, type Shape } from '../fuzz/targets/elf-writer';

beforeAll(startParser);

/** Files that a compiler never writes, small and yet with endless work in them. */
function module(shape: Shape): ReturnType<typeof readBuiltModule> {
  return readBuiltModule(builtLivepatch(new Random(1), shape));
}

test('the writer of the tests makes what is read as a livepatch', () => {
  const built = module({ objects: 2, functions: 3, shared: false });
  if ('problem' in built) throw new Error(built.problem);
  expect(built.patch?.objects.map(({ name, functions }) => [name, functions.map((fn) => fn.old)])).toEqual([
    [null, ['old_0_0', 'old_0_1', 'old_0_2']],
    ['object_1', ['old_1_0', 'old_1_1', 'old_1_2']],
  ]);
  expect(built.license).toBe('GPL');
});

test('thousands of objects that share thousands of functions are refused', () => {
  expect(module({ objects: 2_000, functions: 2_000, shared: true })).toEqual({
    problem: 'its tables are larger than those of any livepatch',
  });
});

test('sections over each other do not hold more than the file', () => {
  expect(module({ objects: 1, functions: 500, shared: false, overlapping: 60_000 })).toEqual({
    problem: 'it is cut off or damaged',
  });
});

test('a text without an end is no longer than a name may be', () => {
  expect(cString(new Uint8Array(100_000).fill(0x61), 10)).toHaveLength(4_096);
});

test('what modinfo says stays inside its string', () => {
  const built = readBuiltModule(builtLivepatch(new Random(1), { objects: 1, functions: 1, shared: false }));
  if ('problem' in built) throw new Error(built.problem);
  const text = builtAsC({ ...built, license: 'GPL"); int evil = 1; //\n\nint evil2;\n\r\\' });
  const unit = read(text);
  expect([...unit.variables.keys()].filter((name) => name.startsWith('evil'))).toEqual([]);
  expect(unit.calls.find(({ macro }) => macro === 'MODULE_LICENSE')?.args).toHaveLength(1);
});
