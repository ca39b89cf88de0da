import { expect, test } from 'vitest';
import { NOTIFIER_BY_STATE } from './effects';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';
import { spoken } from './spoken';

const CODE = 'state-data-in-module';
const MARK = `  //~ ${CODE}`;
const STATES = '  { .id = 7, .version = 1 },';

const draft = (parts: LivepatchParts): string => lineage(manifest(['draft']), { states: STATES, ...parts });

/** pre_patch gives the state its data. */
const giving = (data: string, statement: string): LivepatchParts => ({
  body: `${data}\nstatic int give(struct klp_object *obj)\n{\n${statement}\n  return 0;\n}`,
  callbacks: '      .pre_patch = give,',
});

test('a static variable', async () => {
  const findings = await expectMarked(
    draft(
      giving(
        'static int saved;',
        `  klp_get_state(&patch, 7)->data = &saved;\n${MARK}: saved, in m_v1's own memory`,
      ),
    ),
    CODE,
  );
  expect(findings[0]?.severity).toBe('error');
});

test('an array, through a variable of the state', async () => {
  await expectMarked(
    draft(
      giving(
        'static char buffer[64];',
        `  struct klp_state *own = klp_get_state(&patch, 7);\n\n  own->data = buffer;\n${MARK}: buffer`,
      ),
    ),
    CODE,
  );
});

test('a member of a static struct', async () => {
  await expectMarked(
    draft(
      giving(
        'static struct { int a; int b; } pair;',
        `  klp_get_state(&patch, 7)->data = &pair.b;\n${MARK}: pair`,
      ),
    ),
    CODE,
  );
});

test('in the table itself', async () => {
  await expectMarked(
    draft({
      body: 'static int saved;',
      states: `  { .id = 7, .version = 1, .data = &saved },\n${MARK}: saved`,
    }),
    CODE,
  );
});

const TAKING = (end: string, callback = 'pre_patch'): LivepatchParts => ({
  body: `static ${callback === 'pre_patch' ? 'int' : 'void'} take(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);
  struct klp_state *previous = klp_get_prev_state(7);

  if (previous)
    own->data = previous->data;
  else
    own->data = kzalloc(8, GFP_KERNEL);
${callback === 'pre_patch' ? '  return 0;' : ''}
}
static void drop(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);

${end}
}`,
  callbacks: `      .${callback} = take,\n      .post_unpatch = drop,`,
});

test("the previous state's data is freed without asking", async () => {
  await expectMarked(draft(TAKING(`  kfree(own->data);\n${MARK}: when the transition is reversed`)), CODE);
});

test('it asks first', async () => {
  await expectMarked(draft(TAKING('  if (!klp_get_prev_state(7))\n    kfree(own->data);')), CODE);
});

test('taken over in post_patch, which a reversal never reaches', async () => {
  await expectMarked(draft(TAKING('  kfree(own->data);', 'post_patch')), CODE);
});

test('its own allocation', async () => {
  const parts = giving('', '  klp_get_state(&patch, 7)->data = kzalloc(8, GFP_KERNEL);');
  const body = `${parts.body}
static void drop(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`;
  await expectMarked(
    draft({ body, callbacks: '      .pre_patch = give,\n      .post_unpatch = drop,' }),
    CODE,
  );
});

test('the address of what is registered, for the successor to unregister it', async () => {
  await expectMarked(lineage(manifest(['released', 'draft']), NOTIFIER_BY_STATE, NOTIFIER_BY_STATE), CODE);
});

test('a pointer of the module to memory that is allocated', async () => {
  await expectMarked(
    draft(
      giving(
        'static void *saved;',
        '  saved = kzalloc(8, GFP_KERNEL);\n  klp_get_state(&patch, 7)->data = saved;',
      ),
    ),
    CODE,
  );
});

test('the data of something else', async () => {
  await expectMarked(
    draft(
      giving(
        'struct box { void *data; };\nstatic struct box box;\nstatic int saved;',
        '  box.data = &saved;',
      ),
    ),
    CODE,
  );
});

const says = (parts: LivepatchParts): Promise<string[]> => spoken(draft(parts), CODE);
const IN = (name: string): string =>
  `error must v1: The data of this state is ${name}, in m_v1's own memory: a successor that takes it over has a pointer that leads nowhere once m_v1 is removed. Allocate it with kzalloc().`;
const GET = 'klp_get_state(&patch, 7)->data';

