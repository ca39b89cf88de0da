import { type Scaffold, scaffold } from '../core/scaffold/scaffold';
import type { Analysis } from './analysis';

/**
 * The cleanup version as files and edits of the manifest, or why there can be none. `out` is the folder for the new
 * files as an absolute path; without it they go beside the good version's. `values`: what kernel variables are to hold
 * again, by name, where no version hands the old value over. Nothing is written.
 */
export function scaffoldAnswer(
  analysis: Analysis,
  restore: string,
  after: readonly string[],
  as: string,
  out: string | null = null,
  values: ReadonlyMap<string, string> = new Map(),
): Scaffold {
  return scaffold(analysis, { restore, after, as, out, values });
}
