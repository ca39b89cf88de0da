/** Files to mutate with the test files that face them. */
export function planOf(
  changed: readonly string[],
  exists?: (file: string) => boolean,
): { readonly mutate: readonly string[]; readonly tests: readonly string[] };

/** Counts of a report of Stryker: mutants that were tried, and those that the tests found. */
export function scoreOf(report: unknown): { readonly scored: number; readonly found: number };
