import { expect, test } from 'vitest';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import { type Scaffold, scaffold } from '../../server/src/core/scaffold/scaffold';
import { analyseTexts } from '../support/project';
import { fix, manifest, replacement, TEMPLATE } from './tree';

const ONE = { rows: 'vmlinux do_one klpp_do_one\n', body: replacement('do_one') };

/** v1 has one fix, v2 one more with this init and cleanup. */
function lineage(body: string, template = TEMPLATE): Record<string, string> {
  return {
    'livepatch.yaml': manifest(['released', 'faulty']),
    'v1/livepatch_main.c': template,
    'v1/rpm/kernel-livepatch.spec': 'Version: 1\n',
    ...fix('v1/', 'bsc1', ONE),
    'v2/livepatch_main.c': template,
    ...fix('v2/', 'bsc1', ONE),
    ...fix('v2/', 'bsc2', { rows: '', body, init: true }),
  };
}

const REQUEST = { restore: 'v1', after: ['v2'], as: 'v3', out: null };

async function made(files: Record<string, string>): Promise<Scaffold> {
  return scaffold(await analyseTexts(files), REQUEST);
}

const LEAVES = `#include <linux/debugfs.h>

int livepatch_bsc2_init(void)
{
	debugfs_create_dir("acme", NULL);
	return 0;
}

void livepatch_bsc2_cleanup(void) {}
`;

test('v3 is the tree of v1 and one fix folder, with one line that sets the callback', async () => {
  const files = lineage(LEAVES);
  const answer = await made(files);
  if (!answer.ok) throw new Error(answer.reasons.join('\n'));
  const texts = new Map(answer.files.map(({ path, text }) => [path.replace('/lineage/', ''), text]));
  const fixFolder = 'v3/klp_cleanup_v2/';
  expect([...texts.keys()].sort()).toEqual([
    'v3/bsc1/Kbuild.inc',
    'v3/bsc1/livepatch_bsc1.c',
    'v3/bsc1/livepatch_bsc1.h',
    'v3/bsc1/patched_funcs.csv',
    `${fixFolder}Kbuild.inc`,
    `${fixFolder}livepatch_klp_cleanup_v2.c`,
    `${fixFolder}livepatch_klp_cleanup_v2.h`,
    `${fixFolder}patched_funcs.csv`,
    'v3/livepatch_main.c',
    'v3/rpm/kernel-livepatch.spec',
  ]);
  const before = TEMPLATE.split('\n');
  const added = (texts.get('v3/livepatch_main.c') ?? '').split('\n').filter((line) => !before.includes(line));
  expect(added).toEqual([
    '\t/* v3: cleanup. vmlinux is the first object. */',
    '\ttables[0].callbacks.post_patch = klp_cleanup_v2_post_patch;',
  ]);

  // What is written is read as any other tree and does what it is for.
  const text = applyChanges(
    files['livepatch.yaml'] ?? '',
    answer.manifestEdits.map((edit) => ({ file: '', ...edit })),
  );
  const after = await analyseTexts({ ...files, ...Object.fromEntries(texts), 'livepatch.yaml': text });
  expect(after.parsed.problems).toEqual([]);
  const [v1, v2, v3] = after.lineage.versions;
  if (!v1 || !v2 || !v3) throw new Error('three versions');
  expect(v3.dialect).toBe('suse');
  expect(v3.problems).toEqual([]);
  const [vmlinux] = v3.facts?.patch?.objects ?? [];
  expect(vmlinux?.callbacks.map(({ callback, function: by }) => [callback, by])).toEqual([
    ['post_patch', 'klp_cleanup_v2_post_patch'],
  ]);
  const word = (from: typeof v1 | null, to: typeof v1): string =>
    after.transitions.transition(from, to).run.verdict.word;
  expect(word(v2, v1)).not.toBe('clean');
  expect(word(v2, v3)).toBe('clean');
  expect(word(null, v3)).toBe('clean');
  expect(word(v1, v3)).toBe('clean');
});

test('a version that leaves nothing needs no fix folder', async () => {
  const answer = await made(lineage(LEAVES.replace('\tdebugfs_create_dir("acme", NULL);\n', '')));
  if (!answer.ok) throw new Error(answer.reasons.join('\n'));
  expect(answer.files.some(({ path }) => path.includes('klp_cleanup'))).toBe(false);
  expect(answer.files.find(({ path }) => path.endsWith('livepatch_main.c'))?.text).toBe(TEMPLATE);
});

test.each([
  ['a table that somebody else fills', TEMPLATE.replace('tables[] = {\n\t@@', 'tables[] = {\n\t/* */ @@')],
  [
    'callbacks of its own',
    TEMPLATE.replace('\treturn retval;', '\t(void)tables[0].callbacks.post_patch;\n\treturn retval;'),
  ],
])('a template with %s is refused, with the place', async (_what, template) => {
  const answer = await made(lineage(LEAVES, template));
  expect(answer.ok).toBe(false);
  if (answer.ok) return;
  expect(answer.reasons.join('\n')).toMatch(
    /^v1\/livepatch_main\.c: the template .* write the cleanup by hand\./,
  );
});

test('nothing is overwritten', async () => {
  const answer = await made({ ...lineage(LEAVES), 'v3/livepatch_main.c': '' });
  expect(answer.ok).toBe(false);
  if (!answer.ok) expect(answer.reasons.join('\n')).toContain('v3/livepatch_main.c: exists already');
});

test('what no other module could find is refused, with the reason', async () => {
  const answer = await made(lineage(LEAVES.replace('debugfs_create_dir("acme"', 'proc_mkdir("acme"')));
  expect(answer.ok).toBe(false);
  if (!answer.ok) expect(answer.reasons.join('\n')).toContain('the kernel has no lookup for proc entries');
});
