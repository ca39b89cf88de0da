import type { CallFact } from '../core/execution/fact-types';
import { CALLBACK_KINDS } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Certainty, Place, Severity } from '../core/place';
import type { RuleContext } from './context';
import { duringWords, load } from './effect-story';
import { seenAlone } from './looks';
import { CALLEE, same, startsTasks, warnings } from './prev-state-warnings';
import type { Finding, Rule } from './rule';
import { milder } from './wording';

/** klp_get_prev_state() where no transition is running. */
export const prevStateOutsideTransition: Rule = {
  code: 'prev-state-outside-transition',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'klp_get_prev_state() is called where no transition is running: a WARN and NULL',
  documentation: { page: 'livepatch/system-state', anchor: 'expected-usage' },
  page: `
\`klp_get_prev_state()\` looks through the livepatches that are older than the one **in transition**. Without a
transition there is no such one: the kernel prints a warning with a backtrace (on some machines that is a panic) and
answers NULL. Code that takes NULL for "installed for the first time" then does its work a second time.

## Where there is no transition

* In the callbacks of a **module object**, when the target module is loaded or removed later, long after the livepatch was
  enabled. All four callbacks can run that way.
* In patched functions, in work items, timers and threads: they run at any time. So may what the kernel is handed
  otherwise: notifiers, operations, attributes.
* In module init before \`klp_enable_patch()\` (behind it, it is a race), and in module exit.

Callbacks of the object without a name (vmlinux) run in transitions only: that is the place for it.

## Example

~~~c
/* callback of the object "acme", wrong: modprobe acme a week later gets here too */
static int acme_pre_patch(struct klp_object *obj)
{
	if (!klp_get_prev_state(ACME_STATE))
		return first_time(obj);
	return 0;
}

/* callback of vmlinux, right */
static int pre_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(ACME_STATE);
	...
}
~~~

## What to do

Ask in a callback of the vmlinux object and keep the answer in the module's own data, or ask
\`klp_get_state(&patch, id)\`, which may be called anywhere. Where a module object needs it, look for the effect itself: a
shadow variable, a name.
`,
  check: (context) => seenAlone(context, outside),
};

function outside(context: RuleContext, version: LineageVersion): Finding[] {
  return oncePerCall([
    ...elsewhere(context, version),
    ...inTasks(context, version),
    ...inModuleCallbacks(context, version),
  ]);
}

