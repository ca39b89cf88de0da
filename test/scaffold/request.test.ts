import { expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { commentText, cString, slug } from '../../server/src/core/scaffold/c-text';
import { newNames } from '../../server/src/core/scaffold/new-names';
import { granted, InMemory, netFixes, refused } from './in-memory';
import { livepatch, manifest, SHADOW_V2, STATE_V2 } from './sources';

const V1 = livepatch({});
const FILES = { 'v1/klp_v1.c': V1, 'v2/klp_v2.c': SHADOW_V2 };
const plain = (): InMemory => new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...FILES });

test.each([
  ['an unknown version to restore', 'v9', ['v2'], 'v3', 'No version is called "v9"'],
  ['an unknown faulty version', 'v1', ['v9'], 'v3', 'No version is called "v9"'],
  ['nothing to clean up after', 'v1', [], 'v3', 'No version is named'],
  ['the same version twice', 'v1', ['v1'], 'v3', 'at once'],
  ['a name that is taken', 'v1', ['v2'], 'v2', 'has "v2" already'],
  ['a name with a blank', 'v1', ['v2'], 'v 3', 'cannot be a version'],
  ['the name of the clean kernel', 'v1', ['v2'], 'none', 'cannot be a version'],
  ['a name with a line break', 'v1', ['v2'], 'v3\nobj-m := evil.o', 'cannot be a version'],
  ['a name too long for a module', 'v1', ['v2'], 'v'.repeat(60), 'at most 55'],
  ['a faulty version to restore', 'v2', ['v1'], 'v3', 'v2 is faulty'],
])('%s is refused', (_, restore, after, as, message) => {
  expect(refused(plain(), restore, after, as).join('\n')).toContain(message);
});

test('versions without readable sources are refused', () => {
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), 'v1/klp_v1.c': V1 });
  expect(refused(before, 'v1', ['v2'], 'v3')[0]).toMatch(
    /^livepatch\.yaml:5: the sources of v2 could not be read/,
  );
});

test('other dialects are refused', () => {
  const text = manifest(['v1', 'v2']).replace('status: faulty', 'status: faulty, dialect: kpatch');
  expect(refused(new InMemory({ 'livepatch.yaml': text, ...FILES }), 'v1', ['v2'], 'v3')[0]).toContain(
    'dialect kpatch',
  );
});

test('a good version that does not replace is refused at its klp_patch', () => {
  const v1 = V1.replace('\t.replace = true,\n', '');
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...FILES, 'v1/klp_v1.c': v1 });
  expect(refused(before, 'v1', ['v2'], 'v3')[0]).toMatch(/^v1\/klp_v1\.c:\d+: v1 does not set \.replace/);
});

test('files that exist are not overwritten', () => {
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...FILES, 'v3/Kbuild': '' });
  expect(refused(before, 'v1', ['v2'], 'v3')[0]).toMatch(/v3\/Kbuild: exists already/);
});

test('in a folder that holds other files, the new sources are named one by one', () => {
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...FILES, 'v3/notes.txt': '' });
  expect(granted(before, 'v1', ['v2'], 'v3').answer.manifestEdits[0]?.text).toContain(
    'sources: [v3/klp_v3_main.c, v3/klp_v3_cleanup.c]',
  );
});

test('headers of v1 inside its folder are copied, those outside are found where they are', () => {
  const v1 = V1.replace(
    'static struct klp_patch patch;',
    '#include "own.h"\n#include "../shared.h"\nstatic struct klp_patch patch;',
  );
  const files = {
    ...FILES,
    'v1/klp_v1.c': v1,
    'v1/own.h': '#define OWN 1\n',
    'shared.h': '#define SHARED 1\n',
  };
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...files });
  const { answer, after } = granted(before, 'v1', ['v2'], 'v3');
  expect(answer.files.map((file) => file.path)).toContain('/lineage/v3/own.h');
  expect(answer.files.map((file) => file.path).some((path) => path.endsWith('shared.h'))).toBe(false);
  expect(after.version('v3').program?.units.flatMap((unit) => unit.missingIncludes)).toEqual([]);
  expect(refused(before, 'v1', ['v2'], 'v3', '/lineage/far/away')[0]).toContain('../shared.h');
});

test('sources beside the manifest go into a folder below it; dashes in file names stay dashes', () => {
  const text = manifest(['v1', 'v2']).replace('v1/klp_v1.c', 'klp-v1.c');
  const before = new InMemory({ 'livepatch.yaml': text, 'klp-v1.c': V1, 'v2/klp_v2.c': SHADOW_V2 });
  const { answer, file } = granted(before, 'v1', ['v2'], 'v3');
  expect(answer.files.map((item) => item.path)).toContain('/lineage/v3/klp-v3_main.c');
  expect(file('Kbuild')).toContain('klp_v3-y := klp-v3_main.o klp_v3_cleanup.o');
});

