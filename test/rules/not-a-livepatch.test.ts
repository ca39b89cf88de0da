import { expect, test } from 'vitest';
import {
  asText,
  check,
  expectMarked,
  fixed,
  type LivepatchParts,
  lineage,
  livepatch,
  manifest,
} from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const CODE = 'not-a-livepatch';

const without = (part: string, by = ''): string =>
  lineage(manifest(['draft']), livepatch().replace(part, by));

const AT_PATCH = (text: string, words: string): string =>
  text.replace('klp_patch patch = {', `klp_patch patch = {\n  //~ not-a-livepatch: ${words}`);

test('nothing is missing', async () => {
  await expectMarked(lineage(manifest(['draft']), {}));
});

test.each([
  ['MODULE_INFO(livepatch, "Y");\n', 'MODULE_INFO(livepatch, "Y") is missing'],
  ['  .mod = THIS_MODULE,\n', 'has no `.mod`'],
  ['MODULE_LICENSE("GPL");\n', 'MODULE_LICENSE() is missing'],
])('without %s', async (part, words) => {
  const text = without(part);
  await expectMarked(AT_PATCH(text, words));
  const { fixture, findings } = await check(text);
  const fix = findings[0]?.fixes[0];
  expect(fix?.title).toMatch(/^Add /);
  await expectMarked(asText(fix ? fixed(fixture, fix) : new Map()));
});

test('without .objs', async () => {
  await expectMarked(AT_PATCH(without('  .objs = objs,\n'), 'has no `.objs`'));
});

test('an object without .funcs', async () => {
  const objects = '  {\n    .name = "ext4",\n  },\n  {\n    .funcs = funcs,\n  },';
  const { findings } = await check(lineage(manifest(['draft']), { objects }));
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('not-a-livepatch: The object ext4 has no `.funcs`'),
  ]);
});

test('another licence', async () => {
  const findings = await expectMarked(
    without('MODULE_LICENSE("GPL");', 'MODULE_LICENSE("Proprietary");\n//~ not-a-livepatch: not compatible'),
  );
  expect(findings[0]?.fixes).toEqual([]);
});

test.each(['GPL v2', 'Dual BSD/GPL', 'Dual MIT/GPL', 'GPL and additional rights'])(
  '%s will do',
  async (licence) => {
    await expectMarked(without('"GPL"', `"${licence}"`));
  },
);

test.each([
  ['the functions', '},\n  { }\n};\nstatic struct klp_object', '},\n};\nstatic struct klp_object', 'funcs'],
  ['the objects', '},\n  { }\n};\nstatic struct klp_patch', '},\n};\nstatic struct klp_patch', 'objs'],
])('%s do not end', async (_what, part, by, name) => {
  const text = without(part, by);
  const { fixture, findings } = await check(text);
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining(`not-a-livepatch: The array ${name}`),
  ]);
  const fix = findings[0]?.fixes[0];
  const after = fix ? fixed(fixture, fix) : new Map<string, string>();
  expect(after.get('v1/a.c')).toBe(livepatch());
});

test('states that do not end', async () => {
  const source = livepatch({ states: '  { .id = 7, .version = 1 },' });
  const { fixture, findings } = await check(
    lineage(manifest(['draft']), source.replace('.version = 1 },\n  { }', '.version = 1 },')),
  );
  expect(findings.map((finding) => finding.code)).toEqual(['not-a-livepatch']);
  const fix = findings[0]?.fixes[0];
  expect(fix && fixed(fixture, fix).get('v1/a.c')).toBe(source);
});

test('init that enables nothing', async () => {
  await expectMarked(
    lineage(
      manifest(['draft']),
      livepatch({ init: '  return 0;' }).replace(
        'm_init(void)',
        'm_init(void)\n//~ not-a-livepatch: never calls klp_enable_patch()',
      ),
    ),
  );
});

test('no init at all', async () => {
  const source = livepatch().replace(/static int __init m_init[^]*module_exit\(m_exit\);\n/, '');
  expect(await spoken(lineage(manifest(['draft']), source), CODE)).toEqual([
    'error must v1: There is no module_init() that calls klp_enable_patch(): the module loads and patches nothing.',
  ]);
  await expectMarked(lineage(manifest(['draft']), AT_PATCH(source, 'There is no module_init()')));
});

