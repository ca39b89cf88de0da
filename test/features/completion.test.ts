import { expect, test } from 'vitest';
import { type Completion, completions } from '../../server/src/features/completion';
import { RULES } from '../../server/src/rules/registry';
import { cursorAt } from './fixture';

async function offered(name: string, before: string, after: string): Promise<Completion[]> {
  const { analysis, file, offset } = await cursorAt(name, before, after);
  return completions(analysis, file, offset);
}

async function labels(name: string, before: string, after: string): Promise<string[]> {
  return (await offered(name, before, after)).map((it) => it.label);
}

/** The text after the first answer with this label was taken. */
async function taken(name: string, before: string, after: string, label: string): Promise<string> {
  const { analysis, file, offset, text } = await cursorAt(name, before, after);
  const found = completions(analysis, file, offset).find((it) => it.label === label);
  if (!found) throw new Error(`${label} is not offered`);
  const whole = text.slice(0, found.span.start) + found.insert + text.slice(found.span.end);
  const from = whole.lastIndexOf('\n', found.span.start - 1) + 1;
  return whole.slice(from, whole.indexOf('\n', found.span.start));
}

const YAML = 'livepatch.yaml';

test('keys fit their place and are offered once', async () => {
  const top = await labels(YAML, 'targets:\n', '$0\ntargets:\n');
  expect(top).toEqual(['schema', 'defaults', 'effects', 'rules']);
  const version = await labels(YAML, '    restores: v1', '    no$0');
  expect(version).toContain('note');
  expect(version).toContain('dialect');
  expect(version).not.toContain('module');
  expect(version).not.toContain('expect');
  expect(await labels(YAML, '    expect: clean', '    $0')).toEqual(['expect']);
  const flow = await labels(YAML, '- nf_tables', '- { module: nf_tables, s$0 }');
  expect(flow).toEqual(['sources']);
});

test('a key is written with its colon, which is not doubled', async () => {
  expect(await taken(YAML, '    restores: v1', '    no$0', 'note')).toBe('    note: ');
  expect(await taken(YAML, '    restores: v1', '    resto$0: v1', 'restores')).toBe('    restores: v1');
});

test.each([
  ['status: released', 'status: $0', ['draft', 'released', 'faulty', 'withdrawn']],
  ['status: released', 'status: rel$0', ['draft', 'released', 'faulty', 'withdrawn']],
  ['expect: clean', 'expect: "$0"', ['clean', 'leaves', 'unsafe', 'refused']],
  // Only what is older can be restored or cleaned up after.
  ['restores: v1', 'restores: $0', ['v1']],
  ['[v1]', '[$0]', ['v1']],
  ['status: released', 'restores: $0', []],
  ['lineage: demo', 'lineage: $0', []],
  ['lineage: demo', 'lineage: demo # v$0', []],
  [
    'targets:',
    'rules:\n  unsafe-downgrade: $0\ntargets:',
    ['error', 'warning', 'information', 'hint', 'off'],
  ],
])('values that fit: %s becomes %s', async (before, after, expected) => {
  expect(await labels(YAML, before, after)).toEqual(expected);
});

test('rules are offered by code, capabilities of kernels by name', async () => {
  const rules = await labels(YAML, 'targets:', 'rules:\n  un$0\ntargets:');
  expect(rules).toEqual(RULES.map((rule) => rule.code));
  const has = await labels(YAML, 'kernel: "6.1"', 'kernel: { release: "4.18.0-1.el8", has: [rep$0] }');
  expect(has).toContain('replace');
  expect(has).toContain('states');
});

