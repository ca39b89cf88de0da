import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { precision } from './precision';
import { spoken } from './spoken';

const CODE = 'not-in-this-kernel';

const CALLBACK = {
  body: 'static void after(struct klp_object *obj)\n{\n}',
  callbacks: '      .post_patch = after,',
};

test('.replace before 5.1', async () => {
  await expectMarked(
    lineage(manifest(['draft'], { kernel: '"4.19"' }), {
      replace: '  .replace = true,\n  //~ not-in-this-kernel: There is no `.replace` in kernel 4.19',
      init: '  klp_register_patch(&patch);\n  return klp_enable_patch(&patch);',
      exit: '  klp_unregister_patch(&patch);',
    }),
  );
});

test('klp_register_patch() since 5.1', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      init: '  klp_register_patch(&patch);\n  //~ not-in-this-kernel: There is no klp_register_patch() in kernel 6.1: it was removed in 5.1\n  return klp_enable_patch(&patch);',
    }),
  );
});

test('klp_enable_patch() alone before 5.1', async () => {
  await expectMarked(
    lineage(manifest(['draft'], { kernel: '"4.19"' }), {
      replace: '',
      init: '  return klp_enable_patch(&patch);\n  //~ not-in-this-kernel: alone is not enough',
    }),
  );
});

test('states before 5.5', async () => {
  const { findings } = await check(
    lineage(manifest(['draft'], { kernel: '"5.4"' }), { states: '  { .id = 7, .version = 1 },' }),
  );
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('not-in-this-kernel: There are no livepatch states in kernel 5.4'),
  ]);
});

test('callbacks before 4.15', async () => {
  const { findings } = await check(
    lineage(manifest(['draft'], { kernel: '"4.14"' }), {
      ...CALLBACK,
      replace: '',
      init: '  klp_register_patch(&patch);\n  return klp_enable_patch(&patch);',
    }),
  );
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringContaining('not-in-this-kernel: There are no callbacks in kernel 4.14'),
  ]);
});

test('a function of the catalogue that is gone, with the one to use instead', async () => {
  const body = `static struct timer_list t;
static void after(struct klp_object *obj)
{
  del_timer_sync(&t);
}`;
  const { findings } = await check(
    lineage(manifest(['draft'], { kernel: '"7.3"' }), { body, callbacks: '      .post_unpatch = after,' }),
  );
  expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringMatching(
      /^not-in-this-kernel: There is no del_timer_sync\(\) in kernel 7\.3: it was removed in .*timer_delete_sync\(\)/,
    ),
  ]);
});

test.each(['"6.1"', '"5.5"', '"7.3"'])('all that is new is in kernel %s', async (kernel) => {
  await expectMarked(
    lineage(manifest(['draft'], { kernel }), { ...CALLBACK, states: '  { .id = 7, .version = 1 },' }),
  );
});

test.each([
  '"4.18.0-553.el8_10.x86_64"',
  '{ release: "4.19", has: [replace, simple-enable] }',
  '"5.3.18-150300.59-default"',
])('a vendor may have it: %s', async (kernel) => {
  await expectMarked(lineage(manifest(['draft'], { kernel }), CALLBACK));
});

test('a vendor kernel that lacks it in so many words', async () => {
  await expectMarked(
    lineage(manifest(['draft'], { kernel: '{ release: "6.1", lacks: [replace] }' }), {
      replace: '  .replace = true,\n  //~ not-in-this-kernel: no `.replace`',
    }),
  );
});

test('the side of an #if that this kernel does not compile is not looked at', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      init: `#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)
  klp_register_patch(&patch);
#endif
  return klp_enable_patch(&patch);`,
    }),
  );
});

const timer = (body: string, kernel: string): string =>
  lineage(manifest(['draft'], { kernel }), {
    body: `static struct timer_list t;\n${body}`,
    callbacks: '      .post_unpatch = after,',
  });
const DELETES = 'static void after(struct klp_object *obj) { timer_delete_sync(&t); }';

const OLD_INIT = { init: '  klp_register_patch(&patch);\n  return klp_enable_patch(&patch);' };

test('each thing that is not there in a whole sentence', async () => {
  const says = (kernel: string, parts: LivepatchParts): Promise<string[]> =>
    spoken(lineage(manifest(['draft'], { kernel }), parts), CODE);
  expect(await says('"4.19"', OLD_INIT)).toEqual([
    'error must v1: There is no `.replace` in kernel 4.19: it came with 5.1. There a livepatch is stacked on the others; callbacks of the older ones stay in force.',
  ]);
  expect(await says('"5.4"', { states: '  { .id = 7, .version = 1 },' })).toEqual([
    'error must v1: There are no livepatch states in kernel 5.4: they came with 5.5. Hand data on by a shadow variable.',
  ]);
  expect(await says('"4.14"', { ...CALLBACK, ...OLD_INIT, replace: '' })).toEqual([
    'error must v1: There are no callbacks in kernel 4.14: they came with 4.15. The livepatch can only replace functions there.',
  ]);
  expect(await says('"4.19"', { replace: '' })).toEqual([
    'error must v1: klp_enable_patch() alone is not enough in kernel 4.19: before 5.1 only a registered livepatch can be enabled, and it answers -EINVAL. Call klp_register_patch() first.',
  ]);
});

