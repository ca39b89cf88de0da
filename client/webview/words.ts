/** The words and signs that stand beside every colour, in one place: no meaning hangs on colour alone. */
import type {
  PanelCell,
  PanelModel,
  PanelTransition,
  PanelVersion,
  Rehearsed,
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

/** The sign of a cell: a question mark stands for `may`, and one of REHEARSALS for a rehearsal. */
export function cellSign({ verdict, certainty, rehearsed }: PanelCell, word = ''): string {
  const sign = `${VERDICT_SIGNS[verdict]}${word}${certainty === 'may' ? '?' : ''}`;
  return rehearsed === null ? sign : `${sign} ${REHEARSALS[rehearsalOutcome(rehearsed)]}`;
}

/** The verdict of a cell where space is scarce: its word and its sign. */
export function verdictShort(cell: PanelCell): string {
  return cellSign(cell, ` ${cell.verdict}`);
}

/** How a rehearsal went, and the sign for that. */
export const REHEARSALS = { equal: '•', different: '≠', ended: '†' } as const;

type RehearsalOutcome = keyof typeof REHEARSALS;

function rehearsalOutcome({ same, crash }: Rehearsed): RehearsalOutcome {
  return crash !== null ? 'ended' : same ? 'equal' : 'different';
}

/** What the signs of the rehearsals in `model` mean; empty where nothing was rehearsed. */
export function rehearsalLegend({ matrix }: PanelModel): string[] {
  const found = new Set(
    matrix.flatMap(({ rehearsed }) => (rehearsed === null ? [] : [rehearsalOutcome(rehearsed)])),
  );
  const words = { equal: 'rehearsed, equal', different: 'different', ended: 'the kernel ended' };
  return [...found].sort().map((outcome) => `${REHEARSALS[outcome]} ${words[outcome]}`);
}

/** Where, when and with which outcome something was rehearsed. */
export function rehearsalWords(rehearsed: Rehearsed): string {
  const { release, when, crash } = rehearsed;
  const outcome = crash === null ? rehearsalOutcome(rehearsed) : `the kernel ended: ${shown(crash, 80)}`;
  return `rehearsed on ${shown(release, 60)}, ${shown(when.slice(0, 10))}, ${outcome}`;
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

export type Cells = (from: string, to: string) => PanelCell | undefined;

/** The verdict of FROM to TO, or undefined where the matrix has none. */
export function cellsOf({ matrix }: PanelModel): Cells {
  const rows = new Map<string, Map<string, PanelCell>>();
  for (const cell of matrix) {
    const row = rows.get(cell.from) ?? new Map<string, PanelCell>();
    rows.set(cell.from, row.set(cell.to, cell));
  }
  return (from, to) => rows.get(from)?.get(to);
}

/** Predicted only or rehearsed, when and with which outcome: as the heading of the log says it. */
export function originWords({ rehearsed }: PanelTransition): string {
  return rehearsed === null ? 'predicted only' : `predicted · ${rehearsalWords(rehearsed)}`;
}

export function versionWord(name: string): string {
  return name === 'none' ? 'the kernel without a livepatch' : name;
}
