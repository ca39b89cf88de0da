import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Project } from '../../server/src/host/project';
import type { MemoryFiles } from '../support/memory-files';
import { projectOfTexts } from '../support/project';

/** Text → tree → facts → runs: a level is made again only if what it was made from changed. */
const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V2 = '/lineage/v2/livepatch_net_v2.c';

let project: Project;
let files: MemoryFiles;
let text: string;

beforeEach(async () => {
  const names = ['livepatch.yaml', 'v1/livepatch_net_v1.c', 'v2/livepatch_net_v2.c'];
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(EXAMPLE, name), 'utf8')]));
  ({ project, files } = await projectOfTexts(texts));
  text = texts['v2/livepatch_net_v2.c'] ?? '';
  project.analyse().findings();
  project.analyse().transitions.all();
});

/** Runs that the analysis carries out for one edit. */
function runsAfter(edited: string): number {
  const before = project.analyse().transitions.ran;
  files.write(V2, edited);
  project.analyse().findings();
  project.analyse().transitions.all();
  return project.analyse().transitions.ran - before;
}

test('asking again does nothing again', () => {
  const answer = project.analyse();
  const work = { ...project.work };
  expect(project.analyse()).toBe(answer);
  project.analyse().findings();
  expect(project.work).toEqual(work);
});

test('an edit inside a patched function, which no callback reaches, runs nothing', () => {
  const edited = text.replace(
    'ether_addr_copy(haddr, eth->h_source);',
    'ether_addr_copy(haddr, eth->h_source); haddr[0] ^= 1;',
  );
  expect(edited).not.toBe(text);
  expect(runsAfter(edited)).toBe(0);
});

test('an edit that only moves lines runs nothing, and the findings move with them', () => {
  const line = (): number => {
    const finding = project.analyse().findings()[0];
    return finding ? project.analyse().text(V2).slice(0, finding.place.start).split('\n').length : 0;
  };
  const before = line();
  expect(runsAfter(`/* one */\n/* two */\n${text}`)).toBe(0);
  expect(line()).toBe(before + 2);
});

test('an edit inside a callback runs only what involves that version', () => {
  const edited = text.replace(
    'debugfs_remove(net_status);',
    'debugfs_remove(net_status); net_status = NULL;',
  );
  expect(edited).not.toBe(text);
  const ran = runsAfter(edited);
  expect(ran).toBeGreaterThan(0);
  // none→v2, v1→v2, v2→v1, and v2 by itself: disabled, reversed both ways, with calls that fail; never v1 by itself.
  expect(ran).toBeLessThanOrEqual(12);
});

test('an edit in the manifest that changes no version runs nothing', () => {
  const before = project.analyse().transitions.ran;
  const manifest = project.analyse().text('/lineage/livepatch.yaml');
  files.write('/lineage/livepatch.yaml', `# a comment\n${manifest}`);
  project.analyse().findings();
  expect(project.analyse().transitions.ran - before).toBe(0);
});
