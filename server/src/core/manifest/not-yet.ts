/**
 * What the reader understands and keeps, but nothing acts on: said as information at the key. A line goes when the
 * feature comes.
 */
const NOT_YET: readonly { readonly path: string; readonly value?: string; readonly what: string }[] = [];

/** The sentence to show, or null where the key (and value) is in use. `path` as in `versions.*.dialect`. */
export function notYet(path: string, value?: string): string | null {
  const entry = NOT_YET.find((e) => e.path === path && (e.value === undefined || e.value === value));
  return entry === undefined ? null : `${entry.what}: the manifest is right, but this has no effect.`;
}
