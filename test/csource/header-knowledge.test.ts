import { expect, test } from 'vitest';
import { baseFor } from '../../server/src/core/csource/base';
import { TYPED_LIKE } from '../../server/src/core/csource/header-functions';
import { HEADER_DECLARATIONS, HEADER_DEFINITIONS } from '../../server/src/core/csource/header-knowledge';
import { lex, NAME } from '../../server/src/core/csource/lexer';
import { names } from '../../server/src/core/csource/names';

function namesIn(text: string): string[] {
  const tokens = lex(text);
  return Array.from({ length: tokens.count }, (_, i) => i)
    .filter((i) => tokens.kind[i] === NAME)
    .map((i) => names.text(tokens.id[i] as number));
}

test('every line of the definitions is one, and none is used in the declarations', () => {
  const lines = HEADER_DEFINITIONS.split('\n').filter((line) => line !== '');
  const defined = lines.map((line) => /^#define (\w+)[ (]/.exec(line)?.[1]);
  expect(defined).not.toContain(undefined);
  expect(namesIn(HEADER_DECLARATIONS).filter((name) => defined.includes(name))).toEqual([]);
});

test('a function whose type is that of another one is declared once', () => {
  const declared = namesIn(HEADER_DECLARATIONS);
  for (const [name, like] of TYPED_LIKE) {
    expect(declared).not.toContain(name);
    expect(declared).toContain(like);
  }
});

test.each([
  ['kzalloc', { k: 'pointer', to: { k: 'void' } }],
  ['kstrdup', { k: 'pointer', to: { k: 'int', bits: 8, signed: true } }],
  ['sysfs_create_group', { k: 'int', bits: 32, signed: true }],
  ['kfree', { k: 'void' }],
  ['klp_get_prev_state', { k: 'pointer', to: { k: 'struct', tag: 'klp_state' } }],
  ['iget_locked', { k: 'pointer', to: { k: 'struct', tag: 'inode' } }],
])('%s returns what the kernel declares', (name, returns) => {
  const { scope } = baseFor({ defines: {}, kernelRelease: '6.6' });
  expect(scope.global(names.id(name))).toMatchObject({ k: 'function', returns });
});
