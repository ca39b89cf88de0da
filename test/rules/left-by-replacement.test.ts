import { expect, test } from 'vitest';
import { leftByReplacement } from '../../server/src/rules/left-by-replacement';
import { NOTIFIER } from './effects';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { contextOf } from './told';

/** What the first version leaves when the second one replaces it. */
async function left(v1: LivepatchParts, v2: LivepatchParts = {}) {
  const context = await contextOf(lineage(manifest(['draft', 'draft']), v1, v2));
  const [from, to] = context.lineage.versions;
  if (!from || !to) throw new Error('two versions');
  return leftByReplacement(context, from, to);
}
const names = async (v1: LivepatchParts, v2?: LivepatchParts): Promise<string[]> =>
  (await left(v1, v2)).map(({ effect, dangling, certainty }) =>
    [effect.row.noun, effect.key, dangling?.kind, certainty].join(' '),
  );

const AGAIN = 'mod_timer(&t, jiffies + HZ)';
/** What post_patch starts and pre_unpatch ends. */
const running = (data: string, start: string, stop: string): LivepatchParts => ({
  body: `${data}
static void start(struct klp_object *obj)
{
  ${start};
}
static void stop(struct klp_object *obj)
{
  ${stop};
}`,
  callbacks: '.post_patch = start,\n.pre_unpatch = stop,',
});
const timer = (name: string, again: string): string =>
  `static void fire_${name}(struct timer_list *timer);
static DEFINE_TIMER(${name}, fire_${name});
static void fire_${name}(struct timer_list *timer)
{
  ${again};
}`;
const POLL = running(timer('t', AGAIN), AGAIN, 'timer_delete_sync(&t)');
const ONCE = running(timer('t', 'pr_info("late\\n")'), AGAIN, 'timer_delete_sync(&t)');
const NOTHING = '(void)obj';

test('a timer that starts itself again never ends by itself', async () => {
  const [found, ...others] = await left(POLL);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    effect: { key: 't', by: { during: 'post_patch', function: 'start' } },
    from: { name: 'v1' },
    to: { name: 'v2' },
    dangling: { kind: 'dangling-pointer', effect: { key: 't' } },
    leftover: { certainty: 'must', effect: { key: 't' } },
    certainty: 'must',
  });
});

test('a timer that goes off once may have gone off by then', async () => {
  const [found, ...others] = await left(ONCE);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    effect: { key: 't' },
    dangling: { kind: 'dangling-pointer' },
    leftover: { certainty: 'may' },
    certainty: 'may',
  });
  expect(found?.transition.run.unknown[0]).toMatchObject({
    kind: 'unknown-branch',
    text: 'whether the timer t has gone off by then',
  });
});

test.each([
  [
    'delayed work',
    'static void run(struct work_struct *w) {}\nstatic DECLARE_DELAYED_WORK(d, run);',
    'schedule_delayed_work(&d, HZ)',
    'cancel_delayed_work_sync(&d)',
    ['delayed work item d dangling-pointer may'],
  ],
  // It runs at once: whether it is still running is for another rule.
  [
    'work',
    'static void run(struct work_struct *w) {}\nstatic DECLARE_WORK(w, run);',
    'schedule_work(&w)',
    'cancel_work_sync(&w)',
    [],
  ],
  ['nothing', '', 'pr_info("on\\n")', 'pr_info("off\\n")', []],
])('%s', async (_what, data, start, stop, expected) => {
  expect(await names(running(data, start, stop))).toEqual(expected);
});

test.each([
  ['that starts itself again', timer('t', AGAIN), 'dangling-pointer must'],
  ['that goes off once', timer('t', NOTHING.replace('obj', 'timer')), 'dangling-pointer may'],
])('a timer %s, which its own version forgets as well', async (_what, data, as) => {
  expect(await names(running(data, AGAIN, NOTHING))).toEqual([]);
  // The other one of two is told.
  const both = `${data}\n${data.replaceAll('_t(', '_u(').replaceAll('(t,', '(u,').replaceAll('fire_t', 'fire_u').replaceAll('&t', '&u')}`;
  const two = running(both, `${AGAIN};\n  ${AGAIN.replace('&t', '&u')}`, 'timer_delete_sync(&u)');
  expect(await names(two)).toEqual([`timer u ${as}`]);
});

