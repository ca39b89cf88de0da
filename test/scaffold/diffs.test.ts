import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { applied, lineageIn, TREE, type VersionParts } from '../dialects/three-ways';
import { analyseTexts } from '../support/project';

const LIMIT = '\tif (n == 7)\n\t\tn = 6;\n';
const OPEN = '\tif (flags & 4)\n\t\treturn -EPERM;\n';
const GOOD: VersionParts = { limit: LIMIT };

/** v2 of a lineage, with what it does to the kernel in callbacks of vmlinux. */
const DEBUGFS: VersionParts = {
  limit: LIMIT,
  sys: `static int acme_pre_patch(OBJECT *obj)
{
	if (IS_ERR(debugfs_create_dir("acme_calls", NULL)))
		return -ENOMEM;
	return 0;
}

static void acme_post_unpatch(OBJECT *obj)
{
	debugfs_lookup_and_remove("acme_calls", NULL);
}
`,
  callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
};
const VALUE: VersionParts = {
  limit: LIMIT,
  sys: `static void acme_post_patch(OBJECT *obj)
{
	acme_calls = 99;
}

static void acme_pre_unpatch(OBJECT *obj)
{
	acme_calls = 3;
}
`,
  callbacks: { post_patch: 'acme_post_patch', pre_unpatch: 'acme_pre_unpatch' },
};
const SAVED: VersionParts = {
  limit: LIMIT,
  sys: `static void acme_post_patch(OBJECT *obj)
{
	int *saved = klp_shadow_alloc(NULL, 0x77, sizeof(*saved), GFP_KERNEL, NULL, NULL);

	if (!saved)
		return;
	*saved = acme_calls;
	acme_calls = 99;
}

static void acme_pre_unpatch(OBJECT *obj)
{
	int *saved = klp_shadow_get(NULL, 0x77);

	if (!saved)
		return;
	acme_calls = *saved;
	klp_shadow_free(NULL, 0x77, NULL);
}
`,
  callbacks: { post_patch: 'acme_post_patch', pre_unpatch: 'acme_pre_unpatch' },
};
const SHADOW: VersionParts = {
  open: `	{
		int *count = klp_shadow_get_or_alloc(acme, 0x51, sizeof(*count), GFP_KERNEL, NULL, NULL);

		if (count)
			(*count)++;
	}
`,
  core: `static void acme_core_post_unpatch(OBJECT *obj)
{
	klp_shadow_free_all(0x51, NULL);
}
`,
  moduleCallbacks: { post_unpatch: 'acme_core_post_unpatch' },
};
const NOTIFIER: VersionParts = {
  sys: `static int acme_event(struct notifier_block *nb, unsigned long event, void *data)
{
	return NOTIFY_OK;
}
static struct notifier_block acme_nb = {
	.notifier_call = acme_event,
};
static int acme_pre_patch(OBJECT *obj)
{
	return register_netdevice_notifier(&acme_nb);
}
`,
  callbacks: { pre_patch: 'acme_pre_patch' },
};

type Dialect = 'kpatch' | 'klp-build';

async function scaffolded(good: VersionParts, faulty: VersionParts, dialect: Dialect, context = 3) {
  const files = lineageIn(dialect, [good, faulty], context);
  const answer = scaffoldAnswer(await analyseTexts(files), 'v1', ['v2'], 'v3');
  const made: Record<string, string> = {};
  if (answer.ok) for (const { path, text } of answer.files) made[path.replace('/lineage/', '')] = text;
  return { files, answer, made };
}

async function granted(good: VersionParts, faulty: VersionParts, dialect: Dialect, context = 3) {
  const { files, answer, made } = await scaffolded(good, faulty, dialect, context);
  if (!answer.ok) throw new Error(answer.reasons.join('\n'));
  const diffs = Object.values(made);
  // Both programs that tools apply diffs with take them, one after the other, without fuzz.
  const after = applied(diffs);
  appliesWithGit(diffs);
  const text = files['livepatch.yaml'] ?? '';
  const edit = answer.manifestEdits[0] ?? { start: 0, end: 0, text: '' };
  const analysis = await analyseTexts({
    ...files,
    ...made,
    'livepatch.yaml': text.slice(0, edit.start) + edit.text + text.slice(edit.end),
  });
  const [v1, v2, v3] = analysis.lineage.versions;
  if (!v1 || !v2 || !v3) throw new Error('three versions are wanted');
  const word = (from: typeof v1 | null): string => analysis.transitions.transition(from, v3).run.verdict.word;
  return { made, after, notes: answer.notes, analysis, v1, v3, over: word(v2), alone: word(null) };
}

