import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findingJson } from '../../server/src/cli/json';
import { Disk } from '../../server/src/host/files';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { placesOf } from '../../server/src/host/places-of';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { Units } from '../../server/src/host/units';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V2 = readFileSync(join(EXAMPLE, 'v2/livepatch_net_v2.c'), 'utf8');

/** Versions u1, u2, … over one tree of sources. */
const manifest = (versions: number, more = ''): string =>
  `lineage: l\nkernel: "6.1"\nversions:\n${Array.from(
    { length: versions },
    (_, i) =>
      `  - { version: v${i + 1}, module: lp_v${i + 1}, git: { revision: u${i + 1} }, sources: "*.c", status: released }\n`,
  ).join('')}${more}`;

function open(
  repository: GitRepository,
  text: string,
): { project: Project; revisions: Revisions; units: Units } {
  repository.write({ 'livepatch.yaml': text });
  const revisions = new Revisions(true);
  const files = new RevisionFiles(new Disk(), revisions);
  const units = new Units(files);
  const project = new Project(repository.path('livepatch.yaml'), repository.folder, files, units);
  project.analyse().findings();
  return { project, revisions, units };
}

test('what revisions share is read once and is one unit; what one of them changes is another', async () => {
  await GitRepository.with((repository) => {
    repository.write({
      'main.c': V2,
      'a.c': '#include "a.h"\nint a(void) { return A; }\n',
      'a.h': '#define A 1\n',
      'b.c': 'int b(void) { return 1; }\n',
    });
    repository.commit('u1');
    repository.commit('u2');
    // Another header: the same a.c means something else.
    repository.write({ 'a.h': '#define A 2\n' });
    repository.commit('u3');
    repository.write({ 'a.h': '#define A 1\n', 'b.c': 'int b(void) { return 2; }\n' });
    repository.commit('u4');
    const { project, revisions, units } = open(repository, manifest(4));
    // main.c, a.c with each header, b.c twice; the blobs are those and the two headers.
    expect(units.counters.opened).toBe(5);
    expect(revisions.blobs).toBe(6);
    const [v1, v2, v3, v4] = project
      .analyse()
      .lineage.versions.map((version) => version.program?.units ?? []);
    const named = (list: typeof v1, name: string): unknown =>
      list?.find((unit) => unit.file.endsWith(`/${name}`));
    expect(v1).toHaveLength(3);
    expect(v2).toEqual(v1);
    expect(named(v2, 'a.c')).toBe(named(v1, 'a.c'));
    expect(named(v3, 'a.c')).not.toBe(named(v1, 'a.c'));
    expect(named(v3, 'main.c')).toBe(named(v1, 'main.c'));
    expect(named(v4, 'a.c')).toBe(named(v1, 'a.c'));
    expect(named(v4, 'b.c')).not.toBe(named(v1, 'b.c'));

    // Asked again, and after something happened on the disk: revisions are resolved anew, nothing is read.
    const runs = revisions.program.runs;
    project.analyse().findings();
    expect(revisions.program.runs).toBe(runs);
    project.filesChanged();
    project.analyse().findings();
    expect(revisions.program.runs).toBe(runs + 1);
    expect([units.counters.opened, revisions.blobs]).toEqual([5, 6]);

    // A tag that moves is seen then.
    repository.git('tag', '--force', 'u4', 'u1');
    project.filesChanged();
    const moved = project.analyse().lineage.versions[3]?.program?.units ?? [];
    expect(moved.map((unit) => unit.file)).toEqual(v1?.map((unit) => unit.file));
    expect([units.counters.opened, revisions.blobs]).toEqual([5, 6]);
  });
});

test('an edit in one file of the draft reads that file again and nothing of the revisions', async () => {
  await GitRepository.with((repository) => {
    const files = {
      'main.c': V2,
      'a.c': 'int a(void) { return 1; }\n',
      'b.c': 'int b(void) { return 1; }\n',
    };
    repository.write(files);
    repository.commit('u1');
    repository.write({ 'a.c': 'int a(void) { return 2; }\n' });
    repository.commit('u2');
    const draft = '  - { version: v3, module: lp_v3, sources: "*.c" }\n';
    const { project, revisions, units } = open(repository, manifest(2, draft));
    const before = { runs: revisions.program.runs, opened: units.counters.opened };
    repository.write({ 'b.c': 'int b(void) { return 2; } /* longer */\n' });
    project.analyse().findings();
    expect(units.counters.opened).toBe(before.opened + 1);
    expect(revisions.program.runs).toBe(before.runs);
  });
});

test('places name the file as the manifest does and the oldest revision that has it', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': V2 });
    repository.commit('u1');
    repository.commit('u2');
    const draft = '  - { version: v3, module: lp_v3, sources: "*.c" }\n';
    const { project } = open(repository, manifest(2, draft));
    const places = placesOf(project);
    const json = project
      .analyse()
      .findings()
      .map((finding) => findingJson(finding, places)) as {
      file: string;
      revision?: string;
      line: number;
    }[];
    const inRevision = json.filter((finding) => finding.revision !== undefined);
    expect(inRevision.length).toBeGreaterThan(0);
    for (const finding of inRevision) expect(finding).toMatchObject({ file: 'main.c', revision: 'u1' });
    const [v1, , v3] = project.analyse().lineage.versions;
    const [old] = v1?.program?.units ?? [];
    const [now] = v3?.program?.units ?? [];
    expect(now?.file).toBe(repository.path('main.c'));
    expect(places.at({ file: now?.file ?? '', start: 0, end: 1 })).not.toHaveProperty('revision');
    expect(places.text({ file: old?.file ?? '', start: 0, end: 1 })).toBe('u1:main.c:1');
  });
});
