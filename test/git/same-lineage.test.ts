import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { transitionJson } from '../../server/src/cli/json';
import { Places } from '../../server/src/core/places';
import type { Analysis } from '../../server/src/features/analysis';
import { Disk } from '../../server/src/host/files';
import { rootOf } from '../../server/src/host/locate';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V1 = readFileSync(join(EXAMPLE, 'v1/livepatch_net_v1.c'), 'utf8');
const V2 = readFileSync(join(EXAMPLE, 'v2/livepatch_net_v2.c'), 'utf8');

const MANIFEST = `lineage: net-fixes
kernel: "6.1"
versions:
  - version: v1
    module: livepatch_net_v1
    git: { revision: u1 }
    sources: "*.c"
    status: released
  - version: v2
    module: livepatch_net_v2
    git: { revision: u2 }
    sources: "*.c"
    status: faulty
    note: hangs under load
`;

/** What is said of the lineage, without where it stands. */
function told(analysis: Analysis): unknown {
  const nowhere = new Places(
    () => '',
    () => '',
  );
  return JSON.parse(
    JSON.stringify({
      facts: analysis.lineage.versions.map((version) => version.facts),
      findings: analysis.findings().map(({ code, severity, message, certainty, versions, run }) => ({
        code,
        severity,
        message: message.replace(/[\w/.]*\.c:\d+/g, ''),
        certainty,
        versions,
        run,
      })),
      matrix: analysis.transitions.all().map((it) => transitionJson(it, analysis.transitions, nowhere)),
    }),
    (key, value: unknown) =>
      ['file', 'start', 'end', 'line', 'column', 'endLine', 'endColumn', 'base'].includes(key)
        ? undefined
        : value,
  );
}

test('a lineage in folders and the same in a git history give the same facts, findings and matrix', async () => {
  await startParser();
  await GitRepository.with(async (repository) => {
    repository.write({ 'main.c': V1 });
    repository.commit('u1');
    repository.write({ 'main.c': V2 });
    repository.commit('u2');
    repository.git('rm', '--quiet', '-f', 'main.c');
    repository.write({ 'livepatch.yaml': MANIFEST });
    const manifest = repository.path('livepatch.yaml');
    const inGit = new Project(manifest, rootOf(manifest), new Disk()).analyse();
    expect(inGit.parsed.problems).toEqual([]);

    const folder = repository.path('../folders');
    cpSync(EXAMPLE, folder, { recursive: true });
    const inFolders = new Project(join(folder, 'livepatch.yaml'), folder, new Disk()).analyse();
    expect(inFolders.findings().length).toBeGreaterThan(0);
    expect(told(inGit)).toEqual(told(inFolders));
  });
});
