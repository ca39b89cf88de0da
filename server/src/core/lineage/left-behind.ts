import type { Effect } from '../execution/effects';
import { isSameVersion, type LineageVersion } from './lineage';
import type { Transition, Transitions } from './transitions';
import type { Danger, Leftover } from './verdict';

/**
 * A side effect of one version that is without an owner once another version has replaced it, and that is not
 * there when the version is simply disabled and unloaded: the replacement is the cause.
 */
export interface LeftBehind {
  readonly effect: Effect;
  readonly from: LineageVersion;
  readonly to: LineageVersion;
  readonly transition: Transition;
  /** The kernel's pointer into the replaced module, if that is what stays. */
  readonly dangling: Danger | null;
  readonly leftover: Leftover | null;
  readonly certainty: 'must' | 'may';
}

/** What `from` leaves behind when `to` replaces it. Nothing where the kernel refuses `to`. */
export function leftBehind(transitions: Transitions, from: LineageVersion, to: LineageVersion): LeftBehind[] {
  const transition = transitions.transition(from, to);
  const { verdict } = transition.run;
  if (verdict.refusals.length > 0) return [];
  const alone = new Set(
    transitions.transition(null, from).run.verdict.leftovers.map((left) => identity(left.effect)),
  );
  const found = new Map<string, LeftBehind>();
  const add = (effect: Effect, dangling: Danger | null, leftover: Leftover | null): void => {
    const key = identity(effect);
    if (alone.has(key)) return;
    const known = found.get(key);
    found.set(key, {
      effect,
      from,
      to,
      transition,
      dangling: known?.dangling ?? dangling,
      leftover: known?.leftover ?? leftover,
      certainty: dangling?.certainty ?? leftover?.certainty ?? 'must',
    });
  };
  for (const danger of verdict.dangers) {
    if (danger.kind === 'dangling-pointer' && danger.effect && isSameVersion(danger.version, from))
      add(danger.effect, danger, null);
  }
  for (const leftover of verdict.leftovers)
    if (isSameVersion(leftover.version, from)) add(leftover.effect, null, leftover);
  return [...found.values()];
}

/** The same side effect, recognised across versions by API family and key. */
export function identity(effect: Pick<Effect, 'row' | 'key'>): string {
  return `${effect.row.family} ${effect.key}`;
}
