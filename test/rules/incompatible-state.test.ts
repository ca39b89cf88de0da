import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';

const state = (id: number | string, version: number): string => `  { .id = ${id}, .version = ${version} },`;
const MARK = '  //~ incompatible-state';

test('the version is lowered', async () => {
  const text = lineage(
    manifest(['released', 'draft']),
    { states: state(7, 2) },
    { states: `${state(7, 1)}\n${MARK}: from 2 (v1) to 1` },
  );
  const findings = await expectMarked(text);
  expect(findings[0]?.severity).toBe('error');
  expect(findings[0]?.run).toEqual(['load v1', 'load v2']);
  expect(findings[0]?.message).toContain('-EINVAL');
  expect(findings[0]?.related.map((item) => item.message)).toEqual(['v1 has the state 7, version 2']);
  const { fixture } = await check(text);
  const fix = findings[0]?.fixes[0];
  const after = fix ? fixed(fixture, fix) : new Map<string, string>();
  expect(after.get('v2/a.c')).toContain('{ .id = 7, .version = 2 },');
  await expectMarked(asText(new Map([...after].map(([name, file]) => [name, file.replace(/\/\/~.*/, '')]))));
});

test('the state is dropped', async () => {
  const text = lineage(
    manifest(['released', 'draft']),
    { states: `${state(7, 2)}\n${state(8, 1)}` },
    { states: state(8, 1) },
  );
  const { fixture, findings } = await check(text);
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('incompatible-state: v2 does not carry on the state 7 of v1'),
  ]);
  const fix = findings[0]?.fixes[0];
  await expectMarked(asText(fix ? fixed(fixture, fix) : new Map()));
});

test('all states are dropped', async () => {
  const { findings } = await check(lineage(manifest(['released', 'draft']), { states: state(7, 2) }, {}));
  expect(findings.map((finding) => finding.code)).toEqual(['incompatible-state']);
  expect(findings[0]?.versions).toEqual(['v2', 'v1']);
});

test('the way out of a faulty version has to carry its state', async () => {
  const { findings } = await check(
    lineage(manifest(['released', 'faulty', 'draft']), {}, { states: state(7, 2) }, {}),
  );
  expect(findings.map(({ code, versions }) => ({ code, versions }))).toEqual([
    { code: 'incompatible-state', versions: ['v3', 'v2'] },
  ]);
});

test('one finding for an id, whoever has it', async () => {
  const { findings } = await check(
    lineage(
      manifest(['released', 'released', 'draft']),
      { states: state(7, 1) },
      { states: state(7, 2) },
      {},
    ),
  );
  expect(findings.map(({ code, versions }) => ({ code, versions }))).toEqual([
    { code: 'incompatible-state', versions: ['v3', 'v1', 'v2'] },
  ]);
});

test.each([
  ['the same', state(7, 2), state(7, 2)],
  ['raised', state(7, 2), state(7, 3)],
  ['one more', state(7, 2), `${state(7, 2)}\n${state(8, 1)}`],
  ['a name instead of a number', state('ACME_STATE', 2), state('ACME_STATE', 2)],
  ['a version that nobody knows', state(7, 2), '  { .id = 7, .version = ACME_VERSION },'],
])('%s', async (_what, before, after) => {
  await expectMarked(lineage(manifest(['released', 'draft']), { states: before }, { states: after }));
});

test('without replace a state may be dropped', async () => {
  await expectMarked(
    lineage(manifest(['released', 'draft']), { states: state(7, 2), replace: '' }, { replace: '' }),
  );
});

test('the way back is refused by intention', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), {}, { states: state(7, 1) }));
});

test('a faulty version is history', async () => {
  await expectMarked(lineage(manifest(['released', 'faulty']), { states: state(7, 2) }, {}));
});

const UPGRADE = manifest(['released', 'draft']);
precision(
  'incompatible-state',
  [
    {
      what: 'the version is an enumerator',
      lineage: lineage(
        UPGRADE,
        { body: 'enum { V = 2 };', states: state(9, 2).replace('2 }', 'V }') },
        { body: 'enum { V = 1 };', states: state(9, 1).replace('1 }', 'V }') },
      ),
      says: 'from 2 (v1) to 1',
    },
    {
      what: 'one id under two names',
      lineage: lineage(
        UPGRADE,
        { body: '#define OLD_ID 9', states: state('OLD_ID', 2) },
        { body: '#define NEW_ID (8 + 1)', states: state('NEW_ID', 1) },
      ),
      says: 'state 9',
    },
    {
      what: 'an empty element in the middle: what stands behind it is not in the table',
      lineage: lineage(
        UPGRADE,
        { states: `${state(9, 2)}\n${state(10, 1)}` },
        { states: `${state(9, 2)}\n  { },\n${state(10, 1)}` },
      ),
      says: 'does not carry on the state 10',
    },
    {
      what: 'the table is there, and the livepatch does not point to it',
      lineage: lineage(
        UPGRADE,
        { states: state(9, 2) },
        livepatch({ states: state(9, 2) }).replace('  .states = states,\n', ''),
      ),
      says: 'does not carry on the state 9',
    },
    {
      what: 'over a version that is stacked in between',
      lineage: lineage(
        manifest(['released', 'released', 'draft']),
        { states: state(9, 2) },
        { replace: '' },
        {},
      ),
      says: 'to load v3 over v1',
    },
  ],
  [
    {
      why: 'a number and a name for it',
      lineage: lineage(
        UPGRADE,
        { body: '#define ACME 9', states: state('ACME', 2) },
        { states: state('0x9', 2) },
      ),
    },
    {
      why: 'twice the same id: the kernel sees the first',
      lineage: lineage(UPGRADE, { states: `${state(9, 1)}\n${state(9, 7)}` }, { states: state(9, 1) }),
    },
    {
      why: 'the version is only declared above: it is higher where it counts',
      lineage: lineage(
        UPGRADE,
        { states: state(9, 2) },
        { states: state(9, 0), init: '  states[0].version = 2;\n  return klp_enable_patch(&patch);' },
      ),
    },
  ],
);
