import { beforeAll, expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import type { Analysis } from '../../server/src/features/analysis';
import { hoverC } from '../../server/src/features/hover-c';
import { hoverManifest } from '../../server/src/features/hover-manifest';
import { analyseTexts } from '../support/project';

/**
 * Every hover over a livepatch entity says in one sentence how it is, when what runs, what stays behind, and where
 * the kernel documents it. What runs when is that of kernel/livepatch (callbacks.rst, transition.c).
 */
const MANIFEST = `lineage: a
kernel: "6.1"
versions:
  - { version: v1, module: lp_v1, sources: v1.c }
  - { version: v2, module: lp_v2, sources: v2.c }
targets: [tun]
`;

const HEAD = '#include <linux/livepatch.h>\n#include <linux/debugfs.h>\n';
const tail = (objects: string, states: string): string => `
static struct klp_func funcs[] = { { } };
static struct klp_state states[] = { ${states}{ } };
static struct klp_object objs[] = { ${objects}{ } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .states = states, .replace = true };
static int v_init(void) { return klp_enable_patch(&patch); }
static void v_exit(void) { }
module_init(v_init);
module_exit(v_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
const V1 = `${HEAD}static int pre(struct klp_object *obj) { return 0; }
static void post(struct klp_object *obj) { }
static void undo_pre(struct klp_object *obj) { }
static void undo_post(struct klp_object *obj) { }
${tail('{ .name = "tun", .funcs = funcs, .callbacks = { pre, post, undo_pre, undo_post } }, ', '{ .id = 7, .version = 1 }, ')}`;
const V2 = `${HEAD}static struct dentry *file;
static void made(struct klp_object *obj) { file = debugfs_create_dir("acme", NULL); }
static void gone(struct klp_object *obj) { debugfs_remove(file); }
${tail('{ .funcs = funcs, .callbacks = { .post_patch = made, .post_unpatch = gone } }, ', '{ .id = 7, .version = 2 }, { .id = 8, .version = 1 }, ')}`;

let analysis: Analysis;
beforeAll(async () => {
  analysis = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1.c': V1, 'v2.c': V2 });
});

const inC = (file: string, words: string): string => {
  const text = file === 'v1.c' ? V1 : V2;
  expect(text.split(words)).toHaveLength(2);
  return hoverC(analysis, `/lineage/${file}`, text.indexOf(words) + 2)?.markdown ?? '';
};

test('.replace: nothing of it runs when another replaces it; targets that come and go have their callbacks', () => {
  const text = inC('v1.c', '.replace = true');
  expect(text.split('\n')[0]).toMatch(/none of their callbacks is called/);
  expect(text).toContain('cumulative-patches');
  const rows = text.split('\n').map((line) => line.replaceAll('\\', ''));
  const all = (...names: string[]): string => names.map((name) => `${name} (tun)`).join(', ');
  for (const row of [
    `| load | ${all('pre_patch', 'post_patch')} | ${all('pre_unpatch', 'post_unpatch')} |`,
    `| disable | ${all('pre_unpatch', 'post_unpatch')} | ${all('pre_patch', 'post_patch')} |`,
    `| replaced by v2 | nothing | ${all('pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch')} |`,
    `| load, reversed before it completes | ${all('pre_patch', 'post_unpatch')} | ${all('post_patch', 'pre_unpatch')} |`,
    `| disable, reversed before it completes | ${all('post_patch', 'pre_unpatch')} | ${all('pre_patch', 'post_unpatch')} |`,
    `| tun comes later | ${all('pre_patch', 'post_patch')} | ${all('pre_unpatch', 'post_unpatch')} |`,
    `| tun goes | ${all('pre_unpatch', 'post_unpatch')} | ${all('pre_patch', 'post_patch')} |`,
  ]) {
    expect(rows).toContain(row);
  }
});

test('where the kernel refuses, the row says so', () => {
  // v1 does not carry state 8: klp_is_state_compatible() answers no, klp_enable_patch() -EINVAL.
  expect(inC('v2.c', '.replace = true').replaceAll('\\', '')).toContain(
    '| replaced by v1 (the kernel answers -22) | nothing | post_patch, post_unpatch |',
  );
});

test.each([
  ['the callback entry', '.post_unpatch = gone'],
  ['the callback function', 'gone(struct klp_object'],
])('%s: verdict, when it runs, what stays, where it is documented', (_name, words) => {
  const text = inC('v2.c', words);
  expect(text.split('\n')[0]).toMatch(/never when another livepatch replaces it/);
  expect(text).toMatch(/\| disable \| \*\*runs\*\*/);
  expect(text).toMatch(/\| load, reversed before it completes \| \*\*runs\*\*/);
  expect(text).toMatch(/callbacks\.html|livepatch\/callbacks/);
});

test('a callback of a module object has rows for the module that comes and goes', () => {
  const text = inC('v1.c', 'undo_post(struct');
  expect(text).toMatch(/\| tun goes \| \*\*runs\*\*/);
  expect(text).toMatch(/\| tun comes later \| does not run/);
});

test('a state: who may replace its version (klp_is_state_compatible), and where it is documented', () => {
  const text = inC('v2.c', '.id = 8');
  expect(text).toMatch(/\| v1 \| not declared \| refused \|/);
  expect(text).toContain('system-state');
  expect(inC('v1.c', '.id = 7')).toMatch(/\| v2 \| version 2 \| allowed \|/);
});

test('a state: it goes with its livepatch when that is disabled, and a reversal over it leaves it', () => {
  const says = inC('v2.c', '.id = 8').split('\n')[0];
  expect(says).toContain('Disabled, it is forgotten');
  expect(says).toContain('a load over it that is reversed leaves it');
  // As klp_is_patch_compatible() does: v1 has no state 8, so it may only come when v2 is gone.
  const results = (...words: string[]): number[] =>
    run(analysis.lineage, steps(...words)).outcomes.map(({ result }) => result);
  expect(results('load v2', 'load v1')).toEqual([0, -22]);
  expect(results('load v2', 'disable v2', 'load v1')).toEqual([0, 0, 0]);
  const { end } = run(analysis.lineage, steps('load v1', 'stall', 'load v2', 'disable v2', 'resume'));
  expect(end.listedPatches().map((it) => end.moduleName(it))).toEqual(['lp_v1']);
});

test('a version in the manifest: verdicts, what runs, what stays, where it is documented', async () => {
  // Without states the way back is open, and what v2 made stays.
  const stateless = (text: string): string => text.replace('.states = states, ', '');
  const texts = { 'livepatch.yaml': MANIFEST, 'v1.c': stateless(V1), 'v2.c': stateless(V2) };
  const open = await analyseTexts(texts);
  const text = (hoverManifest(open, MANIFEST.indexOf('v2, module') + 1)?.markdown ?? '').replaceAll('\\', '');
  expect(text.split('\n')[0]).toMatch(/leaves a side effect behind|unsafe/);
  expect(text).toContain('| replaced by v1 | nothing | post_patch, post_unpatch |');
  expect(text).toContain('| disable | post_unpatch | post_patch |');
  expect(text).toMatch(/What stays behind:\n\n- replaced by v1: .*acme/);
  expect(text).toContain('cumulative-patches');
  const replace =
    hoverC(open, '/lineage/v2.c', (texts['v2.c'] ?? '').indexOf('.replace') + 2)?.markdown ?? '';
  expect(replace).toMatch(/What stays behind:\n\n- replaced by v1: .*acme/);
});

test('keys of the manifest say what they mean', () => {
  for (const key of ['lineage', 'kernel', 'versions', 'module', 'sources', 'targets']) {
    const answer = hoverManifest(analysis, MANIFEST.indexOf(`${key}:`) + 1)?.markdown ?? '';
    expect(answer.length, key).toBeGreaterThan(20);
  }
});
