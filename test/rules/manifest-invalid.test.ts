import { expect, test } from 'vitest';
import { asText, check, expectMarked, fixed, lineage, livepatch, manifest } from './fixture';
import { told } from './told';

const withManifest = (text: string): string => `//- livepatch.yaml\n${text}//- v1/a.c\n${livepatch()}`;

test('a key that nobody knows', async () => {
  const findings = await expectMarked(
    withManifest(`${manifest(['draft'])}colour: red\n#~ manifest-invalid: colour\n`),
  );
  expect(findings[0]?.severity).toBe('error');
});

test('a kernel that is a number, with the fix', async () => {
  const text = withManifest(manifest(['draft'], { kernel: '6.10' }));
  const { fixture, findings } = await check(text);
  expect(findings.map((finding) => finding.code)).toEqual(['manifest-invalid']);
  const fix = findings[0]?.fixes[0];
  const after = fix ? fixed(fixture, fix) : new Map<string, string>();
  expect(after.get('livepatch.yaml')).toContain('kernel: "6.10"');
  await expectMarked(asText(after));
});

test('sources that match nothing', async () => {
  const { findings } = await check(withManifest(manifest(['draft']).replace('v1/*.c', '[v1/a.c, v9/*.c]')));
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('manifest-invalid: v9/*.c'),
  ]);
});

test('two versions of one name: both places are shown', async () => {
  const { findings } = await check(
    lineage(manifest(['draft', 'draft']).replace('module: m_v2', 'module: m_v1'), {}, {}),
  );
  const found = findings.filter((finding) => finding.code === 'manifest-invalid');
  expect(found.length).toBeGreaterThan(0);
  expect(found.some((finding) => finding.related.length > 0)).toBe(true);
});

test('a sound manifest says nothing', async () => {
  await expectMarked(withManifest(manifest(['draft'])));
});

test('a setting makes the problems of the manifest milder, never worse', async () => {
  const severities = async (setting: string): Promise<string[]> => {
    const end = `rules:\n  manifest-invalid: ${setting}\n`;
    const { findings } = await check(
      withManifest(`${manifest(['draft'], { end }).replace('lineage: l\n', '')}colour: red\n`),
    );
    return findings.map(({ severity }) => severity).sort();
  };
  // A missing name is a warning, an unknown key an error.
  expect(await severities('error')).toEqual(['error', 'warning']);
  expect(await severities('information')).toEqual(['information', 'information']);
  expect(await severities('off')).toEqual([]);
});

test('an empty manifest, and one that is no YAML, are one finding and no fault', async () => {
  for (const text of ['', 'versions: [', '%&$']) {
    const { findings } = await check(`//- livepatch.yaml\n${text}`);
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.every((finding) => finding.code === 'manifest-invalid')).toBe(true);
  }
});

test.each([
  [
    'a vendor kernel with what it has',
    manifest(['draft'], { kernel: '{ release: "4.18.0-553.el8", has: [replace, callbacks] }' }),
  ],
  [
    'an effect of its own, and one that is kept',
    manifest([{ more: '    keeps:\n      - { effect: acme_hook, key: x }\n' }], {
      end: 'effects:\n  - { do: acme_hook, undo: acme_unhook }\n',
    }),
  ],
  [
    'a scenario with targets and a failing call',
    manifest(['released', 'draft'], {
      end: 'targets:\n  - module: nf_tables\nscenarios:\n  - name: way\n    steps: [load nf_tables, load v1, load v2, unload v1]\n    expect: clean\n',
    }).replace('sources: v2/*.c', 'sources: v1/a.c'),
  ],
  [
    'a version that goes back',
    manifest(['released', 'faulty', { more: '    restores: v1\n    cleans-up-after: [v2]\n' }]).replaceAll(
      /sources: v[23]\/\*\.c/g,
      'sources: v1/a.c',
    ),
  ],
  [
    'rules with other severities',
    manifest(['draft'], { end: 'rules:\n  unsafe-downgrade: off\n  missing-replace: error\n' }),
  ],
  [
    'module parameters, a note, Windows line ends',
    manifest([{ more: '    params: { debug: 1 }\n    note: "a: b"\n' }]).replaceAll('\n', '\r\n'),
  ],
])('nothing is wrong with %s', async (_what, text) => {
  await expectMarked(withManifest(text), 'manifest-invalid');
});