function appliesWithGit(diffs: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'diffs-'));
  try {
    for (const [name, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    for (const diff of diffs) execFileSync('git', ['apply'], { cwd: folder, input: diff, stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.for([
  ['kpatch', 'KPATCH', 'patch_object'],
  ['klp-build', 'KLP', 'struct klp_object'],
] as const)('a file that is found by its name, for %s', async ([dialect, macro, object]) => {
  const { made, after, over, alone, v3 } = await granted(GOOD, DEBUGFS, dialect);
  expect(Object.keys(made)).toEqual(['v3/a.patch', 'v3/klp-cleanup.patch']);
  expect(made['v3/a.patch']).toBe(lineageIn(dialect, [GOOD])['v1/a.patch']);
  const cleanup = made['v3/klp-cleanup.patch'] ?? '';
  expect(cleanup).toContain('+\tstruct dentry *entry = debugfs_lookup("acme_calls", NULL);');
  expect(cleanup).toContain(`+static void m_v3_cleanup(${object} *obj)`);
  expect(cleanup).toContain(`+${macro}_POST_PATCH_CALLBACK(m_v3_cleanup);`);
  expect(cleanup).toContain('--- a/kernel/acme_sys.c\n');
  expect([over, alone]).toEqual(['clean', 'clean']);
  expect(v3.dialect).toBe(dialect);
  expect(
    v3.facts?.patch?.objects?.map(({ name, callbacks }) => [name, callbacks.map((it) => it.callback)]),
  ).toEqual([[null, ['post_patch']]]);
  // The cleanup stands between two functions, not in one.
  expect(after['kernel/acme_sys.c']).toMatch(/\n}\n\n#include <linux\/dcache\.h>\n/);
});

test('a value that was saved in a shadow variable is restored from it, and the variable is freed', async () => {
  const { made, over, alone } = await granted(GOOD, SAVED, 'kpatch');
  const cleanup = made['v3/klp-cleanup.patch'] ?? '';
  expect(cleanup).toContain('+\tvoid *saved = klp_shadow_get(NULL, 119);');
  expect(cleanup).toMatch(/\+\tif \(saved\) \{\n\+\t\tacme_calls = \*\(int \*\)saved;/);
  expect(cleanup).toContain('+\tklp_shadow_free_all(0x77, NULL);');
  expect(cleanup.indexOf('saved = klp')).toBeLessThan(cleanup.indexOf('free_all(0x77'));
  expect([over, alone]).toEqual(['clean', 'clean']);
});

test('shadow variables of a module are freed in a callback of vmlinux, which always runs', async () => {
  const { made, over, alone, v3 } = await granted(GOOD, SHADOW, 'kpatch');
  expect(made['v3/klp-cleanup.patch']).toContain('+\tklp_shadow_free_all(0x51, NULL);');
  expect([over, alone]).toEqual(['clean', 'clean']);
  const vmlinux = v3.facts?.patch?.objects?.find(({ name }) => name === null);
  expect(vmlinux?.callbacks.map(({ callback }) => callback)).toEqual(['post_patch']);
});

test('the file of the faulty version takes it where the good one patches a module only', async () => {
  const { made, after, v3, over } = await granted({ open: OPEN }, DEBUGFS, 'kpatch', 8);
  expect(made['v3/klp-cleanup.patch']).toContain('--- a/kernel/acme_sys.c\n');
  expect(after['kernel/acme_sys.c']).toContain('KPATCH_POST_PATCH_CALLBACK(m_v3_cleanup);');
  expect(v3.facts?.patch?.objects?.map(({ name }) => name).sort()).toEqual(['acme', null]);
  expect(over).toBe('clean');
});

test("the good version's own post_patch of vmlinux runs behind the cleanup", async () => {
  const own: VersionParts = {
    limit: LIMIT,
    sys: 'static void acme_good_post_patch(OBJECT *obj)\n{\n\tpr_info("patched\\n");\n}\n',
    callbacks: { post_patch: 'acme_good_post_patch' },
  };
  const { made, after, v3, over } = await granted(own, DEBUGFS, 'kpatch');
  const cleanup = made['v3/klp-cleanup.patch'] ?? '';
  expect(cleanup).toContain('-KPATCH_POST_PATCH_CALLBACK(acme_good_post_patch);');
  expect(cleanup).toContain('+\tacme_good_post_patch(obj);\n+}\n+KPATCH_POST_PATCH_CALLBACK(m_v3_cleanup);');
  expect((after['kernel/acme_sys.c'] ?? '').match(/POST_PATCH_CALLBACK/g)).toHaveLength(1);
  expect(v3.facts?.patch?.objects?.[0]?.callbacks.map((it) => it.function)).toEqual(['m_v3_cleanup']);
  expect(over).toBe('clean');
});

test.for([
  ['a pointer that only the faulty version knows', NOTIFIER, /acme_nb of v2 cannot be undone by v3/],
  ['a value whose original nobody handed over', VALUE, /acme_calls of v2 cannot be undone by v3/],
  [
    'a name of a file that is part of a module',
    {
      core: (SAVED.sys ?? '').replaceAll('acme_calls', 'acme_core_calls'),
      moduleCallbacks: SAVED.callbacks ?? {},
    },
    /drivers\/acme\/acme_core\.c, which is part of a module/,
  ],
] as const)('refused: %s', async ([, faulty, reason]) => {
  const { answer } = await scaffolded(GOOD, faulty, 'kpatch');
  expect(answer.ok ? [] : answer.reasons).toContainEqual(expect.stringMatching(reason));
});

test('refused: a good version that patches a module only, and no file of vmlinux is shown', async () => {
  const { answer } = await scaffolded({ open: OPEN }, SHADOW, 'klp-build');
  expect(answer.ok ? [] : answer.reasons).toEqual([
    expect.stringContaining('No diff of v1 or v2 shows a place'),
  ]);
});

test('refused: versions in two dialects', async () => {
  const files = {
    ...lineageIn('kpatch', [GOOD, GOOD]),
    'v2/a.patch': lineageIn('klp-build', [GOOD, DEBUGFS])['v2/a.patch'] ?? '',
  };
  const answer = scaffoldAnswer(await analyseTexts(files), 'v1', ['v2'], 'v3');
  expect(answer.ok ? [] : answer.reasons).toEqual([
    expect.stringContaining('v2 is written in the dialect klp-build and v1 in kpatch'),
  ]);
});
