import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPatchedFuncs } from '../../server/src/core/csource/dialects/patched-funcs';
import { MAX_LOST } from '../../server/src/core/execution/overruns';
import { steps } from '../../server/src/core/lineage/run';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { parseSteps } from '../../server/src/core/manifest/steps';
import type { Analysis } from '../../server/src/features/analysis';
import { panelModel } from '../../server/src/features/panel';
import { readTypedSteps } from '../../server/src/features/simulate-answer';
import { readBuilt } from '../../server/src/host/built';
import { Disk } from '../../server/src/host/files';
import { GitProgram } from '../../server/src/host/git/program';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { initManifest } from '../../server/src/host/init';
import { Project } from '../../server/src/host/project';
import { resolveSources } from '../../server/src/host/sources';
import { Workspace } from '../../server/src/host/workspace';
import { klp } from '../cli/run';
import { FILES } from '../features/fixture';
import { GitRepository } from '../support/git-repository';
import { MemoryFiles } from '../support/memory-files';
import { projectOfTexts } from '../support/project';

/** One more than is allowed: what is said then. docs/limits.md lists them all. */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineage-limits-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PLACE = { file: 'livepatch.yaml', start: 0, end: 0 };
const named = (value: string): { value: string; place: typeof PLACE } => ({ value, place: PLACE });

function messagesOf(manifest: string): string[] {
  return parseManifest('f', manifest).problems.map(({ message }) => message);
}

function manifestOf(count: number): string {
  const versions = Array.from(
    { length: count },
    (_, i) => `  - { version: v${i}, module: m${i}, sources: a.c }\n`,
  );
  return `lineage: l\nkernel: "6.1"\nversions:\n${versions.join('')}`;
}

test('a lineage of more versions than any kernel lives to see', () => {
  const at = 'A lineage has at most 500 versions, and this one 501: the rest is not read.';
  expect(messagesOf(manifestOf(501))).toEqual([at]);
  expect(messagesOf(manifestOf(500))).toEqual([]);
  expect(parseManifest('f', manifestOf(501)).manifest.versions).toHaveLength(500);
});

test('a manifest that is too long, and one that is nested too deeply', () => {
  expect(messagesOf(`# ${'x'.repeat(1_000_000)}`)[0]).toMatch(/the limit is 1000000: it is not read/);
  expect(messagesOf(`lineage: ${'['.repeat(40)}`)[0]).toMatch(/^Nested more than 32 levels deep/);
});

test('more steps than are read, and more than are typed', async () => {
  const { steps: read, problems } = parseSteps('load v1; '.repeat(10_001));
  expect(read).toHaveLength(10_000);
  expect(problems.at(-1)?.message).toBe('More than 10000 steps: the rest is not read.');
  const analysis = (await projectOfTexts(FILES)).project.analyse();
  expect(readTypedSteps(analysis, 'load v1; '.repeat(501))).toMatchObject({
    problem: 'More than 500 steps: use klp-lineage simulate.',
  });
});

test('a table of patched functions with too many rows', () => {
  const { rows, problems } = readPatchedFuncs('vmlinux old klpp_new\n'.repeat(10_001));
  expect(rows).toHaveLength(10_000);
  expect(problems.map(({ message }) => message)).toEqual(['More than 10000 rows: the rest is not read.']);
  const broken = readPatchedFuncs('vmlinux\n'.repeat(30_000));
  expect(broken.problems).toHaveLength(10_001);
});

test('a version of too many files, and a pattern that looks at too many', () => {
  const many = Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`v1/f${i}.c`, '']));
  const files = new MemoryFiles('/lineage', many);
  const found = resolveSources(files, '/lineage/livepatch.yaml', '/lineage', [named('v1/*.c')]);
  expect(found.files).toHaveLength(2_000);
  expect(found.problems.map(({ message }) => message)).toEqual([
    'more than 2000 source files: only the first 2000 are read',
  ]);
  mkdirSync(join(folder, 'wide'));
  for (let i = 0; i <= 20_000; i++) writeFileSync(join(folder, 'wide', `f${i}.txt`), '');
  const walked = resolveSources(new Disk(), join(folder, 'livepatch.yaml'), folder, [named('wide/*.c')]);
  expect(walked.problems.map(({ message }) => message)).toContain(
    'wide/*.c looks at more than 20000 files: name a smaller folder',
  );
}, 60_000);