test('sources without a livepatch are said at the manifest, unless something of them is not known', async () => {
  const head = (sources: string): string =>
    `//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m_v1\n    sources: ${sources}\n`;
  const source = '//- v1/a.c\n#include <linux/module.h>\nstatic int acme_level;\n';
  const words = 'v1 defines no struct klp_patch: its sources are not those of a livepatch.';
  expect(await spoken(head('v1/*.c') + source, CODE)).toEqual([`error must v1: ${words}`]);
  await expectMarked(`${head('v1/*.c')}    #        ^^^^^^ not-a-livepatch: ${words}\n${source}`);
  expect(await spoken(`${head('v1/*.c')}${source}#include "patch.h"\n`, CODE)).toEqual([]);
  expect(await spoken(head('[v1/a.c, v1/b.c]') + source, CODE)).toEqual([]);
});

test('two livepatches of which init enables neither are no module without one', async () => {
  const second = livepatch()
    .replace('static int __init', 'static struct klp_patch other = { .mod = THIS_MODULE, .objs = objs };\n$&')
    .replace('  return klp_enable_patch(&patch);', '  return acme_enable(&patch, &other);');
  expect(await spoken(lineage(manifest(['draft']), second), CODE)).toEqual([]);
});

test('init that enables through a function of its own', async () => {
  const body =
    'static struct klp_patch patch;\nstatic int enable(void)\n{\n  return klp_enable_patch(&patch);\n}';
  await expectMarked(lineage(manifest(['draft']), { body, init: '  return enable();' }));
});

test('no exit, and the fix', async () => {
  const source = livepatch()
    .replace('module_exit(m_exit);\n', '')
    .replace('static void __exit m_exit(void)\n{\n\n}\n', '');
  await expectMarked(
    lineage(
      manifest(['draft']),
      source.replace('module_init(m_init);', 'module_init(m_init);\n//~ not-a-livepatch: module_exit()'),
    ),
  );
  const { fixture, findings } = await check(lineage(manifest(['draft']), source));
  const fix = findings[0]?.fixes[0];
  await expectMarked(asText(fix ? fixed(fixture, fix) : new Map()));
});

test.each([
  ['acme_init', 'acme_exit'],
  ['acme_init_once_init', 'acme_init_once_exit'],
  ['acme_start', 'acme_start_exit'],
])('the exit that is offered beside %s is %s', async (init, exit) => {
  const source = livepatch()
    .replace('module_exit(m_exit);\n', '')
    .replace('static void __exit m_exit(void)\n{\n\n}\n', '')
    .replaceAll('m_init', init);
  const { fixture, findings } = await check(lineage(manifest(['draft']), source));
  const [fix] = findings[0]?.fixes ?? [];
  expect(fix?.title).toBe('Add an empty exit function');
  const text = (fix && fixed(fixture, fix).get('v1/a.c')) ?? '';
  expect(text).toContain(
    `static void __exit ${exit}(void)\n{\n}\n\nmodule_init(${init});\nmodule_exit(${exit});\n`,
  );
});

test('the whole sentences, each of a livepatch that lacks one thing', async () => {
  const says = (text: string): Promise<string[]> => spoken(text, CODE);
  expect(await says(without('MODULE_INFO(livepatch, "Y");\n'))).toEqual([
    'error must v1: MODULE_INFO(livepatch, "Y") is missing: klp_enable_patch() answers -EINVAL, for the module is not marked as a livepatch.',
  ]);
  expect(await says(without('MODULE_LICENSE("GPL");\n'))).toEqual([
    'error must v1: MODULE_LICENSE() is missing: klp_enable_patch() is exported to GPL modules only, so the module cannot be linked.',
  ]);
  expect(await says(without('"GPL"', '"Proprietary"'))).toEqual([
    'error must v1: The licence "Proprietary" is not compatible with the GPL: klp_enable_patch() is exported to GPL modules only, so the module cannot be linked.',
  ]);
  expect(await says(without('.funcs = funcs,', '.name = "ext4",'))).toEqual([
    'error must v1: The object ext4 has no `.funcs`: klp_enable_patch() answers -EINVAL. An object that only has callbacks points to an array with nothing but its end, { }.',
  ]);
});

