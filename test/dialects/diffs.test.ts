import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDiffs } from '../../server/src/core/csource/dialects/diffs';
import { dialectFor } from '../../server/src/core/csource/dialects/registry';
import type { Analysis } from '../../server/src/features/analysis';
import { analyseTexts } from '../support/project';
import { appended, changed, diffOf } from './diff-text';
import { gitDiff } from './three-ways';

const TOOL = { macros: 'KPATCH', reversed: true, init: 'i', exit: 'e', duplicate: '' } as const;

/** One version of these diffs, in their order. */
async function version(
  diffs: readonly string[],
  more: { readonly kernel?: string; readonly keys?: string; readonly files?: Record<string, string> } = {},
): Promise<Analysis> {
  const files: Record<string, string> = { ...more.files };
  diffs.forEach((text, i) => (files[`v1/${i}.patch`] = text));
  files['livepatch.yaml'] =
    `lineage: l\nkernel: ${more.kernel ?? '"6.1"'}\nversions:\n  - version: v1\n    module: m_v1\n    sources: v1/*.patch\n${more.keys ?? ''}`;
  return analyseTexts(files);
}

function objectsOf({ lineage }: Analysis): unknown {
  return lineage.versions[0]?.facts?.patch?.objects?.map(({ name, functions, callbacks }) => [
    name,
    functions?.map(({ old }) => old),
    ...callbacks.map((it) => `${it.callback}=${it.function}`),
  ]);
}

const shownAt = (text: string, place: { start: number; end: number } | null | undefined): string =>
  place ? text.slice(place.start, place.end) : '';

test('the function around a change is the one whose head stands above it in the hunk, else that of the header', async () => {
  const text = diffOf('kernel/a.c', {
    at: 10,
    heading: 'static int first(int n)',
    lines: ` 	int x;
-	x = 1;
+	x = 2;
 	return x;
 }

 static int second(int n)
 {
+	n++;
 	return n;
 }

 int third(void)
 {
+	prepare();
 	if (ready())`.replace(/^$/gm, ' '),
  });
  const analysis = await version([text]);
  expect(objectsOf(analysis)).toEqual([[null, ['first', 'second', 'third']]]);
  const places = analysis.lineage.versions[0]?.facts?.patch?.objects?.[0]?.functions?.map(({ place }) =>
    shownAt(text, place),
  );
  expect(places).toEqual(['\tx = 2;', '\tn++;', '\tprepare();']);
});

test('what is added behind the last function, types and data are no replaced functions', async () => {
  const analysis = await version([
    appended(
      'kernel/a.c',
      'static int helper(int n)\n{\n\treturn n;\n}\n\nint acme_flag = 1;\n\nstruct acme {\n\tint n;\n};',
    ),
    diffOf('kernel/b.c', {
      at: 5,
      heading: 'static const struct file_operations b_fops = {',
      lines: ' \t.open = b_open,\n+\t.llseek = b_seek,\n };\n ',
    }),
    changed('kernel/b.c', 'b_open', 60),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, ['b_open']]]);
});

test.each([
  [
    'a head of two lines',
    ' static int\n two_lines(int a,\n \t  int b)\n {\n+\ta++;\n \treturn a;\n }',
    'two_lines',
  ],
  ['an attribute in front', ' static __always_unused int __must_check(\n attr(int a))\n', null],
  [
    'a system call',
    ' SYSCALL_DEFINE2(acme, int, a, char __user *, b)\n {\n+\ta++;\n \treturn a;\n }',
    '__do_sys_acme',
  ],
  [
    'a system call by the macro of the tool',
    '-SYSCALL_DEFINE1(acme, int, a)\n+KLP_SYSCALL_DEFINE1(acme, int, a)\n {\n+\ta++;\n \treturn a;\n }',
    '__do_sys_acme',
  ],
  ['a changed head', '-static int f(int a)\n+static int f(int a, int b)\n {\n \treturn a;\n }', 'f'],
  ['only lines taken away', ' int g(int a)\n {\n-\ta++;\n \treturn a;\n }', 'g'],
  [
    'annotations behind the arguments',
    ' int h(int a)\n \t__acquires(lock)\n {\n+\ta++;\n \treturn a;\n }',
    'h',
  ],
])('%s', async (_, lines, name) => {
  const analysis = await version([
    diffOf('kernel/a.c', { at: 30, lines: ` \n${lines}\n ` }),
    changed('kernel/a.c', 'other', 300),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, name === null ? ['other'] : [name, 'other']]]);
});

