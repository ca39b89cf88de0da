import { KEY_DOCUMENTATION, STEP_DOCUMENTATION, VALUE_DOCUMENTATION } from './documentation';
import {
  EFFECT_KEYS,
  GIT_KEYS,
  KEEP_KEYS,
  KERNEL_KEYS,
  NOT_IN_DEFAULTS,
  SCENARIO_KEYS,
  TARGET_KEYS,
  TOP_KEYS,
  VERSION_KEYS,
} from './names';

const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  '': TOP_KEYS,
  kernel: KERNEL_KEYS,
  defaults: VERSION_KEYS.filter((key) => !NOT_IN_DEFAULTS.includes(key)),
  'versions.*': VERSION_KEYS,
  'versions.*.keeps.*': KEEP_KEYS,
  'versions.*.git': GIT_KEYS,
  'targets.*': TARGET_KEYS,
  'effects.*': EFFECT_KEYS,
  'scenarios.*': SCENARIO_KEYS,
};

/**
 * The name of a path in the tables: list positions become `*`, `defaults.x` is `versions.*.x`, names that are free
 * (rule codes, macros, parameters) become `*`.
 */
function pattern(path: readonly string[]): string {
  const words = path.map((word) => (/^\d+$/.test(word) ? '*' : word));
  if (words[0] === 'defaults' && words.length > 1) words.splice(0, 1, 'versions', '*');
  if (words[0] === 'rules' && words.length > 1) words[1] = '*';
  return words.join('.');
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}

/** Markdown about the key at a path such as `['versions', '0', 'status']`; null for what the format does not have. */
export function describeKey(path: readonly string[]): string | null {
  return own(KEY_DOCUMENTATION, pattern(path));
}

/** Markdown about a value that the format enumerates, or about the verb of a step; null for free values. */
export function describeValue(path: readonly string[], value: string): string | null {
  const key = pattern(path);
  if (key === 'scenarios.*.steps.*') return own(STEP_DOCUMENTATION, /^\s*(\S*)/.exec(value)?.[1] ?? '');
  const values = own(VALUE_DOCUMENTATION, key);
  return values === null ? null : own(values, value);
}

/** The keys that the map at `path` may have; empty where names are free. */
export function keysAt(path: readonly string[]): readonly string[] {
  return own(CHILDREN, path.length === 1 && path[0] === 'defaults' ? 'defaults' : pattern(path)) ?? [];
}

/** The values that the format enumerates for `path` (for a step: its verbs); empty where they are free. */
export function valuesAt(path: readonly string[]): readonly string[] {
  const key = pattern(path);
  if (key === 'scenarios.*.steps' || key === 'scenarios.*.steps.*') return Object.keys(STEP_DOCUMENTATION);
  return Object.keys(own(VALUE_DOCUMENTATION, key) ?? {});
}
