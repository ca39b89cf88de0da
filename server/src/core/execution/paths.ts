/**
 * Paths name a place inside a block of memory as C would write it behind the block's name: `[1].callbacks.pre_patch`.
 * Indices are decimal numbers or, for constants that no header resolves, their names.
 */
const cache = new Map<string, readonly string[]>();
const CACHE_LIMIT = 50_000;
const NONE: readonly string[] = [];

/** `[1].a` → `['[1]', '.a']`. */
export function splitPath(path: string): readonly string[] {
  if (path === '') return NONE;
  let segments = cache.get(path);
  if (segments === undefined) {
    if (cache.size >= CACHE_LIMIT) cache.clear();
    segments = cut(path);
    cache.set(path, segments);
  }
  return segments;
}

function cut(path: string): string[] {
  const segments: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < path.length; i++) {
    const c = path[i];
    if (c === ']') depth--;
    else if (depth === 0 && i > start && (c === '[' || c === '.')) {
      segments.push(path.slice(start, i));
      start = i;
    }
    if (c === '[') depth++;
  }
  segments.push(path.slice(start));
  return segments;
}

/** Start of the last segment, or 0. */
export function lastSegmentStart(path: string): number {
  const segments = splitPath(path);
  const last = segments[segments.length - 1];
  return last === undefined ? 0 : path.length - last.length;
}

/** The number in a trailing `[n]`, or null. */
export function trailingIndex(path: string): number | null {
  if (!path.endsWith(']')) return null;
  const open = path.lastIndexOf('[');
  const index = Number(path.slice(open + 1, -1));
  return Number.isInteger(index) && path.length - open > 2 ? index : null;
}

/** Drops every trailing `[0]`: an array begins where its first element does. */
export function withoutZeroes(path: string): string {
  let p = path;
  while (p.endsWith('[0]')) p = p.slice(0, -3);
  return p;
}

/** In memory without a declared type, `*p` and `p[0]` are the same cell. */
export function untypedPath(path: string): string {
  if (!path.startsWith('[0]')) return path;
  return path.length === 3 || path[3] === '.' ? path.slice(3) : path;
}
