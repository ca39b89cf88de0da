/**
 * Globs as manifests write them: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `**` over any number of folders,
 * `{a,b}` for alternatives. Matching never backtracks over more than one star at a time, so no pattern can make it slow.
 */
export interface Glob {
  /** The folder part in front of the first wildcard; empty where there is none. */
  readonly base: string;
  /** How many folders deep below `base` a match can lie; Infinity with `**`. */
  readonly depth: number;
  /** Whether its braces multiply to more than is looked for. */
  readonly cut: boolean;
  /** Whether this path (relative, with `/`) matches. Names that begin with a dot match only a written dot. */
  matches(path: string): boolean;
}

const WILD = /[*?[\]{}]/;
/** Alternatives that braces may multiply to. */
export const MAX_ALTERNATIVES = 256;

export function isGlob(pattern: string): boolean {
  return WILD.test(pattern);
}

/** Reads a pattern. Cannot fail: what is no wildcard stands for itself. */
export function readGlob(pattern: string): Glob {
  const { texts, cut } = expand(pattern.replace(/^(?:\.\/)+/, ''));
  const alternatives = texts.map((text) => text.split('/'));
  const [first = []] = alternatives;
  let shared = 0;
  while (
    shared < first.length - 1 &&
    !isGlob(first[shared] ?? '') &&
    alternatives.every((other) => other[shared] === first[shared] && shared < other.length - 1)
  ) {
    shared++;
  }
  const deep = alternatives.some((segments) => segments.includes('**'));
  return {
    base: first.slice(0, shared).join('/'),
    depth: deep
      ? Number.POSITIVE_INFINITY
      : Math.max(...alternatives.map((segments) => segments.length)) - shared,
    cut,
    matches: (path) => {
      const names = path.split('/');
      return alternatives.some((segments) => matchPath(segments, names));
    },
  };
}

/** `a{b,c}d` to `abd` and `acd`; braces without a comma or without their partner stand for themselves. */
function expand(pattern: string): { readonly texts: string[]; readonly cut: boolean } {
  let done: string[] = [];
  let open: string[] = [pattern];
  while (open.length > 0 && done.length + open.length <= MAX_ALTERNATIVES) {
    const next: string[] = [];
    for (const text of open) {
      const group = innermost(text);
      if (!group) done.push(text);
      else
        for (const choice of group.choices)
          next.push(text.slice(0, group.start) + choice + text.slice(group.end));
    }
    open = next;
  }
  const cut = open.length > 0;
  done = [...done, ...open].slice(0, MAX_ALTERNATIVES);
  return { texts: done.length > 0 ? done : [pattern], cut };
}

function innermost(text: string): { start: number; end: number; choices: string[] } | null {
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') start = i;
    else if (text[i] === '}' && start >= 0) {
      const inside = text.slice(start + 1, i);
      if (inside.includes(',')) return { start, end: i + 1, choices: inside.split(',') };
      start = -1;
    }
  }
  return null;
}

/** Segment against name, `**` against any number of names: one star is taken back at a time, the last one. */
function matchPath(segments: readonly string[], names: readonly string[]): boolean {
  let s = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < names.length) {
    if (segments[s] === '**') {
      star = s++;
      from = n;
    } else if (s < segments.length && matchName(segments[s] ?? '', names[n] ?? '')) {
      s++;
      n++;
    } else if (star >= 0 && !(names[from] ?? '').startsWith('.')) {
      s = star + 1;
      n = ++from;
    } else return false;
  }
  while (segments[s] === '**') s++;
  return s === segments.length;
}

function matchName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    const width = pattern[p] === '*' ? 0 : matchOne(pattern, p, name[n] ?? '');
    if (pattern[p] === '*') {
      star = p++;
      from = n;
    } else if (width > 0) {
      p += width;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** How many characters of the pattern at `p` match this one character; 0 if they do not. */
function matchOne(pattern: string, p: number, c: string): number {
  const at = pattern[p];
  if (at === '?') return 1;
  if (at === '[') {
    const end = pattern.indexOf(']', p + 2);
    if (end > 0) {
      const negated = pattern[p + 1] === '!' || pattern[p + 1] === '^';
      const set = pattern.slice(p + (negated ? 2 : 1), end);
      return inSet(set, c) !== negated ? end + 1 - p : 0;
    }
  }
  return at === c ? 1 : 0;
}

function inSet(set: string, c: string): boolean {
  for (let i = 0; i < set.length; i++) {
    const low = set[i] ?? '';
    if (set[i + 1] === '-' && i + 2 < set.length) {
      if (low <= c && c <= (set[i + 2] ?? '')) return true;
      i += 2;
    } else if (low === c) return true;
  }
  return false;
}
