import type { Effect } from '../execution/effects';
import { token } from '../execution/ledger';
import { identity } from '../lineage/left-behind';
import type { LineageVersion } from '../lineage/lineage';
import { ownUndo } from '../lineage/own-undo';
import { targetsLoaded } from '../lineage/run';
import type { Transitions } from '../lineage/transitions';
import { isRemedy, type Patient, type Refusal } from './patient';
import type { Remedy } from './remedy';
import { fileRemedy } from './strategy-files';
import { givenRemedy } from './strategy-given';
import { allocatedIds, normalId, shadowRemedy, usedIds } from './strategy-shadow';
import { pairRemedy, undoRemedy } from './strategy-undo';

export interface Treatment {
  readonly remedies: readonly Remedy[];
  /** What no later version can undo. */
  readonly refused: readonly { readonly effect: Effect; readonly refusal: Refusal }[];
  /** Shadow variable ids that cannot be freed. */
  readonly refusedShadows: readonly {
    readonly id: string;
    readonly because: string;
    readonly version: LineageVersion;
  }[];
  readonly notes: readonly string[];
}

/**
 * Side effects of `faulty` that are there after `next` has replaced it and `faulty` was removed, or that point into
 * it as soon as it can be removed. Null where the kernel refuses `next`.
 */
export function leftovers(
  transitions: Transitions,
  faulty: LineageVersion,
  next: LineageVersion,
): readonly Effect[] | null {
  const { verdict } = transitions.transition(faulty, next).run;
  if (verdict.refusals.length > 0) return null;
  const found = new Map<string, Effect>();
  for (const leftover of verdict.leftovers) {
    if (leftover.version?.module === faulty.module) found.set(identity(leftover.effect), leftover.effect);
  }
  for (const danger of verdict.dangers) {
    if (danger.kind === 'dangling-pointer' && danger.effect && danger.version?.module === faulty.module) {
      found.set(identity(danger.effect), danger.effect);
    }
  }
  // Without targets, callbacks of module objects have not run; with them, everything has.
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** Chooses for everything that one faulty version leaves how another module undoes it. Last made, first undone. */
export function treat(patient: Patient, effects: readonly Effect[], good: LineageVersion): Treatment {
  const remedies: Remedy[] = [];
  const refused: { effect: Effect; refusal: Refusal }[] = [];
  const refusedShadows: { id: string; because: string; version: LineageVersion }[] = [];
  const notes: string[] = [];
  for (const effect of [...effects].reverse()) {
    if (effect.row.family === 'shadow variable') continue;
    if (goesWithItsFolder(effect, effects)) continue;
    const refusal: Refusal | null = tryAll(patient, effect, effects, remedies);
    if (refusal) refused.push({ effect, refusal });
  }
  const theirs = usedIds(good);
  for (const [id, use] of shadowIds(patient, effects)) {
    if (theirs.has(id)) {
      notes.push(`Shadow variables ${id} are used by ${good.name} too: they stay for it.`);
      continue;
    }
    const answer = shadowRemedy(patient, id, use);
    if ('strategy' in answer) remedies.push(answer);
    else refusedShadows.push({ id, because: answer.because, version: patient.version });
  }
  return { remedies, refused, refusedShadows, notes };
}

/** The first strategy that answers; what stays open is told with the first reason that was met. */
function tryAll(
  patient: Patient,
  effect: Effect,
  effects: readonly Effect[],
  remedies: Remedy[],
): Refusal | null {
  const reasons: Refusal[] = [];
  const holdsOthers = effects.some((other) => other !== effect && isFolderOf(effect, other));
  const given = effect.row.key === 'value' ? patient.values.get(effect.key) : undefined;
  for (const strategy of [
    () => (given === undefined ? null : givenRemedy(patient, effect, given)),
    () => fileRemedy(patient, effect, holdsOthers),
    () => undoRemedy(patient, effect),
    () => pairRemedy(patient, effect),
  ]) {
    const answer = strategy();
    if (isRemedy(answer)) {
      remedies.push(answer);
      return null;
    }
    if (answer === null) continue;
    reasons.push(answer);
    if (answer.final) break;
  }
  const first = reasons[0] ?? { because: `nothing of ${patient.version.name} tells how it is undone` };
  const onlyLeaks = effect.row.hazards.every((hazard) => hazard === 'leak');
  const undoneByItself = ownUndo(patient.transitions, patient.version, effect) !== null;
  return { ...first, onlyLeaks: onlyLeaks && !undoneByItself };
}

function shadowIds(
  patient: Patient,
  effects: readonly Effect[],
): ReadonlyMap<string, Parameters<typeof shadowRemedy>[2]> {
  const ids = new Map(allocatedIds(patient.version));
  for (const effect of effects) {
    if (effect.row.family !== 'shadow variable') continue;
    const value = effect.identity[1];
    const id =
      typeof value === 'number'
        ? String(value)
        : typeof value === 'object' && value.k === 'unknown'
          ? value.id
          : null;
    if (id === null || ids.has(normalId(id))) continue;
    ids.set(normalId(id), {
      id,
      api: effect.row.do,
      function: effect.by.function,
      place: effect.by.place,
      size: effect.size ?? null,
    });
  }
  return ids;
}

function goesWithItsFolder(effect: Effect, effects: readonly Effect[]): boolean {
  return effects.some((folder) => folder !== effect && isFolderOf(folder, effect));
}

function isFolderOf(folder: Effect, effect: Effect): boolean {
  const parent = effect.row.parent === undefined ? undefined : effect.identity[effect.row.parent];
  if (parent === undefined || folder.handle === undefined || folder.row.family !== effect.row.family)
    return false;
  return token(folder.handle) === token(parent);
}

/** Effects in force right after `version` alone was loaded, with every target module there. */
export function effectsOf(transitions: Transitions, version: LineageVersion): readonly Effect[] {
  const load = { k: 'load', name: version.name, params: [] } as const;
  const { end } = transitions.runOf([...targetsLoaded(transitions.lineage), load], [version]);
  return end.effects().filter((effect) => end.nameOf(effect.by.instance).version?.module === version.module);
}
