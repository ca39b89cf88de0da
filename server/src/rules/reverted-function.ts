import type { FunctionEntry, ObjectFacts } from '../core/execution/fact-types';
import { isDraft, isWanted, type LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { isReplacedIn } from './pair-runs';
import { partnersOf } from './partner-names';
import { replacePlace, stepsWithoutTargets } from './placement';
import type { Finding, Rule } from './rule';
import { listedUpTo } from './wording';

/** A function that an earlier version patches is given back by this one. */
export const revertedFunction: Rule = {
  code: 'reverted-function',
  severity: 'information',
  kind: 'run',
  replacement: true,
  summary: 'a function that the version before patches is not patched here: it returns to the original',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'features' },
  page: `
A cumulative livepatch replaces everything that is installed. A function that the version before patches and this one
does not is not left as it is: during the transition the kernel leads it back to the original.

That is often intended: a fix was dropped. It is easy to do by accident, when a hunk is lost in a merge.

It is a **warning** where the function belongs to a pair (lock and unlock, alloc and free, get and put) and the other half
stays patched: the two were changed together, and now only one of them follows the new scheme.

Nothing is said where the manifest states the intention: the version \`restores\` an earlier one without the function, or
\`cleans-up-after\` the one that has it.

## Example

~~~c
/* v1 */
{ .old_name = "acme_buf_alloc", .new_func = klpp_acme_buf_alloc },
{ .old_name = "acme_buf_free", .new_func = klpp_acme_buf_free },

/* v2: buffers made by the original, freed by the replacement */
{ .old_name = "acme_buf_free", .new_func = klpp_acme_buf_free },
~~~

## What to do

Add the function again, or leave it out on purpose and state in the manifest what the version restores.
`,
  check: (context) => context.lineage.versions.flatMap((to) => givenBack(context, to)),
};

function givenBack(context: RuleContext, to: LineageVersion): Finding[] {
  const patch = to.facts?.patch;
  if (!patch?.objects || !patch.complete || patch.replace === false || !isWanted(to)) return [];
  const before = context.lineage.versions.filter(
    (version) => version.index < to.index && version.facts?.patch?.objects,
  );
  const from = before[before.length - 1];
  if (!from || isIntended(to, from) || isAnsweredLater(context, to)) return [];
  const lost = (from.facts?.patch?.objects ?? []).flatMap((object) => lostOf(object, patch.objects ?? []));
  if (lost.length === 0 || !isReplacedIn(context.transitions.transition(from, to).run, from)) return [];

  const findings: Finding[] = [];
  const plain: Lost[] = [];
  for (const item of lost) {
    if (item.partner === null) plain.push(item);
    else findings.push(findingOf(context, from, to, item.object, [item]));
  }
  for (const object of new Set(plain.map((item) => item.object))) {
    findings.push(
      findingOf(
        context,
        from,
        to,
        object,
        plain.filter((item) => item.object === object),
      ),
    );
  }
  return findings;
}

interface Lost {
  readonly object: ObjectFacts;
  readonly entry: FunctionEntry;
  /** The other half of a pair that both versions patch. */
  readonly partner: FunctionEntry | null;
}

function lostOf(object: ObjectFacts, objects: readonly ObjectFacts[]): Lost[] {
  const kept = objects.filter((item) => item.name === object.name).flatMap((item) => item.functions ?? []);
  // Another position of the same name is a function of its own, and a rule of its own.
  const names = new Map(kept.map((entry) => [entry.old, entry]));
  const before = new Set((object.functions ?? []).map((entry) => entry.old));
  const lost: Lost[] = [];
  for (const entry of object.functions ?? []) {
    if (entry.old === '' || names.has(entry.old)) continue;
    const partner = partnersOf(entry.old).find((name) => before.has(name) && names.has(name));
    lost.push({ object, entry, partner: partner === undefined ? null : (names.get(partner) ?? null) });
  }
  return lost;
}

/** The manifest says that the version goes back: what it restores does not have the function either. */
function isIntended(to: LineageVersion, from: LineageVersion): boolean {
  if (to.entry.cleansUpAfter.some(({ value }) => value === from.name || value === from.module)) return true;
  const restores = to.entry.restores?.value;
  return restores !== undefined && restores !== from.name && restores !== from.module;
}

/** A version that cannot be changed any more, with a draft after it: what is missing is that draft's to say. */
function isAnsweredLater(context: RuleContext, to: LineageVersion): boolean {
  return !isDraft(to) && context.lineage.versions.some((next) => next.index > to.index && isDraft(next));
}

function findingOf(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  object: ObjectFacts,
  lost: readonly Lost[],
): Finding {
  const names = lost.map((item) => `${item.entry.old}()`);
  const where = object.name === null ? '' : ` of ${object.name}`;
  const partner = lost[0]?.partner ?? null;
  const verb = names.length > 1 ? 'return to the originals' : 'returns to the original';
  const message =
    partner === null
      ? `${to.name} does not patch ${listedUpTo(names, 5)}${where}, which ${from.name} patches: replacing ${from.name}, ${names.length > 1 ? 'they' : 'it'} ${verb}.`
      : `${to.name} patches ${partner.old}() but no longer ${names[0] ?? ''}${where}, which ${from.name} patches together with it: replacing ${from.name}, ${names[0] ?? ''} returns to the original while its partner stays patched. Patch both or neither.`;
  const own = to.facts?.patch?.objects?.find((item) => item.name === object.name);
  const place = partner?.place ?? own?.place ?? replacePlace(context, to) ?? object.place;
  return {
    code: 'reverted-function',
    severity: partner === null ? 'information' : 'warning',
    message,
    certainty: 'must',
    place,
    versions: [to.name, from.name],
    related: lost.slice(0, 5).map(({ entry }) => ({
      message: `${from.name} patches ${entry.old}() here`,
      place: entry.place,
    })),
    run: stepsWithoutTargets(context.transitions.transition(from, to).run).slice(0, 2),
    fixes: [],
  };
}
