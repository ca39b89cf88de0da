import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { readSpec } from '../../server/src/core/init/suse-tree';
import { Disk } from '../../server/src/host/files';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { initManifest } from '../../server/src/host/init';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';
import { fix, replacement, sharedCount, TEMPLATE } from '../suse/tree';

beforeAll(() => startParser());

const spec = (version: string): Record<string, string> => ({
  'rpm/kernel-livepatch.spec': `Name: kernel-livepatch-@@RELEASE@@\nVersion:        ${version}\nRelease:        1\n%description\nVersion: none of this\n`,
});

test('the version of a spec', () => {
  expect(readSpec(spec('12')['rpm/kernel-livepatch.spec'] ?? '')).toEqual({ version: '12', release: '1' });
  expect(readSpec('version:\t3.1\r\n')).toEqual({ version: '3.1', release: '1' });
  expect(readSpec('Name: x\nVersion: @@VERSION@@\n')).toBeNull();
});

test('a version is the revision that raises the version of the spec, and the work tree the draft', async () => {
  await GitRepository.with((repository) => {
    const initOf = (): string => {
      const files = new RevisionFiles(new Disk(), new Revisions(true));
      const made = initManifest(files, repository.folder);
      if (!made.ok) throw new Error(made.reason);
      return made.text;
    };
    const hashes: string[] = [];
    const commit = (): void => {
      repository.git('add', '--all');
      repository.git('commit', '--quiet', '--allow-empty', '-m', 'm');
      hashes.push(repository.git('rev-parse', 'HEAD').slice(0, 16));
    };
    repository.write({ 'README.md': '' });
    commit();
    repository.write({ 'livepatch_main.c': TEMPLATE, ...spec('1') });
    commit();
    const bsc1 = fix('', 'bsc1', { rows: 'vmlinux do_one klpp_do_one\n', body: replacement('do_one') });
    repository.write(bsc1);
    commit();
    repository.write(spec('2'));
    commit();
    // Another line of the spec is no new version.
    repository.write({ 'rpm/kernel-livepatch.spec': `# more\n${spec('2')['rpm/kernel-livepatch.spec']}` });
    commit();
    expect(initOf().match(/- version: .*/g)).toEqual(['- version: v1', '- version: v2']);

    const body = replacement('do_two') + sharedCount('bsc2', 5);
    repository.write(fix('', 'bsc2', { rows: 'net_mod do_two klpp_do_two\n', body, init: true }));
    const text = initOf();
    writeFileSync(repository.path('livepatch.yaml'), text.replace(/^kernel: .*/m, 'kernel: "6.1"'));
    const analysis = new Project(repository.path('livepatch.yaml'), repository.folder, new Disk()).analyse();
    expect(analysis.parsed.problems).toEqual([]);
    expect(analysis.findings()).toEqual([]);
    const told = analysis.lineage.versions.map(({ name, module, entry, dialect, facts }) => [
      name,
      module,
      entry.git?.revision.value,
      entry.status.value,
      dialect,
      facts?.patch?.objects?.map((object) => [object.name, object.functions?.map(({ old }) => old)]),
    ]);
    expect(told).toEqual([
      ['v1', 'livepatch_1_1', hashes[1], 'released', 'suse', [[null, []]]],
      ['v2', 'livepatch_2_1', hashes[3], 'released', 'suse', [[null, ['do_one']]]],
      [
        'v3',
        'livepatch_3_1',
        undefined,
        'draft',
        'suse',
        [
          [null, ['do_one']],
          ['net_mod', ['do_two']],
        ],
      ],
    ]);
    expect(text).toContain('the work tree differs from the last version');
    expect(readFileSync(repository.path('livepatch_main.c'), 'utf8')).toBe(TEMPLATE);
  });
});

test('a tree without git is one draft', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'livepatch_main.c': TEMPLATE, ...spec('7') });
    const made = initManifest(new RevisionFiles(new Disk(), new Revisions(false)), repository.folder);
    if (!made.ok) throw new Error(made.reason);
    expect(made.text).toMatch(
      /- version: v7\n {4}module: livepatch_7_1\n {4}sources: "\."\n {4}dialect: suse\n/,
    );
  });
});
