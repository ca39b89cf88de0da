import type { LivepatchParts } from './fixture';

/** Callbacks that do something and undo it only themselves, for lineages that forget about it. */

/** A file by name, with operations in the module. Removed in post_unpatch. */
export const FILE: LivepatchParts = {
  body: `static const struct file_operations fops = { .owner = THIS_MODULE };
static struct dentry *file;
static int make(struct klp_object *obj)
{
  file = debugfs_create_file("acme", 0444, NULL, NULL, &fops);
  return 0;
}
static void drop(struct klp_object *obj)
{
  debugfs_remove(file);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
};

/** A notifier, by pointer. */
export const NOTIFIER: LivepatchParts = {
  body: `static int seen(struct notifier_block *nb, unsigned long event, void *data)
{
  return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = seen };
static int hook(struct klp_object *obj)
{
  return register_reboot_notifier(&nb);
}
static void unhook(struct klp_object *obj)
{
  unregister_reboot_notifier(&nb);
}`,
  callbacks: '      .pre_patch = hook,\n      .post_unpatch = unhook,',
};

/** A kernel variable, with the old value in the module's own data. */
export const VALUE: LivepatchParts = {
  body: `static int saved;
static void louder(struct klp_object *obj)
{
  saved = console_loglevel;
  console_loglevel = 15;
}
static void back(struct klp_object *obj)
{
  console_loglevel = saved;
}`,
  callbacks: '      .post_patch = louder,\n      .pre_unpatch = back,',
};

/** Memory. */
export const HEAP: LivepatchParts = {
  body: `static void *buffer;
static int get(struct klp_object *obj)
{
  buffer = kzalloc(64, GFP_KERNEL);
  if (!buffer)
    return -ENOMEM;
  return 0;
}
static void put(struct klp_object *obj)
{
  kfree(buffer);
}`,
  callbacks: '      .pre_patch = get,\n      .post_unpatch = put,',
};

/** A folder: nothing of the module hangs from it, but its name is taken. */
export const FOLDER: LivepatchParts = {
  body: `static struct dentry *dir;
static int make(struct klp_object *obj)
{
  dir = debugfs_create_dir("acme", NULL);
  return 0;
}
static void drop(struct klp_object *obj)
{
  debugfs_remove(dir);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
};

/** A notifier whose block the data of state 7 leads to. */
export const PUBLISHED_NOTIFIER: LivepatchParts = {
  ...NOTIFIER,
  body: (NOTIFIER.body ?? '').replace(
    '  return register',
    '  klp_get_state(&patch, 7)->data = &nb;\n  return register',
  ),
  states: '  { .id = 7, .version = 1 },',
};

/** The same handed on: the successor removes it, or the same code takes it over. */
export const NOTIFIER_BY_STATE: LivepatchParts = {
  ...PUBLISHED_NOTIFIER,
  body: (PUBLISHED_NOTIFIER.body ?? '').replace(
    'static void unhook',
    `static void unhook_previous(struct klp_object *obj)
{
  struct klp_state *previous = klp_get_prev_state(7);

  if (previous)
    unregister_reboot_notifier(previous->data);
}
static void unhook`,
  ),
  callbacks: '      .pre_patch = hook,\n      .post_patch = unhook_previous,\n      .post_unpatch = unhook,',
};

/** A file by its name alone. */
export const PROC_FILE: LivepatchParts = {
  body: `static const struct proc_ops ops = { };
static int make(struct klp_object *obj)
{
  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;
}
static void drop(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
  callbacks: '      .pre_patch = make,\n      .post_unpatch = drop,',
};

/** A static key of the kernel, on while the livepatch is in force. */
export const STATIC_KEY: LivepatchParts = {
  body: `extern struct static_key_false acme_key;
static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
}`,
  callbacks: '      .post_patch = on,\n      .pre_unpatch = off,',
};

/** Marks a line of a part: the mark goes below the only line that contains `line`. */
export function marked(parts: LivepatchParts, line: string, mark: string): LivepatchParts {
  const body = (parts.body ?? '').split('\n');
  const at = body.findIndex((text) => text.includes(line));
  body.splice(at + 1, 0, mark);
  return { ...parts, body: body.join('\n') };
}