test('a pattern of too many alternatives, and one that goes too deep', () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`v/f${i}.c`, '']));
  const deep = `${Array.from({ length: 33 }, (_, i) => `d${i}`).join('/')}/x.c`;
  const files = new MemoryFiles('/lineage', { ...many, [deep]: '', 'd0/y.c': '' });
  const said = (...patterns: string[]): string[] =>
    resolveSources(files, '/lineage/livepatch.yaml', '/lineage', patterns.map(named)).problems.map(
      ({ message }) => message,
    );
  const list = (count: number): string =>
    `v/{${Object.keys(many)
      .slice(0, count)
      .map((it) => it.slice(2))
      .join()}}`;
  expect(said(list(256))).toEqual([]);
  expect(said(list(257))).toEqual([
    `${list(257)} stands for more than 256 patterns: write several, the rest is not looked for`,
  ]);
  expect(said('{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*', 'd0/*.c')[0]).toContain(
    'more than 256 patterns',
  );
  expect(said('**/*.c')).toEqual(['**/*.c goes more than 32 folders deep: name a deeper folder']);
  expect(said('d0/d1/**/*.c')).toEqual([]);
});

test('the same in a revision', async () => {
  await GitRepository.with((repository) => {
    const deep = Array.from({ length: 33 }, (_, i) => `d${i}`).join('/');
    repository.write({ [`${deep}/x.c`]: 'int x;\n', 'd0/y.c': 'int y;\n' });
    repository.commit('u1');
    const said = (sources: string): string[] => {
      repository.write({
        'livepatch.yaml': `lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m, git: { revision: u1 }, sources: "${sources}" }]\n`,
      });
      const files = new RevisionFiles(new Disk(), new Revisions(true));
      const analysis = new Project(repository.path('livepatch.yaml'), repository.folder, files).analyse();
      return analysis.findings().map(({ message }) => message);
    };
    expect(said('**/*.c')).toContain('**/*.c goes more than 32 folders deep: name a deeper folder');
    expect(said('d0/*.c').join()).not.toContain('folders deep');
    const braces = '{a,b}'.repeat(9);
    expect(said(`d0/{y.c,${braces}}`).join()).toContain('stands for more than 256 patterns');
  });
});

test('a git that does not come to an end', () => {
  const path = process.env.PATH;
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'work'));
  writeFileSync(join(folder, 'bin', 'git'), '#!/bin/sh\nexec sleep 600\n');
  chmodSync(join(folder, 'bin', 'git'), 0o755);
  process.env.PATH = `${join(folder, 'bin')}:${path}`;
  try {
    expect(new GitProgram(300).run(join(folder, 'work'), ['cat-file', '--batch'])).toMatchObject({
      message: 'git took longer than 0.3 s and was ended',
    });
  } finally {
    process.env.PATH = path;
  }
});

test('files that are too large, as text, as bytes, and unpacked', () => {
  for (const [name, size] of [
    ['a.c', 8 * 1024 * 1024 + 1],
    ['a.ko', 64 * 1024 * 1024 + 1],
  ] as const) {
    writeFileSync(join(folder, name), '');
    truncateSync(join(folder, name), size);
  }
  expect(new Disk().read(join(folder, 'a.c'))).toEqual({ reason: 'it is larger than 8 MiB' });
  expect(readBuilt(join(folder, 'a.ko'), new Disk(), PLACE)).toEqual({ problem: 'it is larger than 64 MiB' });
  writeFileSync(join(folder, 'a.ko.gz'), gzipSync(Buffer.alloc(256 * 1024 * 1024 + 1)));
  expect(readBuilt(join(folder, 'a.ko.gz'), new Disk(), PLACE)).toEqual({
    problem: 'its compression is damaged, or it unpacks to more than 256 MiB',
  });
}, 60_000);

test('C that is too long is left out, and the version says so', async () => {
  const { project } = await projectOfTexts({
    ...FILES,
    'v2.c': `${FILES['v2.c']}/* ${'x'.repeat(2_000_000)} */`,
  });
  const messages = project
    .analyse()
    .findings()
    .map(({ message }) => message);
  expect(messages).toContain('v2.c is not read: it is too large.');
});

