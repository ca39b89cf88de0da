/** The folder that holds every test tool: LIVEPATCH_LINEAGE_CACHE, or else ~/.cache/livepatch-lineage. */
export function cacheRoot(): string;
/** Absolute paths of the workbench that is, or will be, installed: `node` runs `entry`. */
export function editorPaths(): { root: string; node: string; entry: string };
/** The first executable of these names on the PATH, absolute, or null. */
export function onPath(...names: string[]): string | null;
/** Debian's chromium, or null. */
export function chromiumPath(): string | null;
/** The names of the tools that are missing for a part of the tests, or for all of them. */
export function missingTools(part?: 'editor' | 'rehearsal' | null): string[];
