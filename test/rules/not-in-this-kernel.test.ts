import { expect, test } from 'vitest';
import { check, expectMarked, lineage, manifest } from './fixture';
import { precision } from './precision';

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
