import { expect, test } from 'vitest';
import { granted, InMemory, printed, refused } from './in-memory';
import { livepatch, manifest, notifierV2, SHADOW_V2, STATE_V2 } from './sources';

const TALKING = `static int v1_pre_patch(struct klp_object *obj)
{
	pr_info("v1 pre_patch\\n");
	return 0;
}

static void v1_post_patch(struct klp_object *obj)
{
	pr_info("v1 post_patch\\n");
}

static void v1_pre_unpatch(struct klp_object *obj)
{
	pr_info("v1 pre_unpatch\\n");
}
`;

function lineage(v1: string, v2: string, more = ''): InMemory {
  return new InMemory({
    'livepatch.yaml': manifest(['v1', 'v2'], more),
    'v1/klp_v1.c': v1,
    'v2/klp_v2.c': v2,
  });
}

/** Lines of `after` that are not in `before`, in order: `before` must be what is left without them. */
function addedLines(before: string, after: string): string[] {
  const old = before.split('\n');
  const added: string[] = [];
  let at = 0;
  for (const line of after.split('\n')) {
    if (line === old[at]) at++;
    else added.push(line);
  }
  expect(old.slice(at), 'lines of v1 that are gone').toEqual([]);
  return added;
}

test('v1 without callbacks: two marked lines are added and nothing else changes', () => {
  const v1 = livepatch({});
  const text = granted(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3').file('_main.c');
  expect(addedLines(v1, text)).toEqual([
    '#include "klp_v3_cleanup.h" /* v3: cleanup after v2 */',
    '',
    '\t\t.callbacks.post_patch = klp_v3_cleanup, /* v3: cleanup after v2 */',
  ]);
});

test('v1 with a post_patch of its own: the cleanup runs first, the other callbacks stay', () => {
  const v1 = livepatch({
    code: TALKING,
    callbacks: { pre_patch: 'v1_pre_patch', post_patch: 'v1_post_patch', pre_unpatch: 'v1_pre_unpatch' },
  });
  const { after, file } = granted(lineage(v1, STATE_V2), 'v1', ['v2'], 'v3');
  const run = after.run('load v2', 'load v3', 'unload v2', 'disable v3', 'unload v3');
  expect(printed(run)).toEqual([
    'klp_v3: v1 pre_patch',
    'klp_v3: restored kernel variable console_loglevel of v2',
    'klp_v3: v1 post_patch',
    'klp_v3: v1 pre_unpatch',
  ]);
  expect(run.verdict.word).toBe('clean');
  const text = file('_main.c');
  expect(text).toContain('\t\t\t.post_patch = klp_v3_post_patch, /* v3: cleanup after v2 */\n');
  expect(text).toContain(
    'static void klp_v3_post_patch(struct klp_object *obj)\n{\n\tklp_v3_cleanup(obj);\n\tv1_post_patch(obj);\n}\n',
  );
  expect(text).toContain(TALKING);
});

test('v1 with other callbacks: post_patch is added to them', () => {
  const v1 = livepatch({
    code: TALKING.replace(/static void v1_post[^]*?\n}\n\n/, ''),
    callbacks: { pre_patch: 'v1_pre_patch' },
  });
  const { after, file } = granted(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3');
  expect(file('_main.c')).toContain(
    '\t\t\t.pre_patch = v1_pre_patch,\n\t\t\t.post_patch = klp_v3_cleanup, /* v3: cleanup after v2 */\n\t\t},',
  );
  expect(
    after.version('v3').facts?.patch?.objects?.[0]?.callbacks.map((item) => [item.callback, item.function]),
  ).toEqual([
    ['pre_patch', 'v1_pre_patch'],
    ['post_patch', 'klp_v3_cleanup'],
  ]);
});

test.each([
  ['on one line', '\t{ .funcs = funcs },\n'],
  ['on one line with a comma', '\t{ .funcs = funcs, },\n'],
  ['without a comma at the end', '\t{\n\t\t.funcs = funcs\n\t},\n'],
  ['positional', '\t{ NULL, funcs },\n'],
  ['with a line comment', '\t{\n\t\t.funcs = funcs, // all of them\n\t},\n'],
  ['with .callbacks.pre_patch', '\t{ .funcs = funcs, .callbacks.pre_patch = v1_pre_patch },\n'],
  ['with empty callbacks', '\t{ .funcs = funcs, .callbacks = { } },\n'],
  ['with post_patch NULL', '\t{ .funcs = funcs, .callbacks = { .post_patch = NULL } },\n'],
  ['with post_patch behind a dot', '\t{ .funcs = funcs, .callbacks.post_patch = v1_post_patch },\n'],
])('an object written %s', (_, objects) => {
  const v1 = livepatch({ code: TALKING, objects });
  const { after } = granted(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3');
  const patch = after.version('v3').facts?.patch;
  expect(patch?.complete).toBe(true);
  expect(patch?.unterminated).toEqual([]);
  const [object] = patch?.objects ?? [];
  expect(object?.functions?.map((fn) => fn.old)).toEqual(['cmdline_proc_show']);
  expect(object?.callbacks.find((item) => item.callback === 'post_patch')?.function).toMatch(
    /^klp_v3_(cleanup|post_patch)$/,
  );
  const run = after.run('load v2', 'load v3', 'unload v2');
  expect(run.end.effects()).toEqual([]);
  expect(run.verdict.word).toBe('clean');
});

test('v1 that patches a module only gets an object of vmlinux without functions', () => {
  const v1 = livepatch({
    code: TALKING,
    objects:
      '\t{\n\t\t.name = "acme",\n\t\t.funcs = funcs,\n\t\t.callbacks = {\n\t\t\t.post_patch = v1_post_patch,\n\t\t},\n\t},\n',
  });
  const { after, file, answer } = granted(lineage(v1, STATE_V2), 'v1', ['v2'], 'v3');
  expect(after.version('v3').facts?.patch?.objects).toMatchObject([
    { name: null, functions: [], callbacks: [{ callback: 'post_patch', function: 'klp_v3_cleanup' }] },
    { name: 'acme', callbacks: [{ callback: 'post_patch', function: 'v1_post_patch' }] },
  ]);
  expect(file('_cleanup.c')).toContain('struct klp_func klp_v3_no_funcs[] = {\n\t{ }\n};');
  expect(answer.notes.join('\n')).toContain('patches no function of vmlinux');
  // With the target: the cleanup first. Without it: the cleanup all the same.
  expect(printed(after.run('load v2', 'load v3'))).toEqual([
    'klp_v3: restored kernel variable console_loglevel of v2',
    'klp_v3: v1 post_patch',
  ]);
  const absent = after.run('unload acme', 'load v2', 'load v3', 'unload v2');
  expect(absent.end.effects()).toEqual([]);
  expect(printed(absent)).toEqual(['klp_v3: restored kernel variable console_loglevel of v2']);
  // The target comes while v3 is in transition over v2, and after it.
  const coming = after.run('unload acme', 'load v2', 'stall', 'load v3', 'load acme', 'resume', 'unload v2');
  expect(coming.verdict).toMatchObject({ word: 'clean', dangers: [] });
  expect(coming.end.effects()).toEqual([]);
  const later = after.run('unload acme', 'load v2', 'load v3', 'unload v2', 'load acme', 'unload acme');
  expect(later.verdict).toMatchObject({ word: 'clean', dangers: [] });
});

test('states of v1 stay as they are, those of v2 are added to its table', () => {
  const v1 = livepatch({ states: '{\n\t\t.id = 40,\n\t\t.version = 6,\n\t},' });
  const { after, file } = granted(lineage(v1, STATE_V2), 'v1', ['v2'], 'v3');
  expect(after.version('v3').facts?.patch?.states).toMatchObject([
    { id: 40, version: 6 },
    { id: 1, version: 2 },
  ]);
  expect(file('_main.c')).toContain('\t{ .id = 1, .version = 2 }, /* v3: cleanup after v2 */\n\t{ }\n');
  expect(file('_cleanup.c')).not.toContain('klp_v3_states');
  // v2 lacks state 40, so the kernel refuses it over v1; over a clean kernel v3 replaces it.
  expect(after.run('load v1', 'load v2').outcomes.map((outcome) => outcome.result)).toEqual([0, -22]);
  const run = after.run('load v2', 'load v3', 'unload v2');
  expect(run.end.effects()).toEqual([]);
  expect(after.run('load v1', 'load v3').outcomes.map((outcome) => outcome.result)).toEqual([0, 0]);
});

test('a state that both declare keeps its place; its version rises over that of v2', () => {
  const v1 = livepatch({ states: '{ .id = 1, .version = 1 }, { .id = 40, .version = 6 },' });
  const v2 = livepatch({ states: '{ .id = 1, .version = 3 }, { .id = 40, .version = 6 },' });
  const { after, answer } = granted(lineage(v1, v2), 'v1', ['v2'], 'v3');
  expect(after.version('v3').facts?.patch?.states).toMatchObject([
    { id: 1, version: 4 },
    { id: 40, version: 6 },
  ]);
  expect(answer.notes.join('\n')).toContain('different versions');
  expect(after.run('load v2', 'load v3').outcomes.map((outcome) => outcome.result)).toEqual([0, 0]);
});

test('a file with CRLF stays one, and a byte-order mark stays in front', () => {
  const v1 = `\ufeff${livepatch({})}`.replaceAll('\n', '\r\n');
  const text = granted(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3').file('_main.c');
  expect(text.startsWith('\ufeff// SPDX')).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(addedLines(v1, text)).toHaveLength(3);
});

test.each([
  [
    'a conditional in the table',
    livepatch({
      objects: '\t{\n#ifdef CONFIG_ACME\n\t\t.name = "acme",\n#endif\n\t\t.funcs = funcs,\n\t},\n',
    }),
  ],
  [
    'a macro for the object',
    livepatch({ code: '#define OBJECT { .funcs = funcs }\n', objects: '\tOBJECT,\n' }),
  ],
  [
    'an indexed table without vmlinux',
    livepatch({ objects: '\t[0] = { .name = "acme", .funcs = funcs },\n' }),
  ],
])('what cannot be changed safely is refused with its place: %s', (_, v1) => {
  const reasons = refused(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3');
  expect(reasons[0]).toMatch(/^v1\/klp_v1\.c:\d+: the tables of v1 cannot be changed safely/);
});

test('a state table of fixed length is refused', () => {
  const v1 = livepatch({ states: '{ .id = 40, .version = 6 },' }).replace('states[] =', 'states[2] =');
  expect(refused(lineage(v1, STATE_V2), 'v1', ['v2'], 'v3')[0]).toContain('fixed length');
});

test("v1's own effects are left alone, and a v1 that cannot take over from itself is named", () => {
  const v1 = notifierV2(false).replaceAll('acme', 'mine');
  const { after, answer } = granted(lineage(v1, SHADOW_V2), 'v1', ['v2'], 'v3');
  const run = after.run('load v2', 'load v3', 'unload v2');
  expect(run.end.effects().map((effect) => effect.key)).toEqual(['mine_nb']);
  expect(run.verdict.word).toBe('clean');
  expect(answer.notes[0]).toMatch(
    /^v1 does not take over from itself, and v3 inherits that: "load v1; load v3" is unsafe: /,
  );
});

test('what both versions make cannot be told apart', () => {
  const file = `static struct dentry *dentry;

static void file_post_patch(struct klp_object *obj)
{
	dentry = debugfs_create_file("acme", 0444, NULL, NULL, NULL);
}

static void file_post_unpatch(struct klp_object *obj)
{
	debugfs_remove(dentry);
}
`;
  const both = livepatch({
    code: file,
    callbacks: { post_patch: 'file_post_patch', post_unpatch: 'file_post_unpatch' },
  });
  expect(refused(lineage(both, both), 'v1', ['v2'], 'v3')[0]).toMatch(
    /v2\/klp_v2\.c:\d+: debugfs file acme is made by v2 and by v1 alike/,
  );
});
