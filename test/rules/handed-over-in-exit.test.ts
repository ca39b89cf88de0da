import { expect, test } from 'vitest';
import { happensTo, isShared } from '../../server/src/rules/handed-over-in-exit';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { contextOf } from './told';

/** The first version's context, and where a text stands in its file. */
async function first(...versions: readonly LivepatchParts[]) {
  const context = await contextOf(lineage(manifest(versions.map(() => 'draft')), ...versions));
  const [version, other] = context.lineage.versions;
  if (!version) throw new Error('no version');
  const place = (call: string) => {
    const start = context.text('/lineage/v1/a.c').indexOf(call);
    expect(start, call).toBeGreaterThanOrEqual(0);
    return { file: '/lineage/v1/a.c', start, end: start + call.length };
  };
  return { context, version, other, place };
}

const DO = 'debugfs_create_dir("acme", NULL)';
const UNDO = 'debugfs_lookup_and_remove("acme", NULL)';
const FREE = 'klp_shadow_free(NULL, 9, NULL)';
const ENABLE = '  return klp_enable_patch(&patch);';
const COUNT_UP = `  int *users = klp_shadow_get_or_alloc(NULL, 9, sizeof(int), GFP_KERNEL, NULL, NULL);

  if (!users)
    return -ENOMEM;
`;
/** The first init makes it, the last exit removes it. */
const COUNTED: LivepatchParts = {
  init: `${COUNT_UP}  if ((*users)++ == 0)\n    ${DO};\n${ENABLE}`,
  exit: `  int *users = klp_shadow_get(NULL, 9);\n\n  if (users && --(*users) == 0) {\n    ${UNDO};\n    ${FREE};\n  }`,
};

async function shared(parts: LivepatchParts, ...calls: readonly string[]): Promise<boolean[]> {
  const { context, version, place } = await first(parts);
  return calls.map((call) => isShared(context, version, place(call)));
}

test('a count that the versions share', async () => {
  expect(await shared(COUNTED, DO, UNDO, FREE, 'klp_shadow_get(NULL, 9)')).toEqual([true, true, true, false]);
  // Asked once more it is the same.
  const { context, version, place } = await first(COUNTED, COUNTED);
  expect([isShared(context, version, place(DO)), isShared(context, version, place(DO))]).toEqual([
    true,
    true,
  ]);
});

test.each<[string, LivepatchParts]>([
  ['no count', { init: `  ${DO};\n${ENABLE}`, exit: `  ${UNDO};` }],
  [
    'a count of its own',
    {
      body: 'static int users;',
      init: `  if (users++ == 0)\n    ${DO};\n${ENABLE}`,
      exit: `  if (--users == 0)\n    ${UNDO};`,
    },
  ],
  [
    'a count that never comes back to zero',
    { ...COUNTED, exit: (COUNTED.exit ?? '').replace('--(*users)', '(*users)') },
  ],
  [
    'a version that is not loaded over another one of its kind',
    {
      ...COUNTED,
      init: (COUNTED.init ?? '').replace(ENABLE, `  if (*users > 1)\n    return -EEXIST;\n${ENABLE}`),
    },
  ],
  [
    'a version that is not loaded at all',
    { ...COUNTED, init: (COUNTED.init ?? '').replace(ENABLE, '  return -ENODEV;') },
  ],
])('not shared: %s', async (_what, parts) => {
  expect(await shared(parts, DO, UNDO)).toEqual([false, false]);
});

test('what the first one alone makes and every exit removes is shared in init alone', async () => {
  const parts: LivepatchParts = {
    init: `  if (!klp_shadow_get(NULL, 9)) {
    klp_shadow_alloc(NULL, 9, 4, GFP_KERNEL, NULL, NULL);
    ${DO};
  }
${ENABLE}`,
    exit: `  klp_shadow_free_all(9, NULL);\n  ${UNDO};`,
  };
  expect(await shared(parts, DO, UNDO)).toEqual([true, false]);
});

test('callbacks are another matter', async () => {
  const parts: LivepatchParts = {
    body: `static int make(struct klp_object *obj)
{
${COUNT_UP}  if ((*users)++ == 0)
    ${DO};
  return 0;
}
static void drop(struct klp_object *obj)
{
${COUNTED.exit}
}`,
    callbacks: '.pre_patch = make,\n.post_unpatch = drop,',
  };
  expect(await shared(parts, DO, UNDO)).toEqual([false, false]);
  // Only what init and exit do themselves is asked for.
  const mixed = { ...parts, callbacks: '.pre_patch = make,', exit: COUNTED.exit ?? '' };
  mixed.body = (parts.body ?? '').slice(0, (parts.body ?? '').indexOf('static void drop'));
  expect(await shared(mixed, DO, UNDO)).toEqual([false, true]);
});

test('whether exit does it to the version that has replaced it', async () => {
  const uses: LivepatchParts = {
    body: 'static void use(struct klp_object *obj)\n{\n  klp_shadow_get_or_alloc(NULL, 9, 8, GFP_KERNEL, NULL, NULL);\n}',
    callbacks: '.post_patch = use,',
  };
  const happens = async (v1: LivepatchParts, v2: LivepatchParts, call: string): Promise<boolean> => {
    const { context, version, other, place } = await first(v1, v2);
    if (!other) throw new Error('no successor');
    return happensTo(context, version, other, place(call));
  };
  const all = 'klp_shadow_free_all(9, NULL)';
  expect(await happens({ exit: `  ${all};` }, uses, all)).toBe(true);
  expect(await happens({ exit: `  ${all};` }, {}, all)).toBe(false);
  expect(await happens({ exit: `  ${all};\n  ${UNDO};` }, uses, UNDO)).toBe(false);
  expect(await happens(COUNTED, COUNTED, FREE)).toBe(false);
  expect(await happens({ exit: `  ${DO};` }, uses, DO)).toBe(false);
});
