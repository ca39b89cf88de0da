import { beforeAll, expect, test } from 'vitest';
import { Machine } from '../../server/src/core/execution/machine';
import { load, programOf, RecordingHost, startParser } from './machine-kit';

beforeAll(startParser);

const PATCH = `
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
static int fail;
module_param(fail, int, 0644);
static int pre(struct klp_object *obj)
{
	pr_info("%s %s\\n", __func__, obj->mod ? obj->mod->name : "vmlinux");
	if (obj->mod)
		pr_info("state %d\\n", obj->mod->state);
	return fail;
}
static void post(struct klp_object *obj) { pr_info("%s %s\\n", __func__, obj->name ? obj->name : "-"); }
static void new_one(void) { }
static struct klp_func funcs[] = { { .old_name = "one", .new_func = new_one, .old_sympos = 2 }, { } };
static struct klp_func none[] = { { } };
static struct klp_object objs[] = {
	{ .funcs = none, .callbacks = { .pre_patch = pre } },
	{ .name = "target", .funcs = funcs, .callbacks = { .pre_patch = pre, .post_patch = post } },
	{ }
};
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int start(void) { return klp_enable_patch(&patch); }
static void stop(void) { pr_info("bye\\n"); }
module_init(start);
module_exit(stop);
MODULE_INFO(livepatch, "Y");
`;

function patched(parameters: Record<string, string> = {}) {
  const host = new RecordingHost();
  const machine = new Machine(host);
  host.names.set(1, 'patch1').set(7, 'target');
  const inserted = machine.insert(1, programOf('patch1', PATCH), new Map(Object.entries(parameters)));
  machine.insert(7, programOf('target', 'static int x;'), new Map());
  return { host, machine, inserted };
}

test('klp_enable_patch() hands over what memory holds', () => {
  const { host, machine } = patched();
  expect(machine.init(1)).toBe(0);
  expect(host.images).toEqual([
    {
      replace: 'everything',
      objects: [
        { name: null, functions: [], callbacks: new Set(['pre_patch']) },
        {
          name: 'target',
          functions: [{ oldName: 'one', newName: 'new_one', sympos: 2 }],
          callbacks: new Set(['pre_patch', 'post_patch']),
        },
      ],
      states: [],
      hasModule: true,
    },
  ]);
  expect(machine.image(1)).toEqual(host.images[0]);
});

test('a callback gets its object, with the target module and its state', () => {
  const { host, machine } = patched();
  machine.init(1);
  host.states.set(7, 'coming');
  expect(machine.callback({ patch: 1, object: 0, callback: 'pre_patch', target: null })).toBe(0);
  machine.callback({ patch: 1, object: 1, callback: 'pre_patch', target: 7 });
  host.states.set(7, 'going');
  machine.callback({ patch: 1, object: 1, callback: 'pre_patch', target: 7 });
  machine.callback({ patch: 1, object: 1, callback: 'post_patch', target: 7 });
  machine.callback({ patch: 1, object: 0, callback: 'post_unpatch', target: null });
  expect(host.lines).toEqual([
    'patch1: pre vmlinux',
    'patch1: pre target',
    'patch1: state 1',
    'patch1: pre target',
    'patch1: state 2',
    'patch1: post target',
  ]);
});

test('parameters: at load, at run time, and refused', () => {
  const { machine, inserted } = patched({ fail: '-19' });
  expect(inserted).toBe(0);
  machine.init(1);
  const pre = () => machine.callback({ patch: 1, object: 0, callback: 'pre_patch', target: null });
  expect(pre()).toBe(-19);
  expect(machine.setParameter(1, 'fail', '0')).toBe(0);
  expect(pre()).toBe(0);
  expect(machine.setParameter(1, 'nothing', '0')).toBe(-2);
  expect(machine.setParameter(1, 'fail', 'x')).toBe(-22);
  expect(patched({ fail: 'many' }).inserted).toBe(-22);
  expect(patched({ fail: '4294967296' }).inserted).toBe(-34);
  const stranger = patched({ other: '1' });
  expect(stranger.inserted).toBe(0);
  expect(stranger.host.lines).toEqual(["patch1: unknown parameter 'other' ignored"]);
});

test('parameters of every type', () => {
  const text = `
static bool flag; module_param(flag, bool, 0);
static bool no; module_param(no, invbool, 0);
static char *name = "none"; module_param(name, charp, 0444);
static unsigned char b; module_param(b, byte, 0);
static unsigned long big; module_param(big, ulong, 0);
static int list[4]; static int count; module_param_array(list, int, &count, 0);
static int inner; module_param_named(outer, inner, int, 0644);
static int ops; module_param_cb(by_ops, &param_ops_int, &ops, 0644);
static int start(void) { pr_info("%d %d %s %u %lu %d %d %d %d %d\\n", flag, no, name, b, big, list[0], list[2], inner, count, ops); return 0; }
module_init(start);`;
  const given = {
    flag: 'Y',
    no: 'n',
    name: 'eth0',
    b: '0xff',
    big: '18446744073709551615',
    list: '1,2,3',
    outer: '010',
    by_ops: '-7',
  };
  const { host, machine, inserted } = load(text, given);
  expect(inserted).toBe(0);
  machine.init(1);
  expect(host.lines).toEqual(['1 1 eth0 255 18446744073709551615 1 3 8 3 -7']);
  expect(machine.setParameter(1, 'name', 'x')).toBe(-13);
});

