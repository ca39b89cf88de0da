import { blockComment, commentText } from './c-text';
import type { Site } from './cleanup-site';
import { type CleanupFile, cleanupFunction, functionNames, includes, remedyFunction } from './emit-c';

/** What a diff of the cleanup is made from. */
export interface CleanupDiff {
  readonly file: CleanupFile;
  readonly site: Site;
  readonly tool: 'kpatch' | 'klp-build';
  /** The good version's own post_patch of vmlinux, which runs behind the cleanup. */
  readonly own: string | null;
}

/** The cleanup as a diff that adds it to a file of the kernel, with the macro that makes it a callback. */
export function cleanupDiff({ file, site, tool, own }: CleanupDiff): string {
  const after = file.after.map(commentText).join(', ');
  const about = [
    `Clean up after ${after}`,
    '',
    `${commentText(file.as)} is ${commentText(file.restore)} and this: what ${after} did to the kernel is undone in post_patch,`,
    'when nothing can call its code any more. Where it was never installed nothing here does anything.',
    '',
    '---',
  ];
  const { path, at, before, removed, behind } = site;
  const added = cleanupCode(file, tool, own, own === null && behind[0] !== '');
  const count = before.length + behind.length;
  const hunk = [
    `@@ -${at},${count + (removed === null ? 0 : 1)} +${at},${count + added.length} @@`,
    ...before.map((line) => ` ${line}`),
    ...(removed === null ? [] : [`-${removed}`]),
    ...added.map((line) => `+${line}`),
    ...behind.map((line) => ` ${line}`),
  ];
  return `${[...about, `diff --git a/${path} b/${path}`, `--- a/${path}`, `+++ b/${path}`, ...hunk].join('\n')}\n`;
}

function cleanupCode(
  file: CleanupFile,
  tool: CleanupDiff['tool'],
  own: string | null,
  closes: boolean,
): string[] {
  const { names, remedies } = file;
  const object = tool === 'kpatch' ? 'patch_object' : 'struct klp_object';
  const header = tool === 'kpatch' ? '"kpatch-macros.h"' : '<linux/livepatch_helpers.h>';
  const lines = ['', ...includes(file), `#include ${header}`];
  const definitions = new Map(remedies.flatMap((remedy) => [...remedy.definitions]));
  if (definitions.size > 0)
    lines.push('', ...blockComment([`As in ${file.after.map(commentText).join(', ')}.`]));
  // Definitions come from a diff whose marks were taken for blanks.
  for (const text of definitions.values())
    lines.push(...text.split('\n').map((line, i) => (i > 0 ? line.replace(/^ /, '') : line)));
  const functions = functionNames(remedies);
  remedies.forEach((remedy, i) => lines.push('', ...remedyFunction(file, remedy, functions[i] ?? '')));
  const main = cleanupFunction(file, functions).map((line) =>
    line === `void ${names.cleanup}(struct klp_object *obj)`
      ? `static void ${names.cleanup}(${object} *obj)`
      : line,
  );
  if (own !== null) main.splice(-1, 0, `\t${own}(obj);`);
  const macro = tool === 'kpatch' ? 'KPATCH' : 'KLP';
  return [...lines, '', ...main, `${macro}_POST_PATCH_CALLBACK(${names.cleanup});`, ...(closes ? [''] : [])];
}
