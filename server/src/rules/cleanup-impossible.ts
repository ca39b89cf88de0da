import type { EffectKey } from '../core/execution/catalogue-row';
import type { Effect } from '../core/execution/effects';
import type { Value } from '../core/execution/values';
import { identity } from '../core/lineage/left-behind';
import { isDraft, type LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Severity } from '../core/place';
import type { RuleContext } from './context';
import { duringWords, load } from './effect-story';
import { undoneAlone } from './own-cycle';
import { isOf, isReplacedIn, replaces } from './pair-runs';
import { shownSteps } from './placement';
import type { Finding, Rule } from './rule';
import { hazardOf, inStateOrShadow, milder, theEffect } from './wording';

/** Nothing leads another module to a side effect. */
export const cleanupImpossible: Rule = {
  code: 'cleanup-impossible',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary:
    'nothing that another module could look up leads to this side effect: no later version can clean up',
  documentation: { page: 'livepatch/system-state', anchor: 'livepatch-state-tracking' },
  page: `
A callback did something whose undo needs a pointer, a handle or the old value, and only this version's own variables hold
it. The version that replaces this one cannot read them: they are private data of another module. So **no later version can
clean up**, whatever its author thinks of. All that is left then is to disable this version first, with a time in between
when nothing is patched, or to keep its module in memory for ever.

This can be changed only before the release. Afterwards it is a fact about the machines that run it.

## What another module can look up

| | how |
|---|---|
| a state | \`klp_get_prev_state(id)->data\` during the transition |
| a shadow variable | \`klp_shadow_get(obj, id)\` at any time |
| a name | \`debugfs_lookup()\`, \`remove_proc_entry()\`, \`sysfs_remove_file()\`, an exported variable of the kernel |

## Example

~~~c
static struct notifier_block nb = { .notifier_call = on_netdev };

/* wrong: nothing but this module knows &nb */
static int pre_patch(struct klp_object *obj)
{
	return register_netdevice_notifier(&nb);
}

/* right: the successor finds it */
static struct klp_state states[] = { { .id = NET_NB, .version = 1 }, { } };

static int pre_patch(struct klp_object *obj)
{
	klp_get_state(&patch, NET_NB)->data = &nb;
	return register_netdevice_notifier(&nb);
}
~~~

## What to do

Publish what the undo needs, now: declare a \`klp_state\` and put the pointer (or the memory that holds everything) into its
\`data\`, or keep it in a shadow variable of the object that it belongs to (NULL where there is none).
*Make This Version Replaceable* does so for pointers that callbacks of vmlinux register.
`,
  check: (context) => context.lineage.versions.flatMap((version) => lostIn(context, version)),
};

function lostIn(context: RuleContext, version: LineageVersion): Finding[] {
  if (!isDraft(version) || !replaces(version)) return [];
  const run = context.transitions.runOf([...targetsLoaded(context.lineage), load(version)], [version]);
  return run.end.effects().flatMap((effect) => {
    if (!isOf(run, effect.by.instance, version) || isKnownElsewhere(run, effect)) return [];
    const undo = undoneAlone(context, version, effect);
    // Exit runs in any case, also after a replacement: nobody has to clean up in its place.
    if (!undo || undo.during === 'exit' || isTakenCareOf(context, version, effect)) return [];
    return [findingOf(run, version, effect, undo)];
  });
}

/** Keys of effects whose undo, if there is one, needs nothing that a module could keep to itself. */
const NO_POINTER: ReadonlySet<EffectKey> = new Set<EffectKey>(['name', 'none', 'reference']);

/** Whether another module can get at all that the undo needs. */
export function isKnownElsewhere(run: Run, effect: Effect): boolean {
  const { row } = effect;
  if (row.family === 'state data' || NO_POINTER.has(row.key)) return true;
  const { machine } = run.end;
  const handed = machine.handedOver();
  const found = (value: Value | undefined): boolean =>
    typeof value !== 'object' ||
    (value.k === 'unknown' && value.symbolic === true) ||
    machine.memoryKind(value) === 'kernel' ||
    handed.has(value);
  if (row.family === 'kernel write') return found(effect.original);
  if (effect.handle !== undefined && handed.has(effect.handle)) return true;
  // A number that the call returned says nothing to who was not told of it; a handle is not got back by its name.
  return effect.identity.every((value, at) => {
    const part = row.identity[at];
    return part && 'result' in part ? handed.has(value) : found(value);
  });
}

/** A version of the lineage does replace this one without leaving it behind: so there is a way. */
export function isTakenCareOf(context: RuleContext, version: LineageVersion, effect: Effect): boolean {
  return context.lineage.versions.some((to) => {
    if (to.index <= version.index || !to.facts) return false;
    const { run } = context.transitions.transition(version, to);
    if (!isReplacedIn(run, version)) return false;
    const stays =
      run.verdict.leftovers.some((left) => identity(left.effect) === identity(effect)) ||
      run.verdict.dangers.some((danger) => danger.effect && identity(danger.effect) === identity(effect));
    return !stays;
  });
}

const SEVERITY: Readonly<Record<ReturnType<typeof hazardOf>, Severity>> = {
  'use-after-free': 'warning',
  'double-application': 'warning',
  'stuck-value': 'warning',
  leak: 'information',
};

function findingOf(
  run: Run,
  version: LineageVersion,
  effect: Effect,
  undo: NonNullable<ReturnType<typeof undoneAlone>>,
): Finding {
  const severity = SEVERITY[hazardOf(effect)];
  const may = effect.certainty === 'may';
  const needs =
    effect.row.family === 'kernel write'
      ? 'the original value'
      : effect.row.key === 'heap' || effect.row.key === 'handle'
        ? 'what the call returned'
        : 'a pointer';
  return {
    code: 'cleanup-impossible',
    severity: may ? milder(severity) : severity,
    message:
      `No later version can undo ${theEffect(effect)}: that needs ${needs}, which only ${version.name}'s own data holds. ` +
      `Publish it in ${inStateOrShadow(version)} before ${version.name} is released.`,
    certainty: effect.certainty,
    place: effect.by.place,
    versions: [version.name],
    related: [
      { message: `${version.name} itself undoes it here, in ${duringWords(undo)}`, place: undo.place },
    ],
    run: shownSteps(run, version, effect),
    fixes: [],
    cause: `${version.name}:${effect.row.family}:${effect.key}@${version.name}`,
  };
}
