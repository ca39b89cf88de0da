import { expect, test } from 'vitest';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { Units } from '../../server/src/host/units';
import { MemoryFiles } from '../support/memory-files';
import { suseTree, VERSIONS } from '../support/suse-history';

const size = (version: number): number =>
  Object.values(suseTree(version)).reduce((sum, text) => sum + text.length, 0);

test('the generated history is as large as a real one', () => {
  const sizes = Array.from({ length: VERSIONS }, (_, i) => size(i + 1));
  expect(sizes[VERSIONS - 1]).toBeGreaterThan(1_200_000);
  expect(sizes.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(9_000_000);
});

test('in a tree of that size an edit in one fix reads one file again', async () => {
  await startParser();
  const manifest = 'lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: m, sources: . }\n';
  const files = new MemoryFiles('/lineage', { 'livepatch.yaml': manifest, ...suseTree(VERSIONS) });
  const units = new Units(files);
  const project = new Project('/lineage/livepatch.yaml', '/lineage', files, units);
  expect(project.analyse().findings()).toEqual([]);
  const [version] = project.analyse().lineage.versions;
  expect(version?.program?.units).toHaveLength(51);
  const opened = units.counters.opened;
  const path = '/lineage/bsc1200040/livepatch_bsc1200040.c';
  files.write(path, `${project.analyse().text(path)}\nint one_more;\n`);
  project.analyse().findings();
  expect(units.counters.opened - opened).toBe(1);
  units.dispose();
});
