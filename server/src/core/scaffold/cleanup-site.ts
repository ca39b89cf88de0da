import { type KernelTree, objectOf } from '../csource/dialects/kernel-object';
import { type KnownLine, PatchedFile, type Stretch } from '../csource/dialects/patched-file';
import { piecesOf } from '../csource/dialects/patched-items';
import { readUnifiedDiff } from '../csource/dialects/unified-diff';

/** Lines of context that a hunk gets on either side. */
const CONTEXT = 3;

/** Where in a file of the kernel a hunk puts something at file scope. */
export interface Site {
  readonly path: string;
  /** The hunk's first line, from 1, in the file as the good version's diffs leave it. */
  readonly at: number;
  readonly before: readonly string[];
  /** The line that is taken away. */
  readonly removed: string | null;
  readonly behind: readonly string[];
}

/** The file as it was before the first of these diffs that changes it, as far as that diff shows it. */
export function originalFile(texts: readonly string[], path: string): PatchedFile | null {
  for (const [diff, text] of texts.entries()) {
    const patch = readUnifiedDiff(text).files.find((file) => file.from === path && file.to === path);
    if (!patch) continue;
    const file = new PatchedFile(path, { diff, ...patch.place });
    const hunks = patch.hunks.map((hunk) => ({
      ...hunk,
      newStart: hunk.oldStart,
      lines: hunk.lines
        .filter((line) => line.kind !== 'added')
        .map((line) => ({ ...line, kind: 'context' as const })),
    }));
    file.apply({ ...patch, hunks }, diff, text);
    return file;
  }
  return null;
}

/** The file of the kernel that this place of a diff is about. */
export function pathAt(text: string, offset: number): string | null {
  for (const { to, hunks } of readUnifiedDiff(text).files)
    for (const { place, lines } of hunks) {
      const end = lines[lines.length - 1]?.end ?? place.end;
      if (offset >= place.start && offset <= end) return to;
    }
  return null;
}

/** Whether the file is part of vmlinux. */
export function isBuiltIn(path: string, tree: KernelTree | undefined): boolean {
  return path.endsWith('.c') && objectOf(path, tree).name === null;
}

/** The place of this line, which the hunk takes away. Null where too little is known around it. */
export function siteOf(file: PatchedFile, line: KnownLine): Site | null {
  for (const stretch of file.stretches) {
    const index = stretch.lines.indexOf(line);
    if (index >= 0) return site(file.path, stretch, index, 1);
  }
  return null;
}

/** The last place between two things at file scope that has enough known lines around it. */
export function freeSite(file: PatchedFile): Site | null {
  let best: { site: Site; context: number } | null = null;
  for (const stretch of file.stretches) {
    let conditions = 0;
    for (const { kind, to, head } of piecesOf(stretch)) {
      if (kind === 'directive') {
        if (/^#\s*if/.test(head)) conditions++;
        else if (/^#\s*endif/.test(head)) conditions--;
      }
      const ends = kind === 'function' || kind === 'data' || kind === 'call' || kind === 'declaration';
      const closed = ends || (kind === 'tail' && stretch.lines[to - 1]?.text.startsWith('}') === true);
      if (!closed || conditions !== 0 || (to >= stretch.lines.length && kind !== 'tail')) continue;
      const found = site(file.path, stretch, to, 0);
      if (found && (!best || found.before.length >= best.context))
        best = { site: found, context: found.before.length };
    }
    // A condition that begins or ends here and not there may hold all that stands before it.
    if (conditions !== 0) best = null;
  }
  return best?.site ?? null;
}

/** As many lines on either side: a program that applies diffs takes a shorter side for the end of the file. */
function site(path: string, { at, lines }: Stretch, index: number, taken: 0 | 1): Site | null {
  const context = Math.min(CONTEXT, index, lines.length - index - taken);
  if (context < 1) return null;
  const texts = (from: number, to: number): string[] => lines.slice(from, to).map((line) => line.text);
  return {
    path,
    at: at + index - context,
    before: texts(index - context, index),
    removed: taken === 1 ? (lines[index]?.text ?? '') : null,
    behind: texts(index + taken, index + taken + context),
  };
}
