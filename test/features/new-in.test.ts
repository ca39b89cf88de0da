import { expect, test } from 'vitest';
import type { Analysis } from '../../server/src/features/analysis';
import { newIn } from '../../server/src/features/new-in';
import { FOLDER, VALUE } from '../rules/effects';
import { check, lineage, manifest } from '../rules/fixture';

/** "code versions" of every finding that this version causes. */
async function caused(text: string, name: string): Promise<string[]> {
  const analysis = await analysisOf(text);
  const version = analysis.lineage.versions.find((it) => it.name === name);
  if (!version) throw new Error(name);
  return newIn(analysis, version).map((finding) => `${finding.code} ${finding.versions.join('+')}`);
}

async function analysisOf(text: string): Promise<Analysis> {
  const { project } = await check(text);
  return project.analyse();
}

const codes = (found: readonly string[]): string[] => found.map((text) => text.split(' ')[0] ?? '');

test('what a pair shows is caused by both of it', async () => {
  const text = lineage(manifest(['released', 'draft']), VALUE, {});
  expect(codes(await caused(text, 'v1'))).toContain('orphaned-side-effect');
  expect(codes(await caused(text, 'v2'))).toContain('orphaned-side-effect');
});

test('a later version that is mentioned too is not the cause', async () => {
  const text = lineage(manifest(['draft', 'draft', 'draft']), VALUE, {}, {});
  const all = (await analysisOf(text)).findings().filter((it) => it.code === 'orphaned-side-effect');
  expect(all.map((finding) => finding.versions)).toEqual([['v1', 'v2', 'v3']]);
  expect(codes(await caused(text, 'v1'))).toContain('orphaned-side-effect');
  expect(codes(await caused(text, 'v2'))).toContain('orphaned-side-effect');
  expect(codes(await caused(text, 'v3'))).not.toContain('orphaned-side-effect');
});

test('what stands in the source of one version is caused by that one', async () => {
  const wrong = { objects: '  {\n    .name = "acme.ko",\n    .funcs = funcs,\n  },' };
  const text = lineage(manifest(['draft', 'draft']), wrong, {});
  expect(codes(await caused(text, 'v1'))).toContain('bad-object-name');
  expect(codes(await caused(text, 'v2'))).not.toContain('bad-object-name');
});

test('a finding that is an error only with a version is caused by it', async () => {
  // v1 and v2 cannot be changed any more; only with the draft v3 somebody can answer.
  const text = lineage(manifest(['released', 'released', 'draft']), FOLDER, {}, {});
  const analysis = await analysisOf(text);
  const two = analysis.findingsAmong(analysis.lineage.versions.slice(0, 2));
  const at = (found: readonly { code: string; severity: string }[]): string[] =>
    found.filter((it) => it.code === 'orphaned-side-effect').map((it) => it.severity);
  expect([at(two), at(analysis.findings())]).toEqual([['warning'], ['error']]);
  expect(codes(await caused(text, 'v3'))).toContain('orphaned-side-effect');
});

test('a scenario is that of the versions it names', async () => {
  const end = 'scenarios:\n  - { name: s, steps: [load v1, load v2], expect: refused }\n';
  const text = lineage(manifest(['draft', 'draft', 'draft'], { end }), {}, {}, {});
  expect(await caused(text, 'v1')).toEqual(['scenario-failed v1+v2']);
  expect(await caused(text, 'v2')).toEqual(['scenario-failed v1+v2']);
  expect(await caused(text, 'v3')).toEqual([]);
});

test('what is wrong in an entry of the manifest is caused by its version', async () => {
  const text = lineage(manifest(['draft', { more: '    nonsense: 1\n' }]), {}, {});
  expect(codes(await caused(text, 'v1'))).toEqual([]);
  expect(codes(await caused(text, 'v2'))).toEqual(['manifest-invalid']);
});

test('what is wrong with the manifest as a whole is caused by no version', async () => {
  const text = lineage(manifest(['draft', 'draft'], { end: 'nonsense: 1\n' }), {}, {});
  expect((await analysisOf(text)).findings().map((finding) => finding.code)).toEqual(['manifest-invalid']);
  expect(await caused(text, 'v1')).toEqual([]);
  expect(await caused(text, 'v2')).toEqual([]);
});