test.each([
  ['two versions of one name', manifest(['draft', 'draft']).replace('version: v2', 'version: v1'), 'v1'],
  ['a status that is none', manifest(['relased']), 'relased'],
  [
    'a scenario that names nobody',
    manifest(['draft'], {
      end: 'scenarios:\n  - name: way\n    steps: [load v7]\n    expect: clean\n',
    }),
    'v7',
  ],
  [
    'a rule that nobody knows',
    manifest(['draft'], { end: 'rules:\n  unsafe-downgrad: off\n' }),
    'unsafe-downgrad',
  ],
  [
    'sources outside the workspace',
    manifest(['draft']).replace('v1/*.c', '../../other/*.c'),
    '../../other/*.c',
  ],
])('%s', async (_what, text, words) => {
  const { findings } = await check(withManifest(text));
  const own = findings.filter((finding) => finding.code === 'manifest-invalid');
  expect(own.length).toBeGreaterThan(0);
  expect(own.map((finding) => finding.message).join('\n')).toContain(words);
});

const CODE = 'manifest-invalid';

test('what is told of a fix, which all may get at once', async () => {
  const { findings } = await check(withManifest(manifest(['draft'], { kernel: '6.10' })));
  expect(findings[0]?.fixes[0]?.preferred).toBe(true);
  const [found] = await told(withManifest(manifest(['draft'], { kernel: '6.10' })), CODE);
  expect(found).toMatchObject({ certainty: 'must', on: 'livepatch.yaml: 6.10', versions: [], related: [] });
});

test('a problem is that of the version in whose entry it stands', async () => {
  const versions = async (text: string) =>
    (await told(lineage(text, {}, {}), CODE)).map((one) => one.versions);
  const two = manifest(['draft', 'draft']);
  expect(await versions(two.replace('version: v1', 'version: v1\n    colour: red'))).toEqual([['v1']]);
  expect(await versions(two.replace('version: v2', 'version: v2\n    colour: red'))).toEqual([['v2']]);
  expect(await versions(`${two}colour: red\n`)).toEqual([[]]);
  // The last word of an entry, and a whole entry.
  expect(await versions(two.replace('status: draft', 'status: dr'))).toEqual([['v1']]);
});

test('what stands somewhere else is shown there', async () => {
  const two = manifest(['draft', 'draft']).replace('module: m_v2', 'module: m_v1');
  expect((await told(lineage(two, {}, {}), CODE)).map(({ on, related }) => ({ on, related }))).toEqual([
    { on: 'livepatch.yaml: m_v1', related: [expect.stringMatching(/^livepatch.yaml: m_v1: /)] },
  ]);
});

test('a step that names nobody is told once, and one that is no step as such', async () => {
  const steps = (list: string) =>
    withManifest(
      manifest(['draft'], { end: `scenarios:\n  - name: way\n    steps: [${list}]\n    expect: clean\n` }),
    );
  expect((await told(steps('load v1, load v7'), CODE)).map(({ on }) => on)).toEqual([
    expect.stringMatching(/^livepatch.yaml: .*v7/),
  ]);
  expect(await told(steps('load v1, lod v7'), CODE)).toHaveLength(1);
  expect(await told(steps('load v1, unload v1'), CODE)).toEqual([]);
});

test('what is wrong with a diff is told in it', async () => {
  const text = `//- livepatch.yaml
lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: m_v1
    sources: v1/*.patch
    dialect: kpatch
    status: draft
//- v1/a.patch
Nothing of a diff.
`;
  expect(await told(text, CODE)).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: 'This is no unified diff: nothing is read from it.',
      versions: ['v1'],
      on: 'v1/a.patch: ',
      related: [],
      run: [],
      fixes: [],
    },
  ]);
});
