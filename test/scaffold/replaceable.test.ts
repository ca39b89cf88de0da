import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import type { Analysis } from '../../server/src/features/analysis';
import { quickFixes } from '../../server/src/features/code-actions';
import { replaceableAnswer } from '../../server/src/features/replaceable-answer';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { analyseTexts } from '../support/project';
import { livepatch, type Parts } from './sources';

const V2 = 'v2/klp_v2.c';
const OUT_OF_REACH = ['cleanup-impossible', 'unpublished-pointer'];

/** A lineage whose v1 has no callbacks and whose v2 is a draft. */
function lineage(v2: string, more: { status?: string; kernel?: string; v2?: string } = {}) {
  return {
    'livepatch.yaml': `lineage: draft
kernel: "${more.kernel ?? '6.1'}"
versions:
  - { version: v1, module: klp_v1, sources: [v1/klp_v1.c], status: released }
  - { version: v2, module: klp_v2, sources: [${V2}], status: ${more.status ?? 'draft'}${more.v2 ?? ''} }
`,
    'v1/klp_v1.c': livepatch({}),
    [V2]: v2,
  };
}

const codesOf = (analysis: Analysis): string[] => analysis.findings().map((finding) => finding.code);

/** What v2 reads after the edit, and the lineage with it. */
async function edited(files: Record<string, string>) {
  const analysis = await analyseTexts(files);
  expect(codesOf(analysis).some((code) => OUT_OF_REACH.includes(code))).toBe(true);
  const answer = replaceableAnswer(analysis, 'v2');
  const text = applyChanges(files[V2] ?? '', answer.changes);
  return { text, reasons: answer.reasons, after: await analyseTexts({ ...files, [V2]: text }) };
}

async function reasonsOf(files: Record<string, string>): Promise<string> {
  const answer = replaceableAnswer(await analyseTexts(files), 'v2');
  expect(answer.changes).toEqual([]);
  return answer.reasons.join('\n');
}

const NB = `static int on_module(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_OK;
}

static struct notifier_block nb = { .notifier_call = on_module };
`;
const PRE = `${NB}
static int v2_pre_patch(struct klp_object *obj)
{
	return register_module_notifier(&nb);
}

static void v2_post_unpatch(struct klp_object *obj)
{
	unregister_module_notifier(&nb);
}
`;
const CALLBACKS = { pre_patch: 'v2_pre_patch', post_unpatch: 'v2_post_unpatch' };
const INCLUDES = ['linux/notifier.h'];
const preNotifier = (parts: Parts = {}): string =>
  livepatch({ includes: INCLUDES, code: PRE, callbacks: CALLBACKS, ...parts });

/** A notifier and a thread, made in a post_patch beside a state of the version's own. */
const POST = livepatch({
  includes: [...INCLUDES, 'linux/kthread.h'],
  code: `${NB}
static struct task_struct *worker;

static int work(void *data)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static void v2_post_patch(struct klp_object *obj)
{
	register_module_notifier(&nb);
	worker = kthread_run(work, NULL, "work");
	if (IS_ERR(worker))
		worker = NULL;
}

static void v2_pre_unpatch(struct klp_object *obj)
{
	if (worker)
		kthread_stop(worker);
	worker = NULL;
	unregister_module_notifier(&nb);
}
`,
  callbacks: { post_patch: 'v2_post_patch', pre_unpatch: 'v2_pre_unpatch' },
  states: '{ .id = 8, .version = 3 },',
});