test.each([
  [
    'load v2',
    '$0',
    ['load', 'disable', 'enable', 'unload', 'stall', 'hold', 'resume', 'force', 'set', 'fail'],
  ],
  ['load v2', 'load $0', ['v1', 'v2', 'nf_tables']],
  ['load v2', 'disable v$0', ['v1', 'v2']],
  ['load v2', 'stall $0', []],
  ['load v2', 'fail v2 debugfs_create_file=EN$0', ['ENOENT', 'ENOMEM', 'ENODEV', 'ENOSPC']],
])('steps: %s becomes %s', async (before, after, expected) => {
  const found = await labels(YAML, before, after);
  if (after.includes('=')) expect(found).toEqual(expect.arrayContaining([...expected]));
  else expect(found).toEqual(expected);
});

test('a failing call is one that the version makes, a parameter one that it has', async () => {
  const calls = await labels(YAML, 'load v2', 'fail v2 deb$0');
  expect(calls).toContain('debugfs_create_file');
  expect(calls).toContain('klp_shadow_alloc');
  expect(calls).not.toContain('demo_pre_patch');
  expect(await taken(YAML, 'load v2', 'loa$0', 'load')).toBe('    steps: [load v1, load , unload demo_v1]');
  expect(await taken(YAML, 'unload demo_v1', 'unload de$0', 'v1')).toBe(
    '    steps: [load v1, load v2, unload v1]',
  );
});

test('what a version does can be declared as kept', async () => {
  const effect = '    keeps:\n      - { effect: $0 }\n    restores: v1';
  expect(await labels(YAML, '    restores: v1', effect)).toContain('debugfs_create_file');
  const key = '    keeps:\n      - { effect: debugfs_create_file, key: $0 }\n    restores: v1';
  expect(await labels(YAML, '    restores: v1', key)).toContain('demo');
});

test('in C, members of livepatch structures are offered behind the dot', async () => {
  expect(await labels('v1.c', '\t.replace = true,', '\t.$0')).toEqual(['replace']);
  expect(await taken('v1.c', '\t.replace = true,', '\t.rep$0', 'replace')).toBe('\t.replace = true');
  expect(await labels('v1.c', '\t\t\t.post_unpatch = demo_post_unpatch,', '\t\t\t.$0')).toEqual([
    'pre_patch',
    'post_patch',
    'pre_unpatch',
    'post_unpatch',
  ]);
  expect(await labels('v1.c', '\t\t.funcs = funcs,', '\t\t.funcs = funcs,\n\t\t.$0')).toContain(
    'callbacks.pre_patch',
  );
});

test('in C, a callback is given a function that takes a klp_object', async () => {
  expect(await labels('v2.c', '.pre_patch = demo_pre_patch', '.pre_patch = $0')).toEqual([
    'demo_pre_patch',
    'demo_post_unpatch',
  ]);
});

test('in C, ids of the lineage are offered where an id belongs', async () => {
  expect(await labels('v2.c', 'prev_state(LOUD_STATE)', 'prev_state(L$0)')).toEqual(['LOUD_STATE']);
  expect(await labels('v2.c', '&patch, LOUD_STATE)', '&patch, $0)')).toEqual(['LOUD_STATE']);
  expect(await labels('v2.c', '&patch, LOUD_STATE)', '$0, LOUD_STATE)')).toEqual([]);
  expect(await labels('v2.c', 'free_all(NOTE_ID', 'free_all($0')).toEqual(['NOTE_ID']);
  expect(await labels('v2.c', '.id = LOUD_STATE', '.id = $0')).toEqual(['LOUD_STATE']);
});

test.each([
  ['return 1;', 'return $0;'],
  ['return 1;', 'obj.$0'],
  ['return 1;', 'debugfs_remove($0'],
  ['.old_name = "info_show"', '.$0'],
  ['#define LOUD_STATE 7', '#define LOUD_STATE $07'],
  ['\tif (before)', '\t/* .$0 */\n\tif (before)'],
  ['\t.replace = true,', '\t// .$0'],
  ['"demo", 0444', '"demo$0", 0444'],
])('nothing elsewhere in C: %s becomes %s', async (before, after) => {
  expect(await labels('v1.c', before, after)).toEqual([]);
});