test('a flag in one version is invisible to the next; heap memory handed over is not', () => {
  const one = `
static int flag;
int *shared;
EXPORT_SYMBOL(shared);
static int start(void) { flag = 1; shared = kmalloc(sizeof(int), GFP_KERNEL); *shared = 42; return 0; }
module_init(start);`;
  const two =
    'static int flag;\nextern int *shared;\nstatic int start(void) { pr_info("%d %d\\n", flag, *shared); return 0; }\nmodule_init(start);';
  const host = new RecordingHost();
  const machine = new Machine(host);
  host.names.set(1, 'one').set(2, 'two');
  machine.insert(1, programOf('one', one), new Map());
  machine.init(1);
  machine.insert(2, programOf('two', two), new Map());
  machine.init(2);
  expect(host.lines).toEqual(['0 42']);
});

test('a removed module leaves pointers that dangle, and calls that are faults', () => {
  const one = 'int value = 5;\nEXPORT_SYMBOL(value);\nint get(void) { return value; }\nEXPORT_SYMBOL(get);';
  const two = `
extern int value;
int get(void);
static int *p; static int (*fn)(void);
static int start(void) { p = &value; fn = get; pr_info("%d %d\\n", *p, fn()); return 0; }
static void stop(void) { pr_info("%d\\n", *p); fn(); }
module_init(start);
module_exit(stop);`;
  const host = new RecordingHost();
  const machine = new Machine(host);
  machine.insert(1, programOf('one', one), new Map());
  machine.insert(2, programOf('two', two), new Map());
  machine.init(2);
  expect(host.lines).toEqual(['5 5']);
  machine.remove(1);
  machine.exit(2);
  expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['use-after-free', 'use-after-free']);
});

const BUSY = `
static bool block;
module_param(block, bool, 0644);
static void work_func(struct work_struct *work);
static DECLARE_WORK(work, work_func);
static DECLARE_COMPLETION(started);
static int rounds;
static void work_func(struct work_struct *w)
{
	int local = 1;
	int *p = &local;
	pr_info("enter %d\\n", w == &work);
	complete(&started);
	while (READ_ONCE(block)) {
		rounds++;
		local += 2;
		msleep(20);
	}
	pr_info("exit %d %d\\n", rounds, *p);
}
static int start(void)
{
	schedule_work(&work);
	wait_for_completion(&started);
	pr_info("started\\n");
	if (!block)
		flush_work(&work);
	return 0;
}
static void stop(void)
{
	WRITE_ONCE(block, false);
	flush_work(&work);
	pr_info("gone\\n");
}
module_init(start);
module_exit(stop);
`;

/** Whether a suspended task stands in the work function of this module. */
function standsIn(machine: Machine, object: string | null): boolean {
  return machine.standingIn([{ object, name: 'work_func' }]).size > 0;
}

test('a work item that sleeps is suspended in its function, and goes on where it stood', () => {
  const { host, machine } = load(BUSY, { block: '1' });
  machine.init(1);
  const busy = () => standsIn(machine, 'test');
  expect(host.lines).toEqual(['enter 1', 'started']);
  expect(busy()).toBe(true);
  expect(standsIn(machine, null)).toBe(false);
  machine.runTasks();
  machine.runTasks();
  expect(busy()).toBe(true);
  machine.exit(1);
  expect(host.lines).toEqual(['enter 1', 'started', 'exit 3 7', 'gone']);
  expect(busy()).toBe(false);
  expect(host.faults()).toEqual([]);
});

test('a clone goes its own way, also with a suspended task', () => {
  const { machine } = load(BUSY, { block: '1' });
  machine.init(1);
  const before = machine.key();
  const host = new RecordingHost();
  host.names.set(1, 'test');
  const copy = machine.clone(host);
  expect(copy.key()).toBe(before);
  expect(copy.setParameter(1, 'block', 'N')).toBe(0);
  copy.runTasks();
  expect(host.lines).toEqual(['exit 1 3']);
  expect(standsIn(copy, 'test')).toBe(false);
  expect(standsIn(machine, 'test')).toBe(true);
  expect(machine.key()).toBe(before);
});

test('work that does not sleep has run when flush_work() returns', () => {
  const { host, machine } = load(BUSY);
  machine.init(1);
  expect(host.lines).toEqual(['enter 1', 'exit 0 1', 'started']);
});

test('work of a removed module is a use after free when its turn comes', () => {
  const text =
    'static void f(struct work_struct *w) { }\nstatic DECLARE_WORK(work, f);\nstatic int start(void) { schedule_work(&work); return 0; }\nmodule_init(start);';
  const { host, machine } = load(text);
  machine.init(1);
  machine.remove(1);
  machine.runTasks();
  expect(host.faults().map((fault) => fault.split(':')[0])).toEqual(['use-after-free']);
});

