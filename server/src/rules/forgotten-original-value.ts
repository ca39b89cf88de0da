import { placeIn } from '../core/csource/item-places';
import type { Unit } from '../core/csource/unit';
import type { Actor, Effect } from '../core/execution/effects';
import { visitExpression, visitExpressions } from '../core/execution/ir-walk';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Place } from '../core/place';
import { takenOver } from './callback-edits';
import type { RuleContext } from './context';
import { duringWords } from './effect-story';
import { conditionsAt, ownVariableIn } from './guards';
import { chainFindings } from './histories';
import { seenInUpgrades } from './looks';
import { throughTheEnd, undoneAlone } from './own-cycle';
import { eventsOf, isOf, isReplacedIn } from './pair-runs';
import { stepsWithoutTargets } from './placement';
import type { Finding, Fix, Rule } from './rule';
import { byStateOrShadow, milder, namesOf, theEffect } from './wording';

/** What a version must remember beyond its own life, and keeps where it does not survive a replacement. */
export const forgottenOriginalValue: Rule = {
  code: 'forgotten-original-value',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary:
    'the original value is saved again, or what must be remembered is in static data: it does not survive replacement',
  documentation: { page: 'livepatch/system-state', anchor: 'expected-usage' },
  page: `
A version changes a value of the kernel and saves the original one in a variable of its own. The version that replaces it
does the same, but what it finds and saves is the **changed** value: its \`post_unpatch\` restores that, and the original is
lost. The same goes for a flag: \`registered\` in v2's static data is false when v2 is loaded, whatever v1 has done.

Each module has its own static data, which comes with it and goes with it. Nothing of it survives a replacement. If NULL
arrives where a predecessor's data is expected, because a version in between declared the state and did not pass its data
on, that is told here as well.

## Example

~~~c
/* v1 and v2, wrong: v2 saves 15 */
static int saved;

static void post_patch(struct klp_object *obj)
{
	saved = console_loglevel;
	console_loglevel = 15;
}

/* right: only the first one saves, and the others pass it on */
static void post_patch(struct klp_object *obj)
{
	struct klp_state *own = klp_get_state(&patch, LOGLEVEL);
	struct klp_state *prev = klp_get_prev_state(LOGLEVEL);

	if (prev) {
		own->data = prev->data;
		return;
	}
	*(int *)own->data = console_loglevel;
	console_loglevel = 15;
}
~~~

## What to do

Keep the original value, and whether it was done at all, in the data of a \`klp_state\` or in a shadow variable, and take it
over where there is a predecessor. Every version that declares the state hands its data on, even if it does not use it.
`,
  check: (context) => {
    const found = new Map<string, { first: Finding; from: LineageVersion[] }>();
    for (const { from, to, seen } of seenInUpgrades(context, forgotten)) {
      const key = `${to.name} ${seen.place.file}:${seen.place.start}`;
      const known = found.get(key);
      if (!known) found.set(key, { first: seen, from: [from] });
      else if (!known.from.includes(from)) known.from.push(from);
    }
    const findings = [...found.values()].map(({ first, from }) => ({
      ...first,
      versions: [first.versions[0] ?? '', ...from.map((version) => version.name)],
      message: from.length > 1 ? `${first.message} The same after ${namesOf(from.slice(1))}.` : first.message,
    }));
    return [...findings, ...chainFindings(context, 'forgotten-original-value')];
  },
};

function forgotten(context: RuleContext, from: LineageVersion, to: LineageVersion): Finding[] {
  return [...savedAgain(context, from, to), ...flagForgotten(context, from, to)];
}

/** The successor takes the value that its predecessor set for the original one, and writes that back in the end. */
function savedAgain(context: RuleContext, from: LineageVersion, to: LineageVersion): Finding[] {
  const run = throughTheEnd(context, from, to);
  if (run.verdict.refusals.length > 0 || !isReplacedIn(run, from)) return [];
  const findings: Finding[] = [];
  for (const effect of run.end.effects()) {
    if (effect.row.family !== 'kernel write' || !isOf(run, effect.by.instance, from)) continue;
    const back = writtenBack(run, to, effect);
    if (!back || !undoneAlone(context, to, effect)) continue;
    const saved = savedWhere(context.unitsOf(to), effect.key);
    findings.push(
      finding(to, from, effect, run, {
        place: saved ?? back.place,
        what:
          `${to.name} saves ${theEffect(effect)} as it finds it, and after ${from.name} that is not the original value: ` +
          `its ${duringWords(back)} writes back what ${from.name} had set, and the original is lost. ` +
          `Take over what ${from.name} saved, by ${byStateOrShadow(to)}.`,
        fixes: takenOver(context, from, to, saved ?? back.place),
        more: { message: `${to.name} writes it back here, in ${duringWords(back)}`, place: back.place },
      }),
    );
  }
  return findings;
}

/** Where the version's unpatch callbacks (or exit) wrote it and it did not become the original. */
function writtenBack(run: Run, to: LineageVersion, effect: Effect): Actor | null {
  for (const { event } of eventsOf(run)) {
    if (event.k !== 'repeated' || identity(event.effect) !== identity(effect)) continue;
    const { by } = event;
    if (isOf(run, by.instance, to) && UNDOING.has(by.during)) return by;
  }
  return null;
}

const UNDOING = new Set(['pre_unpatch', 'post_unpatch', 'exit']);