test('what stays and what goes off are told together, each once', async () => {
  const both: LivepatchParts = {
    body: `${NOTIFIER.body}\n${POLL.body}`,
    callbacks: `${NOTIFIER.callbacks}\n${POLL.callbacks}`,
  };
  expect(await names(both)).toEqual(['notifier nb dangling-pointer must', 'timer t dangling-pointer must']);
});

test('a timer of the successor, ended by that, is not one of the predecessor', async () => {
  expect(await names({}, POLL)).toEqual([]);
  expect(await names(POLL, POLL)).toEqual(['timer t dangling-pointer must']);
});

test('a version that is refused replaces nothing', async () => {
  const refusing: LivepatchParts = {
    body: 'static int no(struct klp_object *obj)\n{\n  return -ENODEV;\n}',
    callbacks: '.pre_patch = no,',
  };
  expect(await names(POLL, refusing)).toEqual([]);
  expect(await names(ONCE, refusing)).toEqual([]);
});

test('a successor that ends what was handed to it leaves nothing', async () => {
  const state = '  { .id = 7, .version = 1 },';
  const handing: LivepatchParts = {
    ...POLL,
    body: (POLL.body ?? '').replace(
      `{\n  ${AGAIN};\n}\nstatic void stop`,
      `{\n  klp_get_state(&patch, 7)->data = &t;\n  ${AGAIN};\n}\nstatic void stop`,
    ),
    states: state,
  };
  const ending: LivepatchParts = {
    body: `static void end(struct klp_object *obj)
{
  struct klp_state *prev = klp_get_prev_state(7);

  if (prev)
    timer_delete_sync(prev->data);
}`,
    callbacks: '.post_patch = end,',
    states: state,
  };
  expect(await names(handing, ending)).toEqual([]);
  expect(await names(handing, { states: state })).toEqual(['timer t dangling-pointer must']);
});

test('a function that nobody waited for goes on in a module that is gone', async () => {
  const state = '  { .id = 7, .version = 1 },';
  const slow: LivepatchParts = {
    ...running(
      'static void run(struct work_struct *w)\n{\n  for (int i = 0; i < 9; i++)\n    msleep(1000);\n}\nstatic DECLARE_WORK(w, run);',
      'klp_get_state(&patch, 7)->data = &w;\n  schedule_work(&w)',
      'cancel_work_sync(&w)',
    ),
    states: state,
  };
  const ending = (call: string): LivepatchParts => ({
    body: `static void end(struct klp_object *obj)\n{\n  struct klp_state *prev = klp_get_prev_state(7);\n\n  if (prev)\n    ${call}(prev->data);\n}`,
    callbacks: '.post_patch = end,',
    states: state,
  });
  expect(await names(slow, ending('cancel_work_sync'))).toEqual([]);
  expect(await names(slow, ending('cancel_work'))).toEqual(['work item w use-after-free must']);
});

test('what else goes wrong in a version is not left by it', async () => {
  const faulty: LivepatchParts = {
    ...POLL,
    body: `${POLL.body}\nstatic int first(struct klp_object *obj)\n{\n  int *none = NULL;\n\n  return *none;\n}`,
    callbacks: `${POLL.callbacks}\n.pre_patch = first,`,
  };
  expect(await names(faulty)).toEqual(['timer t dangling-pointer must']);
  const freed: LivepatchParts = {
    body: 'static void twice(struct klp_object *obj)\n{\n  int *p = kzalloc(4, GFP_KERNEL);\n\n  kfree(p);\n  *p = 3;\n}',
    callbacks: '.post_patch = twice,',
  };
  expect(await names(freed)).toEqual([]);
});
