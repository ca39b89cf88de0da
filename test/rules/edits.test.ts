import { expect, test } from 'vitest';
import type { Place } from '../../server/src/core/place';
import {
  appendElement,
  fix,
  fixWith,
  lastLine,
  lineAfter,
  lineBefore,
  removeElement,
  replaceWithin,
  withDesignator,
} from '../../server/src/rules/edits';

type Edit = Parameters<typeof fix>[1][number];

/** The place of `part` in the text, or of all of it. */
const placeOf = (text: string, part: string): Place => {
  const start = text.indexOf(part);
  expect(start, part).toBeGreaterThanOrEqual(0);
  return { file: 'a.c', start, end: start + part.length };
};
const after = (text: string, edit: Edit | null): string | null =>
  edit && text.slice(0, edit.place.start) + edit.text + text.slice(edit.place.end);

test('a fix is preferred unless it is said not to be; without an edit there is none', () => {
  const edit: Edit = { place: { file: 'a.c', start: 1, end: 2 }, text: 'x' };
  expect(fixWith('Do it', edit)).toEqual([{ title: 'Do it', preferred: true, edits: [edit] }]);
  expect(fixWith('Do it', null)).toEqual([]);
  expect(fix('Do it', [edit], false).preferred).toBe(false);
});

test.each([
  // On a line of its own, as the one before it.
  ['f = {\n\t{ a },\n\t{ b },\n};', '{ c }', 'f = {\n\t{ a },\n\t{ b },\n\t{ c },\n};'],
  ['f = {\n    .a = 1\n};', '.b = 2', 'f = {\n    .a = 1,\n    .b = 2,\n};'],
  // What ends an array needs no comma.
  ['f = {\n  { a },\n};', '{ }', 'f = {\n  { a },\n  { }\n};'],
  ['f = { { a } };', '{ }', 'f = { { a }, { } };'],
  ['f = { { a }, };', '{ }', 'f = { { a }, { } };'],
  // An empty one.
  ['f = {};', '.b = 2', 'f = { .b = 2 };'],
  ['\tf = {\n\t};', '.b = 2', '\tf = {\n\t\t.b = 2,\n\t};'],
  // What stands in comments and literals is not code.
  ['f = {\n  .a = "}" /* } */\n  // };\n};', '.b = 2', 'f = {\n  .a = "}",\n  .b = 2, /* } */\n  // };\n};'],
  ["f = {\n  .a = '}', // b,\n};", '.b = 2', "f = {\n  .a = '}',\n  .b = 2, // b,\n};"],
  ['f = {\n  .a = "\\"}",\n};', '.b = 2', 'f = {\n  .a = "\\"}",\n  .b = 2,\n};'],
  ['f = {\n  .a = 6 / 2, .b = c *d,\n};', '.e = 2', 'f = {\n  .a = 6 / 2, .b = c *d,\n  .e = 2,\n};'],
  ['x;\nf = { .a = 1 };\n', '.b = 2', 'x;\nf = { .a = 1, .b = 2 };\n'],
  ['f = {\n  .a = g({ 1 }),\n}; h = { };', '.b = 2', 'f = {\n  .a = g({ 1 }),\n  .b = 2,\n}; h = { };'],
])('a further element of %j', (text, element, wanted) => {
  expect(after(text, appendElement(text, placeOf(text, 'f'), element))).toBe(wanted);
  const braces = { file: 'a.c', start: text.indexOf('{'), end: text.length };
  expect(after(text, appendElement(text, braces, element))).toBe(wanted);
});

test('the array is told by its name, with or without a size', () => {
  for (const head of ['funcs[2] = {', 'funcs[] = {', 'funcs[COUNT + 1] =\n\t  {', 'funcs={']) {
    const text = `static struct klp_func ${head}\n\t{ a },\n};`;
    expect(after(text, appendElement(text, placeOf(text, 'funcs'), '{ }'))).toBe(
      `static struct klp_func ${head}\n\t{ a },\n\t{ }\n};`,
    );
  }
});

