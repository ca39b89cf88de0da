import { expect, test } from 'vitest';
import type { Analysis } from '../../server/src/features/analysis';
import type { Project } from '../../server/src/host/project';
import type { MemoryFiles } from '../support/memory-files';
import { projectOfTexts } from '../support/project';
import { fix, manifest, replacement, TEMPLATE } from './tree';

const TREE = {
  'v1/livepatch_main.c': TEMPLATE,
  'v1/rpm/kernel-livepatch.spec': 'Version: 1\n',
  'v1/scripts/patched_funcs.csv': 'vmlinux no klpp_no\n',
  ...fix('v1/', 'bsc20', {
    rows: 'vmlinux do_one klpp_do_one\nnet_mod two,2 klpp_two IS_ENABLED(CONFIG_NET_MOD)\n',
    body: replacement('do_one') + replacement('two'),
  }),
  ...fix('v1/', 'bsc3', {
    rows: '# comment\nblk_mod\tthree\tklpp_three\nvmlinux four klpp_four defined(CONFIG_FOUR) && CONFIG_FOUR > 1\n',
    body: replacement('three') + replacement('four'),
  }),
};

interface Opened {
  readonly project: Project;
  readonly files: MemoryFiles;
  readonly analysis: Analysis;
}

async function open(files: Record<string, string>, more = '', text = manifest(['draft'])): Promise<Opened> {
  const opened = await projectOfTexts({ 'livepatch.yaml': text + more, ...files });
  return { ...opened, analysis: opened.project.analyse() };
}

/** The objects of the first version, each function with the text at its place. */
function objects(analysis: Analysis): unknown {
  return analysis.lineage.versions[0]?.facts?.patch?.objects?.map(({ name, functions }) => [
    name,
    functions?.map((entry) => {
      const { file, start, end } = entry.place;
      return `${entry.old},${entry.sympos} ${entry.new} <- ${file}: ${analysis.text(file).slice(start, end)}`;
    }),
  ]);
}

const TABLE20 = '/lineage/v1/bsc20/patched_funcs.csv';
const TABLE3 = '/lineage/v1/bsc3/patched_funcs.csv';

test('objects are sorted behind vmlinux, and every function stands at its row', async () => {
  const defines = 'defaults: { defines: { CONFIG_NET_MOD: m, CONFIG_FOUR: 2 } }\n';
  const { analysis } = await open(TREE, defines);
  expect(analysis.lineage.versions[0]?.dialect).toBe('suse');
  expect(objects(analysis)).toEqual([
    [
      null,
      [
        `do_one,0 klpp_do_one <- ${TABLE20}: vmlinux do_one klpp_do_one`,
        `four,0 klpp_four <- ${TABLE3}: vmlinux four klpp_four defined(CONFIG_FOUR) && CONFIG_FOUR > 1`,
      ],
    ],
    ['blk_mod', [`three,0 klpp_three <- ${TABLE3}: blk_mod\tthree\tklpp_three`]],
    ['net_mod', [`two,2 klpp_two <- ${TABLE20}: net_mod two,2 klpp_two IS_ENABLED(CONFIG_NET_MOD)`]],
  ]);
  expect(analysis.lineage.versions[0]?.facts?.patch?.replace).toBe(true);
  expect(analysis.findings()).toEqual([]);
});

test('a condition that nothing decides is an assumption, named at its place in the table', async () => {
  const { analysis } = await open(TREE);
  expect(objects(analysis)).toEqual([
    [null, [`do_one,0 klpp_do_one <- ${TABLE20}: vmlinux do_one klpp_do_one`]],
    ['blk_mod', [`three,0 klpp_three <- ${TABLE3}: blk_mod\tthree\tklpp_three`]],
  ]);
  const [main] = analysis.lineage.versions[0]?.program?.units ?? [];
  const named = new Set(main?.assumptions.map((it) => `${it.name} ${it.place.file} ${it.taken}`));
  expect([...named].sort()).toEqual([`CONFIG_FOUR ${TABLE3} false`, `CONFIG_NET_MOD ${TABLE20} false`]);
});

test('vmlinux is there without a row of its own, as every such livepatch replaces uname()', async () => {
  const { analysis } = await open({
    'v1/livepatch_main.c': TEMPLATE.replace('@@KLP_', '#include "klp_syscalls.h"\n@@KLP_'),
    'v1/klp_syscalls.h':
      '#define KLP_SYSCALL_SYM(name) __x64_sys_ ## name\nlong __x64_sys_klp_newuname(const struct pt_regs *);\n',
    ...fix('v1/', 'bsc1', { rows: 'a_mod f klpp_f\n', body: replacement('f') }),
  });
  expect(objects(analysis)).toEqual([
    [
      null,
      ['__x64_sys_newuname,0 __x64_sys_klp_newuname <- /lineage/v1/livepatch_main.c: @@KLP_PATCHES_OBJS@@,'],
    ],
    ['a_mod', ['f,0 klpp_f <- /lineage/v1/bsc1/patched_funcs.csv: a_mod f klpp_f']],
  ]);
});

