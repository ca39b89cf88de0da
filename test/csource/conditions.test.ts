import { expect, test } from 'vitest';
import { read } from './reader';

/** Whether the text between `#if condition` and `#endif` is read. */
function holds(condition: string, before = '', defines: Record<string, string> = {}): boolean {
  return read(`${before}\n#if ${condition}\nint here;\n#endif\n`, {}, { defines }).variables.has('here');
}

test.each([
  ['1', true],
  ['0', false],
  ['1 + 1 == 2', true],
  ['2 * 3 > 5 && !0', true],
  ['1 || 0 / 0', true],
  ['0 ? 1 : 0', false],
  ['(3 & 6) == 2', true],
  ['1 << 40 > 0xffffffff', true],
  ['-1 < 0', true],
  ["'A' == 65", true],
  ['~0 == -1', true],
  ['7 % 4 == 3 && 7 / 2 == 3', true],
  ['UNHEARD_OF', false],
  ['!UNHEARD_OF', true],
  ['__has_attribute(noinline)', false],
  ['', false],
  ['1 +', true],
  [')(', false],
  ['"text"', false],
])('#if %s', (condition, expected) => {
  expect(holds(condition)).toBe(expected);
});

test('defined() in both forms, and macros with arguments', () => {
  expect(holds('defined(A) && defined B && !defined(C)', '#define A\n#define B 0')).toBe(true);
  expect(holds('TWICE(2) == 4', '#define TWICE(x) ((x) * 2)')).toBe(true);
  expect(holds('A', '#define A B\n#define B 1')).toBe(true);
});

test('the kernel release decides LINUX_VERSION_CODE', () => {
  const at = (release: string, condition: string): boolean =>
    read(`#if ${condition}\nint here;\n#endif`, {}, { kernelRelease: release }).variables.has('here');
  expect(at('6.1.192', 'LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)')).toBe(true);
  expect(at('6.1.192', 'LINUX_VERSION_CODE == KERNEL_VERSION(6, 1, 192)')).toBe(true);
  expect(at('5.14.0-427.el9', 'LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 1)')).toBe(true);
  expect(at('6.12.3', 'LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)')).toBe(false);
  // The sub level is capped at 255, as in the kernel's own macro.
  expect(at('4.9.337', 'LINUX_VERSION_CODE == KERNEL_VERSION(4, 9, 255)')).toBe(true);
});

test('configuration: y, m, n and the questions about them', () => {
  const defines = {
    CONFIG_Y: 'y',
    CONFIG_M: 'm',
    CONFIG_N: 'n',
    CONFIG_STRING: '"text"',
    CONFIG_NUMBER: '12',
  };
  const is = (condition: string): boolean => holds(condition, '', defines);
  expect(is('IS_ENABLED(CONFIG_Y) && IS_ENABLED(CONFIG_M) && !IS_ENABLED(CONFIG_N)')).toBe(true);
  expect(is('IS_BUILTIN(CONFIG_Y) && !IS_BUILTIN(CONFIG_M)')).toBe(true);
  expect(is('IS_MODULE(CONFIG_M) && !IS_MODULE(CONFIG_Y)')).toBe(true);
  expect(is('IS_REACHABLE(CONFIG_M)')).toBe(true);
  expect(
    is('defined(CONFIG_Y) && !defined(CONFIG_M) && defined(CONFIG_M_MODULE) && !defined(CONFIG_N)'),
  ).toBe(true);
  expect(is('CONFIG_NUMBER == 12')).toBe(true);
  expect(
    is(
      'defined(CONFIG_X86_64) && defined(CONFIG_64BIT) && defined(CONFIG_LIVEPATCH) && defined(CONFIG_MODULES)',
    ),
  ).toBe(true);
  expect(is('defined(__x86_64__)')).toBe(true);
});

test('an undecided configuration name is an assumption, a decided one is none', () => {
  const text = '#ifdef CONFIG_FOO\nint a;\n#else\nint b;\n#endif\n#ifndef CONFIG_BAR\nint c;\n#endif\n';
  const unit = read(text, {}, { defines: { CONFIG_BAR: 'n' } });
  expect([...unit.variables.keys()]).toEqual(['b', 'c']);
  expect(unit.assumptions).toEqual([
    { name: 'CONFIG_FOO', taken: false, place: { file: 'main.c', start: 7, end: 17 } },
  ]);
});

test('#elif and #else take the first branch that holds, nested ones inside it only', () => {
  const text = `
#if 0
int a;
# if 1
int b;
# endif
#elif 1
int c;
# if 0
int d;
# elif 1
int e;
# endif
#elif 1
int f;
#else
int g;
#endif
int h;
`;
  expect([...read(text).variables.keys()]).toEqual(['c', 'e', 'h']);
});

test('stray and unbalanced directives do no harm', () => {
  expect([...read('#else\nint a;\n#endif\n#endif\nint b;\n#if 1\nint c;\n').variables.keys()]).toEqual([
    'a',
    'b',
    'c',
  ]);
  // Half-typed: without its #endif it must not take the rest of the file with it.
  expect([...read('#if 0\nint a;').variables.keys()]).toEqual(['a']);
  expect([...read('#\n#foo\n#if\n#endif\nint a;').variables.keys()]).toEqual(['a']);
});
