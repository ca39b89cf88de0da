import type { Effect } from '../core/execution/effects';
import { identity, type LeftBehind } from '../core/lineage/left-behind';
import { isDraft, isWanted, type LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Danger, Leftover } from '../core/lineage/verdict';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Certainty, Place } from '../core/place';
import type { RuleContext } from './context';
import { withDesignator } from './edits';
import { load, moduleObjectOf, unload } from './effect-story';
import { leftByReplacement } from './left-by-replacement';

/**
 * Where findings about two versions stand. A draft can be changed, a version of another status cannot; going on to
 * a faulty or withdrawn version is history. Upgrades lead from older to newer in the manifest's order.
 *
 * - FROM is a draft: at the line in FROM that causes it, once for all TO.
 * - Only TO is a draft: on TO's `.replace`, and of several such TO on the first.
 * - Neither: on the first draft after TO if that leaves it behind too, silent if that takes care of it; without such
 *   a draft at the line in FROM, at most as a warning.
 */
export interface Placed {
  readonly effect: Effect;
  readonly from: LineageVersion;
  readonly to: readonly LineageVersion[];
  /** The version that the finding stands on, and whether at the effect's line or on its `.replace`. */
  readonly stands: LineageVersion;
  readonly at: 'effect' | 'successor';
  readonly place: Place;
  readonly dangling: Danger | null;
  readonly leftover: Leftover | null;
  readonly certainty: Certainty;
  readonly run: Run;
  readonly steps: readonly string[];
}

const KNOWN = new WeakMap<RuleContext, readonly Placed[]>();

/** Every side effect that an upgrade leaves behind, placed; worked out once for all rules that ask. */
export function upgradesLeaving(context: RuleContext): readonly Placed[] {
  let placed = KNOWN.get(context);
  if (!placed) {
    placed = context.lineage.versions.flatMap((from) => leavingFrom(context, from));
    KNOWN.set(context, placed);
  }
  return placed;
}

function leavingFrom(context: RuleContext, from: LineageVersion): Placed[] {
  const found = new Map<string, Placed>();
  const later = context.lineage.versions.filter((to) => to.index > from.index && isWanted(to));
  const fixed: LeftBehind[] = [];
  for (const to of later) {
    for (const left of leftByReplacement(context, from, to)) {
      const id = identity(left.effect);
      if (isDraft(from)) found.set(id, joined(found.get(id), atEffect(left)));
      else if (!isDraft(to)) fixed.push(left);
      else if (!found.has(id)) found.set(id, onSuccessor(context, left, to));
    }
  }
  for (const left of fixed) {
    const id = identity(left.effect);
    const known = found.get(id);
    if (known?.at === 'successor') continue;
    const draft = context.lineage.versions.find((next) => next.index > left.to.index && isDraft(next));
    if (!draft) found.set(id, joined(known, atEffect(left)));
    else {
      const still = afterChain(context, left, draft);
      if (still) found.set(id, still);
    }
  }
  return [...found.values()];
}

function atEffect(left: LeftBehind): Placed {
  const { effect, from, to, dangling, leftover, certainty, transition } = left;
  const steps = shownSteps(transition.run, from, effect);
  const place = effect.by.place;
  const { run } = transition;
  return {
    effect,
    from,
    to: [to],
    stands: from,
    at: 'effect',
    place,
    dangling,
    leftover,
    certainty,
    run,
    steps,
  };
}

function onSuccessor(context: RuleContext, left: LeftBehind, to: LineageVersion): Placed {
  const place = replacePlace(context, to) ?? left.effect.by.place;
  return { ...atEffect(left), stands: to, at: 'successor', place };
}

/** The same effect with one more successor; the first one's run stays. */
function joined(known: Placed | undefined, next: Placed): Placed {
  if (!known) return next;
  return {
    ...known,
    to: [...known.to, ...next.to],
    dangling: known.dangling ?? next.dangling,
    leftover: known.leftover ?? next.leftover,
    certainty: known.certainty === 'must' ? 'must' : next.certainty,
  };
}

/** What the first draft can still answer: the effect of FROM after FROM, TO and the draft, if it is there even then. */
function afterChain(context: RuleContext, left: LeftBehind, draft: LineageVersion): Placed | null {
  const { from, to, effect } = left;
  const steps: Step[] = [
    ...targetsLoaded(context.lineage),
    load(from),
    load(to),
    load(draft),
    unload(from),
    unload(to),
  ];
  const run = context.transitions.runOf(steps, [from, to, draft]);
  if (run.verdict.refusals.length > 0) return null;
  const same = (item: { readonly effect: Effect | null; readonly version: LineageVersion | null }): boolean =>
    item.version?.name === from.name && item.effect !== null && identity(item.effect) === identity(effect);
  const leftover = run.verdict.leftovers.find(same) ?? null;
  const dangling =
    leftover === null
      ? null
      : (run.verdict.dangers.find((danger) => danger.kind === 'dangling-pointer' && same(danger)) ?? null);
  if (!leftover) return null;
  return {
    ...onSuccessor(context, left, draft),
    to: [to, draft],
    dangling,
    leftover,
    certainty: leftover.certainty,
    run,
    steps: shownSteps(run, from, effect),
  };
}

/** A run's steps as text; the loads of target modules only where the effect is one of a module object. */
export function shownSteps(run: Run, from: LineageVersion, effect: Effect): string[] {
  const module = moduleObjectOf(run, from, effect);
  return stepsWithoutTargets(run, module === null ? [] : [module]);
}

/** A run's steps as text without the loads of target modules, those in `keep` excepted. */
export function stepsWithoutTargets(run: Run, keep: readonly string[] = []): string[] {
  const { versions } = run.end.lineage;
  const isVersion = (name: string): boolean => versions.some((v) => v.name === name || v.module === name);
  return run.steps
    .filter((step) => step.k !== 'load' || isVersion(step.name) || keep.includes(step.name))
    .map(formatStep);
}

/** Where a version says that it replaces, or else its klp_patch variable; null where its sources are not known. */
export function replacePlace(context: RuleContext, version: LineageVersion): Place | null {
  const patch = version.facts?.patch;
  if (!patch) return null;
  const place = patch.replacePlace;
  return place ? withDesignator(context.text(place.file), place) : patch.place;
}
