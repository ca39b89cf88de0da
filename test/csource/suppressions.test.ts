import { expect, test } from 'vitest';
import { read } from './reader';

function covered(text: string): string[] {
  return read(text).suppressions.map(({ covers }) => text.slice(covers.start, covers.end));
}

test('codes and reason of both kinds of comments', () => {
  const text = '/* livepatch-ignore leak-a: kept by design */\nint a;\nint b; // livepatch-ignore x1, y-2\n';
  expect(read(text).suppressions.map(({ codes, reason }) => [codes, reason])).toEqual([
    [['leak-a'], 'kept by design'],
    [['x1', 'y-2'], ''],
  ]);
  const place = read(text).suppressions[0]?.place;
  expect(text.slice(place?.start, place?.end)).toBe('/* livepatch-ignore leak-a: kept by design */');
});

test('a comment alone on its line speaks for the next one, behind code only for its own', () => {
  expect(covered('\t/* livepatch-ignore a: b */\r\n\tint a;\r\nint b;')).toEqual([
    '\t/* livepatch-ignore a: b */\r\n\tint a;',
  ]);
  expect(covered('int a; /* livepatch-ignore a: b */\nint b;')).toEqual([
    'int a; /* livepatch-ignore a: b */',
  ]);
});

test('a reason may stand on several lines', () => {
  expect(read('/*\n * livepatch-ignore a: one\n * two\n */\nint x;').suppressions[0]?.reason).toBe('one two');
});

test('strings and other comments are none', () => {
  expect(read('char *s = "livepatch-ignore a: b"; /* else */').suppressions).toEqual([]);
});
