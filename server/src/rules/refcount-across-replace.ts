import type { Expr } from '../core/csource/ir';
import type { Unit } from '../core/csource/unit';
import type { Effect } from '../core/execution/effects';
import { visitExpression, visitExpressions } from '../core/execution/ir-walk';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { duringWords } from './effect-story';
import { type Condition, conditionsAt, countsDown } from './guards';
import { chainFindings } from './histories';
import { seenInUpgrades } from './looks';
import { leftAfterBoth, throughTheEnd, undoneAlone } from './own-cycle';
import { eventsOf, isOf, isReplacedIn } from './pair-runs';
import { stepsWithoutTargets } from './placement';
import type { Finding, RelatedPlace, Rule } from './rule';
import { listed, milder, namesOf, theEffect } from './wording';

/** A count that goes up with every version and down with the last one only. */
export const refcountAcrossReplace: Rule = {
  code: 'refcount-across-replace',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'a count goes up in every version and down only in the last: the last disable never undoes',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
A count that several versions share goes up in \`pre_patch\` and down in \`post_unpatch\`: a static key's, a \`refcount_t\` in a
shadow variable, an \`atomic_t\` of the kernel. What hangs on it is undone when it reaches zero.

When one version replaces another, \`pre_patch\` of the new one counts up and \`post_unpatch\` of the old one is **not
called**. After n upgrades the count is n too high. The last version's \`post_unpatch\` takes one, zero is never reached, and
what was to be undone stays for good.

## Example

~~~c
/* v1 and v2 */
static int pre_patch(struct klp_object *obj)
{
	static_branch_inc(&acme_key);
	return 0;
}

static void post_unpatch(struct klp_object *obj)	/* v1's is not called when v2 replaces v1 */
{
	static_branch_dec(&acme_key);
}
~~~

Right: what is there already is taken over and not counted again.

~~~c
/* v2 */
static int pre_patch(struct klp_object *obj)
{
	if (!klp_get_prev_state(ACME_KEY))
		static_branch_inc(&acme_key);
	return 0;
}
~~~

## What to do

Count only where no predecessor did: ask \`klp_get_prev_state()\` or a shadow variable. One version is enabled at a time, so
a state that is handed on says all that a count could say.
`,
  check: (context) => {
    const found = new Map<string, { first: Finding; from: LineageVersion[] }>();
    for (const { from, to, seen } of seenInUpgrades(context, countedIn)) {
      const key = `${to.name} ${seen.place.file}:${seen.place.start}`;
      const known = found.get(key);
      if (known) known.from.push(from);
      else found.set(key, { first: seen, from: [from] });
    }
    const findings = [...found.values()].map(({ first, from }) => ({
      ...first,
      message: `${first.message} (replacing ${namesOf(from)}).`,
      versions: [first.versions[0] ?? '', ...from.map((version) => version.name)],
    }));
    return [...findings, ...chainFindings(context, 'refcount-across-replace')];
  },
};

/** Whether both versions raise this count and lower it again when they are alone, and after both it is not down. */
export function countsAcross(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  effect: Effect,
): boolean {
  if (effect.row.repeated !== 'counts') return false;
  if (!undoneAlone(context, from, effect) || !undoneAlone(context, to, effect)) return false;
  return leftAfterBoth(context, from, to).some((left) => identity(left) === identity(effect));
}

function countedIn(context: RuleContext, from: LineageVersion, to: LineageVersion): Finding[] {
  const run = throughTheEnd(context, from, to);
  if (run.verdict.refusals.length > 0 || !isReplacedIn(run, from)) return [];
  const findings: Finding[] = [];
  const say = (effect: Effect, what: string, place: Place, related: readonly RelatedPlace[]): void => {
    const may = effect.certainty === 'may';
    findings.push({
      code: 'refcount-across-replace',
      severity: may ? milder('error') : 'error',
      message: what,
      certainty: effect.certainty,
      place,
      versions: [to.name, from.name],
      related,
      run: stepsWithoutTargets(run),
      fixes: [],
    });
  };
  const left = leftAfterBoth(context, from, to);
  for (const { event } of eventsOf(run)) {
    if (event.k !== 'repeated' || event.effect.row.repeated !== 'counts') continue;
    const { effect, by } = event;
    if (!isOf(run, by.instance, to) || !isOf(run, effect.by.instance, from)) continue;
    const stays = left.find((item) => identity(item) === identity(effect));
    const undo = stays && countsAcross(context, from, to, effect) ? undoneAlone(context, to, effect) : null;
    if (!stays || !undo) continue;
    say(
      stays,
      `${to.name} counts ${theEffect(effect)} up in ${duringWords(by)}, and so did the version before, whose counting down is not ` +
        `called when it is replaced: disabling ${to.name} takes back one of two. Do not count again what a predecessor has counted`,
      by.place,
      [
        { message: `${from.name} counts up here`, place: effect.by.place },
        { message: `${to.name} counts down here, in ${duringWords(undo)}`, place: undo.place },
      ],
    );
  }
  const units = context.unitsOf(to);
  const hanging = new Map<string, { undo: Effect['by']; effects: Effect[] }>();
  for (const effect of left) {
    const undo = undoneAlone(context, to, effect);
    if (!undo || effect.row.repeated === 'counts' || !undoneAlone(context, from, effect)) continue;
    const ran = eventsOf(run).some(
      ({ event }) =>
        event.k !== 'done' && event.by.place.start === undo.place.start && isOf(run, event.by.instance, to),
    );
    if (ran || !hangsOnCount(conditionsAt(units, undo.function, undo.place), units, undo.function)) continue;
    const known = hanging.get(undo.function);
    if (known) known.effects.push(effect);
    else hanging.set(undo.function, { undo, effects: [effect] });
  }
  for (const { undo, effects } of hanging.values()) {
    // What holds the count itself goes with the last one, too; named is what hangs on it.
    const [effect] = [...effects].sort((a, b) => rank(a) - rank(b));
    if (!effect) continue;
    const own = effect === effects[0] ? undo : (undoneAlone(context, to, effect) ?? undo);
    const names = effects.map(theEffect);
    say(
      effect,
      `${to.name}'s ${duringWords(own)} undoes ${listed(names)} when a count reaches zero, which it does not: ${from.name} ` +
        `counted up too, and its counting down is not called when it is replaced. Do not count again what a predecessor has counted`,
      own.place,
      effects.map((item) => ({
        message: `${from.name}: ${theEffect(item)} is made here`,
        place: item.by.place,
      })),
    );
  }
  return findings;
}

function rank(effect: Effect): number {
  return effect.row.hazards.every((hazard) => hazard === 'leak') ? 1 : 0;
}

/** A test that counts down, or the release function of a kref. */
function hangsOnCount(conditions: readonly Condition[], units: readonly Unit[], name: string): boolean {
  if (conditions.some(countsDown)) return true;
  return units.some((unit) => isRelease(unit, name));
}

function isRelease(unit: Unit, name: string): boolean {
  for (const other of unit.functions.keys()) {
    const fn = unit.lower(other);
    let given = false;
    if (fn) {
      visitExpressions(fn.body, (expr) => {
        if (expr.k !== 'call' || expr.callee.k !== 'name' || !expr.callee.name.startsWith('kref_put')) return;
        given ||= expr.args.some((arg) => mentions(arg, name));
      });
    }
    if (given) return true;
  }
  return false;
}

function mentions(expr: Expr, name: string): boolean {
  let found = false;
  visitExpression(expr, (inner) => (found ||= inner.k === 'name' && inner.name === name));
  return found;
}