test('what is asked for is offered under its name, and where it cannot be added nothing is', async () => {
  const titles = async (text: string): Promise<string[]> =>
    (await check(text)).findings.flatMap(({ fixes }) => fixes.map(({ title }) => title));
  expect(await titles(without('MODULE_INFO(livepatch, "Y");\n'))).toEqual([
    'Add MODULE_INFO(livepatch, "Y")',
  ]);
  expect(
    await titles(without('},\n  { }\n};\nstatic struct klp_object', '},\n};\nstatic struct klp_object')),
  ).toEqual(['Add the empty element { }']);
  const nothing = without('.mod = THIS_MODULE', '.mod = NULL');
  expect(await spoken(nothing, CODE)).toEqual([
    'error must v1: patch has no `.mod`: klp_enable_patch() answers -EINVAL.',
  ]);
  expect(await titles(nothing)).toEqual([]);
  const named = livepatch()
    .replace('static int __init m_init', 'int init_module')
    .replace('static void __exit m_exit(void)\n{\n\n}\n', '')
    .replace('module_init(m_init);\nmodule_exit(m_exit);\n', '');
  expect(await titles(lineage(manifest(['draft']), named))).toEqual([]);
});

test('a file that could not be read, or one of two that misses a header, may hold what is missing', async () => {
  const text = without('MODULE_LICENSE("GPL");\nMODULE_INFO(livepatch, "Y");\n');
  expect(await spoken(text.replace('v1/*.c', '[v1/a.c, v1/b.c]'), CODE)).toEqual([]);
  expect(await spoken(`${text}//- v1/b.c\n#include "common.h"\n`, CODE)).toEqual([]);
  const unending = livepatch()
    .replace('module_exit(m_exit);\n', '#include "common.h"\n')
    .replace('static void __exit m_exit(void)\n{\n\n}\n', '');
  expect(await spoken(lineage(manifest(['draft']), unending), CODE)).toEqual([]);
});

test('a licence that only a macro holds is not judged, whatever the macro says', async () => {
  const text = without(
    'MODULE_LICENSE("GPL")',
    '#define LP_LICENSE "Proprietary"\nMODULE_LICENSE(LP_LICENSE)',
  );
  expect(await spoken(text, CODE)).toEqual([]);
});

test('what may stand in a file that is not there is not missed', async () => {
  await expectMarked(without('MODULE_INFO(livepatch, "Y");', '#include "common.h"'));
  await expectMarked(without('MODULE_LICENSE("GPL");', '#include "common.h"'));
});

test('a version of which only the name is known', async () => {
  await expectMarked(
    '//- livepatch.yaml\nlineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m\n',
  );
});

const one = (parts: LivepatchParts, ...more: readonly string[]): string =>
  lineage(manifest(['draft']), parts) + more.join('');
const functions = (elements: string, size = ''): LivepatchParts => ({
  body: `#define KLPP(fn) { .old_name = #fn, .new_func = klpp_##fn }\nstatic struct klp_func table[${size}] = { ${elements} };`,
  objects: '  { .funcs = table },',
});
const inline = (elements: string): LivepatchParts => ({
  objects: `  { .funcs = (struct klp_func[]) { ${elements} } },`,
});
const OPEN = '{ .old_name = "acme_open", .new_func = klpp_acme_open }';

// klp_init_object() and klp_init_func() of kernel/livepatch/core.c; include/linux/livepatch.h says where tables end.
const table = (...elements: readonly string[]): string =>
  one({
    body: `static struct klp_func table[8] = {\n${elements.map((it) => `  ${it},\n`).join('')}};`,
    objects: '  { .funcs = table },',
  });
const objectsOf = (...elements: readonly string[]): string =>
  one({
    body: 'static void off(struct klp_object *obj) { }\nstatic void on(struct klp_object *obj) { }',
    objects: elements.map((it) => `  ${it},`).join('\n'),
  });
const REFUSED = 'klp_enable_patch() answers -EINVAL, for klp_init_func() refuses it.';

