import { ERRNO } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Leftover } from '../core/lineage/verdict';
import type { RuleContext } from './context';
import { load } from './effect-story';
import { type FailedLoad, failedLoads, leftOf, leftoverId, refused } from './error-paths';
import { seenAlone } from './looks';
import { failing, waysAlone, written } from './own-life';
import type { Finding, Rule } from './rule';
import { consequence, hazardOf, milder, theEffect } from './wording';

const ENABLE = 'klp_enable_patch';

/** What module init leaves behind when the load fails. */
export const initLeaksOnError: Rule = {
  code: 'init-leaks-on-error',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary: 'module init leaves behind what it has done when klp_enable_patch() fails',
  documentation: { page: 'livepatch/livepatch', anchor: 'loading' },
  page: `
\`klp_enable_patch()\` can fail at any time: with -EBUSY while another livepatch is in transition, with -EINVAL for a state
that is not compatible, with whatever a \`pre_patch\` returns. When module init then returns the error, the kernel
**frees the module at once, without calling module exit**. What init had registered before points to freed memory.

## Example

~~~c
static int __init m_init(void)
{
	register_reboot_notifier(&nb);
	return klp_enable_patch(&patch);	/* wrong: on an error the notifier stays */
}
~~~

Right:

~~~c
static int __init m_init(void)
{
	return klp_enable_patch(&patch);	/* and the notifier in pre_patch and post_unpatch */
}
~~~

## What to do

Let init do nothing but call \`klp_enable_patch()\`, and do the work in callbacks. Otherwise undo it when the call fails.
`,
  check: (context) => seenAlone(context, checkVersion),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Finding>();
  for (const failed of [...busy(context, version), ...failedLoads(context, version, 'init')]) {
    for (const leftover of leftOf(failed.run, version)) {
      if (leftover.effect.by.during !== 'init') continue;
      const id = leftoverId(leftover);
      const known = found.get(id);
      if (known && (known.certainty === 'must' || failed.certainty === 'may')) continue;
      found.set(id, findingOf(version, failed, leftover));
    }
  }
  return [...found.values()];
}

/** klp_enable_patch() answers -EBUSY: another transition is running. */
function busy(context: RuleContext, version: LineageVersion): FailedLoad[] {
  const plain = [load(version)];
  const steps = [failing(version, ENABLE, -ERRNO.EBUSY), ...plain];
  const place = version.facts?.calls.find((call) => call.callee === ENABLE)?.place ?? null;
  // Where init ends before it, for a value that is not known, that is what fails.
  const before = new Set(
    waysAlone(context, version, plain).flatMap(({ run, decision }) => (refused(run) ? [decision?.id] : [])),
  );
  return waysAlone(context, version, steps)
    .filter(({ run, decision }) => refused(run) && !before.has(decision?.id))
    .map(({ run, decision }) => ({
      run,
      because: `${ENABLE}() fails (-EBUSY is enough: another livepatch is in transition)`,
      place,
      certainty: decision ? 'may' : 'must',
      steps,
    }));
}

function findingOf(version: LineageVersion, failed: FailedLoad, leftover: Leftover): Finding {
  const { effect } = leftover;
  const certainty = failed.certainty === 'may' ? 'may' : leftover.certainty;
  const stuck = consequence(effect, hazardOf(effect), version.module, certainty);
  return {
    code: 'init-leaks-on-error',
    severity: certainty === 'may' ? milder('error') : 'error',
    message:
      `When ${failed.because}, module init leaves ${theEffect(effect)} behind: module exit is not called then, ` +
      `the module is freed at once, and it ${stuck}. Undo it on the error path, or do it in a callback.`,
    certainty,
    place: effect.by.place,
    versions: [version.name],
    related: failed.place ? [{ message: 'what fails', place: failed.place }] : [],
    run: written(failed.steps),
    fixes: [],
  };
}
