import { expect, test } from 'vitest';
import { check, expectMarked, lineage, manifest } from './fixture';
import { precision } from './precision';

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
