import { expect, test } from 'vitest';
import { granted, InMemory, printed, refused } from './in-memory';
import {
  delayedV2,
  livepatch,
  manifest,
  notifierV2,
  procV2,
  SHADOW_V2,
  STATE_V2,
  SYSFS_V2,
  staticKeyV2,
} from './sources';

const V1 = livepatch({});

function lineage(v2: string, v1 = V1): InMemory {
  return new InMemory({ 'livepatch.yaml': manifest(['v1', 'v2']), 'v1/klp_v1.c': v1, 'v2/klp_v2.c': v2 });
}

const ANSWERABLE: readonly (readonly [string, string])[] = [
  ['state data and the value that it saves', STATE_V2],
  ['a pointer that the state hands over', notifierV2(true)],
  ['work that queues itself anew, handed over by the state', delayedV2(true, true)],
  ['shadow variables', SHADOW_V2],
  ['a static key, told by a state', staticKeyV2(true)],
  ['a proc entry, told by a state', procV2(true)],
  ['a sysfs file', SYSFS_V2],
];

test.each(ANSWERABLE)('%s: v2 leaves it, v3 does not', (_, v2) => {
  const before = lineage(v2);
  expect(before.run('load v2').end.effects().length).toBeGreaterThan(0);
  const { after } = granted(before, 'v1', ['v2'], 'v3');
  const replaced = after.run('load v2', 'load v3', 'unload v2');
  expect(replaced.outcomes.map((outcome) => outcome.result)).toEqual([0, 0, 0]);
  expect(replaced.end.effects()).toEqual([]);
  expect(replaced.verdict).toMatchObject({ word: 'clean', dangers: [], leftovers: [] });
  expect(after.run('load v1', 'load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
});

test.each(ANSWERABLE)('%s: v3 is silent and clean where v2 never was', (_, v2) => {
  const { after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  for (const steps of [
    ['load v3'],
    ['load v1', 'load v3', 'unload v1'],
    ['load v3', 'disable v3', 'unload v3'],
  ]) {
    const run = after.run(...steps);
    expect(run.verdict, steps.join('; ')).toMatchObject({ word: 'clean', certainty: 'must' });
    expect(printed(run)).toEqual([]);
    expect(run.end.effects()).toEqual([]);
  }
});

test.each(ANSWERABLE)('%s: a reversed transition leaves v2 as it was', (_, v2) => {
  const { after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  const made = after
    .run('load v2')
    .end.effects()
    .map((effect) => `${effect.row.family} ${effect.key}`);
  const reversed = after.run('load v2', 'stall', 'load v3', 'disable v3', 'resume');
  expect(reversed.outcomes.map((outcome) => outcome.result)).toEqual([0, 0, 0, 0, 0]);
  expect(reversed.end.effects().map((effect) => `${effect.row.family} ${effect.key}`)).toEqual(made);
  expect(reversed.end.kernel.patches().map((patch) => patch.name)).toEqual(['klp_v2']);
  // And v2 still undoes everything by itself.
  const disabled = after.run(
    'load v2',
    'stall',
    'load v3',
    'disable v3',
    'resume',
    'disable v2',
    'unload v2',
  );
  expect(disabled.end.effects()).toEqual([]);
  expect(disabled.verdict.word).toBe('clean');
});

test.each(ANSWERABLE)('%s: nothing is cleaned twice', (_, v2) => {
  const { after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  // The disable that is turned round runs post_patch a second time.
  const again = after.run('load v2', 'load v3', 'unload v2', 'stall', 'disable v3', 'enable v3', 'resume');
  expect(again.outcomes.map((outcome) => outcome.result)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(again.verdict).toMatchObject({ word: 'clean', dangers: [] });
  const next = granted(after, 'v3', ['v2'], 'v4').after;
  const run = next.run('load v2', 'load v3', 'load v4', 'unload v2', 'unload v3');
  expect(run.verdict).toMatchObject({ word: 'clean', dangers: [] });
  expect(run.outcomes.map((outcome) => outcome.result)).toEqual([0, 0, 0, 0, 0]);
});

test('the saved value is written back before the memory that holds it is freed', () => {
  const { file } = granted(lineage(STATE_V2), 'v1', ['v2'], 'v3');
  const text = file('_cleanup.c');
  expect(text).toContain('console_loglevel = *(int *)prev->data;');
  expect(text).toContain('kfree(prev->data);\n\tprev->data = NULL;');
  const body = text.slice(text.indexOf('void klp_v3_cleanup('));
  expect(body.indexOf('restore_left_console_loglevel(prev)')).toBeGreaterThan(0);
  expect(body.indexOf('free_left_')).toBeGreaterThan(body.indexOf('restore_left_console_loglevel(prev)'));
});

test('the guard accepts the faulty version of the state and none that is newer', () => {
  const { file, after } = granted(lineage(notifierV2(true)), 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain('left_state(7, 0, 3)');
  // v2 declares version 3 of state 7: v3 must carry it, one newer.
  expect(after.version('v3').facts?.patch?.states).toMatchObject([{ id: 7, version: 4 }]);
  // The kernel then refuses the faulty version over v3, and v1, which lacks the state.
  expect(after.run('load v3', 'load v2').outcomes.map((outcome) => outcome.result)).toEqual([0, -22]);
  expect(after.run('load v3', 'load v1').outcomes.map((outcome) => outcome.result)).toEqual([0, -22]);
});

test('a destructor is copied with the struct that it needs', () => {
  const text = granted(lineage(SHADOW_V2), 'v1', ['v2'], 'v3').file('_cleanup.c');
  expect(text).toContain('struct leak {\n\tvoid *buffer;\n\tint count;\n};');
  expect(text).toContain('static void leak_dtor(void *obj, void *shadow_data)\n{');
  expect(text).toContain('klp_shadow_free_all(0x51, leak_dtor);');
  expect(text).toContain('#include <linux/slab.h>');
});

test('shadow variables that only a patched function allocates are freed too', () => {
  const v2 = SHADOW_V2.replace('.pre_patch = leak_pre_patch', '.pre_patch = nothing_pre_patch').replace(
    'static int livepatch_cmdline_proc_show(struct seq_file *m, void *v)\n{\n',
    `static int nothing_pre_patch(struct klp_object *obj)
{
	return 0;
}

static int leak_pre_patch(struct klp_object *obj);

static int livepatch_cmdline_proc_show(struct seq_file *m, void *v)
{
	leak_pre_patch(NULL);
`,
  );
  const text = granted(lineage(v2), 'v1', ['v2'], 'v3').file('_cleanup.c');
  expect(text).toContain('klp_shadow_free_all(0x51, leak_dtor);');
});

test('a declaration that v2 wrote itself is taken along', () => {
  const text = granted(lineage(staticKeyV2(true)), 'v1', ['v2'], 'v3').file('_cleanup.c');
  expect(text).toContain('extern struct static_key_false acme_feature;');
  expect(text).toContain('static_branch_disable(&acme_feature);');
});

test('a notifier that only v2 knows is refused with its line and the way out', () => {
  const v2 = notifierV2(false);
  const line = v2.slice(0, v2.indexOf('return register_module_notifier')).split('\n').length;
  const reasons = refused(lineage(v2), 'v1', ['v2'], 'v3');
  expect(reasons[0]).toContain(`v2/klp_v2.c:${line}: `);
  expect(reasons[0]).toContain('acme_nb');
  expect(reasons.at(-1)).toContain('/sys/kernel/livepatch/klp_v2/enabled');
  expect(reasons.at(-1)).toContain('nothing is patched');
});

test('work that may still wait is ended where the state leads to it, and told of where nothing does', () => {
  const handed = granted(lineage(delayedV2(true, false)), 'v1', ['v2'], 'v3');
  expect(handed.file('_cleanup.c')).toContain('cancel_delayed_work_sync(');
  expect(handed.after.run('load v2', 'load v1', 'unload v2').verdict.word).toBe('refused');
  expect(handed.after.run('load v2', 'load v3', 'unload v2')).toMatchObject({
    verdict: { word: 'clean', certainty: 'must' },
    unknown: [],
  });

  const { answer, after } = granted(lineage(delayedV2(false, false)), 'v1', ['v2'], 'v3');
  expect(answer.notes).toEqual([
    'v3 is v1 under a new name.',
    "v2/klp_v2.c:26: delayed work item acme_poll of v2 may still wait when v3 is loaded, and cannot be ended by it: only the faulty version's own variable acme_poll knows it. Load v3 after it has gone off.",
  ]);
  expect(after.run('load v2', 'load v3', 'unload v2')).toMatchObject({
    verdict: { word: 'unsafe', certainty: 'may' },
    unknown: [{ text: 'whether the delayed work item acme_poll has gone off by then' }],
  });
  expect(refused(lineage(delayedV2(false, true)), 'v1', ['v2'], 'v3')[0]).toBe(
    "v2/klp_v2.c:27: delayed work item acme_poll of v2 cannot be undone by v3: only the faulty version's own variable acme_poll knows it.",
  );
});

test('what lies in published memory is reached through its type', () => {
  const v2 = livepatch({
    includes: ['linux/slab.h', 'linux/workqueue.h'],
    code: `struct acme {
	int looks;
	struct delayed_work poll;
};

static struct acme *acme;

static void acme_look(struct work_struct *work)
{
	struct acme *own = container_of(work, struct acme, poll.work);

	own->looks++;
	schedule_delayed_work(&own->poll, HZ);
}

static int acme_pre_patch(struct klp_object *obj)
{
	acme = kzalloc(sizeof(*acme), GFP_KERNEL);
	if (!acme)
		return -ENOMEM;
	INIT_DELAYED_WORK(&acme->poll, acme_look);
	klp_get_state(&patch, 7)->data = acme;
	return 0;
}

static void acme_post_patch(struct klp_object *obj)
{
	schedule_delayed_work(&acme->poll, HZ);
}

static void acme_pre_unpatch(struct klp_object *obj)
{
	cancel_delayed_work_sync(&acme->poll);
}

static void acme_post_unpatch(struct klp_object *obj)
{
	kfree(acme);
}
`,
    callbacks: {
      pre_patch: 'acme_pre_patch',
      post_patch: 'acme_post_patch',
      pre_unpatch: 'acme_pre_unpatch',
      post_unpatch: 'acme_post_unpatch',
    },
    states: '{ .id = 7, .version = 3 },',
  });
  const { file, after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  const text = file('_cleanup.c');
  expect(text).toContain('struct acme {\n\tint looks;\n\tstruct delayed_work poll;\n};');
  expect(text).toContain('\tcancel_delayed_work_sync(&((struct acme *)prev->data)->poll);\n');
  expect(text).toContain('\tkfree(prev->data);\n');
  expect(after.run('load v2', 'load v3', 'unload v2').verdict).toMatchObject({
    word: 'clean',
    certainty: 'must',
  });
});

test('elements of a published array are its elements, and no bytes', () => {
  const v2 = livepatch({
    includes: ['linux/reboot.h'],
    code: `static int acme_event(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_DONE;
}

static struct notifier_block acme_nbs[] = {
	{ .notifier_call = acme_event },
	{ .notifier_call = acme_event },
};

static int acme_pre_patch(struct klp_object *obj)
{
	klp_get_state(&patch, 7)->data = acme_nbs;
	register_reboot_notifier(&acme_nbs[0]);
	register_reboot_notifier(&acme_nbs[1]);
	return 0;
}

static void acme_post_unpatch(struct klp_object *obj)
{
	unregister_reboot_notifier(&acme_nbs[0]);
	unregister_reboot_notifier(&acme_nbs[1]);
}
`,
    callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
    states: '{ .id = 7, .version = 3 },',
  });
  const { file, after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain(
    'unregister_reboot_notifier(&((struct notifier_block *)prev->data)[1]);',
  );
  expect(after.run('load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
});

test('a number that stands in the place of the pointer is written back, 0 as well', () => {
  const v2 = livepatch({
    includes: ['linux/printk.h'],
    code: `static int acme_pre_patch(struct klp_object *obj)
{
	klp_get_state(&patch, 7)->data = (void *)(long)console_loglevel;
	console_loglevel = 3;
	return 0;
}

static void acme_post_unpatch(struct klp_object *obj)
{
	console_loglevel = (int)(long)klp_get_state(&patch, 7)->data;
}
`,
    callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
    states: '{ .id = 7, .version = 3 },',
  });
  const { file, after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  const text = file('_cleanup.c');
  expect(text).toContain('\tconsole_loglevel = (int)(long)prev->data;\n');
  expect(text).not.toContain('if (!prev->data)');
  expect(after.run('load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
});

test('what a function of v2 only looks up is looked up without it', () => {
  const looking = (body: string): string =>
    livepatch({
      includes: ['linux/slab.h', 'linux/printk.h'],
      code: `struct left {
	int old;
};

static int looks;

static struct left *left_of(void)
{
${body}
}

static int acme_pre_patch(struct klp_object *obj)
{
	struct klp_state *state = klp_get_state(&patch, 7);

	state->data = kzalloc(sizeof(struct left), GFP_KERNEL);
	return state->data ? 0 : -ENOMEM;
}

static void acme_post_patch(struct klp_object *obj)
{
	left_of()->old = console_loglevel;
	console_loglevel = 3;
}

static void acme_pre_unpatch(struct klp_object *obj)
{
	console_loglevel = left_of()->old;
}

static void acme_post_unpatch(struct klp_object *obj)
{
	kfree(left_of());
}
`,
      callbacks: {
        pre_patch: 'acme_pre_patch',
        post_patch: 'acme_post_patch',
        pre_unpatch: 'acme_pre_unpatch',
        post_unpatch: 'acme_post_unpatch',
      },
      states: '{ .id = 7, .version = 3 },',
    });
  const v2 = looking('\tstruct klp_state *state = klp_get_state(&patch, 7);\n\n\treturn state->data;');
  const { file, after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain('\tconsole_loglevel = ((struct left *)prev->data)->old;\n');
  expect(after.run('load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
  const counting = looking('\tlooks++;\n\treturn klp_get_state(&patch, 7)->data;');
  expect(refused(lineage(counting), 'v1', ['v2'], 'v3')[0]).toContain('it is what left_of() returns');
});

test('what goes with a target module is not undone once more when that has gone', () => {
  const v2 = (forget: string): string =>
    livepatch({
      includes: ['linux/fs.h', 'linux/miscdevice.h'],
      code: `static const struct file_operations acme_fops = { .owner = THIS_MODULE };

static struct miscdevice acme_device = { .name = "acme", .minor = MISC_DYNAMIC_MINOR, .fops = &acme_fops };

static int acme_pre_patch(struct klp_object *obj)
{
	klp_get_state(&patch, 7)->data = &acme_device;
	return misc_register(&acme_device);
}

static void acme_post_unpatch(struct klp_object *obj)
{
	misc_deregister(&acme_device);
${forget}}
`,
      objects: `	{
		.name = "acme_net",
		.funcs = funcs,
		.callbacks = { .pre_patch = acme_pre_patch, .post_unpatch = acme_post_unpatch },
	},
`,
      states: '{ .id = 7, .version = 3 },',
    });
  const of = (text: string): InMemory =>
    new InMemory({
      'livepatch.yaml': manifest(['v1', 'v2'], 'targets: [acme_net]\n'),
      'v1/klp_v1.c': V1,
      'v2/klp_v2.c': text,
    });
  // misc_deregister() takes it off a list that it is not on any more.
  expect(refused(of(v2('')), 'v1', ['v2'], 'v3')[0]).toContain(
    'when acme_net goes before v3 replaces v2: misc device acme_device is not there any more, and is undone once more.',
  );
  const { after } = granted(of(v2('\tklp_get_state(&patch, 7)->data = NULL;\n')), 'v1', ['v2'], 'v3');
  for (const steps of [
    ['load v2', 'unload acme_net', 'load v3', 'unload v2'],
    ['load v2', 'load v3', 'unload v2'],
  ])
    expect(after.run(...steps).verdict).toMatchObject({ word: 'clean', certainty: 'must' });
});

test('what needs to know whether v2 was there is refused without a state', () => {
  expect(refused(lineage(procV2(false)), 'v1', ['v2'], 'v3')[0]).toContain('no lookup for proc entries');
  expect(refused(lineage(staticKeyV2(false)), 'v1', ['v2'], 'v3')[0]).toContain('declares no klp_state');
});

test('a destructor that uses data of v2 is refused', () => {
  const v2 = SHADOW_V2.replace('static void leak_dtor', 'static int freed;\n\nstatic void leak_dtor').replace(
    'kfree(leak->buffer);',
    'kfree(leak->buffer);\n\tfreed++;',
  );
  expect(refused(lineage(v2), 'v1', ['v2'], 'v3')[0]).toMatch(/leak_dtor\(\).*freed/);
});

test('a saved value in a variable of v2 is out of reach', () => {
  const v2 = livepatch({
    code: `static int saved;

static void level_post_patch(struct klp_object *obj)
{
	saved = console_loglevel;
	console_loglevel = 15;
}

static void level_pre_unpatch(struct klp_object *obj)
{
	console_loglevel = saved;
}
`,
    callbacks: { post_patch: 'level_post_patch', pre_unpatch: 'level_pre_unpatch' },
    states: '{ .id = 2, .version = 1 },',
  });
  expect(refused(lineage(v2), 'v1', ['v2'], 'v3')[0]).toMatch(/console_loglevel.*variable saved/);
});

test('a state that v1 declares too tells nothing about v2', () => {
  const shared = livepatch({ states: '{ .id = 7, .version = 3 },' });
  expect(refused(lineage(notifierV2(true), shared), 'v1', ['v2'], 'v3')[0]).toContain(
    'which the good version declares too',
  );
});

test('a version that leaves nothing: v3 is v1 under a new name', () => {
  const { answer, after, file } = granted(lineage(V1), 'v1', ['v2'], 'v3');
  expect(answer.notes[0]).toContain('leaves nothing behind');
  expect(answer.files.map((item) => item.path)).toEqual(['/lineage/v3/klp_v3.c', '/lineage/v3/Kbuild']);
  expect(file('klp_v3.c')).toBe(V1);
  expect(file('Kbuild')).toContain('obj-m := klp_v3.o\n');
  expect(file('Kbuild')).not.toContain('klp_v3-y');
  expect(after.run('load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
});

test('two faulty versions are cleaned up after by one', () => {
  const before = new InMemory({
    'livepatch.yaml': manifest(['v1', 'v2', 'v3']),
    'v1/klp_v1.c': V1,
    'v2/klp_v2.c': SHADOW_V2,
    'v3/klp_v3.c': STATE_V2,
  });
  const { after, answer } = granted(before, 'v1', ['v2', 'v3'], 'v4');
  for (const steps of [
    ['load v2', 'load v4', 'unload v2'],
    ['load v3', 'load v4', 'unload v3'],
    ['load v2', 'load v3', 'load v4', 'unload v2', 'unload v3'],
    ['load v4'],
  ]) {
    const run = after.run(...steps);
    expect(run.end.effects(), steps.join('; ')).toEqual([]);
    expect(run.verdict.word).toBe('clean');
  }
  expect(answer.manifestEdits[0]?.text).toContain('cleans-up-after: [v2, v3]');
});

test('on a kernel before 5.6 folders of debugfs are removed with the function that takes their content along', () => {
  const v2 = livepatch({
    includes: ['linux/debugfs.h'],
    code: `static struct dentry *dir;

static int dir_pre_patch(struct klp_object *obj)
{
	dir = debugfs_create_dir("acme", NULL);
	debugfs_create_file("inner", 0444, dir, NULL, NULL);
	return 0;
}

static void dir_post_unpatch(struct klp_object *obj)
{
	debugfs_remove_recursive(dir);
}
`,
    callbacks: { pre_patch: 'dir_pre_patch', post_unpatch: 'dir_post_unpatch' },
  });
  const files = { 'v1/klp_v1.c': V1, 'v2/klp_v2.c': v2 };
  const old = new InMemory({ ...files, 'livepatch.yaml': manifest(['v1', 'v2']).replace('"6.1"', '"5.4"') });
  expect(granted(old, 'v1', ['v2'], 'v3').file('_cleanup.c')).toContain('debugfs_remove_recursive(entry);');
  const recent = granted(
    new InMemory({ ...files, 'livepatch.yaml': manifest(['v1', 'v2']) }),
    'v1',
    ['v2'],
    'v3',
  );
  expect(recent.file('_cleanup.c')).toContain('\tdebugfs_remove(entry);');
  // The file in the folder goes with it.
  expect(recent.file('_cleanup.c')).not.toContain('inner');
  expect(recent.after.run('load v2', 'load v3', 'unload v2').end.effects()).toEqual([]);
});

test('what could not be followed in v2 is said', () => {
  const v2 = SHADOW_V2.replace('return leak ? 0', 'acme_start(leak);\n\treturn leak ? 0');
  const notes = granted(lineage(v2), 'v1', ['v2'], 'v3').answer.notes.join('\n');
  expect(notes).toMatch(/v2\/klp_v2\.c:\d+: of v2 this could not be followed: acme_start/);
});

test('memory that v2 never frees stays, and is said', () => {
  const v2 = livepatch({
    includes: ['linux/slab.h'],
    code: `static void *buffer;

static int buffer_pre_patch(struct klp_object *obj)
{
	buffer = kmalloc(64, GFP_KERNEL);
	return 0;
}
`,
    callbacks: { pre_patch: 'buffer_pre_patch' },
  });
  const notes = granted(lineage(v2), 'v1', ['v2'], 'v3').answer.notes.join('\n');
  expect(notes).toMatch(/v2\/klp_v2\.c:\d+: allocation .* stays, as it does when v2 is disabled/);
});

test('memory that v2 would free when it is disabled is refused where only v2 knows it', () => {
  const v2 = livepatch({
    includes: ['linux/slab.h'],
    code: `static void *buffer;

static int buffer_pre_patch(struct klp_object *obj)
{
	buffer = kmalloc(64, GFP_KERNEL);
	return 0;
}

static void buffer_post_unpatch(struct klp_object *obj)
{
	kfree(buffer);
}
`,
    callbacks: { pre_patch: 'buffer_pre_patch', post_unpatch: 'buffer_post_unpatch' },
  });
  expect(refused(lineage(v2), 'v1', ['v2'], 'v3')[0]).toMatch(/v2\/klp_v2\.c:\d+: .*variable buffer/);
});

test('what module_exit of v2 undoes is left to it', () => {
  const v2 = livepatch({
    includes: ['linux/slab.h'],
    code: `static void *buffer;

static int buffer_pre_patch(struct klp_object *obj)
{
	buffer = kmalloc(64, GFP_KERNEL);
	return 0;
}
`,
    callbacks: { pre_patch: 'buffer_pre_patch' },
    exit: '\tkfree(buffer);\n',
  });
  const { answer, after } = granted(lineage(v2), 'v1', ['v2'], 'v3');
  expect(answer.notes[0]).toContain('leaves nothing behind');
  expect(after.run('load v2', 'load v3', 'unload v2').verdict.word).toBe('clean');
});

test('faulty versions that declare one state with different versions are told apart by it', () => {
  const notifier = notifierV2(true);
  const before = new InMemory({
    'livepatch.yaml': manifest(['v1', 'v2', 'v3']),
    'v1/klp_v1.c': V1,
    'v2/klp_v2.c': staticKeyV2(true).replace('.id = 9', '.id = 7'),
    'v3/klp_v3.c': notifier,
  });
  const { after, file } = granted(before, 'v1', ['v2', 'v3'], 'v4');
  expect(file('_cleanup.c')).toContain('left_state(7, 0, 0)');
  expect(file('_cleanup.c')).toContain('left_state(7, 1, 3)');
  for (const faulty of ['v2', 'v3']) {
    const run = after.run(`load ${faulty}`, 'load v4', `unload ${faulty}`);
    expect(run.end.effects(), faulty).toEqual([]);
    expect(run.verdict).toMatchObject({ word: 'clean', dangers: [] });
  }
});

test('faulty versions whose states look alike but mean different things are refused', () => {
  const before = new InMemory({
    'livepatch.yaml': manifest(['v1', 'v2', 'v3']),
    'v1/klp_v1.c': V1,
    'v2/klp_v2.c': staticKeyV2(true).replace('.id = 9, .version = 0', '.id = 7, .version = 3'),
    'v3/klp_v3.c': notifierV2(true),
  });
  expect(refused(before, 'v1', ['v2', 'v3'], 'v4')[0]).toContain(
    'which of them was installed cannot be told',
  );
});

const CONDITIONAL = (condition: string, before = ''): string =>
  livepatch({
    includes: ['linux/jump_label.h', 'linux/slab.h'],
    code: `extern struct static_key_false acme_feature;
extern int acme_level;

struct saved {
	int level;
	bool changed;
};

static bool switched;

static int key_pre_patch(struct klp_object *obj)
{
	struct klp_state *state = klp_get_state(&patch, 9);

	state->data = kzalloc(sizeof(struct saved), GFP_KERNEL);
	return state->data ? 0 : -ENOMEM;
}

static void key_post_patch(struct klp_object *obj)
{
	struct saved *saved = klp_get_state(&patch, 9)->data;

	saved->level = acme_level;
	saved->changed = true;
	switched = true;
	static_branch_enable(&acme_feature);
}

static void switch_off(void)
{
	struct saved *saved = klp_get_state(&patch, 9)->data;

${before}	if (${condition})
		static_branch_disable(&acme_feature);
}

static void key_pre_unpatch(struct klp_object *obj)
{
	switch_off();
}

static void key_post_unpatch(struct klp_object *obj)
{
	kfree(klp_get_state(&patch, 9)->data);
}
`,
    callbacks: {
      pre_patch: 'key_pre_patch',
      post_patch: 'key_post_patch',
      pre_unpatch: 'key_pre_unpatch',
      post_unpatch: 'key_post_unpatch',
    },
    states: '{ .id = 9, .version = 1 },',
  });

test.each([
  ['saved->changed', '', 'if (((struct saved *)prev->data)->changed) {'],
  ['saved', '', '\tstatic_branch_disable(&acme_feature);'],
  ['saved->changed', '\tif (!saved)\n\t\treturn;\n', 'if (((struct saved *)prev->data)->changed) {'],
  [
    'saved->changed',
    '\tif (saved->level == 77)\n\t\treturn;\n',
    'if ((!(((struct saved *)prev->data)->level == 77)) && (((struct saved *)prev->data)->changed)) {',
  ],
])('what v2 undoes under the condition %s, v3 undoes under the same', (condition, before, expected) => {
  const { file, after } = granted(lineage(CONDITIONAL(condition, before)), 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain(expected);
  if (expected.includes('struct saved'))
    expect(file('_cleanup.c')).toContain('struct saved {\n\tint level;\n\tbool changed;\n};');
  const run = after.run('load v2', 'load v3', 'unload v2');
  expect(run.end.effects()).toEqual([]);
});

test('a condition on data of v2 itself is refused', () => {
  const reasons = refused(lineage(CONDITIONAL('switched')), 'v1', ['v2'], 'v3');
  expect(reasons[0]).toMatch(/hangs on a condition .*switched/);
});

test('an undo in a loop is refused', () => {
  const v2 = CONDITIONAL('saved->changed').replace('if (saved->changed)', 'while (saved->changed--)');
  expect(refused(lineage(v2), 'v1', ['v2'], 'v3')[0]).toContain('stands in a loop');
});

test('a condition that cannot be asked is not evaded by pairing the calls', () => {
  const v2 = livepatch({
    includes: ['linux/netdevice.h'],
    code: `extern struct net_device *acme_dev;

static bool mine;

static rx_handler_result_t acme_rx(struct sk_buff **pskb)
{
	return RX_HANDLER_PASS;
}

static int rx_pre_patch(struct klp_object *obj)
{
	mine = true;
	return netdev_rx_handler_register(acme_dev, acme_rx, NULL);
}

static void rx_post_unpatch(struct klp_object *obj)
{
	if (mine)
		netdev_rx_handler_unregister(acme_dev);
}
`,
    callbacks: { pre_patch: 'rx_pre_patch', post_unpatch: 'rx_post_unpatch' },
    states: '{ .id = 9, .version = 1 },',
  });
  expect(refused(lineage(v2), 'v1', ['v2'], 'v3')[0]).toMatch(/hangs on a condition .*mine/);
  const always = v2.replace('\tif (mine)\n\t', '');
  const { file, after } = granted(lineage(always), 'v1', ['v2'], 'v3');
  expect(file('_cleanup.c')).toContain('netdev_rx_handler_unregister(acme_dev);');
  expect(after.run('load v2', 'load v3', 'unload v2').end.effects()).toEqual([]);
});