test('diffs of too many hunks', async () => {
  const hunk = (n: number): string => `@@ -${n},1 +${n},1 @@\n-a\n+b\n`;
  const one = `--- a/kernel/a.c\n+++ b/kernel/a.c\n${hunk(1)}`;
  const files = `--- a/kernel/b.c\n+++ b/kernel/b.c\n${Array.from({ length: 20_000 }, (_, i) => hunk(i + 1)).join('')}`;
  const { project } = await projectOfTexts({
    'livepatch.yaml': 'lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m, sources: a.patch }]\n',
    'a.patch': one + files,
  });
  const messages = project
    .analyse()
    .findings()
    .map(({ message }) => message);
  expect(messages).toContain('More than 20000 hunks: the rest is not read.');
}, 60_000);

test('branches on unknown values: more than are tried both ways, and what the answer says of it', async () => {
  const asked = Array.from({ length: 70 }, (_, i) => `\tif (unknown_${i}()) known = ${i};\n`).join('');
  const { project } = await projectOfTexts({
    ...FILES,
    'v2.c': (FILES['v2.c'] ?? '').replace(
      'static int demo_pre_patch(struct klp_object *obj)\n{\n',
      (head) => `static int known;\n${head}${asked}`,
    ),
  });
  const analysis = project.analyse();
  const run = analysis.transitions.runOf(steps('load v2'), analysis.lineage.versions);
  expect(run.unknown.map(({ text }) => text).join('\n')).toMatch(
    /^7\d branches depend on unknown values; the first 64 were tried both ways$/m,
  );
});

test('loops and calls that do not end', async () => {
  const text = (body: string): Record<string, string> => ({
    ...FILES,
    'v2.c': (FILES['v2.c'] ?? '').replace(
      'static int demo_pre_patch(struct klp_object *obj)\n{\n',
      (head) => `static void again(int n) { again(n + 1); }\nstatic int i;\n${head}${body}`,
    ),
  });
  const unknown = async (body: string): Promise<string> => {
    const analysis = (await projectOfTexts(text(body))).project.analyse();
    return analysis.transitions
      .runOf(steps('load v2'), analysis.lineage.versions)
      .unknown.map((it) => it.text)
      .join('\n');
  };
  expect(await unknown('\tfor (;;) i++;\n')).toContain('a loop ran 10000 times');
  expect(await unknown('\tagain(0);\n')).toContain('calls nested more than 120 deep');
  expect(await unknown('\tint j; for (i = 0; i < 9000; i++) for (j = 0; j < 9000; j++) ;\n')).toContain(
    'the call runs too long',
  );
});

