import type { CallFact } from '../core/execution/fact-types';
import type { LineageVersion } from '../core/lineage/lineage';
import { type OwnPointer, ownPointersOf } from './own-pointers';
import type { Finding, Rule } from './rule';
import { byStateOrShadow, listed } from './wording';

/** The only undo stands where a replacement does not call it. */
export const undoOnlyInOwnUnpatch: Rule = {
  code: 'undo-only-in-own-unpatch',
  severity: 'warning',
  kind: 'facts',
  replacement: true,
  summary:
    "the only undo is in this version's own unpatch callbacks: they run on disable and reversal, never on replacement",
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
What \`pre_patch\` or \`post_patch\` does is undone in \`post_unpatch\` or \`pre_unpatch\` of the same version. That is right and
necessary: those callbacks run when the livepatch is disabled and when its transition is reversed. But when another
version with \`.replace\` takes over, **they are not called**, and nothing else undoes the effect.

With a state, a shadow variable or a name that hands the effect over, the next version can look after it; then this rule is
silent, and so it is where a rule with more to say about the same effect speaks.

## Example

~~~c
static struct task_struct *held;

static int pre_patch(struct klp_object *obj)
{
	held = get_task_struct(acme_task);
	return 0;
}

static void post_unpatch(struct klp_object *obj)	/* not called when the next version replaces this one */
{
	put_task_struct(held);
}
~~~

Right: the same, with \`held\` in the data of a state as well.

~~~c
static int pre_patch(struct klp_object *obj)
{
	held = get_task_struct(acme_task);
	klp_get_state(&patch, ACME_TASK)->data = held;
	return 0;
}
~~~

## What to do

Hand the effect over: put what its undo needs into the data of a \`klp_state\` or into a shadow variable. The next version
takes it over or undoes it in \`post_patch\`.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      ownPointersOf(context, version).flatMap((own) => findingOf(version, own)),
    ),
};

const UNPATCH = ['pre_unpatch', 'post_unpatch'];

function findingOf(version: LineageVersion, own: OwnPointer): Finding[] {
  const { call, row, undos, cause } = own;
  const first = undos.find((item) => item.reachedFrom.some((from) => UNPATCH.includes(from)));
  const elsewhere = undos.some((item) =>
    item.reachedFrom.some((from) => !UNPATCH.includes(from) && from !== 'exit'),
  );
  if (!first || elsewhere) return [];
  const onlyLeaks = row.hazards.every((hazard) => hazard === 'leak');
  return [
    {
      code: 'undo-only-in-own-unpatch',
      severity: onlyLeaks && row.key !== 'reference' ? 'information' : 'warning',
      message:
        `${first.callee}() in ${where(first)} is all that undoes ${call.callee}(): it runs when ${version.name} is disabled or reversed, ` +
        `and not when another version replaces it. Hand it over by ${byStateOrShadow(version)}.`,
      certainty: 'must',
      place: call.place,
      versions: [version.name],
      related: [{ message: `the only undo, in ${where(first)}`, place: first.place }],
      fixes: [],
      cause,
    },
  ];
}

function where(call: CallFact): string {
  return listed(call.reachedFrom.filter((from) => UNPATCH.includes(from)));
}
