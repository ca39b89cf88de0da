import type { LineageVersion } from '../core/lineage/lineage';
import { isSameVersion, isWanted } from '../core/lineage/lineage';
import { allEffects, patchedEffects } from '../core/lineage/patched-effects';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Step } from '../core/manifest/steps';
import type { Certainty, Place } from '../core/place';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import { fixWith, replaceWithin } from './edits';
import { load, unload } from './effect-story';
import { disable, reversedDisable } from './own-life';
import { stepsWithoutTargets } from './placement';
import type { Finding, RelatedPlace, Rule } from './rule';
import { milder } from './wording';

const ALLOC = 'klp_shadow_alloc';
const WARNING = 'duplicate shadow variable';

/** klp_shadow_alloc() where the variable may be there already. */
export const shadowAllocTwice: Rule = {
  code: 'shadow-alloc-twice',
  severity: 'warning',
  kind: 'run',
  replacement: false,
  summary: 'klp_shadow_alloc() for an object that may have the variable already: a WARN and NULL',
  documentation: { page: 'livepatch/shadow-vars', anchor: 'brief-api-summary' },
  page: `
\`klp_shadow_alloc()\` is for an object that has no such variable yet. If there is one, the kernel warns with a backtrace (on
some machines that is a panic) and answers NULL, as if there were no memory.

Shadow variables belong to no livepatch: they survive that it is disabled, replaced and removed. So the variable may well be
there: from the predecessor, from an earlier load, from the first \`post_patch\` before a reversed disable, from the last time
that the target module was there.

## Example

~~~c
	/* wrong in a callback of a cumulative livepatch */
	p = klp_shadow_alloc(NULL, ACME, sizeof(*p), GFP_KERNEL, NULL, NULL);

	/* right */
	p = klp_shadow_get_or_alloc(NULL, ACME, sizeof(*p), GFP_KERNEL, NULL, NULL);
~~~

## What to do

Use \`klp_shadow_get_or_alloc()\`, or ask \`klp_shadow_get()\` first. Where an object has just been made, as in a patched
allocation function, \`klp_shadow_alloc()\` is right.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      version.facts?.shadow.some((use) => use.api === ALLOC) ? checkVersion(context, version) : [],
    ),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Finding>();
  const look = (run: Run, from: LineageVersion | null): void => {
    for (const { text, place, certainty, version: by } of run.verdict.dangers) {
      if (!place || !text.startsWith(WARNING) || !isSameVersion(by, version)) continue;
      const at = `${place.file}:${place.start}`;
      const known = found.get(at);
      if (known && (known.certainty === 'must' || certainty === 'may')) continue;
      const key = text.slice(WARNING.length).trim();
      found.set(at, findingOf(context, version, { key, place, certainty, from, run }));
    }
  };
  for (const steps of lives(context, version))
    look(context.transitions.runOf([...targetsLoaded(context.lineage), ...steps], [version]), null);
  for (const from of context.lineage.versions) {
    if (from.index >= version.index || !isWanted(version)) continue;
    look(context.transitions.transition(from, version).run, from);
  }
  return [...found.values(), ...inPatchedFunctions(context, version)];
}

/** Where a callback comes by a second time. */
function lives(context: RuleContext, version: LineageVersion): Step[][] {
  const result: Step[][] = [
    [load(version)],
    reversedDisable(version),
    [load(version), disable(version), unload(version), load(version)],
  ];
  for (const object of version.facts?.patch?.objects ?? []) {
    const name = object.name ?? '';
    if (object.callbacks.length === 0 || !context.lineage.targets.some((it) => it.module === name)) continue;
    result.push([load(version), { k: 'unload', name }, { k: 'load', name, params: [] }]);
  }
  return result;
}

/** A patched function runs again and again: one variable for all is there the second time. */
function inPatchedFunctions(context: RuleContext, version: LineageVersion): Finding[] {
  const effects = patchedEffects(version, catalogueOf(context));
  return effects.flatMap((effect) => {
    const { shadow, callee, patched, place } = effect;
    if (callee !== ALLOC || shadow?.object !== 'one') return [];
    const asked = effects.some(
      (other) =>
        other.k === 'finds' &&
        other.shadow?.id === shadow.id &&
        other.patched.some((name) => patched.includes(name)),
    );
    if (asked) return [];
    const name = patched[0]?.split(':')[1] ?? effect.function;
    const message = `${name}() runs again and again, and the shadow variable ${shadow.id} is one for all: the second ${ALLOC}() warns and answers NULL. Use klp_shadow_get_or_alloc().`;
    return [said(context, version, place, message, 'must', [])];
  });
}

interface Seen {
  readonly key: string;
  readonly place: Place;
  readonly certainty: Certainty;
  readonly from: LineageVersion | null;
  readonly run: Run;
}

function findingOf(context: RuleContext, version: LineageVersion, seen: Seen): Finding {
  const { key, place, certainty, from, run } = seen;
  const why = from ? `${from.name} has left it` : 'it survives a disable and the target module';
  const message = `The shadow variable ${key} ${certainty === 'may' ? 'may be' : 'is'} there already when this runs (${why}): ${ALLOC}() then warns and answers NULL. Use klp_shadow_get_or_alloc().`;
  const id = version.facts?.shadow.find((use) => samePlace(use.place, place))?.id;
  const theirs = from
    ? allEffects(from, catalogueOf(context)).find((it) => it.k === 'allocates' && it.shadow?.id === id)
    : undefined;
  const related = from && theirs ? [{ message: `${from.name} allocates it here`, place: theirs.place }] : [];
  const said_ = said(context, version, place, message, certainty, related);
  const keep = context.lineage.targets
    .map((target) => target.module)
    .filter((name) => run.steps.some((step) => step.k === 'unload' && step.name === name));
  return {
    ...said_,
    versions: from ? [version.name, from.name] : [version.name],
    run: stepsWithoutTargets(run, keep),
  };
}

function said(
  context: RuleContext,
  version: LineageVersion,
  place: Place,
  message: string,
  certainty: Certainty,
  related: readonly RelatedPlace[],
): Finding {
  const edit = replaceWithin(context.text(place.file), place, ALLOC, 'klp_shadow_get_or_alloc');
  return {
    code: 'shadow-alloc-twice',
    severity: certainty === 'may' ? milder('warning') : 'warning',
    message,
    certainty,
    place,
    versions: [version.name],
    related,
    fixes: fixWith('Use klp_shadow_get_or_alloc()', edit),
  };
}

function samePlace(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start;
}
