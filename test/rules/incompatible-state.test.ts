import { expect, test } from 'vitest';
import {
  asText,
  check,
  expectMarked,
  fixed,
  type LivepatchParts,
  lineage,
  livepatch,
  manifest,
} from './fixture';
import { precision } from './precision';
import { told } from './told';

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
const CODE = 'incompatible-state';
const REFUSED = (to: string, from: string): string =>
  `the kernel refuses to load ${to} over ${from}, with -EINVAL and before any callback runs.`;

test('what is told of a lower version', async () => {
  const text = lineage(UPGRADE, { states: state(7, 12) }, { states: state(7, 9) });
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `v2 lowers the version of state 7 from 12 (v1) to 9: ${REFUSED('v2', 'v1')} Make it 12 or higher.`,
      versions: ['v2', 'v1'],
      on: 'v2/a.c: { .id = 7, .version = 9 }',
      related: ['v1/a.c: { .id = 7, .version = 12 }: v1 has the state 7, version 12'],
      run: ['load v1', 'load v2'],
      fixes: ['Raise the version of state 7 to 12'],
    },
  ]);
});

test('what is told of states that several versions have: the highest version counts', async () => {
  const text = lineage(
    manifest(['released', 'released', 'released', 'draft']),
    { states: state(7, 1) },
    { states: `${state(7, 3)}\n${state(8, 1)}` },
    { states: `${state(7, 2)}\n${state(8, 1)}`, replace: '' },
    {},
  );
  const found = (await told(text, CODE)).filter(({ versions }) => versions[0] === 'v4');
  expect(found.map(({ message }) => message)).toEqual([
    `v4 does not carry on the state 7 of v1, v2 and v3: ${REFUSED('v4', 'v1, v2 and v3')} Carry it on with version 3 or higher.`,
    `v4 does not carry on the state 8 of v2 and v3: ${REFUSED('v4', 'v2 and v3')} Carry it on with version 1 or higher.`,
  ]);
  expect(found.map(({ on, related, run, fixes }) => ({ on, related, run, fixes }))).toEqual([
    {
      on: 'v4/a.c: .replace = true',
      related: [
        'v1/a.c: { .id = 7, .version = 1 }: v1 has the state 7, version 1',
        'v2/a.c: { .id = 7, .version = 3 }: v2 has the state 7, version 3',
        'v3/a.c: { .id = 7, .version = 2 }: v3 has the state 7, version 2',
      ],
      run: ['load v2', 'load v4'],
      fixes: [],
    },
    {
      on: 'v4/a.c: .replace = true',
      related: [
        'v2/a.c: { .id = 8, .version = 1 }: v2 has the state 8, version 1',
        'v3/a.c: { .id = 8, .version = 1 }: v3 has the state 8, version 1',
      ],
      run: ['load v2', 'load v4'],
      fixes: [],
    },
  ]);
});

test('where only the older one can be changed, it is told there', async () => {
  const text = lineage(
    manifest(['draft', 'released']),
    { states: `${state(7, 2)}\n${state(8, 1)}` },
    { states: `${state(7, 1)}\n${state(8, 1)}` },
  );
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `v2 lowers the version of state 7 from 2 (v1) to 1: ${REFUSED('v2', 'v1')} Make it 2 or higher.`,
      versions: ['v1', 'v2'],
      on: 'v1/a.c: { .id = 7, .version = 2 }',
      related: ['v2/a.c: { .id = 7, .version = 1 }: v2 has it so'],
      run: ['load v1', 'load v2'],
      fixes: [],
    },
  ]);
});

test('between released versions it is told as long as no draft can answer', async () => {
  const dropped = [{ states: state(7, 2) }, {}] as const;
  const versions = async (status: readonly string[], ...more: readonly LivepatchParts[]) =>
    (await told(lineage(manifest(status), ...dropped, ...more), CODE)).map((one) => one.versions);
  expect(await versions(['released', 'released'])).toEqual([['v2', 'v1']]);
  expect(await versions(['released', 'released', 'released'], { states: state(7, 2) })).toEqual([
    ['v2', 'v1'],
  ]);
  expect(await versions(['released', 'released', 'draft'], { states: state(7, 2) })).toEqual([]);
  // Of two drafts each has to be right.
  expect(await versions(['released', 'draft', 'draft'], { states: state(7, 2) })).toEqual([['v2', 'v1']]);
  // A draft that came before is no answer.
  expect(
    (
      await told(lineage(manifest(['draft', 'released', 'released']), {}, { states: state(7, 2) }, {}), CODE)
    ).map((one) => one.versions),
  ).toEqual([['v3', 'v2']]);
});

