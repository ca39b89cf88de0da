import type { LineageVersion } from '../core/lineage/lineage';
import { type OwnPointer, ownPointersOf } from './own-pointers';
import type { Finding, Rule } from './rule';
import { inStateOrShadow } from './wording';

/** An undo needs what only this module knows. */
export const unpublishedPointer: Rule = {
  code: 'unpublished-pointer',
  severity: 'warning',
  kind: 'facts',
  replacement: true,
  summary: 'an undo needs a pointer or a handle that only this module knows',
  documentation: { page: 'livepatch/system-state', anchor: 'livepatch-state-tracking' },
  page: `
A callback registers an object by its address, or keeps the handle that a call returned, in a variable of its own module.
The undo needs that address or handle. A version that replaces this one has its own variables, and the same name in its
source means another piece of memory: it cannot undo what it cannot name.

*cleanup-impossible* says the same where a run of the version reaches the call. This rule reads the C alone and speaks
where no run gets there, for the call hangs on something that is not known.

## Example

~~~c
static struct task_struct *worker;

/* wrong: only this module knows the task */
static void post_patch(struct klp_object *obj)
{
	if (acme_mode() == 3)
		worker = kthread_run(work_loop, NULL, "acme");
}

/* right */
static void post_patch(struct klp_object *obj)
{
	if (acme_mode() == 3) {
		worker = kthread_run(work_loop, NULL, "acme");
		klp_get_state(&patch, ACME_WORKER)->data = worker;
	}
}
~~~

## What to do

Put the pointer or the handle into the data of a \`klp_state\`, or into a shadow variable, in the callback that makes it.
Where the API knows names (debugfs, proc, sysfs), a name is enough.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      ownPointersOf(context, version)
        .filter((own) => own.row.key !== 'reference' && !isForExit(own))
        .map((own) => findingOf(version, own)),
    ),
};

/** Made in init and undone in exit, which runs in any case, also after a replacement. */
function isForExit({ call, undos }: OwnPointer): boolean {
  return (
    call.reachedFrom.every((from) => from === 'init') &&
    undos.some(({ reachedFrom }) => reachedFrom.includes('exit'))
  );
}

function findingOf(version: LineageVersion, { call, row, undos, variable, cause }: OwnPointer): Finding {
  const onlyLeaks = row.hazards.every((hazard) => hazard === 'leak');
  const what = row.key === 'pointer' ? `the address of ${variable}` : `what ${call.callee}() returned`;
  const { name } = version;
  const [undo] = undos;
  return {
    code: 'unpublished-pointer',
    severity: onlyLeaks ? 'information' : 'warning',
    message:
      `${undo.callee}() needs ${what}, which only ${name} knows: a version that replaces it cannot undo this ${row.noun}. ` +
      `Publish it in ${inStateOrShadow(version)}.`,
    certainty: 'must',
    place: call.place,
    versions: [name],
    related: [{ message: `${name} itself undoes it here`, place: undo.place }],
    fixes: [],
    cause,
  };
}