test('the whole sentences, each of a table with an entry that is refused or never seen', async () => {
  const says = (text: string): Promise<string[]> => spoken(text, CODE);
  expect(await says(table('{ .new_func = klpp_acme_open }'))).toEqual([
    `error must v1: This function has no \`.old_name\`: ${REFUSED}`,
  ]);
  expect(await says(table('{ .old_name = "acme_open" }'))).toEqual([
    `error must v1: The function acme_open has no \`.new_func\`: ${REFUSED}`,
  ]);
  expect(await says(table(`{ .old_name = "${'a'.repeat(512)}", .new_func = klpp_acme_open }`))).toEqual([
    `error must v1: This name has 512 characters, and a function's name less than 512: ${REFUSED}`,
  ]);
  expect(await says(table(OPEN, OPEN))).toEqual([
    'error must v1: The function acme_open of vmlinux stands in the table twice: klp_enable_patch() answers -EEXIST for the second. | the first',
  ]);
  expect(
    await says(objectsOf('{ .name = "ext4", .funcs = funcs }', '{ .name = "ext4", .funcs = funcs }')),
  ).toEqual([
    'error must v1: The object ext4 stands in the table twice: klp_enable_patch() answers -EEXIST for the second. | the first',
  ]);
  expect(await says(table('{ }', OPEN))).toEqual([
    'error must v1: An empty element in front of this one ends table: this function is not patched, without a word in the log.',
  ]);
  expect(await says(objectsOf('{ .name = "ext4", .funcs = funcs }', '{ }', '{ .funcs = funcs }'))).toEqual([
    'error must v1: An empty element in front of this one ends objs: nothing of this object is patched, and its callbacks never run, without a word in the log.',
  ]);
  expect(await says(one({ states: '  { },\n  { .id = 7, .version = 1 },' }))).toEqual([
    'error must v1: An empty element in front of this one ends states: this state is not declared, without a word in the log.',
  ]);
  expect(await says(objectsOf('{ .callbacks = { .post_patch = on } }'))).toEqual([
    'error must v1: An object with neither `.name` nor `.funcs` ends objs: its callbacks never run, without a word in the log. An object that only has callbacks points to an array with nothing but its end, { }.',
  ]);
});

test('they stand on the element', async () => {
  await expectMarked(
    table(
      '{ }',
      `${OPEN}, //\n  //~ not-a-livepatch: An empty element\n  ${OPEN.replaceAll('open', 'close')}`,
    ).replace('static struct klp_func table', 'static int klpp_acme_close(int n) { return n; }\n$&'),
  );
  await expectMarked(
    table(`{ .old_name = "acme_open" }, //\n  //~ not-a-livepatch: has no \`.new_func\`\n  { }`),
  );
  await expectMarked(
    objectsOf(
      '{ .funcs = funcs }',
      '{ .funcs = funcs }, //\n  //~ not-a-livepatch: The object vmlinux\n  { }',
    ),
  );
});

