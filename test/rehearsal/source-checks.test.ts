import { expect, test } from 'vitest';
import { isModuleName, refusalsOf } from '../../server/src/host/rehearsal/source-checks';

const accepted: readonly (readonly [string, string])[] = [
  ['headers of the kernel', '#include <linux/module.h>\n#include "linux/slab.h"\n'],
  ['a file of its own', '#include "fix.h"\n'],
  ['a file of its own in another folder', '#include "../common/shared.h"\n'],
  ['words in a comment', '/* .incbin "x" */ // .incbin\n/*\n#include "/etc/passwd"\n*/\nint a;\n'],
  ['a member called like it', 'int f(struct s *s) { return s->include + s->incbin; }\n'],
  ['plain assembler', 'void f(void) { asm volatile("nop\\n\\tnop"); }\n'],
];

const refused: readonly (readonly [string, string, number])[] = [
  ['an absolute path', 'int a;\n#include "/etc/passwd"\n', 2],
  ['an absolute path in angles', '#include </etc/passwd>\n', 1],
  ['a path upwards', '#include "../../../../etc/passwd"\n', 1],
  ['a path upwards in angles', '#include <linux/../../../secret.h>\n', 1],
  ['a path upwards to what was not given', '#include "../common/other.h"\n', 1],
  ['a computed name', '#define F "/etc/passwd"\n#include F\n', 2],
  ['include_next', '#include_next </etc/passwd>\n', 1],
  ['import', '#import "/etc/passwd"\n', 1],
  ['embed', 'char a[] = {\n#embed "/etc/passwd"\n};\n', 2],
  ['a digraph', '%:include "/etc/passwd"\n', 1],
  ['a comment in between', '/* x */ # /* y */ include /* z */ "/etc/passwd"\n', 1],
  ['a comment of several lines before', '/*\n\n*/\n#include "/etc/passwd"\n', 4],
  ['a spliced line', '#inc\\\nlude "/etc/passwd"\n', 1],
  ['incbin', 'int a;\nasm(".incbin \\"/etc/passwd\\"");\n', 2],
  ['incbin in capitals', 'asm(".INCBIN \\"/etc/passwd\\"");\n', 1],
  ['incbin in two literals', 'asm(".inc" "bin \\"/etc/passwd\\"");\n', 1],
  ['incbin in two lines', 'asm(".inc"\n    "bin \\"/etc/passwd\\"");\n', 1],
  ['incbin with an escape', 'asm(".inc\\x62in \\"/etc/passwd\\"");\n', 1],
  ["the assembler's include", 'asm(".include \\"/etc/passwd\\"");\n', 1],
];

const given = (text: string) => [
  { file: 'v1/main.c', text },
  { file: 'v1/fix.h', text: 'int b;\n' },
  { file: 'common/shared.h', text: 'int c;\n' },
];

test.each(accepted)('%s is built', (_, text) => {
  expect(refusalsOf(given(text))).toEqual([]);
});

test.each(refused)('%s is refused', (_, text, line) => {
  const [first, ...more] = refusalsOf(given(text));
  expect(first).toMatchObject({ file: 'v1/main.c', line });
  expect(first?.message).not.toBe('');
  expect(more).toEqual([]);
});

test.each([
  '/etc/x.c',
  '../x.c',
  'a/../x.c',
  'x.S',
  'Kbuild',
  'a b.c',
  '.c',
  'a//b.c',
  'x.c\n',
  '$(shell id).c',
])('a file called %j is refused', (file) => {
  expect(refusalsOf([{ file, text: 'int a;\n' }]).length).toBe(1);
});

test('names of modules', () => {
  expect(['livepatch_v1', 'a', '_x'].filter(isModuleName)).toEqual(['livepatch_v1', 'a', '_x']);
  expect(['', 'a b', 'a/b', '../a', 'a\n', 'x'.repeat(56), 'a-b', '$(x)'].filter(isModuleName)).toEqual([]);
});
