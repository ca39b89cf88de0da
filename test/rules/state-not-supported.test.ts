import { expect, test } from 'vitest';
import { appended, changed } from '../dialects/diff-text';
import { lineage, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const PATH = 'kernel/acme.c';
const FIRST = `${changed('kernel/acme.c', 'acme_open')}`;

/** A lineage of one diff, in this dialect. */
function diffs(code: string, dialect = 'kpatch', more = ''): string {
  const head = `lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m_v1\n    sources: v1/*.patch\n    dialect: ${dialect}\n`;
  return `//- livepatch.yaml\n${head}//- v1/a.patch\n${FIRST}${code === '' ? '' : appended(PATH, code).replace(/^(?:.*\n){4}/, '')}${more}`;
}

const TABLE = `static struct klp_state states[] = {
	{ .id = 1, .version = 1 },
	{ }
};`;
const CALLBACK = (body: string, macro = 'KPATCH'): string =>
  `static void acme_post_patch(struct klp_object *obj)\n{\n${body}\n}\n${macro}_POST_PATCH_CALLBACK(acme_post_patch);`;

precision(
  'state-not-supported',
  [
    {
      what: 'a table in a diff for kpatch',
      lineage: diffs(TABLE),
      says: 'kpatch-build passes no',
      on: 'states',
    },
    {
      what: 'a table in a diff for klp-build',
      lineage: diffs(TABLE, 'klp-build'),
      says: 'klp-build passes no',
      on: 'states',
    },
    {
      what: 'one state that is no array',
      lineage: diffs('static struct klp_state acme_state = { .id = 1 };'),
      says: 'acme_state is never looked at',
    },
    {
      what: 'a callback that asks for the predecessor',
      lineage: diffs(CALLBACK('\tif (klp_get_prev_state(7))\n\t\treturn;')),
      says: 'klp_get_prev_state() finds no state of v1',
      on: 'klp_get_prev_state(7)',
    },
    {
      what: 'a table and a callback that asks for it: said once',
      lineage: diffs(
        `${TABLE}\n\n${CALLBACK('\tif (!klp_get_state(&patch, 1))\n\t\treturn;', 'KLP')}`,
        'klp-build',
      ),
      says: 'states is never looked at',
    },
    {
      what: 'patched code that asks for a state',
      lineage: diffs(
        '',
        'kpatch',
        '@@ -300,3 +301,4 @@ static int acme_close(int n)\n \tint err;\n \n+\tacme_use(klp_get_state(&patch, 3));\n \treturn 0;\n',
      ),
      says: 'klp_get_state() finds no state',
    },
  ],
  [
    { why: 'a diff without states', lineage: diffs(CALLBACK('\tacme_count = 1;')) },
    { why: 'a shadow variable instead', lineage: diffs(CALLBACK('\tklp_shadow_free_all(7, NULL);')) },
    {
      why: 'a pointer to the state of another module',
      lineage: diffs('static struct klp_state *acme_state;'),
    },
    { why: 'a declaration', lineage: diffs('extern struct klp_state states[];') },
    {
      why: 'a module written by hand',
      lineage: lineage(manifest(['draft']), { states: '  { .id = 1, .version = 1 },' }),
    },
    {
      why: 'a function of another name',
      lineage: diffs(CALLBACK('\tacme_get_prev_state(7);')),
    },
  ],
);

const CALLED = (...names: readonly string[]): string =>
  names.map((name) => ` | ${name}() is called here`).join('');
const calls = (count: number): string =>
  CALLBACK(Array.from({ length: count }, (_, i) => `\tklp_get_state(&acme_patch, ${i + 1});`).join('\n'));

test('the whole sentences, with up to three of the calls', async () => {
  const code = 'state-not-supported';
  const table =
    'passes no table of states to the kernel: states is never looked at. Hand things over by shadow variables.';
  expect(await spoken(diffs(TABLE), code)).toEqual([`error must v1: kpatch-build ${table}`]);
  expect(await spoken(diffs(`${TABLE}\n${calls(4)}`), code)).toEqual([
    `error must v1: kpatch-build ${table}${CALLED('klp_get_state', 'klp_get_state', 'klp_get_state')}`,
  ]);
  const finds =
    'finds no state of v1: kpatch-build passes no table of states to the kernel. Hand things over by shadow variables.';
  expect(await spoken(diffs(CALLBACK('\tklp_get_prev_state(7);')), code)).toEqual([
    `error must v1: klp_get_prev_state() ${finds}`,
  ]);
  expect(await spoken(diffs(calls(5)), code)).toEqual([
    `error must v1: klp_get_state() ${finds}${CALLED('klp_get_state', 'klp_get_state', 'klp_get_state')}`,
  ]);
});
