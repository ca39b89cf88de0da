import { expect, test } from 'vitest';
import { check, expectMarked, type LivepatchParts, lineage, manifest } from './fixture';

const STATES = '  { .id = 7, .version = 1 },';
const MARK = '  //~ prev-state-outside-transition';

const ASKS = `static void ask(struct klp_object *obj)
{
  if (!klp_get_prev_state(7))
    pr_info("first\\n");
}`;
const MARKED = ASKS.replace('(7))', `(7))\n${MARK}`);

const onModule = (callback: string, body: string): LivepatchParts => ({
  body,
  states: STATES,
  objects: `  {
    .name = "ext4",
    .funcs = funcs,
    .callbacks = {
      .${callback} = ask,
    },
  },`,
});

test('a callback of a module that comes later', async () => {
  const findings = await expectMarked(lineage(manifest(['draft']), onModule('post_patch', MARKED)));
  expect(findings[0]?.run).toEqual(['load v1', 'load ext4']);
  expect(findings[0]?.message).toContain('post_patch of ext4');
  expect(findings[0]?.severity).toBe('error');
});

test('a callback of a module that goes later', async () => {
  const findings = await expectMarked(lineage(manifest(['draft']), onModule('pre_unpatch', MARKED)));
  expect(findings[0]?.run).toEqual(['load ext4', 'load v1', 'unload ext4']);
});

test('a patched function', async () => {
  const text = lineage(manifest(['draft']), { states: STATES }).replace(
    '  return n;',
    `  if (klp_get_prev_state(7))\n  ${MARK}: a patched function\n    return 0;\n  return n;`,
  );
  await expectMarked(text);
});

test('module exit', async () => {
  await expectMarked(
    lineage(manifest(['draft']), { states: STATES, exit: `  klp_get_prev_state(7);\n${MARK}: module exit` }),
  );
});

test('module init, before there is a transition', async () => {
  await expectMarked(
    lineage(manifest(['draft']), {
      states: STATES,
      init: `  klp_get_prev_state(7);\n${MARK}: module init\n  return klp_enable_patch(&patch);`,
    }),
  );
});

test.each(['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'])('%s of vmlinux', async (callback) => {
  const body =
    callback === 'pre_patch'
      ? ASKS.replace('static void', 'static int').replace(/\}$/, '  return 0;\n}')
      : ASKS;
  await expectMarked(
    lineage(manifest(['draft']), { body, states: STATES, callbacks: `      .${callback} = ask,` }),
  );
});

test('klp_get_state() may be called anywhere', async () => {
  const body = ASKS.replace('klp_get_prev_state(7)', 'klp_get_state(&patch, 7)');
  await expectMarked(lineage(manifest(['draft']), onModule('post_patch', body)));
});

test('a function that nobody calls', async () => {
  await expectMarked(lineage(manifest(['draft']), { body: ASKS, states: STATES }));
});

test('a guard that lets it be called in transitions only', async () => {
  const body = ASKS.replace(
    'if (!',
    'if (obj->mod && obj->mod->state != MODULE_STATE_LIVE)\n    return;\n  if (!',
  );
  const { findings } = await check(lineage(manifest(['draft']), onModule('post_patch', body)));
  expect(findings).toEqual([]);
});

test('a work item that a callback queues', async () => {
  const body = `static void later(struct work_struct *work)
{
  klp_get_prev_state(7);
${MARK}: later(), which runs by itself
}
static DECLARE_WORK(work, later);
static void start(struct klp_object *obj)
{
  schedule_work(&work);
}
static void stop(struct klp_object *obj)
{
  cancel_work_sync(&work);
}`;
  const findings = await expectMarked(
    lineage(manifest(['draft']), {
      body,
      states: STATES,
      callbacks: '      .post_patch = start,\n      .pre_unpatch = stop,',
    }),
    'prev-state-outside-transition',
  );
  expect(findings[0]?.run).toEqual(['load v1']);
});