/** As many versions, each of whose callbacks holds a loop that goes on for ever. */
function endless(versions: number): Record<string, string> {
  const of = (n: number): string =>
    (FILES['v1.c'] ?? '')
      .replace('static struct klp_patch patch;', 'static struct klp_patch patch;\nstatic long n;')
      .replaceAll(
        /(static (?:int|void) demo_\w+patch\(struct klp_object \*obj\)\n\{\n)/g,
        `$1\tfor (n = ${n}; n; n++)\n\t\tfor (;;)\n\t\t\tif (n < 0)\n\t\t\t\tbreak;\n`,
      );
  const texts = Object.fromEntries(Array.from({ length: versions }, (_, i) => [`v${i + 1}.c`, of(i + 1)]));
  const entries = Object.keys(texts).map(
    (file, i) => `  - { version: v${i + 1}, module: demo_v${i + 1}, sources: ${file} }\n`,
  );
  return { 'livepatch.yaml': `lineage: l\nkernel: "6.1"\nversions:\n${entries.join('')}`, ...texts };
}

test('many calls that do not end: what all of them cost is bounded, said, and the same after edits', async () => {
  const texts = endless(5);
  const { project, files } = await projectOfTexts(texts);
  const told = (analysis: Analysis): string => JSON.stringify(analysis.findings());
  const analysis = project.analyse();
  const first = told(analysis);
  expect(analysis.transitions.exhausted).toBe(
    'too many calls ran too long, and those after them were ended sooner',
  );
  expect(panelModel(analysis, (file) => file).notices).toContain(
    'Not every way was tried: too many calls ran too long, and those after them were ended sooner.',
  );
  // Seventy runs of some ten calls of 100,000 statements each would be 70 millions.
  expect(analysis.transitions.ran).toBeGreaterThan(30);
  expect(analysis.transitions.overruns.lost).toBeGreaterThan(MAX_LOST);
  expect(analysis.transitions.overruns.lost).toBeLessThan(2_000_000);

  // One version ends now, and then does not again.
  files.write('/lineage/v3.c', FILES['v1.c'] ?? '');
  const ending = told(project.analyse());
  expect(ending).toBe(
    told((await projectOfTexts({ ...texts, 'v3.c': FILES['v1.c'] ?? '' })).project.analyse()),
  );
  files.write('/lineage/v3.c', texts['v3.c'] ?? '');
  expect(told(project.analyse())).toBe(first);
}, 120_000);

test('a search that was cut short is said in the terminal, in JSON, in SARIF, and in the editor', () => {
  const said =
    'Not every way was tried: too many calls ran too long, and those after them were ended sooner.';
  for (const [name, text] of Object.entries(endless(5))) writeFileSync(join(folder, name), text);
  expect(klp(['check', '.'], folder).stdout.split('\n')).toContain(said);
  expect(klp(['matrix', '.'], folder).stdout.split('\n')).toContain(said);
  expect(JSON.parse(klp(['check', '.', '--format', 'json'], folder).stdout)).toMatchObject({
    notices: [said],
  });
  expect(JSON.parse(klp(['check', '.', '--format', 'sarif'], folder).stdout)).toMatchObject({
    runs: [
      { invocations: [{ toolExecutionNotifications: [{ level: 'warning', message: { text: said } }] }] },
    ],
  });
  const workspace = new Workspace(new Disk());
  workspace.addFolder(folder);
  expect(workspace.notLookedAt).toBe('');
  workspace.findings();
  expect(workspace.notLookedAt).toContain(said);
  writeFileSync(join(folder, 'livepatch.yaml'), 'lineage: l\nkernel: "6.1"\nversions: []\n');
  workspace.diskChanged(join(folder, 'livepatch.yaml'), false);
  workspace.findings();
  expect(workspace.notLookedAt).toBe('');
  workspace.dispose();
}, 120_000);

test('where every call ends, nothing is ended sooner', async () => {
  const analysis = (await projectOfTexts(FILES)).project.analyse();
  analysis.findings();
  expect(analysis.transitions.exhausted).toBeNull();
  expect(analysis.transitions.overruns.lost).toBe(0);
});

test('a folder with more folders in it than manifests are looked for in', () => {
  for (let i = 0; i <= 2_000; i++) mkdirSync(join(folder, `d${i}`));
  const workspace = new Workspace(new Disk());
  workspace.addFolder(folder);
  expect(workspace.notLookedAt).toMatch(/manifests looked for in 2000 folders only/);
  workspace.removeFolder(folder);
  expect(workspace.notLookedAt).toBe('');
  workspace.dispose();
});

test('a folder with more files than a manifest is made from', () => {
  for (let i = 0; i <= 5_001; i++) writeFileSync(join(folder, `f${i}.c`), '');
  const made = initManifest(new Disk(), folder);
  expect(made.ok ? made.notes.join('\n') : made.reason).toContain(
    'Not all files were looked at: there are too many.',
  );
}, 60_000);

test('an answer of git that does not end', () => {
  const path = process.env.PATH;
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'work'));
  writeFileSync(join(folder, 'bin', 'git'), '#!/bin/sh\nexec head -c 68000000 /dev/zero\n');
  chmodSync(join(folder, 'bin', 'git'), 0o755);
  process.env.PATH = `${join(folder, 'bin')}:${path}`;
  try {
    const answer = new GitProgram().run(join(folder, 'work'), ['cat-file', '--batch']);
    expect(answer).toMatchObject({
      message: "git's answer is larger than 64 MiB: name fewer or smaller files",
    });
  } finally {
    process.env.PATH = path;
  }
}, 60_000);
