import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { expectAgreement } from './agreement';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const RICH: Json = {
  schema: 1,
  lineage: 'l',
  kernel: { release: '6.1', has: ['replace'], lacks: ['states'], arch: 'x86_64', config: 'c', tree: 't' },
  defaults: { dialect: 'auto', defines: { A: 'y' } },
  versions: [
    { version: 'v1', module: 'm1', sources: 'v1/*.c', status: 'released', note: 'n' },
    {
      version: 'v2',
      module: 'm2',
      sources: ['a.c', 'b.c'],
      keeps: [{ effect: 'f', key: 'k', reason: 'r' }],
      git: { revision: 'u1', path: '.' },
    },
    {
      version: 'v3',
      module: 'm3',
      restores: 'v1',
      'cleans-up-after': ['v2'],
      dialect: 'kpatch',
      replace: true,
      built: 'x.ko',
      include: ['i'],
      params: { a: 1, b: 'c', d: true },
    },
  ],
  targets: ['t', { module: 'u', sources: 'u.c' }],
  effects: [{ do: 'f', undo: 'g', key: 'pointer', argument: 1, fails: 'errno' }],
  scenarios: [{ name: 's', steps: ['load v1', 'load v2 a=1', 'stall', 'fail v1 f=EBUSY'], expect: 'clean' }],
  rules: { 'lost-object': 'off' },
};

const STRANGE: Json[] = [
  '',
  ' ',
  'x',
  'v1',
  'a b',
  '/a',
  '..',
  'none',
  'off',
  'true',
  '6.1',
  'load v1',
  'load v1 x',
  'draft',
  'auto',
  '-x',
  'a-b',
  '*.c',
  '\u{1F600}',
  '#',
  'a: b',
  'a\nb',
  0,
  1,
  2,
  1.5,
  -1,
  true,
  false,
  null,
  [],
  {},
  ['x'],
  [1],
  { a: 'b' },
  { module: 'z' },
  { revision: 'r' },
  { effect: 'e' },
];
const KEYS = [
  'schema',
  'version',
  'module',
  'sources',
  'status',
  'git',
  'path',
  'key',
  'steps',
  'expect',
  'a',
  'A-b',
  '__proto__',
  'constructor',
  'toString',
  '1',
  'has',
  'note',
  'restores',
  'x y',
];

/** The places at which a value can be changed, as paths. */
function pathsOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  const here = [path];
  if (Array.isArray(value))
    for (const [i, item] of value.entries()) here.push(...pathsOf(item, [...path, i]));
  else if (value !== null && typeof value === 'object')
    for (const key of Object.keys(value)) here.push(...pathsOf(value[key] ?? null, [...path, key]));
  return here;
}

interface Mutation {
  readonly where: number;
  readonly how: 'replace' | 'remove' | 'add';
  readonly value: Json;
  readonly key: string;
}

function mutate(document: Json, { where, how, value, key }: Mutation): Json {
  const paths = pathsOf(document);
  const path = paths[where % paths.length] ?? [];
  const change = (node: Json, depth: number): Json => {
    const word = path[depth];
    if (word === undefined) {
      if (how === 'add' && Array.isArray(node)) return [...node, value];
      if (how === 'add' && node !== null && typeof node === 'object')
        return Object.fromEntries([...Object.entries(node), [key, value]]);
      return how === 'remove' ? node : value;
    }
    const removing = how === 'remove' && depth === path.length - 1;
    if (Array.isArray(node))
      return removing
        ? node.filter((_, i) => i !== word)
        : node.map((item, i) => (i === word ? change(item, depth + 1) : item));
    if (node === null || typeof node !== 'object') return node;
    const entries = Object.entries(node);
    return Object.fromEntries(
      removing
        ? entries.filter(([k]) => k !== word)
        : entries.map(([k, item]) => [k, k === word ? change(item, depth + 1) : item]),
    );
  };
  return change(document, 0);
}

test('reader and schema agree on mutated documents', () => {
  const mutation = fc.record({
    where: fc.nat(500),
    how: fc.constantFrom<Mutation['how']>('replace', 'remove', 'add'),
    value: fc.constantFrom(...STRANGE),
    key: fc.constantFrom(...KEYS),
  });
  let valid = 0;
  let invalid = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const document = mutations.reduce(mutate, RICH);
      if (expectAgreement(stringify(document, { aliasDuplicateObjects: false }), document)) valid++;
      else invalid++;
    }),
    { numRuns: 1500 },
  );
  // Both answers must occur often, or agreeing means little.
  expect(valid).toBeGreaterThan(100);
  expect(invalid).toBeGreaterThan(100);
});
