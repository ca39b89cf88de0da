import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SERVER = resolve(import.meta.dirname, '../../server/src');

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(folder, entry.name))
      : entry.name.endsWith('.ts')
        ? [join(folder, entry.name)]
        : [],
  );
}

test('offsets become positions of the protocol in one file only', () => {
  const files = sources(SERVER);
  expect(files.length).toBeGreaterThan(100);
  const speaking = files.filter((file) => /\bcharacter\s*:/.test(readFileSync(file, 'utf8')));
  expect(speaking.map((file) => relative(SERVER, file)).sort()).toEqual([
    'lsp/convert.ts',
    'lsp/protocol.ts',
  ]);
});
