import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { liveTrees, SourceTree } from '../../server/src/core/csource/tree';
import { OPTIONS, provide, startParser } from './reader';

beforeAll(startParser);

function parsed(text: string): SourceTree {
  const tree = SourceTree.parse(text);
  if (tree === null) throw new Error('no parser');
  return tree;
}

test('every tree is counted, and deleted once', () => {
  const before = liveTrees();
  const tree = parsed('int x;');
  expect(liveTrees()).toBe(before + 1);
  tree.delete();
  tree.delete();
  expect(liveTrees()).toBe(before);
});

test('a deleted tree refuses every use', () => {
  const tree = parsed('int x;');
  tree.delete();
  expect(() => tree.top()).toThrow(/after it was deleted/);
  expect(() => tree.update('int y;')).toThrow(/after it was deleted/);
  expect(() => tree.broken).toThrow(/after it was deleted/);
});

test('only open documents keep a tree', () => {
  const source = new CSource();
  const files: Record<string, string> = {
    'a.c': '#include "b.c"\nint a;\n',
    'b.c': 'int b;\n',
    'c.c': 'int c;\n',
  };
  const readAll = (): void => {
    for (const file of ['a.c', 'c.c']) openUnit(file, provide(files), OPTIONS, source);
  };
  readAll();
  expect(liveTrees()).toBe(0);
  source.open('a.c');
  source.open('b.c');
  readAll();
  expect(liveTrees()).toBe(2);
  files['a.c'] = '#include "b.c"\nint a2;\n';
  readAll();
  expect(liveTrees()).toBe(2);
  source.close('a.c');
  expect(liveTrees()).toBe(1);
  source.dispose();
  expect(liveTrees()).toBe(0);
});

test('an edited tree equals a fresh one', () => {
  const pieces = [
    'int a;\n',
    'void f(void)\n{\n\tg();\n}\n',
    '{',
    '}',
    '(',
    ';',
    '\u{1f600}',
    '"',
    '/*',
    '*/',
    '\n',
    'struct s { int x; };\n',
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 4 }), (first, later) => {
      const tree = parsed(first);
      for (const next of later) {
        tree.update(next);
        const fresh = parsed(next);
        const [a, b] = [tree.describe(), fresh.describe()];
        fresh.delete();
        // Error recovery may choose differently; a sound text has one reading.
        if (!b.includes('ERROR') && !b.includes('MISSING')) expect(a).toBe(b);
      }
      tree.delete();
    }),
    { numRuns: 60 },
  );
  expect(liveTrees()).toBe(0);
});
