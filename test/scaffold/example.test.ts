import { expect, test } from 'vitest';
import { type Granted, granted, netFixes, printed } from './in-memory';

const example = (): Granted => granted(netFixes(), 'v1', ['v2'], 'v3');

test('the files of v3 stand beside those of v1', () => {
  const { answer, file } = example();
  expect(answer.files.map((item) => item.path)).toEqual([
    '/lineage/v3/livepatch_net_v3_main.c',
    '/lineage/v3/livepatch_net_v3_cleanup.c',
    '/lineage/v3/livepatch_net_v3_cleanup.h',
    '/lineage/v3/Kbuild',
  ]);
  // A module of several objects may have none of its own name.
  expect(file('Kbuild').split('\n').slice(2)).toEqual([
    'obj-m := livepatch_net_v3.o',
    'livepatch_net_v3-y := livepatch_net_v3_main.o livepatch_net_v3_cleanup.o',
    '',
  ]);
});

test('v3 is named in the manifest as a draft that restores v1', () => {
  const { answer, after } = example();
  expect(answer.manifestEdits.map((edit) => edit.text)).toEqual([
    '  - version: v3\n    module: livepatch_net_v3\n    sources: "v3/*.c"\n    status: draft\n    restores: v1\n    cleans-up-after: [v2]\n',
  ]);
  expect(after.version('v3')).toMatchObject({
    module: 'livepatch_net_v3',
    unread: [],
    facts: { complete: true },
  });
});

test('the cleanup finds the file by its name and stays away from everything else', () => {
  const { file } = example();
  const text = file('_cleanup.c');
  expect(text).toMatch(/^\/\/ SPDX-License-Identifier: GPL-2\.0\n\/\*\n/);
  expect(text).toContain(
    'struct dentry *entry = debugfs_lookup("net_status", NULL);\n\n\tif (!entry)\n\t\treturn;\n',
  );
  expect(text).toContain('\tdebugfs_remove(entry);\n\tdput(entry);\n');
  expect(text.match(/#include <[^>]+>/g)).toEqual([
    '#include <linux/dcache.h>',
    '#include <linux/debugfs.h>',
    '#include <linux/livepatch.h>',
    '#include <linux/printk.h>',
  ]);
  expect(text).not.toContain('klp_get_prev_state');
});

test('generated lines are short, indented by tabs, and without blanks at their end', () => {
  for (const { text, path } of example().answer.files) {
    for (const line of text.split('\n')) {
      expect(line.replaceAll('\t', '        ').length, `${path}: ${line}`).toBeLessThan(100);
      expect(line).not.toMatch(/[ \t]$/);
      expect(line).not.toMatch(/^ +[^ *]/);
    }
    expect(text).toMatch(/[^\n]\n$/);
  }
});

test('load v2; load v3; unload v2 is clean, and says what it removed', () => {
  const { after } = example();
  const run = after.run('load v2', 'load v3', 'unload v2');
  expect(run.outcomes.map((outcome) => outcome.result)).toEqual([0, 0, 0]);
  expect(run.verdict).toMatchObject({ word: 'clean', dangers: [], leftovers: [] });
  expect(run.end.effects()).toEqual([]);
  expect(printed(run)).toEqual([
    'livepatch_net_v2: debugfs file net_status made',
    'livepatch_net_v3: removed debugfs file net_status of v2',
  ]);
});

test('before, the same way back to v1 is not', () => {
  const run = netFixes().run('load v1', 'load v2', 'unload v1', 'load v1', 'unload v2');
  expect(run.verdict.word).toBe('unsafe');
});

test('v3 alone and over v1 is clean and silent', () => {
  const { after } = example();
  for (const steps of [
    ['load v3'],
    ['load v1', 'load v3', 'unload v1'],
    ['load v3', 'disable v3', 'unload v3'],
  ]) {
    const run = after.run(...steps);
    expect(run.verdict.word).toBe('clean');
    expect(printed(run)).toEqual([]);
  }
});

test('v3 reversed over v2 leaves v2 intact', () => {
  const { after } = example();
  const run = after.run('load v2', 'stall', 'load v3', 'disable v3', 'resume');
  expect(run.end.effects().map((effect) => effect.key)).toEqual(['net_status']);
  expect(run.end.kernel.patches().map((patch) => patch.name)).toEqual(['livepatch_net_v2']);
  expect(printed(run)).toEqual(['livepatch_net_v2: debugfs file net_status made']);
});

test('forced out of the way, v2 is cleaned up after all the same', () => {
  const run = example().after.run('load v2', 'stall', 'load v3', 'force v3', 'resume');
  expect(run.end.effects()).toEqual([]);
});

test("v1's functions are in v3 byte for byte", () => {
  const before = netFixes();
  const v1 = before.text('/lineage/v1/livepatch_net_v1.c');
  const v3 = granted(before, 'v1', ['v2'], 'v3').file('_main.c');
  for (const fn of before.version('v1').program?.units[0]?.functions.values() ?? []) {
    expect(v3).toContain(v1.slice(fn.place.start, fn.place.end));
  }
  const added = v3.split('\n').filter((line) => !v1.split('\n').includes(line));
  expect(added).toHaveLength(2);
  for (const line of added) expect(line).toContain('/* v3: cleanup after v2 */');
});
