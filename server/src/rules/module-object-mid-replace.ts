import type { Effect } from '../core/execution/effects';
import { identity } from '../core/lineage/left-behind';
import { isDraft, type LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import { HAZARDS } from '../core/lineage/verdict';
import { formatStep, type Step } from '../core/manifest/steps';
import type { RuleContext } from './context';
import { duringWords, load, unload } from './effect-story';
import { leftByReplacement } from './left-by-replacement';
import { seenInUpgrades } from './looks';
import { eventsOf, isOf, isReplacedIn } from './pair-runs';
import { replacePlace } from './placement';
import type { Finding, Rule } from './rule';
import { consequence, hazardOf, listedUpTo, milder, namesOf, theEffect, uncertainty } from './wording';

/** A target module comes while one version is replacing another. */
export const moduleObjectMidReplace: Rule = {
  code: 'module-object-mid-replace',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary: "effects of the old version's module object, done while it is being replaced, are never paired",
  documentation: { page: 'livepatch/callbacks', anchor: 'how-it-works' },
  page: `
A transition can take long: seconds, sometimes hours. While the new version is replacing the old one, a module that both
patch may be loaded. The old version is still enabled then, so the kernel calls **its** \`pre_patch\` and \`post_patch\` for
that module, and \`pre_patch\` of the new one. When the transition completes, \`post_patch\` of the new version runs. The old
version's unpatch callbacks are not called: what its callbacks did a moment ago has no partner.

A cleanup in the new version's vmlinux \`pre_patch\`, or anything that looked at the state of things when the transition began,
has missed it.

## Example

~~~c
/* v1, object "acme" */
static void acme_post_patch(struct klp_object *obj)
{
	static_branch_enable(&acme_key);
}

/* v2, wrong: asks when the transition begins, and acme may come later */
static int pre_patch(struct klp_object *obj)
{
	was_on = static_key_enabled(&acme_key);
	return 0;
}

/* v2, right: looks when the old version can do nothing any more */
static void post_patch(struct klp_object *obj)
{
	static_branch_disable(&acme_key);
}
~~~

## What to do

Take over or clean up in \`post_patch\` of the new version, and look there at what really is: a shadow variable, a name, the
value itself.
`,
  check: (context) => {
    const found = new Map<string, { first: Finding; to: LineageVersion[] }>();
    for (const { to, seen } of seenInUpgrades(context, midReplace)) {
      const known = found.get(seen.key);
      if (known) known.to.push(to);
      else found.set(seen.key, { first: seen.finding, to: [to] });
    }
    return [...found.values()].map(({ first, to }) => ({
      ...first,
      message: to.length > 1 ? `${first.message} The same with ${namesOf(to.slice(1))}.` : first.message,
    }));
  },
};

function midReplace(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
): { key: string; finding: Finding }[] {
  const modules = (from.facts?.patch?.objects ?? []).flatMap((object) =>
    object.name && object.callbacks.length > 0 ? [object.name] : [],
  );
  const found: { key: string; finding: Finding }[] = [];
  for (const module of new Set(modules)) {
    const comes: Step = { k: 'load', name: module, params: [] };
    const steps: Step[] = [load(from), { k: 'stall' }, load(to), comes, { k: 'resume' }, unload(from)];
    const run = context.transitions.runOf(steps, [from, to]);
    if (run.verdict.refusals.length > 0 || !isReplacedIn(run, from)) continue;
    // What stays as well when the module was there before is for other rules to say.
    const anyway = new Set(leftByReplacement(context, from, to).map((left) => identity(left.effect)));
    const alone = context.transitions.transition(null, from).run.verdict.leftovers;
    for (const left of alone) anyway.add(identity(left.effect));
    const made = new Set(
      eventsOf(run).flatMap(({ event, step }) =>
        event.k === 'done' && step === 3 && isOf(run, event.effect.by.instance, from)
          ? [identity(event.effect)]
          : [],
      ),
    );
    const lost = run.verdict.leftovers.filter(({ effect }) => {
      const id = identity(effect);
      return made.has(id) && !anyway.has(id) && isOf(run, effect.by.instance, from);
    });
    const finding = findingOf(context, { from, to, module, lost, run, steps });
    if (finding) found.push({ key: `${finding.versions[0] ?? ''} ${from.name} ${module}`, finding });
  }
  return found;
}

interface Lost {
  readonly effect: Effect;
  readonly certainty: Finding['certainty'];
}

interface MidReplace {
  readonly from: LineageVersion;
  readonly to: LineageVersion;
  readonly module: string;
  readonly lost: readonly Lost[];
  readonly run: Run;
  readonly steps: readonly Step[];
}

function findingOf(context: RuleContext, { from, to, module, lost, run, steps }: MidReplace): Finding | null {
  const worst = [...lost].sort((a, b) => rank(a.effect) - rank(b.effect))[0];
  if (!worst) return null;
  const { effect } = worst;
  const certainty = lost.some((item) => item.certainty === 'must') ? 'must' : 'may';
  const onFrom = isDraft(from);
  const stands = onFrom ? from : to;
  const names = listedUpTo(
    [worst, ...lost.filter((item) => item !== worst)].map((item) => theEffect(item.effect)),
    3,
  );
  const becomes =
    lost.length > 1 ? 'they stay' : `it ${consequence(effect, hazardOf(effect), from.module, certainty)}`;
  const why = certainty === 'may' ? uncertainty(run) : '';
  return {
    code: 'module-object-mid-replace',
    severity: certainty === 'may' ? milder('warning') : 'warning',
    message:
      `If ${module} is loaded while ${to.name} is replacing ${from.name}, ${from.name}'s ${duringWords(effect.by)} still makes ` +
      `${names}, and its unpatch callbacks are never called: ${becomes}.${why} Look for ${lost.length > 1 ? 'them' : 'it'} in ${to.name}'s post_patch.`,
    certainty,
    place: onFrom ? effect.by.place : (replacePlace(context, to) ?? effect.by.place),
    versions: [stands.name, onFrom ? to.name : from.name],
    related: lost
      .filter((item) => !onFrom || item !== worst)
      .map((item) => ({
        message: `${from.name}: ${theEffect(item.effect)} is made here`,
        place: item.effect.by.place,
      })),
    run: steps.map(formatStep),
    fixes: [],
  };
}

function rank(effect: Effect): number {
  return HAZARDS.indexOf(hazardOf(effect));
}