/** Calls in a callback. */
const calling = (...calls: readonly string[]): LivepatchParts => ({
  body: `static struct timer_list t;\nstatic void after(struct klp_object *obj)\n{\n${calls.map((call) => `  ${call};\n`).join('')}}`,
  callbacks: '      .post_unpatch = after,',
});

test.each([
  // Removed with nothing in its place, and one that somebody could take for it.
  ['7.3', 'register_sysctl_table(acme_table)', 'it was removed in 6.6.'],
  ['7.3', 'rtnl_register(1, 2, NULL, NULL, 0)', 'it was removed in 6.13.'],
  ['6.1', 'register_sysctl_sz("acme", acme_table, 1)', 'it came with 6.6.'],
  ['7.3', 'del_timer_sync(&t)', 'it was removed in 6.15. Use timer_delete_sync() or timer_shutdown_sync().'],
  ['5.10', 'timer_shutdown_sync(&t)', 'it came with 6.1. Use del_timer_sync() or del_timer().'],
  ['6.1', 'kthread_stop_put(acme_task)', 'it came with 6.6. Use kthread_stop().'],
  ['5.1', 'klp_get_state(&patch, 7)', 'it came with 5.5. Hand data on by a shadow variable.'],
  [
    '5.1',
    'klp_unregister_patch(&patch)',
    'it was removed in 5.1. A livepatch is disabled by writing 0 to its `enabled` in sysfs.',
  ],
  ['5.1', 'klp_register_patch(&patch)', 'it was removed in 5.1. klp_enable_patch() alone is enough there.'],
])('in %s there is no %s: %s', async (release, call, words) => {
  const name = call.slice(0, call.indexOf('('));
  const text = lineage(manifest(['draft'], { kernel: `"${release}"` }), calling(call));
  expect(await spoken(text, CODE)).toEqual([
    `error must v1: There is no ${name}() in kernel ${release}: ${words}`,
  ]);
});

test('what every kernel has, or what nothing is known of, is not missed', async () => {
  const parts = calling('acme_call(1)', 'printk("after")', 'unregister_reboot_notifier(&acme_nb)');
  await expectMarked(lineage(manifest(['draft']), parts), CODE);
});

test('an object without callbacks before one that has some, and a livepatch without objects', async () => {
  const objects =
    '  { .name = "ext4", .funcs = funcs },\n  { .funcs = funcs, .callbacks = { .post_patch = after } },';
  const parts = { ...OLD_INIT, replace: '', body: CALLBACK.body, objects };
  const kernel = manifest(['draft'], { kernel: '"4.14"' });
  expect(await spoken(lineage(kernel, parts), CODE)).toHaveLength(1);
  const none = livepatch({ ...OLD_INIT, replace: '' }).replace('  .objs = objs,\n', '');
  await expectMarked(lineage(kernel, none), CODE);
  await expectMarked(lineage(manifest(['draft'], { kernel: '"next"' }), calling('del_timer_sync(&t)')), CODE);
});

precision(
  'not-in-this-kernel',
  [
    {
      what: 'a function that came later',
      lineage: timer(DELETES, '"5.10"'),
      says: 'There is no timer_delete_sync() in kernel 5.10',
      on: 'timer_delete_sync(',
    },
    {
      what: 'shadow variables before 4.15',
      lineage: lineage(manifest(['draft'], { kernel: '"4.14"' }), {
        replace: '',
        body: 'static void f(void *p) { klp_shadow_get(p, 1); }',
        init: '  klp_register_patch(&patch);\n  return klp_enable_patch(&patch);',
      }),
      says: 'klp_shadow_get() in kernel 4.14: it came with 4.15',
    },
  ],
  [
    {
      why: 'the module has one of that name itself',
      lineage: timer(
        `static int timer_delete_sync(struct timer_list *t) { return del_timer_sync(t); }\n${DELETES}`,
        '"5.10"',
      ),
    },
    {
      why: 'a macro for older kernels',
      lineage: timer(
        `#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#define timer_delete_sync(t) del_timer_sync(t)\n#endif\n${DELETES}`,
        '"5.10"',
      ),
    },
  ],
);
