import { expect, test } from 'vitest';
import { check, expectMarked, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const two = { functions: ['acme_open', 'acme_stat'] };
const one = { functions: ['acme_open'] };

async function reverted(
  text: string,
): Promise<{ severity: string; versions: readonly string[]; message: string }[]> {
  const { findings } = await check(text);
  expect(findings.every((finding) => finding.code === 'reverted-function')).toBe(true);
  return findings.map(({ severity, versions, message }) => ({ severity, versions, message }));
}

test('a function that the draft no longer patches', async () => {
  expect(await reverted(lineage(manifest(['released', 'draft']), two, one))).toEqual([
    {
      severity: 'information',
      versions: ['v2', 'v1'],
      message: 'v2 does not patch acme_stat(), which v1 patches: replacing v1, it returns to the original.',
    },
  ]);
});

test('several in one finding', async () => {
  const many = { functions: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'acme_open'] };
  expect(await reverted(lineage(manifest(['released', 'draft']), many, one))).toMatchObject([
    { message: expect.stringContaining('a1(), a2(), a3(), a4(), a5() and 2 more') },
  ]);
});

test('one half of a pair: a warning at the other half', async () => {
  const findings = await expectMarked(
    lineage(
      manifest(['released', 'draft']),
      { functions: ['acme_buf_alloc', 'acme_buf_free'] },
      { functions: ['acme_buf_free'] },
    ).replace(
      /(v2\/a[\s\S]*new_func = klpp_acme_buf_free \},)/,
      '$1\n  //~ reverted-function: acme_buf_alloc() returns to the original while its partner stays patched',
    ),
  );
  expect(findings[0]?.severity).toBe('warning');
});

test('of an object that is gone altogether', async () => {
  const objects = '  {\n    .funcs = funcs,\n  },\n  {\n    .name = "ext4",\n    .funcs = more,\n  },';
  const body =
    'static struct klp_func more[] = {\n  { .old_name = "ext4_open", .new_func = klpp_acme_open },\n  { }\n};';
  expect(await reverted(lineage(manifest(['released', 'draft']), { body, objects }, {}))).toMatchObject([
    { message: expect.stringContaining('ext4_open() of ext4') },
  ]);
});

test.each([
  ['all are there, in another order', { functions: ['acme_stat', 'acme_open'] }],
  ['one more', { functions: ['acme_open', 'acme_stat', 'acme_close'] }],
  ['no replace: what is below stays', { functions: ['acme_open'], replace: '' }],
])('%s', async (_what, after) => {
  const before = 'replace' in after ? { ...two, replace: '' } : two;
  await expectMarked(lineage(manifest(['released', 'draft']), before, after));
});

test('the manifest says that it goes back', async () => {
  const back = { status: 'draft', more: '    restores: v1\n    cleans-up-after: [v2]\n' };
  await expectMarked(lineage(manifest(['released', 'faulty', back]), one, two, one));
});

test('a faulty version is history', async () => {
  await expectMarked(lineage(manifest(['released', 'faulty']), two, one));
});

test('a released version: on the draft after it, if that lacks it too', async () => {
  await expectMarked(lineage(manifest(['released', 'released', 'draft']), two, one, two));
});

const UPGRADE = manifest(['released', 'draft']);
const table = (entries: string): string =>
  `  {\n    .funcs = (struct klp_func[]) {\n${entries}\n      { }\n    },\n  },`;
const entry = (name: string, more = ''): string =>
  `      { .old_name = "${name}", .new_func = klpp_acme_open${more} },`;

precision(
  'reverted-function',
  [
    {
      what: 'an entry under an #if that is not taken any more',
      lineage: lineage(UPGRADE, two, {
        ...one,
        objects: table(`${entry('acme_open')}\n#ifdef LP_OLD_FIX\n${entry('acme_stat')}\n#endif`),
      }),
      says: 'acme_stat(), which v1 patches',
      severity: 'information',
    },
    {
      what: 'it moves from a module to the kernel',
      lineage: lineage(UPGRADE, { objects: '  {\n    .name = "ext4",\n    .funcs = funcs,\n  },' }, {}),
      says: 'acme_open() of ext4',
    },
    {
      what: 'lock without its unlock',
      lineage: lineage(UPGRADE, { functions: ['acme_lock', 'acme_unlock'] }, { functions: ['acme_lock'] }),
      says: 'acme_unlock() returns to the original while its partner stays patched',
      severity: 'warning',
    },
  ],
  [
    {
      why: 'another replacement for the same function',
      lineage: lineage(UPGRADE, two, {
        ...one,
        objects: table(`${entry('acme_open')}\n${entry('acme_stat')}`),
      }),
    },
    {
      why: 'position 0 and 1 are the same function',
      lineage: lineage(
        UPGRADE,
        { objects: table(entry('acme_open', ', .old_sympos = 1')) },
        { objects: table(entry('acme_open')) },
      ),
    },
    {
      why: 'entries made by a macro',
      lineage: lineage(UPGRADE, two, {
        ...two,
        body: '#define KLPP(fn) { .old_name = #fn, .new_func = klpp_##fn },',
        objects: table('      KLPP(acme_open) KLPP(acme_stat)'),
      }),
    },
    {
      why: 'entries of a header that is not there',
      lineage: lineage(UPGRADE, two, {
        ...one,
        objects: table(`${entry('acme_open')}\n      LP_MORE(acme_stat),`),
      }),
    },
  ],
);