test('a comment that changes, or a function that kpatch is told to ignore, is not replaced', async () => {
  const analysis = await version([
    diffOf('kernel/a.c', { at: 30, lines: ' int f(int a)\n {\n+\t/* about a */\n \treturn a;\n }' }),
    appended(
      'kernel/b.c',
      '#include "kpatch-macros.h"\nKPATCH_IGNORE_FUNCTION(noise);\nKPATCH_IGNORE_SECTION(".x");\nKPATCH_FORCE_UNSAFE(why);',
    ),
    changed('kernel/b.c', 'noise', 500),
    changed('kernel/c.c', 'real'),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, ['real']]]);
});

test('an inline function is not listed, and that is said', async () => {
  const analysis = await version([
    diffOf('kernel/a.c', { at: 30, lines: ' static inline int f(int a)\n {\n+\ta++;\n \treturn a;\n }' }),
    diffOf('include/linux/acme.h', { at: 3, lines: ' #define A 1\n+#define B 2\n #define C 3' }),
    changed('kernel/c.c', 'real'),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, ['real']]]);
  expect(analysis.findings().map(({ code, severity, message }) => [code, severity, message])).toEqual([
    ['manifest-invalid', 'information', expect.stringContaining('f() is inline')],
    ['manifest-invalid', 'information', expect.stringContaining('include/linux/acme.h changes')],
  ]);
});

test('a hunk without the name of a function says so', async () => {
  const analysis = await version([
    diffOf('kernel/a.c', { at: 30, lines: ' \tint a;\n+\ta++;\n \treturn a;' }),
    diffOf('kernel/b.c', { at: 30, heading: 'out:', lines: ' \tkfree(a);\n+\ta = NULL;\n \treturn a;' }),
    changed('kernel/c.c', 'real'),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, ['real']]]);
  expect(analysis.findings().map(({ message }) => message)).toEqual([
    expect.stringContaining('Which function is changed here does not show'),
    expect.stringContaining('Which function is changed here does not show'),
  ]);
});

const CALLBACK = `static int acme_level;

static void acme_post_patch(patch_object *obj)
{
	pr_info("one\\n");
	console_loglevel = 7;
}
KPATCH_POST_PATCH_CALLBACK(acme_post_patch);`;

test('a later diff that edits what an earlier one added gives the composed callback', async () => {
  const first = appended('kernel/a.c', CALLBACK);
  // The same hunk stands where git would say that it stands, and where an older base would have had it.
  for (const at of [404, 390]) {
    const second = diffOf('kernel/a.c', {
      at,
      heading: 'static int last_one(void)',
      lines:
        ' static void acme_post_patch(patch_object *obj)\n {\n \tpr_info("one\\n");\n-\tconsole_loglevel = 7;\n+\tregister_netdevice_notifier(&other);\n+\tconsole_loglevel = 8;\n }\n KPATCH_POST_PATCH_CALLBACK(acme_post_patch);',
    });
    const analysis = await version([changed('kernel/a.c', 'acme'), first, second]);
    expect(analysis.findings().filter(({ code }) => code === 'manifest-invalid')).toEqual([]);
    expect(objectsOf(analysis)).toEqual([[null, ['acme'], 'post_patch=acme_post_patch']]);
    const { facts } = analysis.lineage.versions[0] ?? {};
    const calls = facts?.calls.filter((call) => call.reachedFrom.includes('post_patch')) ?? [];
    // Each line stands in the diff that wrote it.
    expect(
      calls.map(({ callee, place }) => [
        callee,
        place.file,
        shownAt(place.file.endsWith('1.patch') ? first : second, place),
      ]),
    ).toEqual([
      ['pr_info', '/lineage/v1/1.patch', 'pr_info'],
      ['register_netdevice_notifier', '/lineage/v1/2.patch', 'register_netdevice_notifier(&other)'],
    ]);
  }
});

test('a diff whose surroundings are not what the earlier ones left does not apply', async () => {
  const second = diffOf('kernel/a.c', {
    at: 406,
    lines: ' {\n \tpr_info("another\\n");\n+\tacme();\n \tconsole_loglevel = 7;',
  });
  const analysis = await version([appended('kernel/a.c', CALLBACK), second]);
  const finding = analysis.findings().find(({ message }) => message.includes('does not apply'));
  expect(finding).toMatchObject({ code: 'manifest-invalid', severity: 'error' });
  expect(shownAt(second, finding?.place)).toMatch(/^@@ -406,/);
});