test('the key forgets block numbers, freed memory and values that are back where they were', () => {
  const text = `
static int *p; static int flag;
static int start(void) { p = kmalloc(4, GFP_KERNEL); *p = 1; return 0; }
static void stop(void) { kfree(p); p = kmalloc(4, GFP_KERNEL); *p = 1; flag = 1; flag = 0; }
static void other(void) { *p = 2; }
module_init(start);
module_exit(stop);`;
  const { machine } = load(text);
  machine.init(1);
  const once = machine.key();
  machine.exit(1);
  const keys = machine.key();
  expect(keys.split('\n').filter((line) => line.startsWith('h1='))).toEqual(
    once.split('\n').filter((line) => line.startsWith('h1=')),
  );
  machine.call(1, 'other', [], 'init');
  expect(machine.key()).not.toBe(keys);
});

test('the place of what was written can be asked for', () => {
  const { machine } = patched();
  const reader = machine.reader();
  const objs = machine.symbol(1, 'objs');
  if (objs?.k !== 'pointer') throw new Error('objs is a variable');
  const place = reader.origin?.(reader.at(objs, '[1].callbacks.post_patch'));
  expect(place && PATCH.slice(place.start, place.end)).toContain('post');
  expect(reader.extent?.(reader.at(objs, '[1]'))).toBe(2);
});

test('a kernel function can be asked to fail once', () => {
  const text =
    'static int start(void) { void *p = kmalloc(4, GFP_KERNEL); return p ? 0 : -ENOMEM; }\nmodule_init(start);';
  const { machine } = load(text);
  machine.failNext(1, 'kmalloc', 12);
  expect(machine.init(1)).toBe(-12);
  expect(machine.init(1)).toBe(0);
});

const TIMERS = `
static struct hrtimer ticking, once;
static struct timer_list late;
static struct delayed_work soon;
static enum hrtimer_restart tick(struct hrtimer *t) { pr_info("tick\\n"); return HRTIMER_RESTART; }
static enum hrtimer_restart single(struct hrtimer *t) { pr_info("single\\n"); return HRTIMER_NORESTART; }
static void fire(struct timer_list *t) { pr_info("late\\n"); }
static void work(struct work_struct *w) { pr_info("soon\\n"); }
static int start(void)
{
	ticking.function = tick;
	hrtimer_start(&ticking, ms_to_ktime(10), HRTIMER_MODE_REL);
	once.function = single;
	hrtimer_start(&once, ms_to_ktime(10), HRTIMER_MODE_REL);
	timer_setup(&late, fire, 0);
	mod_timer(&late, jiffies + HZ);
	INIT_DELAYED_WORK(&soon, work);
	schedule_delayed_work(&soon, 0);
	return 0;
}
module_init(start);
`;

test('a timer that asks for it is started anew, as kernel/time/hrtimer.c does', () => {
  const host = new RecordingHost();
  const machine = new Machine(host);
  machine.insert(1, programOf('timers', TIMERS), new Map());
  machine.init(1);
  machine.runTasks();
  machine.runTasks();
  expect(host.lines.map((line) => line.trim())).toEqual(['tick', 'single', 'late', 'soon', 'tick']);
  expect(machine.effects().map((effect) => effect.key)).toEqual(['ticking']);
});

const POLLING = `
static void poll(struct work_struct *w);
static DECLARE_DELAYED_WORK(soon, poll);
static void poll(struct work_struct *w)
{
	pr_info("poll\\n");
	msleep(10);
	schedule_delayed_work(&soon, HZ);
}
static int start(void) { schedule_delayed_work(&soon, HZ); return 0; }
static int cancel(void) { return cancel_delayed_work_sync(&soon); }
module_init(start);
`;

// kernel/workqueue.c: while somebody cancels and waits the item is pending already, so that queueing it does nothing.
test('work that queues itself anew stays in force, and does not while it is cancelled', () => {
  const host = new RecordingHost();
  const machine = new Machine(host);
  machine.insert(1, programOf('polling', POLLING), new Map());
  machine.init(1);
  for (let turn = 0; turn < 4; turn++) {
    machine.runTasks();
    expect(machine.effects().map((effect) => effect.key)).toEqual(['soon']);
  }
  expect(host.lines.map((line) => line.trim())).toEqual(['poll', 'poll']);
  machine.runTasks();
  // In its middle now.
  machine.call(1, 'cancel', [], 'exit');
  expect(machine.effects()).toEqual([]);
  expect(machine.hasTasks()).toBe(false);
  expect(host.lines.map((line) => line.trim())).toEqual(['poll', 'poll', 'poll']);
});

test('in a hurry nothing goes off that waits for its time', () => {
  const host = new RecordingHost();
  const machine = new Machine(host);
  machine.insert(1, programOf('timers', TIMERS), new Map());
  machine.init(1);
  machine.runTasks(false);
  // Without a delay the work is as good as queued plainly.
  expect(host.lines.map((line) => line.trim())).toEqual(['soon']);
  machine.runTasks();
  expect(host.lines.map((line) => line.trim())).toEqual(['soon', 'tick', 'single', 'late']);
});
