/** What to offer when a cleanup version is asked for. Pure. */

export interface VersionChoice {
  readonly version: string;
  readonly module: string;
  readonly status: string;
}

/** What another command or the panel may already know about the wish. */
export interface CleanupWish {
  readonly manifest?: string;
  readonly restore?: string;
  readonly after?: readonly string[];
}

/** Reads the argument of the command: it may come from anywhere. */
export function readWish(value: unknown): CleanupWish {
  if (typeof value !== 'object' || value === null) return {};
  const { manifest, restore, after } = value as Record<string, unknown>;
  return {
    ...(typeof manifest === 'string' ? { manifest } : {}),
    ...(typeof restore === 'string' ? { restore } : {}),
    ...(Array.isArray(after) && after.every((one) => typeof one === 'string') ? { after } : {}),
  };
}

/** Versions one may want back, newest first: none that is known to be bad. */
export function goodVersions<T extends VersionChoice>(versions: readonly T[]): T[] {
  return [...versions].reverse().filter((one) => one.status !== 'faulty' && one.status !== 'withdrawn');
}

/** Versions one may have to clean up after, newest first, with those that are ticked from the start. */
export function faultyVersions<T extends VersionChoice>(
  versions: readonly T[],
  restore: string,
): { readonly version: T; readonly picked: boolean }[] {
  return [...versions]
    .reverse()
    .filter((one) => one.version !== restore)
    .map((version) => ({ version, picked: version.status === 'faulty' }));
}

/** The name that follows: the newest version's last number, plus one, until it is free. */
export function suggestName(versions: readonly VersionChoice[]): string {
  const taken = new Set(versions.flatMap((one) => [one.version, one.module]));
  const newest = versions[versions.length - 1]?.version ?? 'v0';
  const match = /^(.*?)(\d{1,9})(\D*)$/.exec(newest);
  const [, head, digits, tail] = match ?? ['', `${newest}-`, '1', ''];
  for (let n = Number(digits) + 1; ; n++) {
    const name = `${head}${n}${tail}`;
    if (!taken.has(name)) return name;
  }
}