test.each([
  'funcs = other;',
  'funcs = {\n  { a },\n',
  'funcs = { /* never closed };',
  'funcs(a) = { };',
  'funcs[] = { // never closed };',
])('no further element where the initialiser is not seen: %j', (text) => {
  expect(appendElement(text, placeOf(text, 'funcs'), '{ }')).toBeNull();
});

test('a value with the designator in front of it', () => {
  const text = 'f = { .a = 1, .name  =\n\t"x", y };';
  const whole = (part: string): string => {
    const { file, start, end } = withDesignator(text, placeOf(text, part));
    expect(file).toBe('a.c');
    return text.slice(start, end);
  };
  expect(whole('"x"')).toBe('.name  =\n\t"x"');
  expect(whole('1')).toBe('.a = 1');
  expect(whole('y')).toBe('y');
  const far = `${' '.repeat(500)}.a = 1`;
  expect(withDesignator(far, placeOf(far, '1'))).toEqual({ file: 'a.c', start: 500, end: 506 });
});

test.each([
  ['f = {\n  .a = 1,\n  .b = 2,\n};', '.a = 1', 'f = {\n  .b = 2,\n};'],
  ['f = {\n  .a = 1 , \t\r\n  .b = 2\r\n};', '.a = 1', 'f = {\n  .b = 2\r\n};'],
  ['f = {\n  .b = 2\n};', '.b = 2', 'f = {\n};'],
  // Others on its line stay, and the break with them.
  ['f = { .a = 1, .b = 2 };', '.a = 1', 'f = { .b = 2 };'],
  ['f = { .a = 1,\n  .b = 2 };', '.a = 1', 'f = { \n  .b = 2 };'],
  ['f = {\n  .a = 1, .b = 2,\n};', '.a = 1', 'f = {\n  .b = 2,\n};'],
  ['f = { .a = 1, .b = 2 };', '.b = 2', 'f = { .a = 1, };'],
  ['f = { .a = 1,   .b = 2 };', '.a = 1', 'f = { .b = 2 };'],
  ['f = {\n  .a = 1, g(.b = 2), 3 };', '.b = 2', 'f = {\n  .a = 1, g(), 3 };'],
  ['.a = 1,\nrest', '.a = 1', 'rest'],
])('of %j is %j taken away', (text, part, wanted) => {
  expect(after(text, removeElement(text, placeOf(text, part)))).toBe(wanted);
});

test('only what stands once in the place is replaced', () => {
  const text = 'a b; c a a';
  expect(after(text, replaceWithin(text, placeOf(text, 'a b'), 'a', 'x'))).toBe('x b; c a a');
  expect(after(text, replaceWithin(text, placeOf(text, 'c a'), 'a', 'x'))).toBe('a b; c x a');
  expect(replaceWithin(text, placeOf(text, 'c a a'), 'a', 'x')).toBeNull();
  expect(replaceWithin(text, placeOf(text, 'a b'), 'c', 'x')).toBeNull();
});

test('a line behind, in front, and last', () => {
  const text = 'one\ntwo three\nfour';
  expect(after(text, lineAfter(text, placeOf(text, 'two'), 'x'))).toBe('one\ntwo three\nx\nfour');
  expect(after(text, lineAfter(text, placeOf(text, 'four'), 'x'))).toBe('one\ntwo three\nfour\nx\n');
  expect(after(text, lineBefore(text, placeOf(text, 'three'), 'x'))).toBe('one\nx\ntwo three\nfour');
  expect(after(text, lineBefore(text, placeOf(text, 'one'), 'x'))).toBe('x\none\ntwo three\nfour');
  expect(after(text, lastLine(text, placeOf(text, 'one'), 'x'))).toBe('one\ntwo three\nfour\nx\n');
  expect(after('one\n', lastLine('one\n', placeOf('one', 'one'), 'x'))).toBe('one\nx\n');
  expect(after('', lastLine('', { file: 'a.c', start: 0, end: 0 }, 'x'))).toBe('x\n');
});
