import type { Analysis } from './analysis';

/** A search that was cut short is said: what it did not see may be there. */
export function searchNotices(analysis: Analysis): string[] {
  const { exhausted } = analysis.transitions;
  return exhausted === null ? [] : [`Not every way was tried: ${exhausted}.`];
}