const CODE = 'reverted-function';
const IN_V1 = (...names: readonly string[]): string =>
  names.map((name) => ` | v1 patches ${name}() here`).join('');
const BACK = (names: string, ...patched: readonly string[]): string =>
  `information must v2 v1: v2 does not patch ${names}, which v1 patches: replacing v1, ${patched.length > 1 ? 'they return to the originals' : 'it returns to the original'}.${IN_V1(...patched)}`;

test('the whole sentences, with no more places than names', async () => {
  expect(await spoken(lineage(UPGRADE, two, one), CODE)).toEqual([BACK('acme_stat()', 'acme_stat')]);
  const three = { functions: ['acme_open', 'a1', 'a2'] };
  expect(await spoken(lineage(UPGRADE, three, one), CODE)).toEqual([BACK('a1() and a2()', 'a1', 'a2')]);
  const many = { functions: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'acme_open'] };
  expect((await spoken(lineage(UPGRADE, many, one), CODE))[0]?.match(/\| v1 patches/g)).toHaveLength(5);
  const pair = { functions: ['acme_buf_alloc', 'acme_buf_free'] };
  const half = { functions: ['acme_buf_free'] };
  expect(await spoken(lineage(UPGRADE, pair, half), CODE)).toEqual([
    `warning must v2 v1: v2 patches acme_buf_free() but no longer acme_buf_alloc(), which v1 patches together with it: replacing v1, acme_buf_alloc() returns to the original while its partner stays patched. Patch both or neither.${IN_V1('acme_buf_alloc')}`,
  ]);
});

test('a half that had no partner before, or has none any more, is a function like others', async () => {
  const [alloc, free] = [{ functions: ['acme_buf_alloc'] }, { functions: ['acme_buf_free'] }];
  expect(await spoken(lineage(UPGRADE, alloc, free), CODE)).toEqual([
    BACK('acme_buf_alloc()', 'acme_buf_alloc'),
  ]);
  const both = { functions: ['acme_buf_alloc', 'acme_buf_free', 'acme_open'] };
  expect(await spoken(lineage(UPGRADE, both, one), CODE)).toEqual([
    BACK('acme_buf_alloc() and acme_buf_free()', 'acme_buf_alloc', 'acme_buf_free'),
  ]);
});

/** Two objects of modules beside vmlinux, with the functions that each patches. */
const modules = (ext4: readonly string[], xfs: readonly string[]): string =>
  [
    ['ext4', ext4],
    ['xfs', xfs],
  ]
    .map(
      ([name, functions]) =>
        `  {\n    .name = "${name as string}",\n    .funcs = (struct klp_func[]) {\n${(functions as string[]).map((fn) => entry(fn)).join('\n')}\n      { }\n    },\n  },`,
    )
    .join('\n');

test('one finding for each object, at that object', async () => {
  const text = lineage(
    UPGRADE,
    { objects: modules(['read', 'write'], ['sync', 'map']) },
    { objects: modules(['read'], ['sync']) },
  );
  expect(await spoken(text, CODE)).toEqual([BACK('write() of ext4', 'write'), BACK('map() of xfs', 'map')]);
  const { findings, fixture } = await check(text);
  const source = fixture.files.get('v2/a.c') ?? '';
  expect(findings.map(({ place }) => /"(\w+)"/.exec(source.slice(place.start - 40))?.[1])).toEqual([
    'ext4',
    'xfs',
  ]);
  expect(findings.map(({ run }) => run)).toEqual([
    ['load v1', 'load v2'],
    ['load v1', 'load v2'],
  ]);
});

test.each([
  ['    cleans-up-after: [v2]\n', 0],
  ['    cleans-up-after: [m_v2]\n', 0],
  ['    cleans-up-after: [v1]\n', 1],
  ['    restores: v1\n', 0],
  ['    restores: v2\n', 1],
  ['    restores: m_v2\n', 1],
])('v3 after v2 with %s', async (more, findings) => {
  const head = manifest(['released', 'faulty', { status: 'draft', more }]);
  expect(await spoken(lineage(head, one, two, one), CODE)).toHaveLength(findings);
});

test('a released version with a draft before it, but none after', async () => {
  const head = manifest(['draft', 'released', 'released']);
  expect((await spoken(lineage(head, one, two, one), CODE)).map((said) => said.split(':')[0])).toEqual([
    'information must v3 v2',
  ]);
});

test('where the kernel refuses the upgrade nothing returns', async () => {
  const state = { states: '  { .id = 7, .version = 1 },' };
  expect(await spoken(lineage(UPGRADE, { ...two, ...state }, one), CODE)).toEqual([]);
});

test('versions of which the functions are not known', async () => {
  const none = livepatch(one).replace('  .objs = objs,\n', '');
  expect(await spoken(lineage(UPGRADE, none, one), CODE)).toEqual([]);
  expect(await spoken(lineage(UPGRADE, two, none), CODE)).toEqual([]);
  expect(
    (await spoken(lineage(manifest(['released', 'draft', 'draft']), two, none, one), CODE)).map(
      (said) => said.split(':')[0],
    ),
  ).toEqual(['information must v3 v1']);
});
