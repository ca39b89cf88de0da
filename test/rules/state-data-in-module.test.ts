import { expect, test } from 'vitest';
import { NOTIFIER_BY_STATE } from './effects';
import { expectMarked, type LivepatchParts, lineage, manifest } from './fixture';

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
