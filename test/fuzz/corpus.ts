import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Input } from './target';

/** What is kept of one past failure. */
export interface Kept {
  /** What was wrong. */
  readonly fault: string;
  readonly input: Input;
}

/** The inputs that once broke a target, by file name; run first in every campaign. */
export function corpusOf(folder: string, target: string): Map<string, Input> {
  const kept = new Map<string, Input>();
  const at = join(folder, target);
  if (!existsSync(at)) return kept;
  for (const name of readdirSync(at).sort())
    kept.set(name, (JSON.parse(readFileSync(join(at, name), 'utf8')) as Kept).input);
  return kept;
}