test('a module of several files keeps them', () => {
  const text = manifest(['v1', 'v2']).replace('[v1/klp_v1.c]', '[v1/klp_v1.c, v1/fix.c]');
  const before = new InMemory({
    'livepatch.yaml': text,
    ...FILES,
    'v1/fix.c': 'int acme_fix(void)\n{\n\treturn 0;\n}\n',
  });
  const { answer, file } = granted(before, 'v1', ['v2'], 'v3');
  expect(file('fix.c')).toBe('int acme_fix(void)\n{\n\treturn 0;\n}\n');
  expect(file('Kbuild')).toContain('klp_v3-y := klp_v3_main.o fix.o klp_v3_cleanup.o');
  expect(answer.manifestEdits[0]?.text).toContain('sources: "v3/*.c"');
});

test('module names follow the good module', () => {
  const { lineage } = netFixes();
  const named = (restore: { name: string; module: string }, as: string): unknown =>
    newNames(lineage, restore, as);
  expect(named({ name: 'v1', module: 'livepatch_net_v1' }, 'v3')).toEqual({
    version: 'v3',
    module: 'livepatch_net_v3',
    folder: 'v3',
  });
  // Versions that are called like their modules, as the folders of one's own often are.
  expect(named({ name: 'net-fix-1', module: 'net_fix_1' }, 'net-fix-3')).toMatchObject({
    version: 'net-fix-3',
    module: 'net_fix_3',
  });
  expect(named({ name: 'net-fix-1', module: 'net_fix_1' }, 'v3')).toMatchObject({
    version: 'v3',
    module: 'net_fix_3',
  });
  expect(named({ name: 'net-fix-1', module: 'net_fix_1' }, 'third')).toMatchObject({
    version: 'third',
    module: 'net_fix_1_third',
  });
  expect(named({ name: '1.0', module: 'kfix_1_0' }, '1.0.1')).toEqual({
    version: '1.0.1',
    module: 'kfix_1_0_1',
    folder: '1.0.1',
  });
  expect(named({ name: 'u1', module: 'kfix' }, 'u3')).toEqual({
    version: 'u3',
    module: 'kfix_u3',
    folder: 'u3',
  });
  expect(named({ name: 'v1', module: 'kfix_1' }, 'v3')).toEqual({
    version: 'v3',
    module: 'kfix_3',
    folder: 'v3',
  });
  // A version's name may hold what a folder's may not.
  expect(named({ name: 'v1', module: 'kfix_v1' }, '../../v3')).toEqual({
    version: '../../v3',
    module: 'kfix_v3',
    folder: 'kfix_v3',
  });
});

const HOSTILE = ['v2*/int:evil/*', 'v2%s%n\\', 'v2//evil', '$(shell:reboot)', 'v2#${evil}'];

test.each(HOSTILE)('a version called %s stays inside comments and strings', (name) => {
  const text = manifest(['v1', 'v2']).replace('version: v2', `version: ${JSON.stringify(name)}`);
  const files = { ...FILES, 'v2/klp_v2.c': STATE_V2 };
  const { file, after } = granted(new InMemory({ 'livepatch.yaml': text, ...files }), 'v1', [name], 'v3');
  const cleanup = file('_cleanup.c');
  const provider = { text: () => cleanup, resolve: () => undefined };
  const unit = openUnit('/x.c', provider, { defines: {}, kernelRelease: '6.1' }, new CSource());
  expect([...unit.functions.keys()]).toEqual([
    'left_state',
    'restore_left_console_loglevel',
    'free_left_state_1_data',
    'klp_v3_cleanup',
  ]);
  expect([...unit.variables.keys()]).toEqual(['klp_v3_states']);
  for (const line of file('Kbuild').split('\n'))
    expect(line).toMatch(/^(#[^\\]*|obj-m := klp_v3\.o|klp_v3-y := [a-z0-9_. ]+)?$/);
  expect(after.run(`load klp_v2`, 'load v3', 'unload klp_v2').verdict.word).toBe('clean');
});

test('names of files in debugfs are escaped as C strings', () => {
  const v2 = livepatch({
    code: `static struct dentry *dentry;

static void file_post_patch(struct klp_object *obj)
{
	dentry = debugfs_create_file("a\\"b\\\\c%s*/\\n", 0444, NULL, NULL, NULL);
}

static void file_post_unpatch(struct klp_object *obj)
{
	debugfs_remove(dentry);
}
`,
    callbacks: { post_patch: 'file_post_patch', post_unpatch: 'file_post_unpatch' },
  });
  const before = new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), ...FILES, 'v2/klp_v2.c': v2 });
  const { file, after } = granted(before, 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain('debugfs_lookup("a\\"b\\\\c%s*/\\n", NULL)');
  expect(file('_cleanup.c')).toContain('%%s');
  expect(after.run('load v2', 'load v3', 'unload v2').end.effects()).toEqual([]);
});

test('texts for comments and strings', () => {
  expect(commentText('a */ b /* c')).toBe('a * / b / * c');
  expect(commentText('**/')).toBe('** /');
  expect(commentText('a\nb\u202ec\\')).toBe('a b c/');
  expect(commentText('x'.repeat(500))).toHaveLength(120);
  expect(cString('a"b\\\n\t')).toBe('"a\\"b\\\\\\n\\t"');
  expect(cString('\u00e9\u0000')).toBe('"\\303\\251\\000"');
  expect(cString('??/')).toBe('"?\\?/"');
  expect(slug('<NULL, 0x51>')).toBe('null_0x51');
  expect(slug('\u00e9')).toBe('x');
});