precision(
  CODE,
  [
    {
      what: 'a .new_func of NULL',
      lineage: table('{ .old_name = "acme_open", .new_func = NULL }'),
      says: 'The function acme_open has no `.new_func`',
      on: '{ .old_name',
    },
    {
      what: 'nothing but a position',
      lineage: table('{ .old_sympos = 2 }'),
      says: 'This function has no `.old_name`',
    },
    {
      what: 'a macro that forgets the function',
      lineage: one({
        body: '#define FN(fn) { .old_name = #fn }\nstatic struct klp_func table[] = { FN(acme_open), { } };',
        objects: '  { .funcs = table },',
      }),
      says: 'The function acme_open has no `.new_func`',
    },
    {
      what: 'the first and the second of a name are one folder only for 0 and 1',
      lineage: table(
        OPEN,
        OPEN.replace(' }', ', .old_sympos = 1 }'),
        OPEN.replace(' }', ', .old_sympos = 2 }'),
      ),
      says: 'The function acme_open of vmlinux stands in the table twice',
    },
    {
      what: 'two objects with one table that is wrong',
      lineage: one({
        body: 'static struct klp_func table[] = { { .old_name = "acme_open" }, { } };',
        objects: '  { .funcs = table },\n  { .name = "ext4", .funcs = table },',
      }),
      says: 'The function acme_open has no `.new_func`',
    },
    {
      what: 'an element by number leaves a hole',
      lineage: table(`[0] = ${OPEN}`, `[2] = ${OPEN}`),
      says: 'An empty element in front of this one ends table',
      on: '[2] = {',
    },
    {
      what: 'an entry behind the end that an #ifdef left',
      lineage: table(OPEN, '{ },\n#ifdef LP_END\n#endif\n  { .new_func = klpp_acme_open }'),
      says: 'An empty element in front of this one ends table',
    },
    {
      what: 'init takes the name away',
      lineage: one({ init: '  funcs[0].old_name = NULL;\n  return klp_enable_patch(&patch);' }),
      says: 'This function has no `.old_name`',
    },
  ],
  [
    { why: 'positions tell them apart', lineage: table(OPEN, OPEN.replace(' }', ', .old_sympos = 2 }')) },
    {
      why: 'so do the second and the first of a name',
      lineage: table(OPEN.replace(' }', ', .old_sympos = 2 }'), OPEN.replace(' }', ', .old_sympos = 1 }')),
    },
    {
      why: 'two objects with one callback of a kind, which another rule says',
      lineage: objectsOf(
        '{ .name = "ext4", .funcs = funcs, .callbacks = { .pre_unpatch = off, .post_patch = on } }',
        '{ .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = on } }',
      ),
    },
    {
      why: 'one function in two objects',
      lineage: one({
        body: `static struct klp_func table[] = { ${OPEN}, { } };`,
        objects: '  { .funcs = table },\n  { .name = "ext4", .funcs = funcs },',
      }),
    },
    {
      why: 'the function is a macro of a header that is not there',
      lineage: table('{ .old_name = "acme_open", .new_func = KLPP_ACME_OPEN }'),
    },
    { why: 'so is the name', lineage: table('{ .old_name = ACME_OPEN, .new_func = klpp_acme_open }') },
    { why: 'so is the whole entry', lineage: table('KLPP_ENTRY(acme_open)', OPEN) },
    { why: 'what is behind the end is not known', lineage: table(OPEN, '{ }', 'LP_MORE') },
    {
      why: 'init fills the hole',
      lineage: one({
        init: '  funcs[0].new_func = klpp_acme_open;\n  return klp_enable_patch(&patch);',
      }).replace(', .new_func = klpp_acme_open', ''),
    },
    {
      why: 'something that is not known may fill it',
      lineage: one({ init: '  acme_fill(funcs);\n  return klp_enable_patch(&patch);' }).replace(
        ', .new_func = klpp_acme_open',
        '',
      ),
    },
    {
      why: 'init fills it on a way that is not known',
      lineage: one({
        init: '  if (acme_late())\n    funcs[0].new_func = klpp_acme_open;\n  return klp_enable_patch(&patch);',
      }).replace(', .new_func = klpp_acme_open', ''),
    },
    {
      why: 'init enables only on a way that is not known, and fills it there',
      lineage: one({
        init: '  if (acme_late() == 3) {\n    funcs[0].new_func = klpp_acme_open;\n    return klp_enable_patch(&patch);\n  }\n  return -ENODEV;',
      }).replace(', .new_func = klpp_acme_open', ''),
    },
    {
      why: 'a parameter decides',
      lineage: one({
        body: 'static bool late;\nmodule_param(late, bool, 0);\nstatic struct klp_func funcs[];',
        init: '  if (late)\n    funcs[0].new_func = klpp_acme_open;\n  return klp_enable_patch(&patch);',
      }).replace(', .new_func = klpp_acme_open', ''),
    },
    {
      why: 'room behind the end',
      lineage: table(OPEN, '{ }'),
    },
    {
      why: 'two callbacks of a kind are said by another rule',
      lineage: objectsOf(
        '{ .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = on } }',
        '{ .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = on } }',
      ),
    },
    {
      why: 'an object with callbacks and an empty array',
      lineage: one({
        body: 'static void on(struct klp_object *obj) { }\nstatic struct klp_func none[] = { { } };',
        objects: '  { .funcs = none, .callbacks = { .post_patch = on } },',
      }),
    },
  ],
);

