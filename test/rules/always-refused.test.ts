import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const CODE = 'always-refused';

const one = (parts: LivepatchParts): string => lineage(manifest(['draft']), parts);

/** A livepatch whose pre_patch of vmlinux consists of these statements. */
const pre = (statements: string, before = ''): LivepatchParts => ({
  body: `${before}static int hook(struct klp_object *obj)\n{\n${statements}\n}`,
  callbacks: '      .pre_patch = hook,',
});

const TARGETS = 'targets:\n  - { module: acme, sources: acme.c }\n';

/** A livepatch of acme, whose sources are at hand. */
const patching = (fn: string, target: string, entry = `.new_func = klpp_acme_open`): string =>
  `${lineage(
    manifest(['draft'], { end: TARGETS }),
    livepatch({ objects: '  {\n    .name = "acme",\n    .funcs = funcs,\n  },' }).replace(
      '{ .old_name = "acme_open", .new_func = klpp_acme_open }',
      `{ .old_name = "${fn}", ${entry} }`,
    ),
  )}//- acme.c\n#include <linux/module.h>\n${target}MODULE_LICENSE("GPL");\n`;

const OPEN = 'int acme_open(int n)\n{\n  return n;\n}\n';

test('where it stands and what it says', async () => {
  const findings = await expectMarked(
    one({
      ...pre('  return -EBUSY;'),
      body: `static int hook(struct klp_object *obj)
         //^^^^ always-refused: hook(), pre_patch of vmlinux, always answers -EBUSY: v1 is never enabled.
{
  return -EBUSY;
}`,
    }),
    CODE,
  );
  expect(findings.map(({ severity, certainty, run }) => [severity, certainty, run])).toEqual([
    ['error', 'must', ['load v1']],
  ]);
  expect(await spoken(one({ init: '  return -ENODEV;' }).replace('"GPL"', '"GPL v2"'), CODE)).toEqual([]);
  expect(
    await spoken(
      one({ init: '  int ret = klp_enable_patch(&patch);\n\n  return ret ? ret : -ENODEV;' }),
      CODE,
    ),
  ).toEqual(['error must v1: m_init() always answers -ENODEV: v1 can never be loaded.']);
  expect(await spoken(patching('acme_opne', OPEN), CODE)).toEqual([
    `warning may v1: While acme is loaded, v1 is refused with -EINVAL: "livepatch: symbol 'acme_opne' not found in symbol table". So say the sources that the manifest names for acme.`,
  ]);
});

test('the callbacks behind it fade, and what the kernel lets in beside it is not concerned', async () => {
  const { findings } = await check(
    lineage(
      manifest(['released', 'draft']),
      {},
      { ...pre('  return 1;'), callbacks: '      .pre_patch = hook,' },
    ),
  );
  expect(findings.map(({ code, versions }) => [code, ...versions])).toEqual([[CODE, 'v2']]);
});

// The first version is replaced by one that wants it there: klp_get_prev_state() is NULL on a clean kernel.
const STATES = '  { .id = 7, .version = 1 },';
const AFTER = pre('  return klp_get_prev_state(7) ? 0 : -ENODEV;');

