import type { Actor, Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import { targetsLoaded } from '../core/lineage/run';
import type { Step } from '../core/manifest/steps';
import type { Certainty } from '../core/place';
import { movedTo } from './callback-edits';
import type { RuleContext } from './context';
import { load, moduleObjectOf } from './effect-story';
import { seenInUpgrades } from './looks';
import { eventsOf, isOf, loadStep } from './pair-runs';
import { stepsWithoutTargets } from './placement';
import type { Finding, Rule } from './rule';
import { milder, namesOf, theEffect } from './wording';

/** The predecessor's side effect is undone while the predecessor is still in use. */
export const cleanupInPrePatch: Rule = {
  code: 'cleanup-in-pre-patch',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary:
    'cleanup after the predecessor in pre_patch, where its code still runs and the transition may be reversed',
  documentation: { page: 'livepatch/callbacks', anchor: 'patch-callbacks' },
  page: `
\`pre_patch\` of the version that takes over runs **before** the transition begins. All tasks still run the code of the
version that is to be replaced, and whether it will be replaced is open: the transition may be reversed, a later
\`pre_patch\` may fail, a function may turn out not to be patchable. Then the old version stays enabled, and nothing calls
its own callbacks to set up again what is gone.

## What the kernel does

On a reversal or failure only \`post_unpatch\` of the new version runs. \`post_patch\` of the new version runs when the
transition is complete: the old code can no longer be reached, its module is still pinned, and there is no way back.
That is the place for cleanup.

## Example

~~~c
/* v3, wrong */
static int pre_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(NET_NB);

	if (prev)
		unregister_netdevice_notifier(prev->data);
	return 0;
}

/* v3, right: the same in post_patch */
static void post_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(NET_NB);

	if (prev)
		unregister_netdevice_notifier(prev->data);
}
~~~

## What to do

Do in \`pre_patch\` only what can fail and must be able to stop the upgrade: allocate, look up. Undo in \`post_patch\`. A
\`post_unpatch\` that restores the predecessor's effect after a reversal counts as an answer.
`,
  check: (context) => {
    const found = new Map<string, Early>();
    for (const { from, to, seen } of seenInUpgrades(context, earlyIn)) {
      const { file, start } = seen.by.place;
      const key = `${to.name} ${file}:${start} ${identity(seen.effect)}`;
      const known = found.get(key);
      if (known) known.from.push(from);
      else found.set(key, seen);
    }
    return [...found.values()].map((early) => ({
      ...findingOf(early),
      fixes: movedTo(context, early.to, early.by, 'post_patch'),
    }));
  },
};

interface Early {
  readonly to: LineageVersion;
  readonly from: LineageVersion[];
  readonly effect: Effect;
  readonly by: Actor;
  readonly certainty: Certainty;
  readonly run: readonly string[];
}

function earlyIn(context: RuleContext, from: LineageVersion, to: LineageVersion): Early[] {
  const { run } = context.transitions.transition(from, to);
  const step = loadStep(run, to);
  const undone: { effect: Effect; by: Actor }[] = [];
  for (const { event, step: at } of eventsOf(run)) {
    if (event.k !== 'undone' || at !== step || event.by.during !== 'pre_patch') continue;
    const { effect, by } = event;
    if (isOf(run, by.instance, to) && isOf(run, effect.by.instance, from)) undone.push({ effect, by });
  }
  if (undone.length === 0) return [];
  const steps: Step[] = [
    ...targetsLoaded(context.lineage),
    load(from),
    { k: 'stall' },
    load(to),
    { k: 'disable', name: to.name },
    { k: 'resume' },
  ];
  const reversed = context.transitions.runOf(steps, [from, to]);
  const there = reversed.end.effects().map(identity);
  return undone
    .filter(({ effect }) => !there.includes(identity(effect)))
    .map(({ effect, by }) => {
      const module = moduleObjectOf(reversed, from, effect);
      const shown = stepsWithoutTargets(reversed, module === null ? [] : [module]);
      return { to, from: [from], effect, by, certainty: effect.certainty, run: shown };
    });
}

function findingOf({ to, from, effect, by, certainty, run }: Early): Finding {
  const before = namesOf(from);
  const first = from[0]?.name ?? '';
  return {
    code: 'cleanup-in-pre-patch',
    severity: certainty === 'may' ? milder('error') : 'error',
    message:
      `${to.name} removes ${theEffect(effect)} of ${before} in pre_patch: ${first}'s code still runs then, and if the transition is ` +
      `reversed or fails, ${first} stays enabled without it. Do it in post_patch.`,
    certainty,
    place: by.place,
    versions: [to.name, ...from.map((version) => version.name)],
    related: [{ message: `${first}: ${theEffect(effect)} is made here`, place: effect.by.place }],
    run,
    fixes: [],
  };
}
