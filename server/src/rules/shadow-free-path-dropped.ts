import { isDraft, isWanted, type LineageVersion } from '../core/lineage/lineage';
import { allEffects, type PatchedEffect, patchedEffects } from '../core/lineage/patched-effects';
import { functionsOf } from '../core/lineage/version-functions';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import { replacePlace } from './placement';
import type { Finding, Rule } from './rule';

import { KNOWN_ID } from './shadow-layout-changed';
import { listed } from './wording';

/** The patched function that freed a shadow variable is not patched any more. */
export const shadowFreePathDropped: Rule = {
  code: 'shadow-free-path-dropped',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'the function that frees a shadow variable is patched in one version and not in the next',
  documentation: { page: 'livepatch/shadow-vars', anchor: 'use-cases' },
  page: `
A shadow variable is found by the **address** of its object and an id. v1 patches the function that frees the object, so that
it frees the variable as well. When v2 does not patch that function any more, the original runs again and knows nothing of
the variable: the object goes, the variable stays.

That is a leak, and worse: the memory of the object is used again, and the next object at that address finds the **stale
variable** of the one before.

## Example

~~~c
/* v1 */
static void klpp_acme_free(struct acme *a)
{
	klp_shadow_free(a, ACME, NULL);
	kfree(a);
}

/* v2 lists acme_open() alone: acme_free() is the original again */
~~~

## What to do

Go on patching the function for as long as such variables may live, or free all of them in \`post_patch\` of the first version
that does without, with \`klp_shadow_free_all()\`.
`,
  check: (context) =>
    context.lineage.versions.flatMap((to) => {
      const from = predecessorOf(context, to);
      return from && isWanted(to) ? dropped(context, from, to) : [];
    }),
};

/** The newest older version whose sources are known. */
function predecessorOf(context: RuleContext, to: LineageVersion): LineageVersion | undefined {
  return context.lineage.versions.slice(0, to.index).findLast((version) => version.program !== null);
}

function dropped(context: RuleContext, from: LineageVersion, to: LineageVersion): Finding[] {
  const patch = to.facts?.patch;
  if (!to.program || !patch?.complete || patch.replace === false || !to.facts?.complete) return [];
  const catalogue = catalogueOf(context);
  const frees = patchedEffects(from, catalogue).filter(
    (effect) => effect.k === 'frees' && effect.shadow?.object === 'each',
  );
  const still = new Set(
    patchedEffects(to, catalogue).flatMap((effect) =>
      effect.k === 'frees' ? (effect.shadow?.id ?? []) : [],
    ),
  );
  const made = new Set<string>();
  for (const version of context.lineage.versions.slice(0, to.index + 1)) {
    for (const effect of allEffects(version, catalogue))
      if (effect.k === 'allocates' && effect.shadow) made.add(effect.shadow.id);
  }
  const found = new Map<string, Finding>();
  for (const free of frees) {
    const id = free.shadow?.id ?? '';
    if (!KNOWN_ID.test(id) || still.has(id) || !made.has(id) || freesElsewhere(to, id)) continue;
    found.set(id, findingOf(context, from, free, to, id));
  }
  return [...found.values()];
}

/** Callbacks that free them, one by one or all at once, take care of it. */
function freesElsewhere(version: LineageVersion, id: string): boolean {
  const uses = version.facts?.shadow ?? [];
  return functionsOf(version).some(
    ({ node, from }) =>
      (from.has('pre_patch') || from.has('post_patch') || from.has('work')) &&
      uses.some((use) => use.api.includes('free') && use.id === id && use.function === node.name),
  );
}

function findingOf(
  context: RuleContext,
  from: LineageVersion,
  free: PatchedEffect,
  to: LineageVersion,
  id: string,
): Finding {
  const names = free.patched.map((name) => `${name.split(':')[1] ?? name}()`);
  const onTo = isDraft(to) || !isDraft(from);
  const functions = to.facts?.patch?.objects?.flatMap((object) => object.functions ?? []) ?? [];
  const patchedStill = names.filter((name) => functions.some((entry) => `${entry.old}()` === name));
  const what =
    patchedStill.length > 0
      ? `${listed(patchedStill)} of ${to.name} ${patchedStill.length > 1 ? 'free' : 'frees'} them no longer`
      : `${to.name} does not patch ${listed(names)} any more`;
  const toPlace = replacePlace(context, to);
  return {
    code: 'shadow-free-path-dropped',
    severity: 'error',
    message:
      `${from.name} frees the shadow variables with id ${id} in ${listed(names)}, and ${what}: they stay when their objects go, and the next object at such an address finds a stale one. ` +
      `Go on freeing them there, or free all of them in ${to.name}'s post_patch with klp_shadow_free_all().`,
    certainty: 'must',
    place: onTo ? (toPlace ?? free.place) : free.place,
    versions: onTo ? [to.name, from.name] : [from.name, to.name],
    related: onTo
      ? [{ message: `${from.name} frees them here`, place: free.place }]
      : toPlace
        ? [{ message: `${to.name} replaces ${from.name} here`, place: toPlace }]
        : [],
    run: [`load ${from.name}`, `load ${to.name}`],
    fixes: [],
  };
}