test.each([
  ['a static variable', 'static int saved;', `  ${GET} = &saved;`, 'saved'],
  ['one behind a cast', 'static int saved;', `  ${GET} = (void *)&saved;`, 'saved'],
  ['an array', 'static char buffer[64];', `  ${GET} = buffer;`, 'buffer'],
  ['an element of one', 'static int numbers[8];', `  ${GET} = &numbers[3];`, 'numbers'],
  ['a member of one', 'static struct { int a; } pairs[8];', `  ${GET} = &pairs[3].a;`, 'pairs'],
  ['a function', 'static void go(void)\n{\n}', `  ${GET} = go;`, 'go'],
  ['the address of a function', 'static void go(void)\n{\n}', `  ${GET} = &go;`, 'go'],
  ['a static local', '', `  static int saved;\n\n  ${GET} = &saved;`, 'saved'],
  ['a static local array', '', `  static char buffer[8];\n\n  ${GET} = buffer;`, 'buffer'],
  [
    'by the table of states',
    'static int saved;\nstatic struct klp_state states[2];',
    '  states[0].data = &saved;',
    'saved',
  ],
])('%s', async (_what, data, statement, name) => {
  expect(await says(giving(data, statement))).toEqual([IN(name)]);
});

test.each([
  ['a variable of the kernel', 'extern int acme_level;', `  ${GET} = &acme_level;`],
  ['an array of the kernel', 'extern char acme_names[64];', `  ${GET} = acme_names;`],
  [
    'what a pointer of the module points to',
    'struct acme { int a; };\nstatic struct acme *held;',
    `  ${GET} = &held->a;`,
  ],
  ['a value of the module', 'static void *held;', `  ${GET} = held;`],
  ['a negated one', 'static unsigned long mask;', `  ${GET} = (void *)~mask;`],
  ['what a function answers', '', `  ${GET} = acme_take();`],
  ['a local, which is another fault', '', `  int saved;\n\n  ${GET} = &saved;`],
  ['another member of the state', 'static int saved;', '  klp_get_state(&patch, 7)->version = (long)&saved;'],
  [
    'a member of that name of something else',
    'struct box { void *data; };\nstatic int saved;\nextern struct box *acme_box(void);',
    '  acme_box()->data = &saved;',
  ],
])('%s is not in the module', async (_what, data, statement) => {
  expect(await says(giving(data, statement))).toEqual([]);
});

test('two in the table are two findings, and what the kernel holds is none', async () => {
  const states =
    '  { .id = 7, .version = 1, .data = &saved },\n  { .id = 8, .data = &other },\n  { .data = NULL, .id = 9 },';
  expect(await says({ body: 'static int saved, other;', states })).toEqual([IN('saved'), IN('other')]);
  const table =
    'struct box { int id; void *data; };\nstatic int saved;\nstatic struct box boxes[] = { { .data = &saved }, { } };';
  expect(await says({ body: table })).toEqual([]);
  const { body = '', callbacks = '' } = NOTIFIER_BY_STATE;
  expect(await says({ body, callbacks })).toEqual([]);
  const two = giving('static int saved, other;', `  ${GET} = &saved;\n  ${GET} = &other;`);
  expect(await says(two)).toEqual([IN('saved'), IN('other')]);
});

const FREED =
  'error must v1: post_unpatch frees the data of a state that pre_patch may have taken from the previous version: when the transition is reversed, that version goes on with freed memory. Ask klp_get_prev_state() first, or take over in post_patch.';

test.each([
  ['kfree(own->data)', 1],
  ['kvfree(own->data)', 1],
  ['kzfree(own->data)', 1],
  ['kfree_sensitive((void *)own->data)', 1],
  ['acme_kfree(own->data)', 0],
  ['pr_info("%p", own->data)', 0],
  ['kfree(own)', 0],
])('%s', async (call, count) => {
  expect(await says(TAKING(`  ${call};`))).toEqual(count === 0 ? [] : [FREED]);
});

test('what is taken over behind a cast, and one that is asked in a function of its own', async () => {
  const parts = TAKING('  kfree(own->data);');
  const cast = parts.body?.replace('previous->data', '(void *)previous->data') ?? '';
  expect(await says({ ...parts, body: cast })).toEqual([FREED]);
  const asks = 'static bool is_first(void)\n{\n  return !klp_get_prev_state(7);\n}\n';
  const body = `${asks}${(parts.body ?? '').replace('  kfree', '  if (is_first())\n    kfree')}`;
  expect(await says({ ...parts, body })).toEqual([]);
});

test('a source that includes no header of livepatches', async () => {
  const text = draft(giving('static int saved;', `  ${GET} = &saved;`));
  expect(await spoken(text.replace('#include <linux/livepatch.h>\n', ''), CODE)).toEqual([IN('saved')]);
});
