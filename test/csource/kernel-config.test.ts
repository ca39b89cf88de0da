import { expect, test } from 'vitest';
import { readKernelConfig } from '../../server/src/core/csource/kernel-config';
import type { UnitOptions } from '../../server/src/core/csource/unit';
import { read } from './reader';

const holds = (condition: string, options: Partial<UnitOptions>): boolean =>
  read(`#if ${condition}\nint here;\n#endif\n`, {}, options).variables.has('here');

test('lines of a .config', () => {
  const text = [
    '# Automatically generated file; DO NOT EDIT.',
    'CONFIG_Y=y',
    'CONFIG_M=m',
    'CONFIG_NUMBER=0x10\r',
    'CONFIG_TEXT="a # b=c"',
    '# CONFIG_OFF is not set',
    '# CONFIG_COMMENT=y',
    'CONFIG_EMPTY=',
    ' CONFIG_INDENTED=y',
  ].join('\n');
  expect({ ...readKernelConfig(text) }).toEqual({
    CONFIG_Y: 'y',
    CONFIG_M: 'm',
    CONFIG_NUMBER: '0x10',
    CONFIG_TEXT: '"a # b=c"',
    CONFIG_OFF: 'n',
  });
});

test('a configuration decides, and defines go before it', () => {
  const config = readKernelConfig('CONFIG_A=m\nCONFIG_N=7\n# CONFIG_OFF is not set\n');
  const is = (condition: string, defines = {}): boolean => holds(condition, { config, defines });
  expect(is('IS_ENABLED(CONFIG_A) && IS_MODULE(CONFIG_A) && CONFIG_N == 7')).toBe(true);
  expect(is('IS_BUILTIN(CONFIG_A)')).toBe(false);
  expect(is('IS_BUILTIN(CONFIG_A) && !defined(CONFIG_N)', { CONFIG_A: 'y', CONFIG_N: 'n' })).toBe(true);
});

test('what a configuration does not mention stays an assumption', () => {
  const config = readKernelConfig('CONFIG_A=y\n# CONFIG_OFF is not set\n');
  const unit = read(
    '#if IS_ENABLED(CONFIG_A) || defined(CONFIG_OFF) || defined(CONFIG_B)\n#endif\n',
    {},
    {
      config,
    },
  );
  expect(unit.assumptions.map(({ name, taken }) => [name, taken])).toEqual([['CONFIG_B', true]]);
});

test.each([
  ['x86_64', 'defined(__x86_64__) && defined(CONFIG_X86_64) && IS_ENABLED(CONFIG_64BIT)'],
  ['aarch64', 'defined(__aarch64__) && defined(CONFIG_ARM64) && !defined(CONFIG_X86_64)'],
  ['arm64', 'defined(__aarch64__) && defined(CONFIG_ARM64)'],
  ['s390x', 'defined(__s390x__) && IS_ENABLED(CONFIG_S390) && !defined(__x86_64__)'],
  ['ppc64le', 'defined(__powerpc64__) && defined(CONFIG_PPC64) && !IS_ENABLED(CONFIG_X86)'],
])('kernel.arch %s', (arch, condition) => {
  expect(holds(condition, { arch })).toBe(true);
  const unit = read(`#if ${condition}\n#endif\n`, {}, { arch });
  expect(unit.assumptions).toEqual([]);
});

test('without a named architecture the configuration tells it, and without both it is x86_64', () => {
  expect(holds('defined(CONFIG_S390) && !defined(CONFIG_X86)', { config: { CONFIG_S390: 'y' } })).toBe(true);
  expect(holds('defined(CONFIG_X86_64)', { config: {} })).toBe(true);
});
