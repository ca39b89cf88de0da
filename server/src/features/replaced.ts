import type { CallbackKind } from '../core/kernel/types';
import { leftBehind } from '../core/lineage/left-behind';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { because } from '../core/lineage/transitions';
import type { VerdictWord } from '../core/lineage/verdict';
import type { Analysis } from './analysis';

/** What happens to a version when one other takes over from it. */
export interface Replaced {
  readonly by: LineageVersion;
  /** Callbacks that the replacement leaves out, by object (null: vmlinux). */
  readonly skipped: readonly { readonly object: string | null; readonly callback: CallbackKind }[];
  /** Side effects of the replaced version that stay. */
  readonly leftovers: number;
  readonly may: boolean;
  readonly verdict: VerdictWord;
  readonly because: string;
}

/**
 * What would replace a version: those that come after it, for the newest the one before it. Only versions with
 * `.replace`; where a parameter decides, the run says.
 */
export function replacedBy(analysis: Analysis, version: LineageVersion): Replaced[] {
  const { versions } = analysis.lineage;
  const later = versions.slice(version.index + 1);
  const others = later.length > 0 ? later : versions.slice(Math.max(0, version.index - 1), version.index);
  return others
    .filter((other) => other.facts?.patch != null && other.facts.patch.replace !== false)
    .map((other) => replacement(analysis, version, other));
}

function replacement(analysis: Analysis, version: LineageVersion, by: LineageVersion): Replaced {
  const transition = analysis.transitions.transition(version, by);
  const { run } = transition;
  const skipped = new Map<string, Replaced['skipped'][number]>();
  for (const outcome of run.outcomes) {
    for (const it of outcome.happenings) {
      if (it.k !== 'kernel' || it.event.k !== 'skipped' || it.event.because !== 'replaced') continue;
      const { call } = it.event;
      if (!isSameVersion(run.end.nameOf(call.patch).version, version)) continue;
      const { callback } = call;
      const object = run.end.objectOf(call);
      skipped.set(`${object} ${callback}`, { object, callback });
    }
  }
  const left = leftBehind(analysis.transitions, version, by);
  return {
    by,
    skipped: [...skipped.values()],
    leftovers: left.length,
    may: left.length > 0 && left.every((it) => it.certainty === 'may'),
    verdict: run.verdict.word,
    because: because(transition),
  };
}

/** `replaced by v2: 2 callbacks skipped, 1 leftover` */
export function replacedText({ by, skipped, leftovers, may, verdict }: Replaced): string {
  if (verdict === 'refused') return `${by.name} is refused`;
  const some = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const parts = [
    ...(skipped.length > 0 ? [`${some(skipped.length, 'callback')} skipped`] : []),
    ...(leftovers > 0 ? [`${may ? 'may leave ' : ''}${some(leftovers, 'leftover')}`] : []),
  ];
  return `replaced by ${by.name}: ${parts.length > 0 ? parts.join(', ') : 'nothing skipped, nothing left'}`;
}
