import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where kernels and built modules are kept: LIVEPATCH_LINEAGE_CACHE or ~/.cache/livepatch-lineage, below it `rehearsal`. */
export function rehearsalCache(): string {
  const named = process.env['LIVEPATCH_LINEAGE_CACHE'];
  return join(named ? resolve(named) : join(homedir(), '.cache', 'livepatch-lineage'), 'rehearsal');
}

/**
 * Fills a folder that appears complete or not at all: `fill` works in a temporary neighbour, which is then renamed.
 * Where another process was faster its folder stands.
 */
export async function appear(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${folder}.${process.pid}-${Math.random().toString(36).slice(2, 8)}.part`;
  await mkdir(temporary, { recursive: true });
  try {
    await fill(temporary);
    await rename(temporary, folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Deletes all but the `keep` youngest entries of a folder. */
export async function prune(folder: string, keep: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.length <= keep) return;
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      time: (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
  dated.sort((a, b) => b.time - a.time);
  for (const { name } of dated.slice(keep)) await rm(join(folder, name), { recursive: true, force: true });
}
