import type { CallbackCall } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Leftover } from '../core/lineage/verdict';
import type { RuleContext } from './context';
import { type FailedLoad, failedLoads, leftOf, leftoverId } from './error-paths';
import { seenAlone } from './looks';
import { written } from './own-life';
import type { Finding, Rule } from './rule';
import { consequence, hazardOf, milder, theEffect } from './wording';

/** What a failing pre_patch leaves behind. */
export const prePatchLeaksOnError: Rule = {
  code: 'pre-patch-leaks-on-error',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary: 'a pre_patch that fails leaves behind what it has done so far',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
When \`pre_patch\` returns an error, the kernel takes nothing of that object for done: **no further callback of the object
runs**, not even \`post_unpatch\`. When the livepatch is just being loaded, its module is then freed at once, and module exit
is not called either. Whatever \`pre_patch\` had done before it failed, it must undo itself.

The finding comes from runs in which the calls of \`pre_patch\` fail one after the other.

## Example

~~~c
static int pre_patch(struct klp_object *obj)
{
	int ret = register_reboot_notifier(&nb);

	if (ret)
		return ret;
	buffer = kzalloc(64, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;		/* wrong: the notifier stays, and points into freed memory */
	return 0;
}
~~~

Right:

~~~c
	if (!buffer) {
		unregister_reboot_notifier(&nb);
		return -ENOMEM;
	}
~~~

## What to do

Undo on every error path, in reverse order, or do last what cannot be taken back.
`,
  check: (context) => seenAlone(context, checkVersion),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Finding>();
  for (const failed of failedLoads(context, version, 'pre_patch')) {
    const culprit = failingCall(failed.run);
    if (!culprit) continue;
    for (const leftover of leftOf(failed.run, version)) {
      if (leftover.effect.by.during !== 'pre_patch' || !madeIn(failed.run, culprit, leftover)) continue;
      const id = leftoverId(leftover);
      const known = found.get(id);
      if (known && (known.certainty === 'must' || failed.certainty === 'may')) continue;
      found.set(id, findingOf(version, culprit, failed, leftover));
    }
  }
  return [...found.values()];
}

/** The pre_patch that refused: no other callback can. */
function failingCall(run: Run): CallbackCall | null {
  for (const { happenings } of run.outcomes) {
    for (const happening of happenings) {
      if (happening.k !== 'kernel' || happening.event.k !== 'called') continue;
      const { call, result } = happening.event;
      if (result !== 0) return call;
    }
  }
  return null;
}

/** Whether the effect was made within that call: an earlier object's post_unpatch runs and had its chance. */
function madeIn(run: Run, culprit: CallbackCall, leftover: Leftover): boolean {
  let call: CallbackCall | null = null;
  for (const { happenings } of run.outcomes) {
    for (const happening of happenings) {
      if (happening.k === 'calling') call = happening.call;
      else if (happening.k === 'effect' && happening.event.k === 'done') {
        if (happening.event.effect.id === leftover.effect.id) return call?.object === culprit.object;
      }
    }
  }
  return false;
}

function findingOf(
  version: LineageVersion,
  culprit: CallbackCall,
  failed: FailedLoad,
  leftover: Leftover,
): Finding {
  const { effect } = leftover;
  const object = version.facts?.patch?.objects?.[culprit.object]?.name ?? 'vmlinux';
  const certainty = failed.certainty === 'may' ? 'may' : leftover.certainty;
  const stuck = consequence(effect, hazardOf(effect), version.module, certainty);
  return {
    code: 'pre-patch-leaks-on-error',
    severity: certainty === 'may' ? milder('error') : 'error',
    message:
      `When ${failed.because}, pre_patch of ${object} fails and leaves ${theEffect(effect)} behind: no further callback of ${object} runs, ` +
      `the module is freed at once, and it ${stuck}. Undo it before the error is returned.`,
    certainty,
    place: effect.by.place,
    versions: [version.name],
    related: failed.place ? [{ message: 'what fails', place: failed.place }] : [],
    run: written(failed.steps),
    fixes: [],
  };
}
