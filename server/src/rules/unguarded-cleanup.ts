import type { Actor, DeedEvent, Effect } from '../core/execution/effects';
import { isWanted, type LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Certainty } from '../core/place';
import { guardedBy } from './callback-edits';
import type { RuleContext } from './context';
import { duringWords } from './effect-story';
import { lookAt } from './looks';
import { eventsOf, isOf, loadStep, TAKING_OVER, upgrades } from './pair-runs';
import { stepsWithoutTargets } from './placement';
import type { Finding, Rule } from './rule';
import { milder, theEffect } from './wording';

/** Cleanup after a version that was never installed. */
export const unguardedCleanup: Rule = {
  code: 'unguarded-cleanup',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'cleanup after a version runs although that version was never installed',
  documentation: { page: 'livepatch/system-state', anchor: 'expected-usage' },
  page: `
A version cleans up after an earlier one, and does so without asking whether there is anything to clean up. On a machine
where that earlier version was never loaded (a fresh boot, or an upgrade from the version before it) the same code runs:
it removes what is not there, reads the data of a state that nobody had, or switches off what somebody else switched on.

In a fleet that is the common case: few machines ran the faulty version.

## Example

~~~c
/* v3 cleans up after v2; wrong: without v2 there is no previous state */
static void post_patch(struct klp_object *obj)
{
	unregister_netdevice_notifier(klp_get_prev_state(NET_NB)->data);
}

/* right */
static void post_patch(struct klp_object *obj)
{
	struct klp_state *prev = klp_get_prev_state(NET_NB);

	if (prev && prev->version <= 1)
		unregister_netdevice_notifier(prev->data);
}
~~~

The version belongs to the guard: this version carries the state itself, so the next one would find it as well and clean
up a second time.

## What to do

Guard it with what the earlier version left: its state (\`klp_get_prev_state()\`), a shadow variable, a name that can be
looked up. A flag in the earlier version's own data cannot be read from here.
`,
  check: (context) => {
    const found = new Map<string, Finding>();
    for (const { from, to } of upgrades(context)) {
      const cleanups = lookAt(context, cleanupsIn, from, to);
      for (const finding of cleanups.length > 0 ? unguarded(context, from, to, cleanups) : []) {
        const key = `${to.name} ${finding.place.file}:${finding.place.start}`;
        if (!found.has(key)) found.set(key, finding);
      }
    }
    return [...found.values()];
  },
};

/** A call of `to` that undoes what `from` did. */
interface Cleanup {
  readonly effect: Effect;
  readonly by: Actor;
}

function cleanupsIn(context: RuleContext, from: LineageVersion, to: LineageVersion): Cleanup[] {
  const { run } = context.transitions.transition(from, to);
  const cleanups: Cleanup[] = [];
  for (const { event } of during(run, to)) {
    if (event.k === 'undone' && isOf(run, event.effect.by.instance, from)) {
      cleanups.push({ effect: event.effect, by: event.by });
    }
  }
  return cleanups;
}

/** Where a version older than `to`, or a clean kernel, is not told apart from `from` by those calls. */
function unguarded(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  cleanups: readonly Cleanup[],
): Finding[] {
  const found: Finding[] = [];
  const others = [
    null,
    ...context.lineage.versions.filter((it) => it !== from && it.index < to.index && isWanted(it)),
  ];
  for (const other of others) {
    const without = context.transitions.transition(other, to).run;
    for (const { event } of during(without, to)) {
      const cleanup = cleanups.find((item) => isAbout(item, event));
      if (!cleanup) continue;
      const harm = harmOf(without, event, cleanup, to);
      if (!harm) continue;
      const fixes = isInside(event, cleanup) ? guardedBy(context, from, to, cleanup.by) : [];
      found.push({ ...findingOf(from, to, other, cleanup, harm, without), fixes });
    }
  }
  return found;
}

/** What the version's callbacks did while it took over. */
function during(run: Run, to: LineageVersion): { readonly event: DeedEvent }[] {
  const step = loadStep(run, to);
  return eventsOf(run).filter(({ event, step: at }) => {
    const by = actorOf(event);
    return at === step && isOf(run, by.instance, to) && TAKING_OVER.has(by.during);
  });
}

function actorOf(event: DeedEvent): Actor {
  return event.k === 'done' ? event.effect.by : event.by;
}

/** The same call; what goes wrong on the way to its arguments stands in the same function. */
function isAbout(cleanup: Cleanup, event: DeedEvent): boolean {
  const { by } = cleanup;
  if (event.k === 'fault') return event.by.function === by.function && event.by.during === by.during;
  return isInside(event, cleanup);
}

/** Nothing goes wrong in front of the call, which a guard around it would leave as it is. */
function isInside(event: DeedEvent, { by }: Cleanup): boolean {
  const { place } = actorOf(event);
  return place.file === by.place.file && by.place.start <= place.start && place.end <= by.place.end;
}

interface Harm {
  readonly what: string;
  readonly certainty: Certainty;
}

function harmOf(run: Run, event: DeedEvent, cleanup: Cleanup, to: LineageVersion): Harm | null {
  const callee = cleanup.effect.row.undo[0]?.name ?? cleanup.effect.row.do;
  switch (event.k) {
    case 'undone-without': {
      const call = event.row.undo.find((undo) => undo.absent === undefined || undo.absent === 'warns');
      return call ? { what: `${callee}() gets something that is not there`, certainty: 'must' } : null;
    }
    case 'fault':
      return event.fault === 'warn' ? null : { what: event.text, certainty: event.certainty };
    case 'undone':
      // Somebody else's, or the version's own.
      return null;
    case 'done': {
      // Only an undo that is no do of its own: what a version wants in any case it may set in any case.
      if (event.effect.row.family !== cleanup.effect.row.family || event.effect.row.synthetic !== true)
        return null;
      if (event.effect.row.family === 'kernel write') return null;
      const left = run.end.effects().find((effect) => effect.id === event.effect.id);
      return left && isOf(run, left.by.instance, to)
        ? { what: `it changes ${theEffect(left)}, whoever set it`, certainty: left.certainty }
        : null;
    }
    default:
      return null;
  }
}

function findingOf(
  from: LineageVersion,
  to: LineageVersion,
  other: LineageVersion | null,
  cleanup: Cleanup,
  harm: Harm,
  run: Run,
): Finding {
  const { effect, by } = cleanup;
  const may = harm.certainty === 'may';
  const when = other === null ? `where ${from.name} was never installed` : `after ${other.name} alone`;
  return {
    code: 'unguarded-cleanup',
    severity: may ? milder('error') : 'error',
    message:
      `${to.name}'s ${duringWords(by)} cleans up ${theEffect(effect)} of ${from.name} also ${when}: ${harm.what}. ` +
      `Guard it with what ${from.name} leaves: a previous state, a shadow variable, a name.`,
    certainty: harm.certainty,
    place: by.place,
    versions: [to.name, from.name],
    related: [{ message: `${from.name}: ${theEffect(effect)} is made here`, place: effect.by.place }],
    run: stepsWithoutTargets(run).slice(0, other === null ? undefined : 2),
    fixes: [],
  };
}
