import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Analysis } from '../../server/src/features/analysis';
import { Disk } from '../../server/src/host/files';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { Project } from '../../server/src/host/project';
import { startParser } from '../../server/src/host/start-parser';
import { GitRepository } from '../support/git-repository';

beforeAll(() => startParser());

const MODULE = (name: string): string => `#include <linux/module.h>
#include <linux/livepatch.h>
#include "fix.h"
static struct klp_func funcs[] = { { .old_name = NAME, .new_func = fixed }, { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int ${name}(void) { return klp_enable_patch(&patch); }
module_init(${name});
MODULE_INFO(livepatch, "Y");
MODULE_LICENSE("GPL");
`;
const HEADER = (name: string): string => `#define NAME "${name}"\nstatic void fixed(void) { }\n`;

const manifest = (git: string, sources = '"*.c"'): string => `lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: lp_v1
    git: ${git}
    sources: ${sources}
    status: released
`;

function analyse(repository: GitRepository, text: string, trusted = true): Analysis {
  repository.write({ 'livepatch.yaml': text });
  const files = new RevisionFiles(new Disk(), new Revisions(trusted));
  const analysis = new Project(repository.path('livepatch.yaml'), repository.folder, files).analyse();
  analysis.findings();
  return analysis;
}

/** What is reported at the manifest, with the text it stands under. */
function problems(analysis: Analysis): string[] {
  const text = analysis.text(analysis.manifestFile);
  return analysis
    .findings()
    .filter((finding) => finding.code === 'manifest-invalid')
    .map(({ message, place }) => `${text.slice(place.start, place.end)} -> ${message}`);
}

const patched = (analysis: Analysis): string[] =>
  (analysis.lineage.versions[0]?.facts?.patch?.objects ?? []).flatMap((object) =>
    (object.functions ?? []).map((it) => it.old ?? ''),
  );

/** A program that leaves a mark when it is run. */
function trap(repository: GitRepository, name: string): string {
  const path = repository.path(`../${name}`);
  writeFileSync(path, `#!/bin/sh\ntouch "${repository.path('../marks')}/${name}"\nexit 1\n`);
  chmodSync(path, 0o755);
  return path;
}

const marks = (repository: GitRepository): string[] => readdirSync(repository.path('../marks'));

test('nothing that a repository names is run, and its own objects are what is read', async () => {
  await GitRepository.with((repository) => {
    mkdirSync(repository.path('../marks'));
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    // Replaced objects: whoever follows refs/replace reads other text.
    const right = repository.git('rev-parse', 'HEAD:fix.h');
    repository.write({ 'other.h': HEADER('replaced') });
    const wrong = repository.git('hash-object', '-w', 'other.h');
    repository.git('replace', right, wrong);
    repository.write({ '.gitattributes': '*.c filter=evil diff=evil\n*.h filter=evil diff=evil\n' });
    for (const [key, name] of [
      ['core.fsmonitor', 'fsmonitor'],
      ['core.pager', 'pager'],
      ['core.editor', 'editor'],
      ['core.sshCommand', 'ssh'],
      ['core.askPass', 'askpass'],
      ['core.gitProxy', 'proxy'],
      ['core.alternateRefsCommand', 'alternate-refs'],
      ['credential.helper', 'credential'],
      ['diff.external', 'diff'],
      ['diff.evil.textconv', 'textconv'],
      ['filter.evil.smudge', 'smudge'],
      ['filter.evil.clean', 'clean'],
      ['filter.evil.process', 'process'],
      ['uploadpack.packObjectsHook', 'pack'],
      ['gpg.program', 'gpg'],
      ['pager.cat-file', 'cat-file-pager'],
      ['alias.cat-file', 'alias'],
    ] as const) {
      repository.git('config', key, name === 'alias' ? `!${trap(repository, name)}` : trap(repository, name));
    }
    mkdirSync(repository.path('../hooks'));
    for (const hook of [
      'post-checkout',
      'reference-transaction',
      'fsmonitor-watchman',
      'post-index-change',
    ]) {
      writeFileSync(
        repository.path(`../hooks/${hook}`),
        `#!/bin/sh\ntouch "${repository.path('../marks')}/${hook}"\n`,
      );
      chmodSync(repository.path(`../hooks/${hook}`), 0o755);
    }
    repository.git('config', 'core.hooksPath', repository.path('../hooks'));
    const before = marks(repository);

    const analysis = analyse(repository, manifest('{ revision: u1 }'));
    expect(problems(analysis)).toEqual([]);
    expect(patched(analysis)).toEqual(['right']);
    expect(marks(repository)).toEqual(before);
    // The traps work: whoever asks git without care is caught.
    expect(() => repository.git('diff', 'u1')).toThrow();
    expect(marks(repository)).toEqual(expect.arrayContaining(['fsmonitor', 'process']));
  });
});

