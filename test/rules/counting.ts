import { basename } from 'node:path';
import { afterAll, beforeEach, expect } from 'vitest';
import { RULES } from '../../server/src/rules/registry';

/**
 * How many lineages a rule was tried on. Every lineage that a test file checks is counted by what was really found in
 * it; at the end of the file of a rule there must be enough of either kind.
 */
export interface Tried {
  readonly text: string;
  /** Codes of all findings. */
  readonly found: ReadonlySet<string>;
  /** Whether a livepatch was read at all: silence about nothing is none. */
  readonly hasLivepatch: boolean;
}

/** So many lineages in which a rule speaks, and so many in which it has nothing to say. */
export const ENOUGH = 5;

/** Rules whose cases stand in a file together. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  'own-pointers': ['undo-only-in-own-unpatch', 'unpublished-pointer'],
};

/** Rules that have fewer as yet, with what they have: [speaking, silent]. */
export const FEWER: Readonly<Record<string, readonly [number, number]>> = {};

/** The name of the file, without `.test.ts`, that holds the cases of a rule. */
export function fileOf(code: string): string {
  return Object.keys(TOGETHER).find((file) => TOGETHER[file]?.includes(code)) ?? code;
}

/** Lineages that differ in more than blanks and marks, by whether the rule spoke of them: [speaking, silent]. */
export function count(tried: readonly Tried[], code: string): [number, number] {
  const firing = new Set<string>();
  const silent = new Set<string>();
  for (const { text, found, hasLivepatch } of tried) {
    const same = text
      .replace(/^\s*(?:\/\/|#)\s*[~^].*$/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    if (found.has(code)) firing.add(same);
    else if (hasLivepatch) silent.add(same);
  }
  return [firing.size, silent.size];
}

/** What is wrong with the counts of a rule, in words; null where there are enough. */
export function lacking(code: string, [firing, silent]: readonly [number, number]): string | null {
  const [least, leastSilent] = FEWER[code] ?? [ENOUGH, ENOUGH];
  if (firing >= least && silent >= leastSilent) return null;
  return `${code}: speaks of ${firing} lineages (${least} wanted) and is silent about ${silent} (${leastSilent} wanted)`;
}

const tried: Tried[] = [];

export function tries(lineage: Tried): void {
  tried.push(lineage);
}

interface Task {
  readonly mode: string;
  readonly tasks?: readonly Task[];
}

/** False where a part of the file was left out, by a filter on names. */
function ranWhole(task: Task): boolean {
  return task.mode === 'run' && (task.tasks ?? []).every(ranWhole);
}

let whole: Task | null = null;
beforeEach(({ task }) => {
  whole ??= task.file;
});

afterAll(() => {
  const file = basename(expect.getState().testPath ?? '', '.test.ts');
  const codes = RULES.map(({ code }) => code).filter((code) => fileOf(code) === file);
  if (codes.length === 0 || whole === null || !ranWhole(whole)) return;
  expect(codes.map((code) => lacking(code, count(tried, code))).filter((words) => words !== null)).toEqual(
    [],
  );
});
