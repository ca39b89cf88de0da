import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const TEXT = /\.(ts|mjs|mts|json|md|yaml|yml|css|c|h|sh|txt)$/;

const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
})
  .toString()
  .split('\0')
  .filter((name) => TEXT.test(name) && name !== 'package-lock.json');

test('files end with one newline and have no trailing blanks', () => {
  expect(tracked.length).toBeGreaterThan(100);
  const wrong = tracked.filter((name) => {
    if (name.startsWith('test/fixtures/') || name.startsWith('test/corpus/')) return false;
    const text = readFileSync(join(ROOT, name), 'utf8');
    return text !== '' && (!text.endsWith('\n') || text.endsWith('\n\n') || /[ \t]$/m.test(text));
  });
  expect(wrong).toEqual([]);
});

test("the project names no path of anybody's machine", () => {
  const home = new RegExp(['/wo', 'rk/|/ro', 'ot/|/home/[a-z]+/\\.'].join(''));
  const wrong = tracked.filter((name) => home.test(readFileSync(join(ROOT, name), 'utf8')));
  expect(wrong).toEqual([]);
});