test('headers at the top are found from a fix', async () => {
  const { analysis } = await open({
    ...TREE,
    'v1/shadow.h': '#define KLP_SHADOW_ID(fix, n) (((fix) << 8) + (n))\n',
    'v1/bsc3/more.c': '#include "shadow.h"\n#include "../shadow.h"\n',
  });
  const units = analysis.lineage.versions[0]?.program?.units ?? [];
  expect(units.map(({ file, missingIncludes }) => [file, missingIncludes])).toEqual([
    ['livepatch_main.c of livepatch_1_1', []],
    ['/lineage/v1/bsc20/livepatch_bsc20.c', []],
    ['/lineage/v1/bsc3/livepatch_bsc3.c', []],
    ['/lineage/v1/bsc3/more.c', []],
  ]);
});

test('what a person wrote in the template stands there', async () => {
  const { analysis } = await open(TREE);
  const facts = analysis.lineage.versions[0]?.facts;
  const cut = (place: { file: string; start: number; end: number } | null | undefined): string =>
    place ? `${place.file}: ${analysis.text(place.file).slice(place.start, place.end)}` : 'nowhere';
  const file = '/lineage/v1/livepatch_main.c';
  expect(cut(facts?.init?.place)).toBe(`${file}: cumulative_init`);
  expect(cut(facts?.exit?.place)).toBe(`${file}: cumulative_exit`);
  expect(cut(facts?.patch?.place)).toBe(`${file}: cumulative`);
  expect(cut(facts?.patch?.replacePlace)).toMatch(/^\S+livepatch_main\.c: (?:\.replace = )?true$/);
  expect(cut(facts?.license?.place)).toBe(`${file}: MODULE_LICENSE("GPL");`);
  expect(facts?.enables).toBe(true);
});

test('rows that cannot be read, and a fix without a header or a table, are said where they are', async () => {
  const { analysis } = await open({
    ...TREE,
    'v1/bsc3/patched_funcs.csv': 'vmlinux three\n',
    'v1/bsc4/patched_funcs.csv': 'vmlinux four klpp_four\n',
    'v1/bsc5/livepatch_bsc5.h': '',
  });
  const said = analysis
    .findings()
    .filter(({ place }) => place.file.startsWith('/lineage/v1/bsc'))
    .map(({ code, severity, message, place }) => [
      code,
      severity,
      `${place.file.slice(12)}:${place.start}`,
      message,
    ]);
  expect(said).toEqual([
    [
      'manifest-invalid',
      'error',
      'bsc3/patched_funcs.csv:0',
      expect.stringContaining('names no replacement'),
    ],
    [
      'manifest-invalid',
      'error',
      'bsc4/patched_funcs.csv:0',
      'bsc4 has no livepatch_bsc4.h: the build stops at a fix without it',
    ],
    [
      'manifest-invalid',
      'error',
      'bsc5/livepatch_bsc5.h:0',
      'bsc5 has no patched_funcs.csv: the build stops at a fix without it',
    ],
  ]);
});

test.each(['v1', 'v1/', './v1', 'v1/**', '[v1/livepatch_main.c, "v1/*/*"]'])(
  'sources: %s',
  async (sources) => {
    const text = `lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: m, sources: ${sources} }\n`;
    const { analysis } = await open(TREE, '', text);
    expect(analysis.parsed.problems).toEqual([]);
    expect(analysis.lineage.versions[0]?.dialect).toBe('suse');
    expect(analysis.lineage.versions[0]?.facts?.patch?.objects).toHaveLength(2);
  },
);

test('the whole tree beside the manifest', async () => {
  const atTop = Object.fromEntries(Object.entries(TREE).map(([name, text]) => [name.slice(3), text]));
  const text = 'lineage: l\nkernel: "6.1"\nversions:\n  - { version: v1, module: m, sources: . }\n';
  const { analysis } = await open(atTop, '', text);
  expect(analysis.parsed.problems).toEqual([]);
  expect(analysis.lineage.versions[0]?.facts?.patch?.objects).toHaveLength(2);
});

test('a template that a build has filled in is a module like any other', async () => {
  const { analysis } = await open({ 'v1/livepatch_main.c': TEMPLATE.replaceAll(/@@\w+@@[,;]?/g, '') });
  expect(analysis.lineage.versions[0]?.dialect).toBe('module');
});

test('dialect: suse without a livepatch_main.c is said', async () => {
  const { analysis } = await open({ 'v1/a.c': '' }, 'defaults: { dialect: suse }\n');
  expect(analysis.findings().map(({ message }) => message)).toEqual([
    'no livepatch_main.c is among the sources: name the folder of the whole tree',
  ]);
});

test('an edit in one fix reads one file again, one in a table the module around', async () => {
  const { project, files, analysis } = await open(TREE);
  const units = (): readonly unknown[] => project.analyse().lineage.versions[0]?.program?.units ?? [];
  const before = analysis.lineage.versions[0]?.program?.units ?? [];
  const path = '/lineage/v1/bsc3/livepatch_bsc3.c';
  files.write(path, `${TREE['v1/bsc3/livepatch_bsc3.c' as keyof typeof TREE]}int more;\n`);
  const after = units();
  expect(after.map((unit, i) => unit === before[i])).toEqual([true, true, false]);
  expect(project.involves(TABLE3)).toBe(true);
  files.write(TABLE3, 'vmlinux four klpp_four\n');
  expect(units().map((unit, i) => unit === after[i])).toEqual([false, true, true]);
  expect(objects(project.analyse())).toEqual([
    [
      null,
      [
        `do_one,0 klpp_do_one <- ${TABLE20}: vmlinux do_one klpp_do_one`,
        `four,0 klpp_four <- ${TABLE3}: vmlinux four klpp_four`,
      ],
    ],
  ]);
});
