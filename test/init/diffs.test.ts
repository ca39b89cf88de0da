import { expect, test } from 'vitest';
import { makeManifest } from '../../server/src/core/init/make-manifest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { appended, changed } from '../dialects/diff-text';
import { analyseTexts } from '../support/project';

const DIFF = changed('kernel/acme.c', 'acme');
const KLP = `${DIFF}${appended('kernel/b.c', '#include <linux/livepatch_helpers.h>')}`;

function made(files: Readonly<Record<string, string>>) {
  const answer = makeManifest({
    name: 'net',
    files: Object.keys(files).sort(),
    text: (file) => files[file] ?? '',
    tags: [],
    kernel: '6.1',
  });
  if (!answer.ok) throw new Error(answer.reason);
  const { manifest, problems } = parseManifest('livepatch.yaml', answer.text);
  expect(problems).toEqual([]);
  return {
    ...answer,
    versions: manifest.versions.map((it) => [
      it.version.value,
      it.module.value,
      it.sources.map((source) => source.value).join(' '),
      it.dialect.value,
      it.status.value,
    ]),
  };
}

test('folders of diffs side by side are versions', async () => {
  const files = {
    'v1/0001-a.patch': DIFF,
    'v2/0001-a.patch': DIFF,
    'v2/0002-b.patch': DIFF,
    'v10/a.patch': DIFF,
  };
  const { versions, text } = made(files);
  expect(versions).toEqual([
    ['v1', 'livepatch_net_v1', 'v1/*.patch', 'kpatch', 'released'],
    ['v2', 'livepatch_net_v2', 'v2/*.patch', 'kpatch', 'released'],
    ['v10', 'livepatch_net_v10', 'v10/*.patch', 'kpatch', 'draft'],
  ]);
  expect(text).toContain('# a guess: applied in the order of their names');
  const { lineage } = await analyseTexts({ ...files, 'livepatch.yaml': text });
  expect(lineage.versions.map(({ facts }) => facts?.patch?.objects?.length)).toEqual([1, 1, 1]);
});

test('a file for each version, by its name; a series in one folder is one version', () => {
  expect(made({ 'net-v2.diff': DIFF, 'net-v10.diff': KLP }).versions).toEqual([
    ['v2', 'livepatch_net_v2', 'net-v2.diff', 'kpatch', 'released'],
    ['v10', 'livepatch_net_v10', 'net-v10.diff', 'klp-build', 'draft'],
  ]);
  expect(made({ '0001-a.patch': DIFF, '0002-b.patch': KLP }).versions).toEqual([
    ['v1', 'livepatch_net_v1', '*.patch', 'klp-build', 'draft'],
  ]);
});

test('diffs that change no C, and what only looks like diffs, are left alone', () => {
  const readme = changed('Documentation/a.rst', 'a');
  expect(() => made({ 'v1/a.patch': readme, 'v2/a.patch': 'text' })).toThrow(
    'nothing that a lineage could be made of',
  );
  expect(made({ 'v1/a.patch': DIFF, 'v1/b.patch': readme }).versions[0]?.[2]).toBe('v1/a.patch');
  const { versions, notes } = made({ 'v1/a.patch': DIFF, 'v2/a.patch': DIFF, 'old/x/a.patch': DIFF });
  expect(versions.map(([name]) => name)).toEqual(['v1', 'v2']);
  expect(notes.join()).toContain('old/x holds diffs too');
});

test('livepatches written by hand come first', () => {
  const { versions } = made({
    'v1/a.c': 'int init(void) { return klp_enable_patch(&patch); }',
    'fixes/a.patch': DIFF,
  });
  expect(versions.map(([, , sources]) => sources)).toEqual(['v1/*.c']);
});