test('the second example: with the edit nothing is out of reach, and v3 cleans up after it', async () => {
  const folder = join(import.meta.dirname, '../../examples/module-watch');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const v2 = 'v2/livepatch_watch_v2.c';
  const files: Record<string, string> = {
    'livepatch.yaml': read('livepatch.yaml').replace('status: faulty', 'status: draft'),
    'v1/livepatch_watch_v1.c': read('v1/livepatch_watch_v1.c'),
    [v2]: read(v2),
  };
  const before = await analyseTexts(files);
  const refusal = scaffoldAnswer(before, 'v1', ['v2'], 'v3');
  expect(refusal.ok || refusal.reasons.join('\n')).toMatch(
    /notifier watch_nb of v2 cannot be undone by v3.*\nv2 is a draft: in the editor, "Livepatch: Make This Version Replaceable"/,
  );
  expect(refusal).toMatchObject({ ok: false, draft: 'v2' });
  const finding = before.findings().find((one) => one.code === 'cleanup-impossible');
  if (!finding) throw new Error('nothing is found');
  const fix = quickFixes(before, finding.place.file, finding.place).find(({ title }) =>
    title.startsWith('Make v2 replaceable'),
  );
  expect(fix).toMatchObject({ kind: 'quickfix', findings: [finding] });
  const edits = (fix?.edits ?? []).map(({ place, text }) => ({ start: place.start, end: place.end, text }));
  const text = applyChanges(read(v2), edits);
  // Only additions: every line of the draft is still there, in its order.
  const lines = text.split('\n');
  for (const line of read(v2).split('\n')) {
    expect(lines).toContain(line);
    lines.splice(0, lines.indexOf(line) + 1);
  }
  const after = await analyseTexts({ ...files, [v2]: text });
  expect(codesOf(after)).toEqual([]);
  const answer = scaffoldAnswer(after, 'v1', ['v2'], 'v3');
  if (!answer.ok) throw new Error(answer.reasons.join('\n'));
  expect(answer.files.find((file) => file.path.endsWith('_cleanup.c'))?.text).toContain(
    'unregister_module_notifier(prev->data);',
  );
});

test('a state table and a post_patch of its own are kept, and what was made last goes first', async () => {
  const { text, reasons, after } = await edited(lineage(POST));
  expect(reasons).toEqual([]);
  expect(text).toContain(
    '\t{ .id = 8, .version = 3 },\n\t{ .id = 9, .version = 1 },\n\t{ .id = 10, .version = 1 },\n\t{ }\n',
  );
  expect(text).toContain(`static void klp_v2_post_patch(struct klp_object *obj)
{
	struct klp_state *prev;

	prev = klp_get_prev_state(9);
	if (prev && prev->data)
		kthread_stop(prev->data);

	prev = klp_get_prev_state(10);
	if (prev && prev->data)
		unregister_module_notifier(prev->data);

	v2_post_patch(obj);

	klp_get_state(&patch, 9)->data = NULL;
	if (!IS_ERR(worker))
		klp_get_state(&patch, 9)->data = worker;
	klp_get_state(&patch, 10)->data = &nb;
}
`);
  expect(text).toContain('.post_patch = klp_v2_post_patch,');
  expect(text.match(/^static struct klp_patch patch;$/gm)).toHaveLength(1);
  expect(codesOf(after).filter((code) => OUT_OF_REACH.includes(code))).toEqual([]);
});

test('a later version with the same code takes over, reversed or not, and each is undone once', async () => {
  const files = lineage(preNotifier());
  const { text } = await edited(files);
  const manifest = files['livepatch.yaml'].replace(
    /$/,
    '  - { version: v3, module: klp_v3, sources: [v3/klp_v3.c] }\n',
  );
  const { lineage: next } = await analyseTexts({
    ...files,
    'livepatch.yaml': manifest,
    [V2]: text,
    'v3/klp_v3.c': text,
  });
  for (const way of [
    'load v2; load v3; unload v2; disable v3; unload v3',
    'load v1; load v2; unload v1; load v3; unload v2; disable v3; unload v3',
    'load v2; stall; load v3; disable v3; resume; unload v3; disable v2; unload v2',
    'load v2; stall; disable v2; enable v2; resume; load v3; unload v2; disable v3; unload v3',
  ]) {
    const result = run(next, steps(...way.split('; ')));
    expect(result.verdict.word, way).toBe('clean');
    expect(result.end.effects(), way).toEqual([]);
  }
  // Under v2 and under v3 there is one of them.
  const between = run(next, steps('load v2', 'load v3', 'unload v2')).end;
  expect(between.effects().filter((effect) => effect.row.noun === 'notifier').length).toBe(1);
});