test('a file that a diff adds is edited and renamed by later ones', async () => {
  const text = `${CALLBACK}\n\nint acme_new(void)\n{\n\treturn 1;\n}\n`;
  const first = gitDiff({ 'kernel/new.c': text }, 3, { 'kernel/old.c': 'int x;\n' });
  const rename = `diff --git a/kernel/new.c b/mm/newer.c\nsimilarity index 100%\nrename from kernel/new.c\nrename to mm/newer.c\n`;
  const second = diffOf('mm/newer.c', {
    at: 3,
    lines:
      '-static void acme_post_patch(patch_object *obj)\n+static void acme_post_patch(struct klp_object *obj)\n {',
  });
  const analysis = await version([first, rename, second, changed('kernel/c.c', 'real')]);
  expect(objectsOf(analysis)).toEqual([[null, ['real'], 'post_patch=acme_post_patch']]);
});

test('with line breaks of two characters every place is right as well', async () => {
  const text = appended('kernel/a.c', CALLBACK).replaceAll('\n', '\r\n');
  const { lineage } = await version([text]);
  const callback = lineage.versions[0]?.facts?.patch?.objects?.[0]?.callbacks[0];
  expect(shownAt(text, callback?.definition)).toBe('acme_post_patch');
  expect(shownAt(text, callback?.place)).toBe('KPATCH_POST_PATCH_CALLBACK(acme_post_patch);');
});

test('replace is on unless the manifest says otherwise', async () => {
  const replace = async (keys: string): Promise<unknown> =>
    (await version([changed('kernel/a.c', 'acme')], { keys })).lineage.versions[0]?.facts?.patch?.replace;
  expect(await replace('')).toBe(true);
  expect(await replace('    replace: true\n')).toBe(true);
  expect(await replace('    replace: false\n')).toBe(false);
});

test('in patched code the static call macros and the legacy shadow variables are read', async () => {
  const analysis = await version([
    diffOf('kernel/a.c', {
      at: 30,
      heading: 'static int f(struct acme *acme)',
      lines:
        ' \tint *n;\n \n+\tKPATCH_STATIC_CALL(acme_run)(acme);\n+\tn = kpatch_shadow_get(acme, "count");\n+\tif (!n)\n+\t\tn = kpatch_shadow_alloc(acme, "count", sizeof(*n), GFP_KERNEL);\n \treturn 0;\n }',
    }),
  ]);
  const { facts } = analysis.lineage.versions[0] ?? {};
  expect(facts?.shadow.map(({ id, api, size, function: fn }) => [id, api, size, fn])).toEqual([
    ['"count"', 'kpatch_shadow_get', null, 'f'],
    ['"count"', 'kpatch_shadow_alloc', 4, 'f'],
  ]);
  expect(facts?.calls.map(({ callee }) => callee)).toContain('__SCT__acme_run');
});

test.each([
  [
    'a macro of the other tool',
    'KLP_PRE_PATCH_CALLBACK(f);',
    'KLP_PRE_PATCH_CALLBACK() is not a macro of kpatch-build',
  ],
  [
    'a hook of old kpatch',
    'KPATCH_LOAD_HOOK(f);',
    'KPATCH_LOAD_HOOK() is there only for kernels without livepatch callbacks',
  ],
  ['an old hook for unloading', 'KPATCH_UNLOAD_HOOK(f);', 'KPATCH_UNLOAD_HOOK() is there only'],
])('%s is no callback', async (_, macro, words) => {
  const analysis = await version(
    [
      appended('kernel/a.c', `static int f(patch_object *obj)\n{\n\treturn 0;\n}\n${macro}`),
      changed('mm/b.c', 'real'),
    ],
    { keys: '    dialect: kpatch\n' },
  );
  expect(objectsOf(analysis)).toEqual([[null, ['real']]]);
  expect(analysis.findings().map(({ message }) => message)).toEqual([expect.stringContaining(words)]);
});

const source = (text: string, file = '/a/x.patch') => [{ file, text: () => text }];

test.each([
  ['a macro of klp-build', source(appended('kernel/a.c', 'KLP_PRE_PATCH_CALLBACK(f);')), '6.1', 'klp-build'],
  [
    'the header of klp-build',
    source(appended('kernel/a.c', '#include <linux/livepatch_helpers.h>')),
    '',
    'klp-build',
  ],
  ['a kernel that has klp-build', source(changed('kernel/a.c', 'f')), '6.19', 'klp-build'],
  ['a kernel behind that', source(changed('kernel/a.c', 'f')), '7.3-rc1', 'klp-build'],
  [
    'a macro of kpatch, whatever the kernel',
    source(appended('kernel/a.c', 'KPATCH_PRE_PATCH_CALLBACK(f);')),
    '7.0',
    'kpatch',
  ],
  ['an older kernel', source(changed('kernel/a.c', 'f')), '6.18', 'kpatch'],
  ['no kernel', source(changed('kernel/a.c', 'f')), '', 'kpatch'],
  ['a file called .diff', source(changed('kernel/a.c', 'f'), '/a/x.diff'), '6.1', 'kpatch'],
  ['C', source('int x;', '/a/x.c'), '6.19', 'module'],
  ['C with a diff beside it', [...source('int x;', '/a/x.c'), ...source('', '/a/x.patch')], '6.19', 'module'],
] as const)('dialect: auto with %s', (_, files, release, expected) => {
  expect(dialectFor('auto', files, release).name).toBe(expected);
});