test.each([
  ['ENODEV', '0'],
  ['ENODEV', '-ENODEV'],
  ['EINVAL', '0'],
])('where v1 refuses with %s, its states are no matter for v2, which answers %s', async (errno, answer) => {
  const answering = (result: string): LivepatchParts => ({
    body: `static int no(struct klp_object *obj)\n{\n  return ${result};\n}`,
    callbacks: '      .pre_patch = no,',
  });
  const v1 = { states: state(7, 2), ...answering(`-${errno}`) };
  expect(await told(lineage(UPGRADE, v1, { states: state(7, 1), ...answering(answer) }), CODE)).toEqual([]);
});

test('a state of which not all is known is carried on as it is', async () => {
  const dropped = async (entry: string) =>
    (await told(lineage(UPGRADE, { states: `${entry}\n${state(8, 1)}` }, { states: state(8, 1) }), CODE)).map(
      ({ message, related, fixes }) => ({ message, related, fixes }),
    );
  expect(await dropped('  { .id = 7, .version = ACME_VERSION },')).toEqual([
    {
      message: `v2 does not carry on the state 7 of v1: ${REFUSED('v2', 'v1')} Carry it on.`,
      related: ['v1/a.c: { .id = 7, .version = ACME_VERSION }: v1 has the state 7'],
      fixes: [],
    },
  ]);
  expect(await dropped('  { .id = ACME_STATE, .version = 2 },')).toEqual([
    {
      message: `v2 does not carry on the state ACME_STATE of v1: ${REFUSED('v2', 'v1')} Carry it on with version 2 or higher.`,
      related: ['v1/a.c: { .id = ACME_STATE, .version = 2 }: v1 has the state ACME_STATE, version 2'],
      fixes: [],
    },
  ]);
});

test.each([
  // In front of the first one, on a line of its own if that has one.
  ['    { .id = 8, .version = 1 },', '    { .id = 7, .version = 12 },\n    { .id = 8, .version = 1 },'],
  ['\t\t{ 8, 1 },', '\t\t{ .id = 7, .version = 12 },\n\t\t{ 8, 1 },'],
  ['{ 8, 1 },', '{ .id = 7, .version = 12 },\n{ 8, 1 },'],
  ['/* all */ { 8, 1 },', '/* all */ { .id = 7, .version = 12 }, { 8, 1 },'],
  // The number alone is changed.
  ['{ .id = 7, .version=9 },', '{ .id = 7, .version=12 },'],
  ['{ .id = 7, .version  =  10 },', '{ .id = 7, .version  =  12 },'],
  // What stands there is not the number: the person must see to it.
  ['{ .id = 7, .version = 8 + 2 },', null],
  ['{ .id = 7, .version = LOW },', null],
  ['{ 7, 9 },', null],
  ['ENTRY(8),', null],
])('the fix of %j', async (written, right) => {
  const body = '#define LOW 3\n#define ENTRY(i) { .id = i, .version = 1 }';
  const { fixture, findings } = await check(
    lineage(UPGRADE, { states: state(7, 12) }, { body, states: written }),
  );
  const found = findings.filter(({ code }) => code === CODE);
  expect(found).toHaveLength(1);
  const fix = found[0]?.fixes[0];
  if (right === null) return expect(fix).toBeUndefined();
  expect(fix?.title).toBe(written.includes('7') ? 'Raise the version of state 7 to 12' : 'Carry on state 7');
  const before = fixture.files.get('v2/a.c') ?? '';
  expect(fix && fixed(fixture, fix).get('v2/a.c')).toBe(before.replace(written, right));
});

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
      why: 'another livepatch, of which nobody knows the versions',
      lineage: lineage(
        UPGRADE,
        { states: '  { .id = 9, .version = ACME_VERSION },' },
        { states: '  { .id = 9, .version = OTHER_VERSION },' },
      ),
    },
    {
      why: 'a version whose sources are missing',
      lineage: lineage(UPGRADE, { states: state(9, 2) }, {}).replace('v2/*.c', 'v3/*.c'),
    },
    {
      why: 'a version without a livepatch',
      lineage: lineage(UPGRADE, 'static int nothing;\n', { states: state(9, 2) }),
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