/** Of several findings about one call the first certain one. */
function oncePerCall(findings: readonly Finding[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.place.file}:${finding.place.start}`;
    const known = found.get(key);
    if (!known || (known.certainty === 'may' && finding.certainty === 'must')) found.set(key, finding);
  }
  return [...found.values()];
}

/** From where a call is never, or only by chance, in a transition; worst first. */
const OUTSIDE: readonly { readonly from: string; readonly where: string; readonly may?: true }[] = [
  { from: 'patched', where: 'a patched function, which runs at any time' },
  { from: 'exit', where: 'module exit, which runs when the livepatch is long disabled or replaced' },
  { from: 'event', where: 'a function that the kernel is handed and may call at any time', may: true },
  { from: 'init', where: 'module init', may: true },
];

const TASKS = ['work', 'timer', 'thread'];

function elsewhere(context: RuleContext, version: LineageVersion): Finding[] {
  const findings: Finding[] = [];
  for (const call of prevStateCalls(version)) {
    const outside = OUTSIDE.find(({ from }) => call.reachedFrom.includes(from));
    if (!outside) continue;
    if (outside.from === 'init') {
      const init = initFinding(context, version, call);
      if (init) findings.push(init);
      continue;
    }
    const certainty = outside.may ? 'may' : 'must';
    const message = `${CALLEE}() is reached from ${outside.where}: ${CONSEQUENCE}`;
    findings.push(finding(version, call.place, message, certainty, severityFor(certainty)));
  }
  return findings;
}

/** Work items, timers and threads that the callbacks start: a run shows what they call. */
function inTasks(context: RuleContext, version: LineageVersion): Finding[] {
  if (prevStateCalls(version).length === 0) return [];
  const steps = [load(version)];
  const findings: Finding[] = [];
  for (const warned of warnings(context, version, steps)) {
    if (NO_TASKS.has(warned.during)) continue;
    const message = `${CALLEE}() is called from ${warned.function}(), which runs by itself at any time: ${CONSEQUENCE}`;
    const { certainty, place } = warned;
    findings.push(finding(version, place, message, certainty, severityFor(certainty), steps));
  }
  if (findings.length > 0 || startsTasks(context, version, steps)) return findings;
  // Callbacks start none, so patched functions do: no run of callbacks shows what they call.
  for (const call of prevStateCalls(version)) {
    if (!TASKS.some((from) => call.reachedFrom.includes(from))) continue;
    const message = `${CALLEE}() is reached from a work item, timer or thread, which runs by itself at any time: ${CONSEQUENCE}`;
    findings.push(finding(version, call.place, message, 'must', 'error'));
  }
  return findings;
}

const CONSEQUENCE =
  'without a transition the kernel warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.';

const NO_TASKS = new Set<string>([...CALLBACK_KINDS, 'init', 'exit', 'patched']);

/** Init calls it before klp_enable_patch(), as a run shows; afterwards the transition may be running still. */
function initFinding(context: RuleContext, version: LineageVersion, call: CallFact): Finding | null {
  const steps = [load(version)];
  const warned = warnings(context, version, steps).find(
    (item) => item.during === 'init' && same(item.place, call.place),
  );
  if (!warned) return null;
  // Behind klp_enable_patch() it is a race: a transition that tasks hold up is still running there.
  const always = warnings(context, version, [{ k: 'stall' }, ...steps]).some((item) =>
    same(item.place, call.place),
  );
  const certainty = always ? warned.certainty : 'may';
  const where = always ? 'where no transition is running' : 'where the transition may be over already';
  const message = `${CALLEE}() is called in module init, ${where}: ${CONSEQUENCE}`;
  return finding(version, call.place, message, certainty, severityFor(certainty), steps);
}

function prevStateCalls(version: LineageVersion): readonly CallFact[] {
  return version.facts?.calls.filter((call) => call.callee === CALLEE) ?? [];
}

/** Module objects: their targets come and go when the livepatch has long been enabled. */
function inModuleCallbacks(context: RuleContext, version: LineageVersion): Finding[] {
  if (prevStateCalls(version).length === 0) return [];
  const found: Finding[] = [];
  const objects = version.facts?.patch?.objects ?? [];
  const modules = new Set<string>();
  for (const object of objects) if (object.name && object.callbacks.length > 0) modules.add(object.name);
  for (const name of modules) {
    if (!context.lineage.targets.some((target) => target.module === name)) continue;
    const coming: Step[] = [load(version), { k: 'load', name, params: [] }];
    const going: Step[] = [{ k: 'load', name, params: [] }, load(version), { k: 'unload', name }];
    for (const [steps, what] of [
      [coming, 'loaded'],
      [going, 'removed'],
    ] as const) {
      for (const warned of warnings(context, version, steps)) {
        if (warned.step !== steps.length - 1) continue;
        const message =
          `${warned.function}() runs as ${duringWords(warned)} of ${name} also when ${name} is ${what} while no transition is running: ` +
          `${CALLEE}() then warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.`;
        const { place, certainty } = warned;
        found.push(finding(version, place, message, certainty, severityFor(certainty), steps));
      }
    }
  }
  return found;
}

function severityFor(certainty: Certainty): Severity {
  return certainty === 'may' ? milder('error') : 'error';
}

function finding(
  version: LineageVersion,
  place: Place,
  message: string,
  certainty: Certainty,
  severity: Severity,
  steps?: readonly Step[],
): Finding {
  return {
    code: 'prev-state-outside-transition',
    severity,
    message,
    certainty,
    place,
    versions: [version.name],
    related: [],
    ...(steps ? { run: steps.map(formatStep) } : {}),
    fixes: [],
  };
}
