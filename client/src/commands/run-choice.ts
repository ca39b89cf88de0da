/** What to offer when steps or a pair of versions are asked for. Pure. */
import type { VersionChoice } from './cleanup-choice';

/** What another command, the panel or a link may already know. */
export interface RunWish {
  readonly manifest?: string;
  readonly steps?: string;
}

export interface PairWish {
  readonly manifest?: string;
  /** A version, or `none` for the clean kernel. */
  readonly from?: string;
  readonly to?: string;
}

/** Runs that are remembered for each manifest. */
export const MOST_REMEMBERED = 20;
/** Longer ones are not: they were not typed by hand. */
const LONGEST_REMEMBERED = 2_000;

/** Reads the argument of livepatch.simulate: it may come from anywhere. */
export function readRunWish(value: unknown): RunWish {
  return { ...field(value, 'manifest'), ...field(value, 'steps') };
}

/** As readRunWish, for livepatch.explainTransition. */
export function readPairWish(value: unknown): PairWish {
  return { ...field(value, 'manifest'), ...field(value, 'from'), ...field(value, 'to') };
}

function field<K extends string>(value: unknown, name: K): { readonly [key in K]?: string } {
  if (typeof value !== 'object' || value === null) return {};
  const found = (value as Record<string, unknown>)[name];
  return typeof found === 'string' ? ({ [name]: found } as { readonly [key in K]: string }) : {};
}

/** The upgrade from the version before the newest to the newest; empty without a version. */
export function defaultSteps(versions: readonly VersionChoice[]): string {
  const to = versions[versions.length - 1]?.version;
  const from = versions[versions.length - 2]?.version;
  if (to === undefined) return '';
  return from === undefined ? `load ${to}` : `load ${from}; load ${to}; unload ${from}`;
}

/** What was remembered (it may be anything) with the newest run in front, each run once. */
export function remember(known: unknown, steps: string): string[] {
  const text = steps.trim();
  const before = remembered(known).filter((one) => one !== text);
  return text === '' || text.length > LONGEST_REMEMBERED
    ? before
    : [text, ...before].slice(0, MOST_REMEMBERED);
}

/** The runs of a value from the workspace's state, newest first. */
export function remembered(known: unknown): string[] {
  if (!Array.isArray(known)) return [];
  return known.filter((one): one is string => typeof one === 'string').slice(0, MOST_REMEMBERED);
}

/** Where one may come from: newest first, the clean kernel (null) last. */
export function origins<T extends VersionChoice>(versions: readonly T[]): (T | null)[] {
  return [...[...versions].reverse(), null];
}

/** Where one may go from `from`: not to itself; the newest first. */
export function destinations<T extends VersionChoice>(versions: readonly T[], from: string): T[] {
  return [...versions].reverse().filter((one) => one.version !== from);
}

/** The problem's words with what they are about, for a line below an input box. */
export function troubleText(
  steps: string,
  trouble: { readonly problem: string; readonly start: number; readonly end: number },
): string {
  const about = steps.slice(trouble.start, trouble.end).trim();
  const whole = about === '' || about === steps.trim() || about.length > 40;
  return whole || trouble.problem.includes(about) ? trouble.problem : `${about}: ${trouble.problem}`;
}
