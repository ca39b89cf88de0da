import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import type { Unit } from '../../server/src/core/csource/unit';
import { OPTIONS, provide, read, startParser } from './reader';

beforeAll(startParser);

const LINES = [
  '#define LIMIT 3\n',
  '#define SHOW(x) pr_info("%d", x)\n',
  'struct state { int a; long b; };\n',
  'typedef int number;\n',
  'enum { ONE = 1, TWO };\n',
  'static int counter;\n',
  'static int table[] = { 1, LIMIT, TWO };\n',
  'static int one(struct state *s)\n{\n\treturn s->a + LIMIT;\n}\n',
  'static int two(void)\n{\n\tnumber x = TWO;\n\tSHOW(x);\n\treturn counter++ + x;\n}\n',
  'static long three(void)\n{\n\tstatic int calls;\n\treturn ARRAY_SIZE(table) + calls++;\n}\n',
];

/** All that a unit says, positions included. */
function everything(unit: Unit): unknown {
  return {
    functions: [...unit.functions.values()],
    variables: [...unit.variables.values()],
    calls: unit.calls,
    bodies: [...unit.functions.keys()].map((name) => unit.lower(name)),
    values: [...unit.variables.keys()].map((name) => unit.variable(name)),
    fingerprint: unit.fingerprint([...unit.functions.keys()]),
  };
}

class Editor {
  readonly source = new CSource();
  text = LINES.join('\n');

  constructor() {
    this.source.open('main.c');
  }

  read(): Unit {
    return openUnit('main.c', provide({ 'main.c': this.text }), OPTIONS, this.source);
  }

  /** How many items an edit lowers anew. */
  lowersAfter(edit: (text: string) => string): number {
    everything(this.read());
    const { lowered } = this.source.counters;
    this.text = edit(this.text);
    everything(this.read());
    return this.source.counters.lowered - lowered;
  }
}

test('an edit in a body lowers that body and nothing else', () => {
  const editor = new Editor();
  expect(editor.lowersAfter((text) => text.replace('counter++', 'counter--'))).toBe(1);
  expect(editor.lowersAfter((text) => text)).toBe(0);
  editor.source.dispose();
});

test('lines in front of an item change nothing but its place', () => {
  const editor = new Editor();
  expect(editor.lowersAfter((text) => `\n/* a comment */\n\n${text}`)).toBe(0);
  expect(everything(editor.read())).toEqual(everything(read(editor.text)));
  editor.source.dispose();
});

test.each([
  // one() and table[] use LIMIT; three() asks for the length of table[], which stays.
  ['a macro', 'LIMIT 3', 'LIMIT 4', 2],
  ['a macro in a macro', '"%d"', '"%x"', 1],
  ['a struct', 'int a; long b', 'long a; long b', 1],
  ['a typedef', 'typedef int', 'typedef long', 1],
  // two() and table[] use TWO.
  ['an enumerator', 'ONE = 1', 'ONE = 7', 2],
  ['the type of a variable', 'static int counter', 'static long counter', 2],
  // three() depends on the length of table[].
  ['the length of an array', '{ 1, LIMIT', '{ 1, 1, LIMIT', 2],
])('an edit of %s lowers what depends on it', (_, before, after, expected) => {
  const editor = new Editor();
  expect(editor.lowersAfter((text) => text.replace(before, after))).toBe(expected);
  expect(everything(editor.read())).toEqual(everything(read(editor.text)));
  editor.source.dispose();
});

test('a fingerprint ignores place, comments and blanks, and nothing else', () => {
  const text = LINES.join('\n');
  const print = (changed: string): string => read(changed).fingerprint(['two']);
  const base = print(text);
  expect(print(`\n\n${text}`)).toBe(base);
  expect(print(text.replace('number x = TWO;', 'number   x /* why */ =\n\n TWO ;'))).toBe(base);
  expect(print(text.replace('LIMIT 3', 'LIMIT 5'))).toBe(base);
  expect(print(text.replace('return counter++ + x', 'return counter++ - x'))).not.toBe(base);
  expect(print(text.replace('"%d"', '"%i"'))).not.toBe(base);
  expect(print(text.replace('static int counter;', 'static int counter = 1;'))).not.toBe(base);
  expect(print(text.replace('typedef int number', 'typedef long number'))).not.toBe(base);
  expect(print(text.replace('ONE = 1', 'ONE = 2'))).not.toBe(base);
});

test('a fingerprint covers the structs that are reached through pointers', () => {
  const text =
    'struct inner { int a; };\nstruct outer { struct inner *in; };\nint f(struct outer *o) { return o->in->a; }\n';
  const base = read(text).fingerprint(['f']);
  expect(read(text.replace('int a;', 'long a;')).fingerprint(['f'])).not.toBe(base);
  expect(read(`struct other { int z; };\n${text}`).fingerprint(['f'])).toBe(base);
});

test('after any edits, what was kept equals what is read afresh', () => {
  const insert = fc.record({
    at: fc.nat(2000),
    remove: fc.oneof(fc.constant(0), fc.nat(30)),
    text: fc.constantFrom(
      '',
      ' ',
      '\n',
      'x',
      ';',
      '{',
      '}',
      '(',
      ')',
      '"',
      '/*',
      '*/',
      '#if 0\n',
      '#endif\n',
      '#define LIMIT 9\n',
      '#undef LIMIT\n',
      'int y;\n',
      'LIMIT',
      'TWO',
      'static ',
    ),
  });
  fc.assert(
    fc.property(fc.array(insert, { minLength: 1, maxLength: 8 }), (edits) => {
      const editor = new Editor();
      everything(editor.read());
      for (const { at, remove, text } of edits) {
        const start = at % (editor.text.length + 1);
        editor.text = editor.text.slice(0, start) + text + editor.text.slice(start + remove);
        const kept = everything(editor.read());
        const fresh = everything(read(editor.text));
        expect(kept).toEqual(fresh);
      }
      editor.source.dispose();
    }),
    { numRuns: 100 },
  );
});
