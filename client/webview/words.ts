/** The words and signs that stand beside every colour, in one place: no meaning hangs on colour alone. */
import type {
  PanelModel,
  PanelTransition,
  PanelVersion,
  VerdictWord,
} from '../../server/src/features/panel-model';

import { shown } from './shown-text';

export const VERDICT_SIGNS: Readonly<Record<VerdictWord, string>> = {
  clean: '✓',
  leaves: '◐',
  unsafe: '✕',
  refused: '⊘',
};

export const VERDICTS: readonly VerdictWord[] = ['clean', 'leaves', 'unsafe', 'refused'];

type Certainty = 'must' | 'may';

/** The verdict of a cell in one or two words: `unsafe`, `may be unsafe`, `clean as far as read`. */
export function verdictWords(verdict: VerdictWord, certainty: Certainty): string {
  if (certainty === 'must') return verdict;
  if (verdict === 'clean') return 'clean as far as read';
  return verdict === 'leaves' ? 'may leave something' : `may be ${verdict}`;
}

/** The verdict where space is scarce: a question mark stands for `may`. */
export function verdictShort(verdict: VerdictWord, certainty: Certainty): string {
  return `${VERDICT_SIGNS[verdict]} ${verdict}${certainty === 'may' ? '?' : ''}`;
}

/** The beginning of the sentence of a transition, with a capital. */
export function verdictTitle(verdict: VerdictWord, certainty: Certainty): string {
  const words =
    verdict === 'leaves' && certainty === 'must'
      ? 'leaves something behind'
      : verdictWords(verdict, certainty);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function count(n: number, one: string, many: string = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `kernel 6.1 · 3 versions · 2 findings` */
export function summary(model: PanelModel): string {
  return [
    `kernel ${shown(model.kernel, 80)}`,
    count(model.versions.length, 'version'),
    count(model.findings, 'finding'),
  ].join(' · ');
}

/** What stands beside a version's name: its note, or what it restores and cleans up after. */
export function versionSubtitle(version: PanelVersion): string {
  const parts: string[] = [];
  if (version.restores !== null) parts.push(`restores ${version.restores}`);
  if (version.cleansUpAfter.length > 0) parts.push(`cleans up after ${version.cleansUpAfter.join(', ')}`);
  if (version.note !== null) parts.push(version.note);
  return parts.join(', ');
}

export function objectName(name: string | null): string {
  return name ?? 'vmlinux';
}

/** `no pre_patch`, `pre_patch` */
export function markLabel(state: 'ran' | 'absent' | 'skipped', callback: string): string {
  return state === 'absent' ? `no ${callback}` : callback;
}

/** The verdict of FROM to TO, or undefined where the matrix has none. */
export function cellOf(
  model: PanelModel,
  from: string,
  to: string,
): PanelModel['matrix'][number] | undefined {
  return model.matrix.find((cell) => cell.from === from && cell.to === to);
}

/** Predicted only or rehearsed, when and with which outcome: as the heading of the log says it. */
export function originWords({ rehearsed }: PanelTransition): string {
  if (rehearsed === null) return 'predicted only';
  const { release, when, same, crash } = rehearsed;
  const outcome = crash === null ? (same ? 'equal' : 'different') : `the kernel ended: ${shown(crash, 80)}`;
  return `predicted · rehearsed on ${shown(release, 60)}, ${shown(when, 10)}, ${outcome}`;
}

export function versionWord(name: string): string {
  return name === 'none' ? 'the kernel without a livepatch' : name;
}