/** The assignment that reads the kernel's variable of this name. */
function savedWhere(units: readonly Unit[], key: string): Place | null {
  for (const unit of units) {
    for (const name of unit.functions.keys()) {
      const fn = unit.lower(name);
      if (!fn) continue;
      let place: Place | null = null;
      visitExpressions(fn.body, (expr) => {
        if (place !== null || expr.k !== 'assign' || expr.op !== '=') return;
        let reads = false;
        visitExpression(expr.value, (inner) => (reads ||= inner.k === 'name' && inner.name === key));
        if (reads) place = placeIn(fn.positions, expr.at);
      });
      if (place !== null) return place;
    }
  }
  return null;
}

/** What the successor does, or would undo, hangs on a variable of its own that the predecessor's code cannot have set. */
function flagForgotten(context: RuleContext, from: LineageVersion, to: LineageVersion): Finding[] {
  const units = context.unitsOf(to);
  const run = throughTheEnd(context, from, to);
  const findings: Finding[] = [];
  const again = new Set<string>();
  for (const { event } of eventsOf(run)) {
    if (event.k !== 'repeated' || !isOf(run, event.by.instance, to) || UNDOING.has(event.by.during)) continue;
    const { effect, by, result } = event;
    const bad = effect.row.repeated === 'corrupts' || effect.row.repeated === 'counts' || (result ?? 0) < 0;
    if (!bad || !isOf(run, effect.by.instance, from)) continue;
    const flag = flagAt(units, by);
    if (flag === null) continue;
    again.add(identity(effect));
    findings.push(
      finding(to, from, effect, run, {
        place: by.place,
        steps: 2,
        what:
          `${to.name} makes ${theEffect(effect)} again: whether that is done is in its own variable ${flag}, ` +
          `which knows nothing of ${from.name}. ${ASK}`,
      }),
    );
  }
  if (run.verdict.refusals.length > 0 || !isReplacedIn(run, from)) return findings;
  for (const effect of run.end.effects()) {
    if (!isOf(run, effect.by.instance, from) || !undoneAlone(context, from, effect)) continue;
    // What is counted twice is undone, only once too few.
    if (again.has(identity(effect))) continue;
    for (const call of undoCalls(context, to, effect)) {
      const ran = eventsOf(run).some(({ event }) => event.k !== 'done' && isSame(event.by.place, call.place));
      const flag = ran ? null : flagAt(units, call);
      if (flag === null) continue;
      findings.push(
        finding(to, from, effect, run, {
          place: call.place,
          what:
            `${to.name} undoes ${theEffect(effect)} only where its own variable ${flag} says so, which knows nothing of ` +
            `${from.name}: after ${from.name} it stays. ${ASK}`,
        }),
      );
      break;
    }
  }
  return findings;
}

const ASK = 'Ask for a previous state, a shadow variable or the name instead.';

function flagAt(units: readonly Unit[], at: Pick<Actor, 'function' | 'place'>): string | null {
  for (const condition of conditionsAt(units, at.function, at.place)) {
    const name = ownVariableIn(condition);
    if (name !== null) return name;
  }
  return null;
}

/** The calls of the successor that would undo the effect: those that name its functions, or the one that a run shows. */
function undoCalls(
  context: RuleContext,
  to: LineageVersion,
  effect: Effect,
): readonly Pick<Actor, 'function' | 'place'>[] {
  const names = new Set(effect.row.undo.map((undo) => undo.name));
  const units = context.unitsOf(to);
  const calls = (to.facts?.calls ?? []).filter(
    (call) => names.has(call.callee) && call.reachedFrom.length > 0 && isAbout(units, call, effect.key),
  );
  const alone = undoneAlone(context, to, effect);
  return alone && !calls.some((call) => isSame(call.place, alone.place)) ? [...calls, alone] : calls;
}

/** Whether the call's arguments name the effect: the variable or the text that it is known by. */
function isAbout(units: readonly Unit[], call: Pick<Actor, 'function' | 'place'>, key: string): boolean {
  let found = false;
  for (const unit of units) {
    const fn = unit.functions.has(call.function) ? unit.lower(call.function) : undefined;
    if (!fn) continue;
    visitExpressions(fn.body, (expr) => {
      if (expr.k !== 'call' || !isSame(placeIn(fn.positions, expr.at), call.place)) return;
      visitExpression(expr, (inner) => {
        if (inner.k === 'name' && inner.name === key) found = true;
        if (inner.k === 'string' && inner.value === key) found = true;
      });
    });
  }
  return found;
}

function isSame(a: Place, b: Place): boolean {
  return a.file === b.file && a.start === b.start;
}

function finding(
  to: LineageVersion,
  from: LineageVersion,
  effect: Effect,
  run: Run,
  said: {
    readonly place: Place;
    readonly what: string;
    readonly more?: Finding['related'][number];
    readonly fixes?: readonly Fix[];
    /** How many steps of the run show it, if not all do. */
    readonly steps?: number;
  },
): Finding {
  return {
    code: 'forgotten-original-value',
    severity: effect.certainty === 'may' ? milder('error') : 'error',
    message: said.what,
    certainty: effect.certainty,
    place: said.place,
    versions: [to.name, from.name],
    related: [
      { message: `${from.name}: ${theEffect(effect)} is made here`, place: effect.by.place },
      ...(said.more ? [said.more] : []),
    ],
    run: stepsWithoutTargets(run).slice(0, said.steps),
    fixes: said.fixes ?? [],
  };
}
