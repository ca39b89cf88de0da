import { expect, test } from 'vitest';
import { renamable, rename } from '../../server/src/features/rename';
import { type Cursor, cursorAt } from './fixture';

/** The changed lines of all files, or the problem. */
async function renamed(at: Promise<Cursor>, name: string): Promise<string[] | string | null> {
  const { analysis, file, offset } = await at;
  const answer = rename(analysis, file, offset, name);
  if (answer === null || 'problem' in answer) return answer?.problem ?? null;
  const byFile = new Map<string, typeof answer.edits>();
  for (const edit of answer.edits)
    byFile.set(edit.place.file, [...(byFile.get(edit.place.file) ?? []), edit]);
  return [...byFile].flatMap(([path, edits]) => {
    const before = analysis.text(path);
    let after = before;
    for (const { place, text } of [...edits].sort((a, b) => b.place.start - a.place.start))
      after = after.slice(0, place.start) + text + after.slice(place.end);
    const old = before.split('\n');
    return after
      .split('\n')
      .filter((line, i) => line !== old[i])
      .map((line) => `${path.replace('/lineage/', '')}: ${line.trim()}`);
  });
}

async function word(at: Promise<Cursor>): Promise<string | null> {
  const { analysis, file, offset, text } = await at;
  const found = renamable(analysis, file, offset);
  if (found) expect(text.slice(found.span.start, found.span.end).replaceAll('"', '')).toBe(found.text);
  return found?.text ?? null;
}

const YAML = 'livepatch.yaml';

test('a version is renamed in its entry, in references and in steps, its module not', async () => {
  const expected = [
    'livepatch.yaml: - version: first',
    'livepatch.yaml: restores: first',
    'livepatch.yaml: cleans-up-after: [first]',
    'livepatch.yaml: steps: [load first, load v2, unload demo_v1]',
  ];
  expect(await renamed(cursorAt(YAML, 'version: v1', 'version: $0v1'), 'first')).toEqual(expected);
  expect(await renamed(cursorAt(YAML, 'load v1', 'load v$01'), 'first')).toEqual(expected);
  expect(await renamed(cursorAt(YAML, 'version: v1', 'version: "v$01"'), 'first')).toEqual([
    'livepatch.yaml: - version: "first"',
    ...expected.slice(1),
  ]);
});

test.each([
  ['v2', 'is already a version'],
  ['demo_v2', 'is already a version'],
  ['nf_tables', 'is already a version'],
  ['none', 'cannot name a version'],
  ['a b', 'cannot name a version'],
  ['x#', 'cannot name a version'],
])('a version is not renamed to %s', async (name, problem) => {
  expect(await renamed(cursorAt(YAML, 'version: v1', 'version: $0v1'), name)).toContain(problem);
});

test('a constant is renamed in its definition and its uses, in every version', async () => {
  const both = (lines: string[]): string[] =>
    ['v1.c', 'v2.c'].flatMap((file) => lines.map((it) => `${file}: ${it}`));
  expect(await renamed(cursorAt('v1.c', '&patch, LOUD', '&patch, $0LOUD'), 'QUIET_STATE')).toEqual([
    'v1.c: #define QUIET_STATE 7',
    'v1.c: struct klp_state *before = klp_get_prev_state(QUIET_STATE);',
    'v1.c: klp_get_state(&patch, QUIET_STATE)->data = NULL;',
    'v1.c: { .id = QUIET_STATE, .version = 1 },',
    'v2.c: #define QUIET_STATE 7',
    'v2.c: struct klp_state *before = klp_get_prev_state(QUIET_STATE);',
    'v2.c: klp_get_state(&patch, QUIET_STATE)->data = NULL;',
    'v2.c: { .id = QUIET_STATE, .version = 2 },',
  ]);
  expect(await renamed(cursorAt('v2.c', '{ NOTE_ID', '{ $0NOTE_ID'), 'MARK_ID')).toEqual(
    both([
      'enum { MARK_ID = 0x51 };',
      'klp_shadow_alloc(obj, MARK_ID, 8, GFP_KERNEL, NULL, NULL);',
      'klp_shadow_free_all(MARK_ID, NULL);',
    ]),
  );
});

test('an id that is a number changes with the macros that stand for it', async () => {
  expect(await renamed(cursorAt('v1.c', '.id = LOUD_STATE', '.id = $07'), '8')).toEqual([
    'v1.c: #define LOUD_STATE 8',
    'v1.c: { .id = 8, .version = 1 },',
    'v2.c: #define LOUD_STATE 8',
  ]);
  expect(await renamed(cursorAt('v1.c', 'free_all(NOTE_ID', 'free_all(0x5$01'), '0x52')).toContain(
    'v1.c writes it as NOTE_ID'.slice(5),
  );
});

test('nothing is renamed onto something else, or where its definition is out of reach', async () => {
  const at = cursorAt('v1.c', '&patch, LOUD', '&patch, $0LOUD');
  expect(await renamed(at, 'NOTE_ID')).toBe('"NOTE_ID" is already used in v1.c of v1.');
  expect(await renamed(at, 'a-b')).toBe('"a-b" is not a name in C.');
  const header = cursorAt('v1.c', '#define LOUD_STATE 7\n', '#include <linux/lou$0d.h>\n');
  const { analysis, file, text } = await header;
  const moved = Promise.resolve({ analysis, file, text, offset: text.indexOf('LOUD_STATE') });
  expect(await renamed(moved, 'QUIET')).toContain('LOUD_STATE is not defined in the sources of v1');
});

test.each([
  [YAML, 'module: demo_v1', 'module: $0demo_v1'],
  [YAML, 'unload demo_v1', 'unload $0demo_v1'],
  [YAML, '- nf_tables', '- $0nf_tables'],
  [YAML, 'status: released', 'status: $0released'],
  ['v1.c', 'int demo_pre_patch', 'int $0demo_pre_patch'],
  ['v1.c', '.version = 1', '.version = $01'],
  ['v1.c', 'return 1;', 'return $01;'],
  ['v1.c', '"demo", 0444', '"$0demo", 0444'],
  ['v1.c', 'struct seq_file *m', 'struct seq_file *$0m'],
])('in %s, %s is not renamed here', async (name, before, after) => {
  expect(await word(cursorAt(name, before, after))).toBeNull();
  expect(await renamed(cursorAt(name, before, after), 'other')).toBeNull();
});

test.each([
  [YAML, 'load v1', 'load v1$0', 'v1'],
  ['v1.c', '#define LOUD_STATE', '#define $0LOUD_STATE', 'LOUD_STATE'],
  ['v1.c', '.id = LOUD_STATE', '.id = $07', '7'],
])('in %s, %s can be', async (name, before, after, text) => {
  expect(await word(cursorAt(name, before, after))).toBe(text);
});
