import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import { nextVersion } from '../../server/src/core/scaffold/next-version';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { Disk } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { klp } from '../cli/run';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V1 = readFileSync(join(EXAMPLE, 'v1/livepatch_net_v1.c'), 'utf8');
const V2 = readFileSync(join(EXAMPLE, 'v2/livepatch_net_v2.c'), 'utf8');

const manifest = (path: string): string => `lineage: net-fixes
kernel: "6.1"
versions:
  - version: v1
    module: livepatch_net_v1
    git: { revision: u1${path} }
    sources: "*.c"
    status: released
  - version: v2
    module: livepatch_net_v2
    git: { revision: u2${path} }
    sources: "*.c"
    status: faulty
`;

function open(repository: GitRepository): Project {
  return new Project(repository.path('livepatch.yaml'), repository.folder, new Disk());
}

test('the cleanup version of a git lineage is written beside the manifest and cleans up as predicted', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'src/net.c': V1 });
    repository.commit('u1');
    repository.write({ 'src/net.c': V2 });
    repository.commit('u2');
    repository.write({ 'livepatch.yaml': manifest(', path: src') });
    const head = repository.git('rev-parse', 'HEAD');

    const wrote = klp(
      ['scaffold', repository.folder, '--restore', 'v1', '--after', 'v2', '--as', 'v3'],
      repository.folder,
    );
    expect(wrote.stderr).toBe('');
    expect(wrote.status).toBe(0);
    expect(readFileSync(repository.path('src/net.c'), 'utf8')).toBe(V2);
    expect(repository.git('rev-parse', 'HEAD')).toBe(head);
    expect(repository.git('status', '--porcelain', '--untracked-files=all').split('\n').sort()).toEqual([
      '?? livepatch.yaml',
      '?? v3/Kbuild',
      '?? v3/livepatch_net_v3_cleanup.c',
      '?? v3/livepatch_net_v3_cleanup.h',
      '?? v3/net.c',
    ]);
    expect(readFileSync(repository.path('v3/livepatch_net_v3_cleanup.c'), 'utf8')).not.toContain('git-blob');

    const { lineage, transitions } = open(repository).analyse();
    const to = lineage.versions[2];
    const verdict = transitions.all().find((it) => it.from?.name === 'v2' && it.to === to)?.run.verdict;
    expect(verdict?.word).toBe('clean');
  });
});

test('the next version copies the files of the revision byte for byte', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'net.c': V1, 'net.h': '/* of u1 */\n' });
    repository.write({ 'net.c': `#include "net.h"\n${V1}` });
    repository.commit('u1');
    repository.write({ 'net.c': V2, 'net.h': '/* of u2 */\n' });
    repository.commit('u2');
    repository.write({ 'livepatch.yaml': manifest('') });
    const answer = nextVersion(open(repository).analyse(), { from: 'v1', as: 'v3', out: null });
    if (!answer.ok) throw new Error(answer.reasons.join());
    const written = new Map(answer.files.map((file) => [file.path, file.text]));
    expect(written.get(repository.path('v3/net.c'))).toBe(`#include "net.h"\n${V1}`);
    expect(written.get(repository.path('v3/net.h'))).toBe('/* of u1 */\n');
    const text = applyChanges(manifest(''), answer.manifestEdits);
    expect(text).toMatch(/version: v3[\s\S]*sources: "v3\/\*\.c"/);
    expect(text.slice(text.indexOf('v3'))).not.toContain('git');
    expect(existsSync(repository.path('v3'))).toBe(false);
  });
});

test('a header outside the folder that the work tree has otherwise is refused, and so is git for all versions', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'src/net.c': `#include "../common.h"\n${V1}`, 'common.h': '/* of u1 */\n' });
    repository.commit('u1');
    repository.write({ 'common.h': '/* of u2 */\n' });
    repository.commit('u2');
    repository.write({ 'livepatch.yaml': manifest(', path: src') });
    const request = ['v1', ['v2'], 'v3', null] as const;
    const refused = scaffoldAnswer(open(repository).analyse(), ...request);
    expect(refused).toMatchObject({
      ok: false,
      reasons: [expect.stringMatching(/^v1 includes u1:common\.h, which the work tree has otherwise/)],
    });
    const all = manifest(', path: src')
      .replaceAll(/ {4}git: .*\n/g, '')
      .replace('versions:', 'defaults: { git: { revision: u1, path: src } }\nversions:');
    repository.write({ 'livepatch.yaml': all });
    const inherited = nextVersion(open(repository).analyse(), { from: 'v1', as: 'v3', out: null });
    expect(inherited).toMatchObject({ ok: false, reasons: [expect.stringContaining('`defaults` gives')] });
  });
});