test('objects that a partial clone lacks are said to be missing; nothing is fetched', async () => {
  await GitRepository.with((repository) => {
    mkdirSync(repository.path('../marks'));
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    repository.git('rm', '--quiet', 'main.c', 'fix.h');
    repository.commit('u2');
    repository.git('config', 'uploadpack.allowFilter', 'true');
    repository.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    for (const filter of ['blob:none', 'tree:0']) {
      const name = filter.replace(':', '-');
      repository.git(
        'clone',
        '--quiet',
        `--filter=${filter}`,
        `file://${repository.folder}`,
        repository.path(`../${name}`),
      );
      const clone = Object.create(repository, {
        folder: { value: repository.path(`../${name}`) },
      }) as GitRepository;
      // The person who hands this clone on lets it be fetched through a program of theirs.
      clone.git('config', 'protocol.allow', 'always');
      clone.git('config', 'protocol.ext.allow', 'always');
      clone.git('config', 'protocol.file.allow', 'always');
      clone.git('config', 'remote.origin.uploadpack', trap(repository, `${name}-uploadpack`));
      const analysis = analyse(clone, manifest('{ revision: u1 }'));
      expect(problems(analysis).join('\n')).toContain('objects missing');
      expect(patched(analysis)).toEqual([]);
      clone.git('config', 'remote.origin.url', `ext::${trap(repository, `${name}-ext`)}`);
      expect(problems(analyse(clone, manifest('{ revision: u1 }'))).join('\n')).toContain('objects missing');
      expect(marks(repository).filter((mark) => mark.startsWith(name))).toEqual([]);
      expect(() => clone.git('cat-file', '-p', 'u1:fix.h')).toThrow();
      expect(marks(repository)).toContain(`${name}-ext`);
    }
  });
});

test('objects in an alternate store are read', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    repository.git(
      'clone',
      '--quiet',
      '--shared',
      '--no-checkout',
      repository.folder,
      repository.path('../shared'),
    );
    const clone = Object.create(repository, {
      folder: { value: repository.path('../shared') },
    }) as GitRepository;
    expect(patched(analyse(clone, manifest('{ revision: u1 }')))).toEqual(['right']);
  });
});

test('a revision cannot be an option, and one that is not there is said where it stands', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    const option = `--upload-pack=touch ${repository.path('mark')}`;
    const files = new RevisionFiles(new Disk(), new Revisions(true));
    for (const revision of [
      option,
      '--all',
      '-h',
      'u9',
      'u1..u1',
      'u1:main.c',
      '0'.repeat(40),
      'a'.repeat(5000),
    ]) {
      const [answer] = files.revisions.open(files, repository.folder, [
        { revision, folder: repository.folder },
      ]);
      expect(answer).toMatchObject({ about: 'revision' });
    }
    expect(existsSync(repository.path('mark'))).toBe(false);
    expect(problems(analyse(repository, manifest('{ revision: u9 }')))).toEqual([
      expect.stringMatching(/^u9 -> .* has no revision u9: write a commit, tag or branch/),
    ]);
    expect(problems(analyse(repository, manifest(`{ revision: "${option}" }`))).join()).toContain(
      'no dash in front',
    );
  });
});

test('the folder, the files and what they are: each is said where it is written', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'a/main.c': MODULE('start'), 'a/fix.h': HEADER('right'), 'a/dir.c/x.h': '' });
    symlinkSync('main.c', repository.path('a/link.c'));
    repository.git('init', '--quiet', repository.path('a/sub.c'));
    const sub = Object.create(repository, { folder: { value: repository.path('a/sub.c') } }) as GitRepository;
    sub.commit('s1');
    repository.commit('u1');
    const at = (git: string, sources: string): string[] =>
      problems(analyse(repository, manifest(git, sources)));
    expect(at('{ revision: u1, path: b }', 'main.c')).toEqual([
      expect.stringMatching(/^b -> u1 has no folder b: set `path`/),
    ]);
    expect(at('{ revision: u1, path: a }', '[main.c, fix.c]')).toEqual([
      'fix.c -> fix.c cannot be read at that revision: there is no such file',
    ]);
    expect(at('{ revision: u1, path: a }', '[main.c, link.c, sub.c, dir.c]')).toEqual([
      'link.c -> link.c cannot be read at that revision: it is a symbolic link; name the file that it leads to',
      'sub.c -> sub.c cannot be read at that revision: it is a submodule',
      'dir.c -> dir.c cannot be read at that revision: it is a folder',
    ]);
    expect(at('{ revision: u1, path: a }', '"*.c"')).toEqual([]);
    expect(patched(analyse(repository, manifest('{ revision: u1 }', 'a/*.c')))).toEqual(['right']);
    expect(at('{ revision: u1 }', '"x/*.c"')).toEqual(['"x/*.c" -> x/*.c matches no file at that revision']);
    expect(at('{ revision: u1, path: .. }', '"*.c"')[0]).toMatch(/^git -> .*no git repository/);
    expect(at('{ revision: u1 }', '../../main.c')[0]).toMatch(/leads outside/);
  });
});

