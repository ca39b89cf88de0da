import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { liveTrees } from '../../server/src/core/csource/tree';
import { read, startParser } from './reader';

beforeAll(startParser);

function readAll(text: string): number {
  const unit = read(text);
  for (const name of unit.functions.keys()) unit.lower(name);
  for (const name of unit.variables.keys()) unit.variable(name);
  unit.fingerprint([...unit.functions.keys()]);
  return unit.functions.size;
}

const MANY = 100_000;

test.each([
  ['parentheses', `int f(void) { return ${'('.repeat(MANY)}; }`],
  ['matched parentheses', `int f(void) { return ${'('.repeat(MANY)}1${')'.repeat(MANY)}; }`],
  ['braces', `int f(void) {${'{'.repeat(MANY)}}`],
  ['prefix operators', `int f(void) { x = ${'!'.repeat(MANY)}1; }`],
  ['sizeof', `int f(void) { x = ${'sizeof '.repeat(MANY)}1; }`],
  ['casts', `int f(void) { x = ${'(int)'.repeat(MANY)}1; }`],
  ['sums', `int f(void) { x = ${'1+'.repeat(MANY)}1; }`],
  ['conditionals', `int f(void) { x = ${'a?'.repeat(MANY)}1; }`],
  ['assignments', `int f(void) { x = ${'a='.repeat(MANY)}1; }`],
  ['ifs', `int f(void) { ${'if (x) '.repeat(MANY)}; }`],
  ['members', `int f(void) { x${'.a'.repeat(MANY)}; }`],
  ['pointers', `int ${'*'.repeat(MANY)}p;`],
  ['declarators', `int ${'('.repeat(MANY)}p;`],
  ['initialisers', `int x = ${'{'.repeat(MANY)}1;`],
  ['structs', `struct a ${'{ struct b '.repeat(MANY / 4)};`],
  ['conditions of directives', `#if ${'('.repeat(MANY)}1\nint x;\n#endif`],
  ['directives', '#if 1\n'.repeat(MANY)],
  ['open functions', 'int f(void) {\n'.repeat(MANY / 10)],
])('a hundred thousand %s', (_, text) => {
  // What grows faster than its length does not end within the time limit of a test.
  readAll(text);
  expect(liveTrees()).toBe(0);
});

const PIECES = [
  'static int f(void)\n{\n',
  '}\n',
  'struct klp_func funcs[] = { { .old_name = "a" }, {} };\n',
  '#define M(x, ...) x ## y #x __VA_ARGS__\n',
  'M(1, 2)',
  'list_for_each_entry(a, &b, c) {',
  'if (a',
  'switch (a) { case 1:',
  'return (foo_t)(x);\n',
  'container_of(p, struct',
  'typeof(',
  '#include "main.c"\n',
  '#if A\n',
  '#else\n',
  '#endif\n',
  '({',
  '})',
  '(',
  ')',
  ';',
  ',',
  '=',
  '"',
  '/*',
  '\\\n',
  '\u{1f600}',
  '\0',
  'enum { A = 1 << 70 };\n',
  'int a[1 / 0];\n',
  'int b[99999999999999999999];\n',
];

test('no text makes it fail', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })), { maxLength: 40 }),
      (parts) => {
        expect(readAll(parts.join(''))).toBeGreaterThanOrEqual(0);
        expect(liveTrees()).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
