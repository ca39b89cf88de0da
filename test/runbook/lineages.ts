import { InMemory } from '../scaffold/in-memory';
import { livepatch, type Parts } from '../scaffold/sources';

export interface Member {
  readonly source: string;
  readonly status?: 'draft' | 'released' | 'faulty' | 'withdrawn';
  /** More keys of the manifest entry, in flow style. */
  readonly more?: string;
}

/** A lineage of small livepatches; the module of `v1` is klp_v1. */
export function lineageOf(members: Readonly<Record<string, Member>>): InMemory {
  const entries = Object.entries(members).map(
    ([name, { status = 'released', more = '' }]) =>
      `  - { version: ${name}, module: klp_${name}, sources: [${name}/klp_${name}.c], status: ${status}${more === '' ? '' : `, ${more}`} }\n`,
  );
  const files = Object.entries(members).map(([name, { source }]) => [`${name}/klp_${name}.c`, source]);
  return new InMemory({
    'livepatch.yaml': `lineage: test\nkernel: "6.1"\nversions:\n${entries.join('')}`,
    ...Object.fromEntries(files),
  });
}

/** Only the fix, no callbacks. */
export const PLAIN = livepatch({});

/** Makes /proc/acme in pre_patch, removes it in post_unpatch. */
export const PROC = livepatch({
  includes: ['linux/proc_fs.h'],
  code: `static const struct proc_ops acme_ops = { };

static int acme_pre_patch(struct klp_object *obj)
{
	return proc_create("acme", 0444, NULL, &acme_ops) ? 0 : -ENOMEM;
}

static void acme_post_unpatch(struct klp_object *obj)
{
	remove_proc_entry("acme", NULL);
}
`,
  callbacks: { pre_patch: 'acme_pre_patch', post_unpatch: 'acme_post_unpatch' },
});

/** Removes in post_patch what PROC left. */
export const CLEANER = livepatch({
  includes: ['linux/proc_fs.h'],
  code: `static void acme_post_patch(struct klp_object *obj)
{
	remove_proc_entry("acme", NULL);
}
`,
  callbacks: { post_patch: 'acme_post_patch' },
});

/** Allocates in pre_patch and never frees. */
export const LEAK = livepatch({
  includes: ['linux/slab.h'],
  code: `static void *acme_buffer;

static int acme_pre_patch(struct klp_object *obj)
{
	acme_buffer = kzalloc(64, GFP_KERNEL);
	return acme_buffer ? 0 : -ENOMEM;
}
`,
  callbacks: { pre_patch: 'acme_pre_patch' },
});

/** Registers a notifier that nothing ever unregisters. */
export const FOREVER = livepatch({
  includes: ['linux/notifier.h'],
  code: `static int acme_event(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_OK;
}

static struct notifier_block acme_nb = {
	.notifier_call = acme_event,
};

static int acme_pre_patch(struct klp_object *obj)
{
	return register_module_notifier(&acme_nb);
}
`,
  callbacks: { pre_patch: 'acme_pre_patch' },
});

/** A livepatch whose module has no exit function. */
export function withoutExit(parts: Parts): string {
  return livepatch(parts).replace('module_exit(livepatch_exit);\n', '');
}
