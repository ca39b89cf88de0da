import type { Hazard } from '../core/execution/catalogue-row';
import type { Severity } from '../core/place';
import { chainFindings } from './histories';
import { leftBehindFinding } from './left-behind-finding';
import { upgradesLeaving } from './placement';
import type { Rule } from './rule';
import { hazardOf, milder } from './wording';

const SEVERITY: Readonly<Record<Hazard, Severity>> = {
  'use-after-free': 'error',
  'double-application': 'error',
  'stuck-value': 'warning',
  leak: 'information',
};

/** A side effect without an owner after a replacement. */
export const orphanedSideEffect: Rule = {
  code: 'orphaned-side-effect',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'a side effect of one version has no owner after another version has replaced it',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
A callback of one version did something that outlives the call: it changed a value, created a file, allocated memory,
flipped a static key. Its own \`pre_unpatch\` or \`post_unpatch\` takes that back when the livepatch is disabled. When
another version with \`.replace\` takes over, **none of the replaced version's callbacks runs**, and the new version does
not know of the effect. Nobody will undo it any more, not even when everything is disabled and unloaded.

The severity follows what the effect does when it stays: use after free or double application is an error, a value that
stays changed a warning, as is a pointer into a module that a reference of its own holds in memory, memory that nobody frees an information. If it only may be so, one step less.

## Why the kernel does it this way

The new version decides what happens to what the old one did: only it can know whether the change is still wanted. The
kernel therefore calls the callbacks of the new version alone, whatever objects they belong to.

## Example

Wrong: the old value is in a static variable of v1, and v1's \`post_unpatch\` never runs once v2 has replaced v1.

~~~c
/* v1 */
static int saved;

static void post_patch(struct klp_object *obj)
{
	saved = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

static void pre_unpatch(struct klp_object *obj)
{
	console_loglevel = saved;
}
~~~

Right: the value is in the data of a state, which v2 takes over and restores in the end.

~~~c
/* v2 */
static void post_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(LOGLEVEL);

	if (prev)
		klp_get_state(&patch, LOGLEVEL)->data = prev->data;
	else
		change_and_save();
}
~~~

## What to do

* Take it over: a \`klp_state\` of the same id in both versions, its \`data\` handed on, and the undo in the newest version.
* Or undo it in \`post_patch\` of the version that takes over, guarded by \`klp_get_prev_state()\`.
* Or, if it shall stay, declare it with \`keeps\` in the manifest.
`,
  check: (context) => [
    ...upgradesLeaving(context)
      .filter((placed) => placed.leftover !== null)
      .map((placed) => {
        const hazard = hazardOf(placed.effect);
        // A module that is held in memory cannot be freed under the kernel: what it does goes on, no more.
        const held = hazard === 'use-after-free' && placed.dangling === null;
        const severity = held ? 'warning' : SEVERITY[hazard];
        return leftBehindFinding(context, placed, {
          code: 'orphaned-side-effect',
          severity: placed.certainty === 'may' ? milder(severity) : severity,
          hazard,
        });
      }),
    ...chainFindings(context, 'orphaned-side-effect'),
  ],
};
