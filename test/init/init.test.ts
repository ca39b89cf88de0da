import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeManifest } from '../../server/src/core/init/make-manifest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { Disk } from '../../server/src/host/files';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { initManifest } from '../../server/src/host/init';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { klp, withFolder } from '../cli/run';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V1 = readFileSync(join(EXAMPLE, 'v1/livepatch_net_v1.c'), 'utf8');
const V2 = readFileSync(join(EXAMPLE, 'v2/livepatch_net_v2.c'), 'utf8');

interface Read {
  readonly version: string;
  readonly module: string;
  readonly sources: readonly string[];
  readonly status: string;
  readonly git: string | undefined;
}

/** The manifest's versions; it must be right by itself. */
function versionsOf(text: string): Read[] {
  const { manifest, problems } = parseManifest('livepatch.yaml', text);
  expect(problems).toEqual([]);
  return manifest.versions.map((it) => ({
    version: it.version.value,
    module: it.module.value,
    sources: it.sources.map((source) => source.value),
    status: it.status.value,
    git: it.git?.revision.value,
  }));
}

/** The manifest of these files, without git. */
function madeOf(files: Readonly<Record<string, string>>): {
  versions: Read[];
  text: string;
  notes: readonly string[];
} {
  const made = makeManifest({
    name: 'net fixes',
    files: Object.keys(files).sort(),
    text: (file) => files[file] ?? '',
    tags: [],
    kernel: '6.1',
  });
  if (!made.ok) throw new Error(made.reason);
  return { ...made, versions: versionsOf(made.text) };
}

const ENABLE = 'int init(void) { return klp_enable_patch(&patch); }';

