import { expect, test } from 'vitest';
import { type FormatSource, formatKernel, PLACEHOLDER } from '../../server/src/core/execution/format';
import { errorPointer } from '../../server/src/core/execution/integers';
import { Printer } from '../../server/src/core/execution/printer';
import type { Value } from '../../server/src/core/execution/values';

const FLAGS: Value = { k: 'pointer', block: 1, path: '' };
const source: FormatSource = {
  string: (value) =>
    typeof value === 'object' && value.k === 'string' ? value.text.slice(value.offset) : null,
  behind: () => 0xcc0,
  moduleName: (instance) => `module${instance}`,
};
const text = (t: string): Value => ({ k: 'string', text: t, offset: 0 });
const format = (f: string, ...args: Value[]): string => formatKernel(source, f, args);

// Expected texts: what printf(3) prints, or lib/vsprintf.c where the two differ.
const CASES: readonly (readonly [string, readonly Value[], string])[] = [
  ['%d', [-5], '-5'],
  ['%u', [-5], '4294967291'],
  ['%lu', [-1], '18446744073709551615'],
  ['%llx', [18446744073709551615n], 'ffffffffffffffff'],
  ['%hhd', [200], '-56'],
  ['%#x', [255], '0xff'],
  ['%#x', [0], '0x0'],
  ['%#o', [8], '010'],
  ['%5d|%-5d|%05d', [42, 42, 42], '   42|42   |00042'],
  ['%+d % d', [7, 7], '+7  7'],
  ['%.3d|%6.3d', [5, 5], '005|   005'],
  ['%*d|%-*d|', [4, 7, 4, 7], '   7|7   |'],
  ['%c%c', [65, 66], 'AB'],
  ['100%%', [], '100%'],
  ['%zu', [8], '8'],
];

test('integers and characters', () => {
  for (const [f, args, expected] of CASES) expect([f, format(f, ...args)]).toEqual([f, expected]);
});

test('strings: width, precision, NULL', () => {
  expect(format('[%s][%6s][%-6s][%.2s]', text('abc'), text('abc'), text('abc'), text('abc'))).toBe(
    '[abc][   abc][abc   ][ab]',
  );
  expect(format('%s', 0)).toBe('(null)');
});

test('what is not known prints as a placeholder, a constant without value as its name', () => {
  expect(format('%d %s %p', { k: 'unknown', id: 'x' }, { k: 'unknown', id: 'y' }, 0)).toBe(
    `${PLACEHOLDER} ${PLACEHOLDER} ${PLACEHOLDER}`,
  );
  expect(format('%d', { k: 'unknown', id: 'MY_ID', symbolic: true })).toBe('MY_ID');
  expect(format('%d')).toBe(PLACEHOLDER);
});

test('%p takes what says what it points at', () => {
  const fn: Value = { k: 'function', name: 'start', instance: 3 };
  expect(format('%ps %p', fn, fn)).toBe(`start [module3] ${PLACEHOLDER}`);
  expect(format('%pGg end', FLAGS)).toBe('GFP_KERNEL end');
  expect(format('%pe', errorPointer(12))).toBe('-ENOMEM');
  expect(format('%pI4 %d', FLAGS, 3)).toBe(`${PLACEHOLDER} 3`);
});

test('a line ends at its newline; without one, at the next printk; pr_cont goes on', () => {
  const lines: string[] = [];
  const printer = new Printer((line) => lines.push(line));
  printer.print('one\n', false);
  printer.print('two ', false);
  printer.print('more', true);
  printer.print('\n', true);
  printer.print('open', false);
  printer.print('\x016next\nand last\n', false);
  printer.print('left', false);
  printer.flush();
  expect(lines).toEqual(['one', 'two more', 'open', 'next', 'and last', 'left']);
});
