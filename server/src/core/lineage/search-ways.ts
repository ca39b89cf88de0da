import type { Effect } from '../execution/effects';
import { ownEffect } from './assemble';
import type { Lineage, LineageVersion } from './lineage';
import type { Leftover } from './verdict';

/** What kind of way a trial is; faults found on plain ways are told before those that need more. */
export type Way =
  | 'load'
  | 'disable'
  | 'reversed-load'
  | 'reversed-disable'
  | 'failing'
  | 'target-absent'
  | 'target-comes'
  | 'target-goes'
  | 'target-comes-meanwhile'
  | 'target-goes-meanwhile'
  | 'forced';

/** How far one search goes at most. */
export interface SearchLimits {
  readonly states: number;
  readonly transitions: number;
  /** Steps of the interpreter. */
  readonly steps?: number;
}

export const LIMITS: SearchLimits = { states: 1_500, transitions: 40_000, steps: 20_000_000 };

/** Said where calls were ended early, since too many before them had to be ended. */
export const SHORTENED = 'too many calls ran too long, and those after them were ended sooner';

/** What every trial depends on beside the versions that take part: the kernel, and what the manifest lets stay. */
export function settingsOf({ manifest, versions }: Lineage): string {
  const keeps = versions
    .filter((version) => version.entry.keeps.length > 0)
    .map((version) => [
      version.name,
      version.index,
      version.entry.keeps.map((kept) => [kept.effect.value, kept.key?.value ?? null]),
    ]);
  // Whether a later version lists the same is part of the answer.
  return JSON.stringify([kernelOf(manifest), keeps, keeps.length > 0 ? versions.length : 0]);
}

/** All that the manifest says of the kernel and that runs depend on, as text: which one it is, and its own effects. */
function kernelOf({ kernel, effects }: Lineage['manifest']): string {
  const { release, arch, has, lacks } = kernel;
  const features = [has, lacks].map((list) => list.map((item) => item.value));
  return JSON.stringify([release?.value ?? '', arch?.value ?? '', features, effects.map(ownEffect)]);
}

/** Names a leftover, the same in all states that have it. */
export function leftoverKey(leftover: Leftover): string {
  const { effect } = leftover;
  return `${effect.row.family} ${effect.key} ${effect.count} ${leftover.version?.name ?? ''}`;
}

/** Whether this version takes the place of what was enabled before it, as far as its sources say. */
export function replaces(version: LineageVersion): boolean {
  return version.facts?.patch?.replace !== false;
}

/** Whether any of its objects has a callback. */
export function hasCallbacks(version: LineageVersion): boolean {
  return (version.facts?.patch?.objects ?? []).some((object) => object.callbacks.length > 0);
}

/** Modules whose coming and going calls a callback of one of the two. */
export function targetsOf(a: LineageVersion | null, b: LineageVersion | null): string[] {
  const names = new Set<string>();
  for (const version of [a, b]) {
    for (const object of version?.facts?.patch?.objects ?? []) {
      if (object.name !== null && object.name !== '' && object.callbacks.length > 0) names.add(object.name);
    }
  }
  return [...names];
}

/** Whether this effect was made where a failure can still be answered: the error paths of init and pre_patch. */
export function canFail(effect: Effect): boolean {
  return effect.row.fails !== 'never' && (effect.by.during === 'pre_patch' || effect.by.during === 'init');
}
