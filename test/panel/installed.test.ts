import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { versionFacts } from '../../client/webview/version-facts';
import { panelModel } from '../../server/src/features/panel';
import { analyseFolder } from '../support/project';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');

const patch = (name: string, transition = false) => ({
  name,
  enabled: true,
  transition,
  replace: true,
  stackOrder: 1,
  objects: [],
});

test('the stack marks what this machine runs, and says what to know before touching it', async () => {
  const analysis = await analyseFolder(`${EXAMPLE}/livepatch.yaml`, EXAMPLE);
  const model = panelModel(analysis, String, {
    release: '6.1.0-18-amd64',
    livepatches: [patch('livepatch_net_v2')],
    modules: [
      { name: 'livepatch_net_v1', references: 0 },
      { name: 'livepatch_net_v2', references: 1 },
    ],
  });
  expect(model.versions.map((version) => version.installed)).toEqual([
    "in this machine's memory",
    'enabled on this machine',
  ]);
  expect(model.versions.map((version) => versionFacts(version)[0])).toMatchObject([
    { text: "in this machine's memory", tone: 'installed' },
    { text: 'enabled on this machine', tone: 'installed' },
  ]);
  expect(model.notices).toEqual(['v2 is faulty: klp-lineage runbook --from v2 tells the way out.']);
});

test('a machine that has nothing of the lineage is not mentioned', async () => {
  const analysis = await analyseFolder(`${EXAMPLE}/livepatch.yaml`, EXAMPLE);
  const other = { release: '7.0', livepatches: [patch('kpatch_other', true)], modules: [] };
  for (const installed of [null, other]) {
    const model = panelModel(analysis, String, installed);
    expect(model.versions.map((version) => version.installed)).toEqual([null, null]);
    expect(model.notices).toEqual([]);
  }
});
