import type { KernelEvent } from '../core/kernel/types';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { StepOutcome } from '../core/lineage/world';
import { formatStep } from '../core/manifest/steps';
import type { Place } from '../core/place';
import { badObjectName } from './bad-object-name';
import type { RuleContext } from './context';
import { duplicateCallback } from './duplicate-callback';
import { notALivepatch } from './not-a-livepatch';
import { loadStep } from './pair-runs';
import type { Finding, Rule } from './rule';
import { errnoText } from './wording';

/** A version that no kernel lets in. */
export const alwaysRefused: Rule = {
  code: 'always-refused',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary:
    'every load of a version is refused: its pre_patch or its init always fails, or a function is not there',
  documentation: { page: 'livepatch/livepatch', anchor: 'loading' },
  page: `
A livepatch is refused when \`klp_enable_patch()\` fails, and so when \`pre_patch\` of an object that is loaded answers
anything but 0, and when module init answers an error of its own. Reported is a version that meets this on a clean kernel
and over each other version of the lineage, with all target modules loaded, whatever way its code takes.

| what is refused | in the kernel |
|---|---|
| \`pre_patch\` always fails | \`__klp_enable_patch()\` gives up with what it answers |
| init always answers an error | the module is freed at once; what it had enabled points into freed memory then |
| a target module has no such function, two of them, or none that ftrace knows | \`klp_find_object_symbol()\` and \`klp_patch_func()\` answer -EINVAL |

Functions are looked for only in a target of which the manifest names the sources, and if those are not all of the
module's sources, this is a false alarm. What is wrong in the tables of a livepatch is said by other rules.

## Example

~~~c
static int acme_pre_patch(struct klp_object *obj)
{
	return 1;		/* wrong: any value but 0 is an error */
}
~~~

## What to do

Return 0 where all went well. Write the name of a function as the target's symbol table has it.
`,
  check: (context) => context.lineage.versions.flatMap((version) => checkVersion(context, version)),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const { transitions, lineage } = context;
  // A parameter may let it in, and so may what could not be read.
  if (!version.facts?.patch || version.facts.parameters.length > 0) return [];
  if (version.unread.length > 0 || context.sourceProblems.length > 0) return [];
  if (context.unitsOf(version).some((unit) => unit.missingIncludes.length > 0)) return [];
  const { run } = transitions.transition(null, version);
  if (!isRefused(run, version)) return [];
  const over = lineage.versions.filter((other) => other !== version);
  if (!over.every((from) => isRefused(transitions.transition(from, version).run, version))) return [];
  const said = [notALivepatch, badObjectName, duplicateCallback].some((rule) =>
    rule.check(context).some(({ versions }) => versions.includes(version.name)),
  );
  const cause = said ? null : causeOf(version, run);
  if (!cause) return [];
  return [
    {
      code: 'always-refused',
      severity: cause.certainty === 'must' ? 'error' : 'warning',
      message: cause.message,
      certainty: cause.certainty,
      place: cause.place,
      versions: [version.name],
      related: [],
      run: run.steps.map(formatStep),
      fixes: [],
    },
  ];
}

/** Whether the load leaves it disabled, and everything about that is known. */
function isRefused(run: Run, version: LineageVersion): boolean {
  const outcome = run.outcomes[loadStep(run, version)];
  if (run.unknown.length > 0 || !outcome) return false;
  // An init that answers more than 0, as it has it from pre_patch, leaves the module loaded.
  return outcome.result < 0 || failingCall(outcome, version, run) !== null;
}

/** The pre_patch of the version that failed in this step. */
function failingCall({ happenings }: StepOutcome, version: LineageVersion, run: Run): Failing | null {
  for (const it of happenings) {
    if (it.k !== 'kernel' || it.event.k !== 'called' || it.event.result === 0) continue;
    const { patch, callback } = it.event.call;
    if (callback === 'pre_patch' && isSameVersion(run.end.nameOf(patch).version, version)) return it.event;
  }
  return null;
}

type Failing = Extract<KernelEvent, { k: 'called' }>;

interface Cause {
  readonly message: string;
  readonly certainty: Finding['certainty'];
  readonly place: Place;
}

function causeOf(version: LineageVersion, run: Run): Cause | null | undefined {
  const outcome = run.outcomes[loadStep(run, version)];
  const facts = version.facts;
  if (!outcome || !facts?.patch) return null;
  const objects = facts.patch.objects ?? [];
  const failing = failingCall(outcome, version, run);
  if (failing) {
    const object = objects[failing.call.object];
    const name = object?.name ?? 'vmlinux';
    const entry = object?.callbacks.find(({ callback }) => callback === 'pre_patch');
    return (
      entry && {
        message: `${entry.function}(), pre_patch of ${name}, always answers ${errnoText(failing.result)}: ${version.name} is never enabled${object?.name ? ` while ${name} is loaded` : ''}.`,
        certainty: 'must',
        place: entry.definition ?? entry.place,
      }
    );
  }
  const answer = errnoText(outcome.result);
  for (const it of outcome.happenings) {
    if (it.k !== 'log' || it.origin !== 'core') continue;
    for (const { name, functions } of objects) {
      const entry = name && functions?.find(({ old }) => it.text.includes(`'${old}'`));
      if (entry)
        return {
          message: `While ${name} is loaded, ${version.name} is refused with ${answer}: "${it.text}". So say the sources that the manifest names for ${name}.`,
          certainty: 'may',
          place: entry.place,
        };
    }
  }
  // The init of the other dialects is not of their authors.
  const init = version.dialect === 'module' ? facts.init : null;
  return (
    init && {
      message: `${init.name}() always answers ${answer}: ${version.name} can never be loaded.`,
      certainty: 'must',
      place: init.place,
    }
  );
}