precision(
  CODE,
  [
    {
      what: 'no room for the end',
      lineage: one(functions('KLPP(acme_open)', '1')),
      says: 'The array table of functions lacks its end',
    },
    {
      what: 'the end is under an #ifdef',
      lineage: one(functions('KLPP(acme_open),\n#ifdef LP_END\n{ }\n#endif\n')),
      says: 'The array table',
    },
    { what: 'a compound literal', lineage: one(inline(OPEN)), says: 'This array of functions lacks its end' },
    {
      what: 'entries by number fill it',
      lineage: one(functions('[0] = KLPP(acme_open)', '1')),
      says: 'The array table',
    },
    {
      what: 'MODULE_INFO in a comment',
      lineage: without('MODULE_INFO(livepatch, "Y");', '/* MODULE_INFO(livepatch, "Y"); */'),
      says: 'MODULE_INFO(livepatch, "Y") is missing',
    },
    {
      what: 'a licence that the loader does not know by this name',
      lineage: without('"GPL"', '"GPLv2"'),
      says: '"GPLv2" is not compatible',
    },
    {
      what: 'init_module() and no cleanup_module()',
      lineage: lineage(
        manifest(['draft']),
        livepatch()
          .replace('static int __init m_init', 'int init_module')
          .replace('static void __exit m_exit(void)\n{\n\n}\n', '')
          .replace('module_init(m_init);\nmodule_exit(m_exit);\n', ''),
      ),
      says: 'module_exit() is missing',
    },
  ],
  [
    { why: 'room for the end, which C fills with zeros', lineage: one(functions('KLPP(acme_open)', '2')) },
    { why: 'NULL at the end', lineage: one(functions('KLPP(acme_open), { NULL, }')) },
    {
      why: 'a list of entries by a macro of macros',
      lineage: one({
        ...functions('LIST(ENTRY) { }'),
        body: `#define LIST(X) X(acme_open)\n#define ENTRY(fn) { .old_name = #fn, .new_func = klpp_##fn },\nstatic struct klp_func table[] = { LIST(ENTRY) { } };`,
      }),
    },
    { why: 'a table that a missing header makes', lineage: one(functions('LP_TABLE')) },
    { why: 'compound literals that end', lineage: one(inline(`${OPEN}, { }`)) },
    { why: 'late_initcall()', lineage: without('module_init(', 'late_initcall(') },
    {
      why: 'init_module() and cleanup_module()',
      lineage: lineage(
        manifest(['draft']),
        livepatch()
          .replace('static int __init m_init', 'int init_module')
          .replace('static void __exit m_exit', 'void cleanup_module')
          .replace('module_init(m_init);\nmodule_exit(m_exit);\n', ''),
      ),
    },
    {
      why: 'the licence of a macro',
      lineage: without('MODULE_LICENSE("GPL")', '#define LP_LICENSE "GPL"\nMODULE_LICENSE(LP_LICENSE)'),
    },
    {
      why: 'any value marks it, kernel/module/main.c asks for the key',
      lineage: without('(livepatch, "Y")', '(livepatch, "N")'),
    },
    {
      why: 'members that init sets',
      lineage: lineage(
        manifest(['draft']),
        livepatch({ init: '  patch.mod = THIS_MODULE;\n  return klp_enable_patch(&patch);' }).replace(
          '  .mod = THIS_MODULE,\n',
          '',
        ),
      ),
    },
    {
      why: 'licence and mark in another file',
      lineage: `${without('MODULE_LICENSE("GPL");\nMODULE_INFO(livepatch, "Y");\n')}//- v1/b.c\n#include <linux/module.h>\nMODULE_LICENSE("GPL");\nMODULE_INFO(livepatch, "Y");\n`,
    },
    {
      why: 'goto on the way to enabling',
      lineage: one({
        init: '  int ret = acme_prepare();\n\n  if (ret)\n    goto err;\n  ret = klp_enable_patch(&patch);\n  if (!ret)\n    return 0;\n  acme_undo();\nerr:\n  return ret;',
      }),
    },
  ],
);
