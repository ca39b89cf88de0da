import type { Actor, Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Certainty } from '../core/place';
import type { RuleContext } from './context';
import { duringWords } from './effect-story';
import { chainFindings } from './histories';
import { seenInUpgrades } from './looks';
import { eventsOf, isOf, loadStep } from './pair-runs';
import { shownSteps } from './placement';
import { countsAcross } from './refcount-across-replace';
import type { Finding, Rule } from './rule';
import { milder, namesOf, theEffect } from './wording';

/** The successor does again what is still done. */
export const repeatedSideEffect: Rule = {
  code: 'repeated-side-effect',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'the successor does again what the replaced version did and what is still done',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
Two versions do the same thing in \`pre_patch\` or \`post_patch\`: create the same file, register the same object, raise the
same count. On a kernel without livepatches each is right. When one replaces the other, what the first did is **still
there**, because its unpatch callbacks do not run, and the second does it again.

What follows depends on what it is:

* A name that is taken: the second call fails with -EEXIST, and if \`pre_patch\` passes that on, **the upgrade is refused**.
* A list: an object that is linked in twice corrupts it.
* A count: it goes up twice and, at the end, down once.

## Example

~~~c
/* v1 and v2 */
static int pre_patch(struct klp_object *obj)
{
	return sysfs_create_file(kernel_kobj, &attr.attr);	/* -EEXIST when v2 replaces v1 */
}
~~~

Right: v2 asks first whether a predecessor did it.

~~~c
static int pre_patch(struct klp_object *obj)
{
	if (klp_get_prev_state(ACME_ATTR))
		return 0;
	return sysfs_create_file(kernel_kobj, &attr.attr);
}
~~~

## What to do

Ask for the previous state, a shadow variable or the name, and take over what is there. What leads into the old version's
module has to be exchanged for one's own in \`post_patch\`.
`,
  check: (context) => [...repeatedIn(context), ...chainFindings(context, 'repeated-side-effect')],
};

interface Repeated {
  readonly to: LineageVersion;
  readonly effect: Effect;
  readonly by: Actor;
  readonly certainty: Certainty;
  readonly what: string;
  readonly from: LineageVersion[];
  readonly run: readonly string[];
}

function repeatedIn(context: RuleContext): Finding[] {
  const found = new Map<string, Repeated>();
  for (const { from, to, seen } of seenInUpgrades(context, repeatedBy)) {
    const key = `${to.name} ${seen.by.place.file}:${seen.by.place.start} ${identity(seen.effect)}`;
    const known = found.get(key);
    if (known) known.from.push(from);
    else found.set(key, seen);
  }
  return [...found.values()].map(findingOf);
}

function repeatedBy(context: RuleContext, from: LineageVersion, to: LineageVersion): Repeated[] {
  const { run } = context.transitions.transition(from, to);
  const step = loadStep(run, to);
  const refused = run.verdict.refusals.find((item) => item.step === step);
  const alone = context.transitions.transition(null, to).run;
  if (alone.verdict.refusals.length > 0) return [];
  const found: Repeated[] = [];
  for (const { event, step: at } of eventsOf(run)) {
    if (event.k !== 'repeated' || at !== step) continue;
    const { effect, by, result } = event;
    if (!isOf(run, by.instance, to) || !isOf(run, effect.by.instance, from)) continue;
    const what = whatFollows();
    if (what === null) continue;
    found.push({
      to,
      effect,
      by,
      certainty: effect.certainty,
      what,
      from: [from],
      run: shownSteps(run, from, effect).slice(0, refused ? -1 : undefined),
    });

    function whatFollows(): string | null {
      switch (effect.row.repeated) {
        case 'corrupts':
          return 'the same object is linked in twice, which corrupts the list';
        case 'counts':
          if (countsAcross(context, from, to, effect)) return null;
          return isLeft(context, from, to, effect) ? 'it is counted twice, and nobody takes both back' : null;
        default:
          if (result === null || result >= 0) return null;
          if (refused)
            return `that fails with ${result}, and the kernel refuses ${to.name} (${refused.result})`;
          return isMissed(context, from, to, effect)
            ? `that fails with ${result}, and in the end it is not there at all`
            : null;
      }
    }
  }
  return found;
}

function isLeft(context: RuleContext, from: LineageVersion, to: LineageVersion, effect: Effect): boolean {
  const { leftovers } = context.transitions.transition(from, to).run.verdict;
  return leftovers.some((left) => identity(left.effect) === identity(effect));
}

/** The call failed and nobody minded: after the upgrade it is gone, though the version makes it on a clean kernel. */
function isMissed(context: RuleContext, from: LineageVersion, to: LineageVersion, effect: Effect): boolean {
  const inForce = (start: LineageVersion | null): boolean =>
    context.transitions
      .transition(start, to)
      .run.end.effects()
      .some((item) => identity(item) === identity(effect));
  return inForce(null) && !inForce(from);
}

function findingOf(repeated: Repeated): Finding {
  const { to, effect, by, certainty, from, what, run } = repeated;
  const first = from[0]?.name ?? '';
  const may = certainty === 'may';
  return {
    code: 'repeated-side-effect',
    severity: may ? milder('error') : 'error',
    message:
      `${to.name}'s ${duringWords(by)} makes ${theEffect(effect)} again, which ${may ? 'may still be' : 'is still'} there from ${namesOf(from)}: ` +
      `${what}. Ask first whether a predecessor made it, and take it over.`,
    certainty,
    place: by.place,
    versions: [to.name, ...from.map((version) => version.name)],
    related: [
      {
        message: `${first}: ${theEffect(effect)} is made here, in ${duringWords(effect.by)}, and stays when ${first} is replaced`,
        place: effect.by.place,
      },
    ],
    run,
    fixes: [],
  };
}
