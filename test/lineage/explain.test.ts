import { expect, test } from 'vitest';
import { Places } from '../../server/src/core/places';
import { explainTransition } from '../../server/src/features/explain';
import { analyseTexts } from '../support/project';

const livepatch = (objects: string, body = ''): string => `#include <linux/livepatch.h>
#include <linux/module.h>
static int klpp_poll(int n) { return n; }
static struct klp_func funcs[] = { { .old_name = "poll", .new_func = klpp_poll }, { } };
${body}
static struct klp_object objs[] = { ${objects}, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int __init lp_init(void) { return klp_enable_patch(&patch); }
static void __exit lp_exit(void) { }
module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

/** Its work item sleeps in poll() for ever. */
const POLLING = `#include <linux/module.h>
#include <linux/workqueue.h>
static void poll(struct work_struct *work) { for (;;) msleep(20); }
static DECLARE_WORK(work, poll);
static int __init polling_init(void) { schedule_work(&work); return 0; }
static void __exit polling_exit(void) { }
module_init(polling_init);
module_exit(polling_exit);
MODULE_LICENSE("GPL");
`;

async function told(
  texts: Readonly<Record<string, string>>,
  from: string | null,
  to: string,
): Promise<string> {
  const analysis = await analyseTexts(texts);
  const { lineage, transitions } = analysis;
  const places = new Places(
    (file) => file,
    (file) => analysis.text(file),
  );
  const named = (name: string | null) => lineage.versions.find((version) => version.name === name) ?? null;
  const target = named(to);
  if (!target) throw new Error(to);
  return explainTransition(transitions, named(from), target, places);
}

const VERSIONS = `lineage: l
kernel: "6.1"
versions:
  - { version: v1, module: m_v1, sources: v1.c }
  - { version: v2, module: m_v2, sources: v2.c }
`;

test('a target that never leaves a patched function is what holds the next version off', async () => {
  const object = '{ .name = "polling", .funcs = funcs }';
  const text = await told(
    {
      'livepatch.yaml': `${VERSIONS}targets:\n  - { module: polling, sources: polling.c }\n`,
      'v1.c': livepatch(object),
      'v2.c': livepatch(object),
      'polling.c': POLLING,
    },
    'v1',
    'v2',
  );
  // One transition at a time: klp_enable_patch() answers -EBUSY.
  expect(text).toContain('load v2 answers -16');
  expect(text).toContain('while the transition of m_v1 is pending');
  expect(text).not.toContain('take over');
});

test('a version that the kernel never takes is told apart from one that leaves something', async () => {
  const refusing = livepatch(
    '{ .funcs = funcs, .callbacks = { .pre_patch = never } }',
    'static int never(struct klp_object *obj) { return -ENODEV; }',
  );
  const texts = { 'livepatch.yaml': VERSIONS, 'v1.c': refusing, 'v2.c': livepatch('{ .funcs = funcs }') };
  const text = await told(texts, null, 'v1');
  expect(text).toContain('load v1 answers -19');
  expect(text).toContain('the kernel does not take it on a clean kernel either');
});
