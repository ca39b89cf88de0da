import { expect, test } from 'vitest';
import { check, expectMarked, lineage, manifest } from './fixture';

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
