import type { CallbackKind } from '../core/kernel/types';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { targetsLoaded } from '../core/lineage/run';
import type { Step } from '../core/manifest/steps';
import type { RuleContext } from './context';
import { load, unload } from './effect-story';
import type { Finding, Rule } from './rule';

/** Callbacks behind a pre_patch that fails whatever happens. */
export const callbackNeverRuns: Rule = {
  code: 'callback-never-runs',
  severity: 'hint',
  kind: 'run',
  replacement: false,
  summary: 'a callback can never run, because a pre_patch in front of it always fails',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
When \`pre_patch\` returns an error, the kernel gives up: the livepatch is not enabled, or the target module that comes is
refused. \`post_patch\` and \`pre_unpatch\` are then not called, and \`post_unpatch\` only of objects whose own \`pre_patch\`
had succeeded. Where a \`pre_patch\` fails on every way through it, what comes behind it is dead code, which editors fade.

## Example

~~~c
static int acme_pre_patch(struct klp_object *obj)
{
	return 1;		/* wrong: any value but 0 is an error */
}

static void acme_post_patch(struct klp_object *obj)
{
	acme_enable();		/* never runs */
}
~~~

## What to do

Return 0 where \`pre_patch\` succeeded.
`,
  check: (context) => context.lineage.versions.flatMap((version) => checkVersion(context, version)),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const objects = version.facts?.patch?.objects ?? [];
  // A parameter may make it succeed.
  if (version.facts?.parameters.length !== 0) return [];
  if (!objects.some((object) => object.callbacks.some((it) => it.callback === 'pre_patch'))) return [];
  const results: Results = new Map();
  const alwaysFailing = (): number =>
    objects.findIndex((_, index) => results.get(`${index} pre_patch`)?.every((result) => result !== 0));
  gather(results, context, version, null);
  if (alwaysFailing() < 0) return [];
  // What a clean kernel refuses may go in over the version that it is made for.
  for (const other of context.lineage.versions)
    if (other !== version) gather(results, context, version, other);
  const failing = alwaysFailing();
  const entry = objects[failing]?.callbacks.find((it) => it.callback === 'pre_patch');
  if (!entry) return [];
  return objects.flatMap(({ name, callbacks }, index) =>
    callbacks
      .filter(({ callback }) => !results.has(`${index} ${callback}`))
      .map(
        ({ callback, function: called, place }): Finding => ({
          code: 'callback-never-runs',
          severity: 'hint',
          message: `${called}(), ${callback} of ${name ?? 'vmlinux'}, can never run: ${entry.function}() in front of it always fails.`,
          certainty: 'must',
          place,
          versions: [version.name],
          related: [{ message: 'this pre_patch always fails', place: entry.definition ?? entry.place }],
          fixes: [],
          unnecessary: true,
        }),
      ),
  );
}

/** What the callbacks of a version returned, by object and kind. */
type Results = Map<`${number} ${CallbackKind}`, number[]>;

/** Adds what they returned over another version (or none) on every way: targets there before the load, and after. */
function gather(
  found: Results,
  context: RuleContext,
  version: LineageVersion,
  over: LineageVersion | null,
): void {
  const targets = targetsLoaded(context.lineage);
  const before = over ? [load(over)] : [];
  const end: Step[] = [{ k: 'disable', name: version.name }, unload(version)];
  for (const steps of [
    [...targets, ...before, load(version), ...end],
    [...before, load(version), ...targets, ...end],
  ]) {
    for (const { run } of context.transitions.waysOf(steps, over ? [version, over] : [version])) {
      for (const it of run.outcomes.flatMap((outcome) => outcome.happenings)) {
        if (it.k !== 'kernel' || it.event.k !== 'called') continue;
        const { call, result } = it.event;
        if (!isSameVersion(run.end.nameOf(call.patch).version, version)) continue;
        const key = `${call.object} ${call.callback}` as const;
        found.set(key, [...(found.get(key) ?? []), result]);
      }
    }
  }
}
