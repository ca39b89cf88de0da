import { expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';

function functions(text: string): string[] {
  const provider = { text: () => text, resolve: () => undefined };
  const unit = openUnit('a.c', provider, { defines: {}, kernelRelease: '6.1' }, new CSource());
  return [...unit.functions.keys()];
}

test('a conditional that has no #endif yet does not take the rest of the file with it', () => {
  for (const line of ['#if', '#if 0', '#ifdef CONFIG_NOT_SET', '#ifndef __x86_64__']) {
    expect(functions(`int a(void) { return 0; }\n${line}\nint b(void) { return 0; }\n`)).toEqual(['a', 'b']);
  }
});

test('the conditionals before and inside it keep their meaning', () => {
  const text =
    '#if 0\nint a(void) {}\n#endif\n#if 0\nint b(void) {}\n#if 0\nint c(void) {}\n#endif\nint d(void) {}\n';
  expect(functions(text)).toEqual(['b', 'd']);
});
