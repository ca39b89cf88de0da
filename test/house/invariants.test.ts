import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The table below "## Invariants" of ARCHITECTURE.md: each invariant with what its last column names in backticks. */
function invariants(): { text: string; files: string[] }[] {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const section = /^## Invariants$([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => {
      const cells = line.split('|').slice(1, -1);
      const named = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
      return { text: (cells[0] ?? '').trim(), files: named.filter((name) => name.includes('/')) };
    });
}

test('every invariant names the files that hold it, and they exist', () => {
  const rows = invariants();
  expect(rows.length).toBeGreaterThan(15);
  for (const { text, files } of rows) {
    expect(files, text).not.toEqual([]);
    for (const file of files) {
      const found = statSync(join(ROOT, file), { throwIfNoEntry: false });
      expect(found?.isFile(), `${text}: ${file}`).toBe(true);
    }
  }
});