precision(
  CODE,
  [
    { what: 'a positive number', lineage: one(pre('  return 1;')), says: 'always answers 1', on: 'hook' },
    {
      what: 'a variable that holds an error',
      lineage: one(pre('  return wrong;', 'static int wrong = -EIO;\n')),
      says: 'always answers -EIO',
    },
    {
      what: 'an error in front of enabling',
      lineage: one({ init: '  if (patch.mod)\n    return -EPERM;\n  return klp_enable_patch(&patch);' }),
      says: 'm_init() always answers -EPERM',
      on: 'm_init',
    },
    {
      what: 'no patch is handed over',
      lineage: one({ init: '  return klp_enable_patch(NULL);' }),
      says: 'always answers -EINVAL',
    },
    {
      what: 'two livepatches of one module',
      lineage: one({
        init: '  int ret = klp_enable_patch(&patch);\n\n  return ret ? ret : klp_enable_patch(&patch);',
      }),
      says: 'always answers -EEXIST',
    },
    {
      what: 'a function that two files of the target have',
      lineage: patching(
        'acme_open',
        `static noinline ${OPEN}`,
        '.new_func = klpp_acme_open, .old_sympos = 2',
      ),
      says: "symbol position 2 for symbol 'acme_open' in object 'acme' not found",
      on: '{ .old_name',
    },
    {
      what: 'a function that ftrace does not know',
      lineage: patching('acme_open', `notrace ${OPEN}`),
      says: "failed to find location for function 'acme_open'",
    },
    {
      what: 'pre_patch of a module',
      lineage: lineage(manifest(['draft'], { end: 'targets: [ext4]\n' }), {
        ...pre('  return -EPERM;'),
        objects: '  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_patch = hook } },',
      }),
      says: 'hook(), pre_patch of ext4, always answers -EPERM: v1 is never enabled while ext4 is loaded.',
      run: ['load ext4', 'load v1'],
    },
    {
      what: 'it wants a state that no version has',
      lineage: lineage(manifest(['released', 'draft']), {}, AFTER),
      says: 'hook(), pre_patch of vmlinux, always answers -ENODEV',
    },
  ],
  [
    { why: 'the function is there', lineage: patching('acme_open', OPEN) },
    { why: 'a macro of the target may make it', lineage: patching('acme_opne', 'ACME_OPS(opne)\n') },
    {
      why: 'the target has a file that could not be read',
      lineage: patching('acme_opne', OPEN).replace('sources: acme.c', 'sources: [acme.c, b.c]'),
    },
    {
      why: 'it is loaded over the version that has the state',
      lineage: lineage(manifest(['released', 'draft']), { states: STATES }, { ...AFTER, states: STATES }),
    },
    {
      why: 'a parameter decides',
      lineage: one(
        pre('  return allowed ? 0 : -EPERM;', 'static int allowed;\nmodule_param(allowed, int, 0);\n'),
      ),
    },
    { why: 'an unknown function decides', lineage: one(pre('  return acme_check(obj);')) },
    {
      why: 'what an unknown function is given may be another thing afterwards',
      lineage: one(pre('  int ret = -EINVAL;\n\n  acme_check(&ret);\n  return ret;')),
    },
    {
      why: 'init fails only where enabling does',
      lineage: one({ init: '  return klp_enable_patch(&patch);' }),
    },
    {
      why: 'the target refuses itself',
      lineage: patching(
        'acme_open',
        `${OPEN}static int a_init(void)\n{\n  return -ENODEV;\n}\nmodule_init(a_init);\n`,
      ),
    },
    {
      why: 'a header that is not there may say more',
      lineage: lineage(
        manifest(['draft']),
        livepatch(pre('  return -EBUSY;')).replace('#include <linux/module.h>', '$&\n#include "common.h"'),
      ),
    },
    {
      why: 'so may a file that is not there',
      lineage: one(pre('  return -EBUSY;')).replace('v1/*.c', '[v1/a.c, v1/b.c]'),
    },
    {
      why: 'what post_patch leaves is no answer',
      lineage: one({
        body: 'static int hook(struct klp_object *obj)\n{\n  return -EBUSY;\n}',
        callbacks: '      .post_patch = hook,',
      }),
    },
    {
      why: 'the tables are to blame, and so another rule says',
      lineage: one({}).replace(', .new_func = klpp_acme_open', ''),
    },
    {
      why: 'the predecessor has no sources',
      lineage:
        `${lineage(manifest(['released']), '').replace('    sources: v1/*.c\n', '')}`
          .replace('//- v1/a.c\n', '')
          .replace(
            '    status: released\n',
            `    status: released\n  - version: v2\n    module: m_v2\n    sources: v2/*.c\n`,
          ) + `//- v2/a.c\n${livepatch(pre('  return -EBUSY;'))}`,
    },
  ],
);