test('line ends, and a klp_patch that is no static variable, stay as they are', async () => {
  const text = preNotifier()
    .replace('static struct klp_patch patch;\n\n', '')
    .replace('static struct klp_patch patch = {', 'struct klp_patch patch = {')
    .replaceAll('\n', '\r\n');
  const { text: done, after } = await edited(lineage(text));
  expect(done.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(done).toContain(
    '\r\nstruct klp_patch patch;\r\n\r\nstatic struct klp_state klp_v2_states[] = {\r\n',
  );
  expect(codesOf(after).filter((code) => OUT_OF_REACH.includes(code))).toEqual([]);
});

const REFUSED: Readonly<Record<string, readonly [Record<string, string>, RegExp]>> = {
  'a version that is out': [lineage(preNotifier(), { status: 'released' }), /^v2 is no draft any more\.$/],
  'another dialect': [
    lineage(preNotifier(), { v2: ', dialect: kpatch' }),
    /^v2 is written in the dialect kpatch, not in C\.$/,
  ],
  'a kernel without states': [lineage(preNotifier(), { kernel: '5.4' }), /^This kernel has no klp_state\.$/],
  'nothing to publish': [lineage(livepatch({})), /^v2 makes nothing that its successors cannot reach\.$/],
  'a local pointer': [
    lineage(
      preNotifier({
        code: PRE.replace(
          '\tunregister_module_notifier(&nb);',
          '\tstruct notifier_block *block = &nb;\n\n\tunregister_module_notifier(block);',
        ),
      }),
    ),
    /its undo is no call that gets one pointer of the file/,
  ],
  'an undo on a condition': [
    lineage(
      preNotifier({
        code: PRE.replace('static int v2_pre', 'static int registered = 1;\n\nstatic int v2_pre').replace(
          '\tunregister_module',
          '\tif (registered)\n\t\tunregister_module',
        ),
      }),
    ),
    /its undo hangs on a condition/,
  ],
  'callbacks that are no pair': [
    lineage(preNotifier({ callbacks: { pre_patch: 'v2_pre_patch', pre_unpatch: 'v2_post_unpatch' } })),
    /made in pre_patch, it is not undone in post_unpatch/,
  ],
  'a value': [
    lineage(
      livepatch({
        includes: ['linux/highuid.h'],
        code: 'static int saved;\n\nstatic void v2_post_patch(struct klp_object *obj)\n{\n\tsaved = overflowgid;\n\toverflowgid = 1;\n}\n\nstatic void v2_pre_unpatch(struct klp_object *obj)\n{\n\toverflowgid = saved;\n}\n',
        callbacks: { post_patch: 'v2_post_patch', pre_unpatch: 'v2_pre_unpatch' },
      }),
    ),
    /it is a value or memory that others may use/,
  ],
  'a callback of a module': [
    {
      ...lineage(
        preNotifier({
          objects:
            '\t{\n\t\t.name = "acme",\n\t\t.funcs = funcs,\n\t\t.callbacks = {\n\t\t\t.pre_patch = v2_pre_patch,\n\t\t\t.post_unpatch = v2_post_unpatch,\n\t\t},\n\t},\n',
        }),
      ),
    },
    /only callbacks of vmlinux may ask klp_get_prev_state\(\)/,
  ],
  'tables with an #if': [
    lineage(preNotifier().replace('\t\t.funcs = funcs,\n', '#if 1\n\t\t.funcs = funcs,\n#endif\n')),
    /The tables of v2 cannot be changed: /,
  ],
};

test.each(Object.entries(REFUSED))('by hand, with one reason: %s', async (_, [files, because]) => {
  expect(await reasonsOf(files)).toMatch(because);
});

test('what was read from a git revision is left alone', async () => {
  const analysis = await analyseTexts(lineage(preNotifier()));
  const at = Object.assign(Object.create(analysis) as Analysis, { revisionOf: () => 'v2' });
  expect(replaceableAnswer(at, 'v2')).toEqual({
    changes: [],
    done: [],
    reasons: ['v2 stands at a git revision, where nothing can be written.'],
  });
});