test('files that are too large, and more of them than git may answer at once', async () => {
  await GitRepository.with((repository) => {
    const filler = (size: number): string => `/*${'x'.repeat(size)}*/\n`;
    const files: Record<string, string> = { 'main.c': MODULE('start'), 'fix.h': HEADER('right') };
    for (let i = 0; i < 11; i++) files[`big${i}.c`] = `int big${i};\n${filler(7_000_000)}`;
    repository.write({ ...files, 'huge.c': filler(9_000_000) });
    repository.commit('u1');
    const analysis = analyse(repository, manifest('{ revision: u1 }'));
    // What is longer than the reader of C takes is said too, one by one.
    expect(problems(analysis).filter((it) => !it.includes('big'))).toEqual([
      '"*.c" -> huge.c cannot be read at that revision: it is larger than 8 MiB',
    ]);
    expect(patched(analysis)).toEqual(['right']);
  });
});

test('in a workspace that is not trusted git is not run, and that is said once per version', async () => {
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    const analysis = analyse(repository, manifest('{ revision: u1 }'), false);
    expect(problems(analysis)).toEqual([expect.stringMatching(/^git -> git is not run in a workspace/)]);
    expect(analysis.lineage.versions[0]?.facts).toBeNull();
  });
});

test('without git, with one that lies in the repository, or in a repository of somebody else', async () => {
  const path = process.env.PATH;
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    mkdirSync(repository.path('bin'));
    mkdirSync(repository.path('../marks'));
    writeFileSync(repository.path('bin/git'), `#!/bin/sh\ntouch "${repository.path('../marks')}/git"\n`);
    chmodSync(repository.path('bin/git'), 0o755);
    symlinkSync(repository.path('bin'), repository.path('../linked'));
    try {
      process.env.PATH = `${repository.path('bin')}:bin:.:${repository.path('../linked')}`;
      expect(problems(analyse(repository, manifest('{ revision: u1 }')))).toEqual([
        expect.stringMatching(/^git -> the git program is not on PATH: install git/),
      ]);
      process.env.PATH = `${process.env.PATH}:${path}`;
      expect(patched(analyse(repository, manifest('{ revision: u1 }')))).toEqual(['right']);
    } finally {
      process.env.PATH = path;
    }
    expect(marks(repository)).toEqual([]);
  });
});

test('a repository of somebody else is read where the person has declared it safe, and else not', async () => {
  const path = process.env.PATH;
  const real = (path ?? '').split(':').find((folder) => existsSync(join(folder, 'git')));
  await GitRepository.with((repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    mkdirSync(repository.path('../bin'));
    // As git answers in a folder that another user owns.
    const install = (declared: string): void => {
      writeFileSync(
        repository.path('../bin/git'),
        `#!/bin/sh
case "$*" in
"config --global -z --get-all safe.directory") printf '${declared}' ;;
"config "*) exit 1 ;;
*"safe.directory=${repository.folder}"*) exec ${real}/git "$@" ;;
*) echo "fatal: detected dubious ownership in repository at '${repository.folder}'" >&2; exit 128 ;;
esac
`,
      );
      chmodSync(repository.path('../bin/git'), 0o755);
    };
    try {
      process.env.PATH = `${repository.path('../bin')}:${path}`;
      install('/elsewhere\\0');
      expect(problems(analyse(repository, manifest('{ revision: u1 }')))).toEqual([
        expect.stringMatching(
          /^git -> .* belongs to another user, .* git config --global --add safe\.directory/,
        ),
      ]);
      install(`/elsewhere\\0${repository.folder}\\0`);
      expect(patched(analyse(repository, manifest('{ revision: u1 }')))).toEqual(['right']);
    } finally {
      process.env.PATH = path;
    }
  });
});

test('variables of the environment do not lead to another repository', async () => {
  await GitRepository.with(async (repository) => {
    repository.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('right') });
    repository.commit('u1');
    await GitRepository.with((other) => {
      other.write({ 'main.c': MODULE('start'), 'fix.h': HEADER('other') });
      other.commit('u1');
      process.env.GIT_DIR = join(other.folder, '.git');
      process.env.GIT_CONFIG_COUNT = '1';
      process.env.GIT_CONFIG_KEY_0 = 'core.hooksPath';
      process.env.GIT_CONFIG_VALUE_0 = other.folder;
      try {
        expect(patched(analyse(repository, manifest('{ revision: u1 }')))).toEqual(['right']);
      } finally {
        for (const key of ['GIT_DIR', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0'])
          delete process.env[key];
      }
    });
  });
});
