import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { packTables } from '../../scripts/pack-tables.mjs';
import { unpackTables } from '../../server/src/host/unpack-tables';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('rows and columns are exchanged, differences added up, and the rest stays', () => {
  const head =
    '[{"at":1,"rows":2,"columns":3},{"at":14,"count":3,"bits":16},{"at":20,"count":2,"bits":32}]\n';
  const columnwise = [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0];
  const body = [9, ...columnwise, 8, 5, 1, 1, 0, 255, 255, 7, 0, 0, 1, 255, 255, 255, 255, 4];
  expect([...unpackTables(Uint8Array.of(...Buffer.from(head), ...body))]).toEqual([
    9, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 8,
    // 0x105, then one more, then one less; 0x01000007, then one less.
    5, 1, 6, 1, 5, 1, 7, 0, 0, 1, 6, 0, 0, 1, 4,
  ]);
});

test('the grammar comes back byte for byte, and its build is the one that is known', () => {
  const grammar = readFileSync(join(ROOT, 'node_modules/tree-sitter-c/tree-sitter-c.wasm'));
  const packed = packTables(grammar);
  expect(packed).not.toBeNull();
  expect(grammar.equals(packed ?? Buffer.of())).toBe(false);
  expect(grammar.equals(unpackTables(packed ?? Buffer.of()))).toBe(true);
});

test('a file that is not known stays as it is', () => {
  const other = Buffer.from('\0asm and so on');
  expect(packTables(other)).toBeNull();
  expect(unpackTables(other)).toEqual(other);
});
