import type { Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { RuleContext } from './context';
import { load } from './effect-story';
import { waysAlone, written } from './own-life';
import { upgradesLeaving } from './placement';
import type { Finding, Rule } from './rule';
import { theEffect } from './wording';

const RUNNING: Readonly<Record<string, string>> = {
  'kernel thread': 'kthread_stop()',
  'kernel worker': 'kthread_destroy_worker()',
  'kthread worker': 'kthread_destroy_worker()',
  'work item': 'cancel_work_sync()',
  'delayed work item': 'cancel_delayed_work_sync()',
  timer: 'timer_delete_sync()',
  'high resolution timer': 'hrtimer_cancel()',
  tasklet: 'tasklet_kill()',
  'irq work': 'irq_work_sync()',
};

/** Threads, timers and work that callbacks start: no stack check covers the module's code in them. */
export const codeOutsideConsistencyModel: Rule = {
  code: 'code-outside-consistency-model',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary: 'a thread, timer or work item of a callback runs module code that no stack check covers',
  documentation: { page: 'livepatch/livepatch', anchor: 'consistency-model' },
  page: `
A transition waits until no task stands in a function that is being patched or unpatched. It looks for **these functions
alone**. What a livepatch runs by itself, in a thread of its own, a timer or a work item, is in none of the lists: the
transition completes, the successor's \`post_patch\` runs and the old module may be removed, while that code is in the middle
of something, with the data of a version that is no longer in force.

## Example

~~~c
static void post_patch(struct klp_object *obj)
{
	schedule_delayed_work(&refresh, HZ);	/* and it starts itself anew for ever */
}
~~~

## What to do

Do without where you can. Otherwise stop it and **wait** for its end (\`cancel_delayed_work_sync()\`, \`kthread_stop()\`) in the
partner callback, and hand it to the successor, by the data of a state or a shadow variable, so that it can do the same in
its \`post_patch\`. Let it touch nothing that belongs to a patched function's idea of the data.
`,
  check: (context) => {
    const dangling = new Set(
      upgradesLeaving(context)
        .filter((placed) => placed.dangling !== null)
        .map((placed) => `${placed.from.module} ${identity(placed.effect)}`),
    );
    return context.lineage.versions.flatMap((version) =>
      started(context, version)
        .filter((effect) => !dangling.has(`${version.module} ${identity(effect)}`))
        .map((effect) => findingOf(version, effect)),
    );
  },
};

/** What callbacks start and do not wait for themselves. */
function started(context: RuleContext, version: LineageVersion): Effect[] {
  const [base] = waysAlone(context, version, [load(version)]);
  if (!base) return [];
  const found = new Map<string, Effect>();
  // What ends while the callback still runs was waited for; what ends by itself does so later.
  let inside = false;
  for (const { happenings } of base.run.outcomes) {
    for (const happening of happenings) {
      if (happening.k === 'calling') inside = true;
      else if (happening.k === 'kernel' && happening.event.k === 'called') inside = false;
      if (happening.k !== 'effect' || !inside) continue;
      const { event } = happening;
      if (event.k === 'undone' || event.k === 'ended') found.delete(identity(event.effect));
      else if (event.k === 'done' && isRunning(event.effect, base.run, version))
        found.set(identity(event.effect), event.effect);
    }
  }
  return [...found.values()];
}

function isRunning(effect: Effect, run: Run, version: LineageVersion): boolean {
  const { during, instance } = effect.by;
  return (
    Object.hasOwn(RUNNING, effect.row.family) &&
    effect.holds.includes(instance) &&
    (during === 'pre_patch' || during === 'post_patch') &&
    isSameVersion(run.end.nameOf(instance).version, version)
  );
}

function findingOf(version: LineageVersion, effect: Effect): Finding {
  return {
    code: 'code-outside-consistency-model',
    severity: 'warning',
    message:
      `${theEffect(effect).replace(/^t/, 'T')}, which ${effect.by.during} starts, runs code of ${version.module} that no transition waits for: when ${version.name} is replaced, it may be in the middle of it. ` +
      `Let the partner callback and the successor's post_patch end it with ${RUNNING[effect.row.family] ?? 'a call that waits'}.`,
    certainty: effect.certainty,
    place: effect.by.place,
    versions: [version.name],
    related: [],
    run: written([load(version)]),
    fixes: [],
  };
}
