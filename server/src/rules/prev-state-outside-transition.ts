import type { CallFact } from '../core/execution/fact-types';
import { CALLBACK_KINDS } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Certainty, Place, Severity } from '../core/place';
import type { RuleContext } from './context';
import { duringWords, load } from './effect-story';
import type { Finding, Rule } from './rule';
import { milder } from './wording';

const CALLEE = 'klp_get_prev_state';

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
* In patched functions, in work items, timers and threads: they run at any time.
* In module init before \`klp_enable_patch()\`, and in module exit.

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
  check: (context) =>
    context.lineage.versions.flatMap((version) => [
      ...elsewhere(context, version),
      ...inTasks(context, version),
      ...inModuleCallbacks(context, version),
    ]),
};

/** From where a call is never, or only by chance, in a transition; worst first. */
const OUTSIDE: readonly { readonly from: string; readonly where: string; readonly may?: true }[] = [
  { from: 'patched', where: 'a patched function, which runs at any time' },
  { from: 'exit', where: 'module exit, which runs when the livepatch is long disabled or replaced' },
  { from: 'init', where: 'module init', may: true },
];

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
    const message = `${CALLEE}() is reached from ${outside.where}: without a transition the kernel warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.`;
    findings.push(finding(version, call.place, message, 'must', 'error'));
  }
  return findings;
}

/** Work items, timers and threads that the callbacks start: a run shows what they call. */
function inTasks(context: RuleContext, version: LineageVersion): Finding[] {
  if (prevStateCalls(version).length === 0) return [];
  const steps = [load(version)];
  const findings = new Map<number, Finding>();
  for (const warned of warnings(context, version, steps)) {
    if (NO_TASKS.has(warned.during) || findings.has(warned.place.start)) continue;
    const message = `${CALLEE}() is called from ${warned.function}(), which runs by itself at any time: without a transition the kernel warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.`;
    const { certainty, place } = warned;
    findings.set(place.start, finding(version, place, message, certainty, severityFor(certainty), steps));
  }
  return [...findings.values()];
}

const NO_TASKS = new Set<string>([...CALLBACK_KINDS, 'init', 'exit', 'patched']);

/** Init calls it before klp_enable_patch(), as a run shows; afterwards the transition may be running still. */
function initFinding(context: RuleContext, version: LineageVersion, call: CallFact): Finding | null {
  const steps = [load(version)];
  const warned = warnings(context, version, steps).find(
    (item) => item.during === 'init' && same(item.place, call.place),
  );
  if (!warned) return null;
  const message = `${CALLEE}() is called in module init, where no transition is running: the kernel warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object.`;
  return finding(version, call.place, message, warned.certainty, severityFor(warned.certainty), steps);
}

function prevStateCalls(version: LineageVersion): readonly CallFact[] {
  return version.facts?.calls.filter((call) => call.callee === CALLEE) ?? [];
}

/** Module objects: their targets come and go when the livepatch has long been enabled. */
function inModuleCallbacks(context: RuleContext, version: LineageVersion): Finding[] {
  if (prevStateCalls(version).length === 0) return [];
  const found = new Map<number, Finding>();
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
        if (found.has(warned.place.start) || warned.step !== steps.length - 1) continue;
        const message =
          `${warned.function}() runs as ${duringWords(warned)} of ${name} also when ${name} is ${what} while no transition is running: ` +
          `${CALLEE}() then warns and answers NULL, so this looks like the first time. Ask in a callback of the vmlinux object and keep the answer.`;
        found.set(
          warned.place.start,
          finding(version, warned.place, message, warned.certainty, severityFor(warned.certainty), steps),
        );
      }
    }
  }
  return [...found.values()];
}

interface Warned {
  readonly instance: number;
  readonly during: string;
  readonly function: string;
  readonly place: Place;
  readonly certainty: Certainty;
  readonly step: number;
}

/** The warnings of this function that the version's own code causes in a run. */
function warnings(context: RuleContext, version: LineageVersion, steps: readonly Step[]): Warned[] {
  const { outcomes, end } = context.transitions.runOf(steps, [version]);
  return outcomes.flatMap((outcome, step) =>
    outcome.happenings.flatMap((happening) => {
      if (happening.k !== 'effect' || happening.event.k !== 'fault' || happening.event.fault !== 'warn')
        return [];
      const { by, text, certainty } = happening.event;
      if (!text.startsWith(CALLEE) || end.nameOf(by.instance).module !== version.module) return [];
      return [{ ...by, certainty, step }];
    }),
  );
}

function severityFor(certainty: Certainty): Severity {
  return certainty === 'may' ? milder('error') : 'error';
}

function same(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start;
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
