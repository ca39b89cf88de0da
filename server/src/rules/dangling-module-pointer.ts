import { chainFindings } from './histories';
import { leftBehindFinding } from './left-behind-finding';
import { upgradesLeaving } from './placement';
import type { Rule } from './rule';
import { milder } from './wording';

/** The kernel keeps a pointer into a replaced version's module. */
export const danglingModulePointer: Rule = {
  code: 'dangling-module-pointer',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary:
    'the kernel still points into the module of a replaced version, which can now be removed: use-after-free',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
A callback registered something that leads the kernel into its own module: a notifier, an operations table, an
attribute, a timer, a work item, a thread, a hook. The callback that takes it back belongs to the same version, and when
another version with \`.replace\` takes over, **no callback of the replaced version runs**. The registration stays.

## Why it is dangerous

While a livepatch is enabled the kernel holds a reference to its module. Once the replacing transition is complete that
reference is dropped, and \`rmmod\` succeeds. From then on the pointer leads into memory that is free or belongs to
something else. That the module is still in memory is no protection: anybody may remove it at any time, and scripts do.

A timer or delayed work that goes off only once is over when it has: there it is a warning, for it depends on how soon the
old module is removed.

## Example

Wrong: v2's undo stands only in v2's own \`post_unpatch\`, and v3 knows nothing of it.

~~~c
/* v2 */
static struct notifier_block nb = { .notifier_call = on_netdev };

static int pre_patch(struct klp_object *obj)
{
	return register_netdevice_notifier(&nb);
}

static void post_unpatch(struct klp_object *obj)	/* not called when v3 replaces v2 */
{
	unregister_netdevice_notifier(&nb);
}
~~~

Right: v2 publishes the pointer in the data of a \`klp_state\`, and v3 removes the notifier while v2's module is still
held, in \`post_patch\`.

~~~c
/* v3 */
static void post_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(NET_NB);

	if (prev && prev->version <= 1)
		unregister_netdevice_notifier(prev->data);
}
~~~

## What to do

* In the version that takes over, undo it in \`post_patch\`: the old code is unreachable there and its module still
  pinned. Not in \`pre_patch\`: the transition may still be reversed.
* Or make the successor the owner: register its own and remove the old one in \`post_patch\`.
* What is known by a name (debugfs, proc, sysfs) can be looked up by it. What needs a pointer has to be handed over by a
  state or a shadow variable, and that before the version is released.
`,
  check: (context) => [
    ...upgradesLeaving(context)
      .filter((placed) => placed.dangling !== null)
      .map((placed) =>
        leftBehindFinding(context, placed, {
          code: 'dangling-module-pointer',
          severity: placed.certainty === 'may' ? milder('error') : 'error',
          hazard: 'use-after-free',
        }),
      ),
    ...chainFindings(context, 'dangling-module-pointer'),
  ],
};