test('a source that is no diff is said to be none', async () => {
  const analysis = await version(['hello\n'], { keys: '    dialect: kpatch\n' });
  expect(analysis.findings().map(({ code, message }) => [code, message])).toEqual([
    ['manifest-invalid', expect.stringContaining('no unified diff')],
  ]);
});

const LINES = [
  ' static int f(int a)',
  ' {',
  ' }',
  '+}',
  '+{',
  '+static int g(void)',
  '+\treturn 1;',
  '-\treturn 1;',
  ' \tif (a) {',
  '+\t} else {',
  '+#ifdef CONFIG_X',
  ' #endif',
  '+/*',
  ' */',
  '+KPATCH_PRE_PATCH_CALLBACK(g);',
  '+static int x = {',
  '+"',
  ' out:',
  '+#define A \\',
  '+struct s {',
  '+SYSCALL_DEFINE3(a, b',
  ' \tfoo(a,',
  ' \t    b);',
  ' ',
  '+',
];

test('any diffs are read as some module, and every place lies in them', () => {
  const hunk = fc.record({
    at: fc.integer({ min: 1, max: 30 }),
    heading: fc.constantFrom('', 'static int f(int a)', 'out:', 'struct s {', 'SYSCALL_DEFINE1(', '(('),
    lines: fc
      .array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 14 })
      .map((list) => list.join('\n')),
  });
  const diff = fc
    .array(
      fc.tuple(
        fc.constantFrom('kernel/a.c', 'fs/ext4/b.c', 'include/c.h', 'Makefile'),
        fc.array(hunk, { minLength: 1, maxLength: 4 }),
      ),
      { maxLength: 3 },
    )
    .map((files) => files.map(([path, hunks]) => diffOf(path, ...hunks)).join(''));
  let units = 0;
  fc.assert(
    fc.property(fc.array(diff, { minLength: 1, maxLength: 3 }), (texts) => {
      const files = texts.map((text, i) => ({ file: `/${i}.patch`, text: () => text }));
      const reading = readDiffs({ module: 'm', files, replace: null, defines: {}, kernelRelease: '' }, TOOL);
      units += reading.units.length;
      for (const name of reading.units) {
        const made = reading.texts.get(name) ?? '';
        for (let at = 0; at < made.length; at += 7) {
          const { file, start, end } = reading.relocate?.({ file: name, start: at, end: at + 3 }) ?? {
            file: '',
            start: 0,
            end: 0,
          };
          const text = texts[Number(file.slice(1, 2))] ?? '';
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThanOrEqual(text.length);
          // What is copied is what stands there.
          if (
            end - start === 3 &&
            !made.slice(at, at + 3).includes('\n') &&
            text.slice(start - 1, start) === '+'
          )
            expect(text.slice(start, end).length).toBe(3);
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(units).toBeGreaterThan(300);
});

/** As diff -Nupr writes it: names of two trees with times, and heads that are cut off behind 40 characters. */
function plainDiff(path: string, heading: string, at: number, lines: string): string {
  const list = lines.replace(/\n$/, '').split('\n');
  const count = (mark: string): number => list.filter((line) => !line.startsWith(mark)).length;
  const time = '2023-01-12 11:20:06.597707083 -0500';
  return `diff -Nupr src.orig/${path} src/${path}
--- src.orig/${path}\t${time}
+++ src/${path}\t${time}
@@ -${at},${count('+')} +${at},${count('-')} @@ ${heading.slice(0, 40)}
${list.join('\n')}
`;
}

test('callbacks of the same static names in three objects are three callbacks', async () => {
  const callbacks = `+
+#include <linux/module.h>
+#include "kpatch-macros.h"
+
+static const char *const state_names[] = {
+	[MODULE_STATE_LIVE]	= "[MODULE_STATE_LIVE] Normal",
+	[MODULE_STATE_GOING]	= "[MODULE_STATE_GOING] Going { away",
+};
+
+static void say(const char *callback, patch_object *obj)
+{
+	if (obj->mod)
+		pr_info("%s: %s -> %s\\n", callback, obj->mod->name,
+			state_names[obj->mod->state]);
+	else
+		pr_info("%s: vmlinux\\n", callback);
+}
+
+static int pre_patch_callback(patch_object *obj)
+{
+	say(__func__, obj);
+	return 0; /* return -ENODEV; */
+}
+KPATCH_PRE_PATCH_CALLBACK(pre_patch_callback);
+
+static void post_unpatch_callback(patch_object *obj)
+{
+	say(__func__, obj);
+}
+KPATCH_POST_UNPATCH_CALLBACK(post_unpatch_callback);
`;
  const text =
    plainDiff(
      'drivers/acme/knob.c',
      'static void __exit knob_exit(void)',
      90,
      ` \n module_init(knob_init);\n module_exit(knob_exit);\n${callbacks}`,
    ) +
    plainDiff(
      'drivers/acme/horn.c',
      'static struct platform_driver horn_platform_driver = {',
      130,
      ` };\n module_platform_driver(horn_platform_driver);\n \n${callbacks}`,
    ) +
    plainDiff(
      'fs/aio.c',
      '',
      50,
      ` \n #define KEY\t\t0\n \n${callbacks}+\n #define MAGIC\t0xa10a10a1\n #define FEATURES\t1\n `,
    );
  const analysis = await version([text]);
  const own = ['pre_patch=pre_patch_callback', 'post_unpatch=post_unpatch_callback'];
  expect(objectsOf(analysis)).toEqual([
    [null, [], ...own],
    ['horn', [], ...own],
    ['knob', [], ...own],
  ]);
  const definitions = analysis.lineage.versions[0]?.facts?.patch?.objects?.map(
    ({ callbacks: [first] }) => text.slice(0, first?.definition?.start).split('diff -Nupr').length - 1,
  );
  // Each callback is that of its own file.
  expect(definitions).toEqual([3, 2, 1]);
  const { lineage, transitions } = analysis;
  const [v1] = lineage.versions;
  if (!v1) throw new Error('v1 is missing');
  const log = transitions
    .transition(null, v1)
    .run.outcomes.flatMap(({ happenings }) => happenings.flatMap((it) => (it.k === 'log' ? [it.text] : [])));
  expect(log.filter((line) => line.includes('pre_patch_callback:'))).toEqual([
    'pre_patch_callback: vmlinux',
    'pre_patch_callback: horn -> [MODULE_STATE_LIVE] Normal',
    'pre_patch_callback: knob -> [MODULE_STATE_LIVE] Normal',
  ]);
});

test('heads that diff cut off name the function, unless the name itself is cut', async () => {
  const lines = ' \tint err;\n \n+\tcheck();\n+\n \terr = 0;\n \treturn err;\n }';
  const analysis = await version([
    plainDiff(
      'kernel/a.c',
      'static inline void task_context(struct seq_file *m)',
      10,
      ' }\n \n+#include <linux/livepatch.h>\n static int after(void)\n {\n+\tint *newpid;\n \treturn 0;',
    ),
    plainDiff('kernel/b.c', 'pid_t kernel_clone(struct kernel_clone_args *args)', 10, lines),
    plainDiff('kernel/c.c', 'static struct very_long_name_of_a_struct *the_function(void)', 10, lines),
    plainDiff(
      'kernel/d.c',
      'static const struct operations ops = {',
      10,
      ' \t.open = o,\n+\t.close = c,\n };',
    ),
  ]);
  expect(objectsOf(analysis)).toEqual([[null, ['after', 'kernel_clone']]]);
  expect(analysis.findings().map(({ message, place }) => [place.file, message])).toEqual([
    ['/lineage/v1/2.patch', expect.stringContaining('Which function is changed here does not show')],
  ]);
});

test('a hunk that begins inside of a comment', async () => {
  const text = plainDiff(
    'kernel/a.c',
    'struct task_struct *create(int n)',
    10,
    '  *\n  * args is { checked (by the caller.\n  */\n+#include <linux/livepatch.h>\n pid_t clone(struct args *args)\n {\n \tint n;\n+\tn = klp_shadow_get(args, 0) ? 1 : 0;',
  );
  const analysis = await version([text]);
  expect(objectsOf(analysis)).toEqual([[null, ['clone']]]);
  expect(analysis.lineage.versions[0]?.facts?.shadow.map(({ function: fn }) => fn)).toEqual(['clone']);
});