test('folders side by side are versions, in the order of their numbers, the newest a draft', () => {
  const { versions, text } = madeOf({
    'v10/net-fix.c': ENABLE,
    'v10/more.c': '',
    'v2/net-fix-2.c': ENABLE,
    'v2/Kbuild': '# obj-m := wrong.o\nobj-m += net_fix_v2.o\nnet_fix_v2-y := net-fix-2.o \\\n  part.o\n',
    'v2/part.c': '',
    'v2/unused.c': '',
    'notes/readme.c': '',
  });
  expect(versions).toEqual([
    {
      version: 'v2',
      module: 'net_fix_v2',
      sources: ['v2/net-fix-2.c', 'v2/part.c'],
      status: 'released',
      git: undefined,
    },
    { version: 'v10', module: 'net_fix', sources: ['v10/*.c'], status: 'draft', git: undefined },
  ]);
  expect(text).toContain('module: net_fix # a guess: from the file name');
  expect(text).not.toMatch(/net_fix_v2 # a guess/);
});

test('names never coincide, whatever the folders and files are called', () => {
  const same = madeOf({ 'a/lp.c': ENABLE, 'b/lp.c': ENABLE, 'lp_c/lp_c.c': ENABLE, 'none/x y.c': ENABLE });
  expect(same.versions.map((it) => [it.version, it.module])).toEqual([
    ['a', 'lp_a'],
    ['b', 'lp_b'],
    ['v3', 'lp_c'],
    ['v1', 'x_y'],
  ]);
  expect(same.notes).toHaveLength(2);
  expect(same.text).toContain('# a guess: built as lp, but every version needs its own name');
  const odd = madeOf({ '[v1]/a*b.c': ENABLE, '[v1]/c d.c': '' });
  expect(odd.versions[0]?.sources).toEqual(['[v1]/a*b.c', '[v1]/c d.c']);
});

test('where there is nothing, that is said with what was looked for', () => {
  const made = makeManifest({ name: 'x', files: ['a.c'], text: () => '', tags: [], kernel: null });
  expect(made).toEqual({
    ok: false,
    reason:
      'x holds nothing that a lineage could be made of. Looked for: a livepatch_main.c with placeholders beside one folder for each fix; git tags at which one folder holds C files that call klp_enable_patch; folders with C files that call klp_enable_patch; folders with .patch or .diff files that change C of the kernel.',
  });
});

test('the manifest of the example in folders says what the example says', () => {
  const folder = withExample();
  try {
    const made = initManifest(new Disk(), folder);
    if (!made.ok) throw new Error(made.reason);
    expect(
      versionsOf(made.text).map(({ version, module, sources }) => ({ version, module, sources })),
    ).toEqual([
      { version: 'v1', module: 'livepatch_net_v1', sources: ['v1/*.c'] },
      { version: 'v2', module: 'livepatch_net_v2', sources: ['v2/*.c'] },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function withExample(): string {
  const folder = join(process.env.TMPDIR ?? '/tmp', `lineage-init-${process.pid}`);
  cpSync(EXAMPLE, folder, { recursive: true });
  rmSync(join(folder, 'livepatch.yaml'));
  return folder;
}

test('tags over one tree are versions; what the work tree has beyond them is the draft', async () => {
  await GitRepository.with((repository) => {
    repository.write({
      'src/net.c': 'int nothing;\n',
      'src/Kbuild': 'obj-m := livepatch_net_v1.o\nlivepatch_net_v1-y := net.o\n',
    });
    repository.commit('u0');
    repository.write({ 'src/net.c': V1 });
    repository.commit('u1');
    repository.write({ readme: '' });
    repository.commit('docs-1');
    repository.write({
      'src/net.c': V2,
      'src/Kbuild': 'obj-m := livepatch_net_v2.o\nlivepatch_net_v2-y := net.o\n',
    });
    repository.commit('u2');
    const dry = klp(['init', repository.folder, '--dry-run'], repository.folder);
    expect(dry.status).toBe(0);
    expect(existsSync(repository.path('livepatch.yaml'))).toBe(false);
    const written = klp(['init'], repository.folder);
    expect(written).toMatchObject({ status: 0, stderr: '' });
    expect(written.stdout).toContain('wrote livepatch.yaml');
    expect(written.stdout).toMatch(/note: Tag (?:docs-1|u1) has the sources of (?:docs-1|u1) unchanged/);
    const text = readFileSync(repository.path('livepatch.yaml'), 'utf8');
    expect(dry.stdout.startsWith(text)).toBe(true);
    expect(
      versionsOf(text).map(({ git, module, sources, status }) => [git, module, sources, status]),
    ).toEqual([
      [expect.stringMatching(/^(docs-1|u1)$/), 'livepatch_net_v1', ['*.c'], 'released'],
      ['u2', 'livepatch_net_v2', ['*.c'], 'released'],
    ]);
    const analysis = new Project(repository.path('livepatch.yaml'), repository.folder, new Disk()).analyse();
    expect(analysis.findings().filter((finding) => finding.code === 'manifest-invalid')).toEqual([]);
    expect(analysis.lineage.versions.every((version) => version.facts?.patch)).toBe(true);

    // It is there now.
    const again = klp(['init'], repository.folder);
    expect(again).toMatchObject({ status: 2, stdout: '' });
    expect(again.stderr).toContain('livepatch.yaml is there already and is not overwritten');
    expect(readFileSync(repository.path('livepatch.yaml'), 'utf8')).toBe(text);

    rmSync(repository.path('livepatch.yaml'));
    repository.write({ 'src/net.c': V2.replace('hangs', 'hung') === V2 ? `${V2}\n` : V2 });
    const made = initManifest(new RevisionFiles(new Disk(), new Revisions(true)), repository.folder);
    if (!made.ok) throw new Error(made.reason);
    const [, , draft] = versionsOf(made.text);
    expect(draft).toEqual({
      version: 'u3',
      module: 'livepatch_net_v2_u3',
      sources: ['src/*.c'],
      status: 'draft',
      git: undefined,
    });
  });
});

test('a folder that is none, and files that stay as they are', () => {
  withFolder({ 'a.c': ENABLE, 'x/livepatch.yml': 'lineage: x\n' }, (folder) => {
    expect(klp(['init', join(folder, 'a.c')]).stderr).toContain('it is not a folder');
    expect(klp(['init', join(folder, 'b')])).toMatchObject({ status: 2 });
    expect(klp(['init', join(folder, 'x')]).stderr).toContain('livepatch.yml is there already');
    expect(klp(['init', folder])).toMatchObject({ status: 0 });
    expect(versionsOf(readFileSync(join(folder, 'livepatch.yaml'), 'utf8'))).toHaveLength(1);
  });
});
