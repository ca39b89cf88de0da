import { expect, test } from 'vitest';
import { baseFor } from '../../server/src/core/csource/base';
import { TokenList } from '../../server/src/core/csource/expand';
import { readExternals } from '../../server/src/core/csource/externals';
import { FileScope } from '../../server/src/core/csource/file-scope';
import { TYPED_LIKE } from '../../server/src/core/csource/header-functions';
import { HEADER_DECLARATIONS, HEADER_DEFINITIONS } from '../../server/src/core/csource/header-knowledge';
import { HeaderScope } from '../../server/src/core/csource/header-scope';
import { lex, NAME } from '../../server/src/core/csource/lexer';
import { Lowering } from '../../server/src/core/csource/lowering';
import { tokenAt } from '../../server/src/core/csource/macro-table';
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

/** All declarations read at once, from the first to the last. */
function readAtOnce(): FileScope {
  const scope = new FileScope(null);
  const tokens = lex(HEADER_DECLARATIONS);
  const list = new TokenList();
  for (let i = 0; i < tokens.count; i++) {
    const { kind, id, start, end } = tokenAt(tokens, i);
    list.push(kind, id, start, end);
  }
  readExternals(new Lowering(list, scope, 0, '', undefined), false, ({ id, declarator }) => {
    scope.globals.set(id, declarator.type);
    return false;
  });
  return scope;
}

test.each(['first', 'last'])('a line that is read when its %s name is asked for means the same', (order) => {
  const eager = readAtOnce();
  expect(eager.typedefs.size).toBeGreaterThan(100);
  expect(eager.structs.size).toBeGreaterThan(40);
  expect(eager.enumerators.size).toBeGreaterThan(5);
  const asked = [...new Set(namesIn(HEADER_DECLARATIONS))];
  if (order === 'last') asked.reverse();
  const lazy = new HeaderScope(HEADER_DECLARATIONS, new Map());
  for (const name of asked) {
    const id = names.id(name);
    expect(lazy.struct(name), name).toEqual(eager.struct(name));
    expect(lazy.typedef(id), name).toEqual(eager.typedef(id));
    expect(lazy.enumerator(id), name).toEqual(eager.enumerator(id));
    expect(lazy.global(id), name).toEqual(eager.global(id));
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
