import type { Span } from '../../place';

/** One line of a hunk. The stretch is that of its text in the diff, without the mark in front and the line break. */
export interface DiffLine extends Span {
  readonly kind: 'context' | 'added' | 'removed';
}

export interface Hunk {
  /** Lines from 1, as the header says them. */
  readonly oldStart: number;
  readonly newStart: number;
  /** What stands behind the second `@@`: the last line above that looks like the head of a function. */
  readonly heading: string;
  /** The header line. */
  readonly place: Span;
  readonly lines: readonly DiffLine[];
}

/** What a diff does to one file. */
export interface FilePatch {
  /** Paths in the kernel tree, the first part stripped as by `patch -p1`; null for /dev/null. */
  readonly from: string | null;
  readonly to: string | null;
  /** The line that names the new file. */
  readonly place: Span;
  readonly hunks: readonly Hunk[];
}

export interface UnifiedDiff {
  readonly files: readonly FilePatch[];
  readonly problems: readonly (Span & { readonly message: string })[];
}

interface OpenFile {
  from: string | null;
  to: string | null;
  place: Span;
  readonly hunks: Hunk[];
}

/** `-1` or `-1,6`: a count that is left out is 1. */
const HEADER = /^@@+ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;
const TOP_FOLDERS =
  /^(?:arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|samples|security|sound|tools|usr|virt)\//;

/**
 * Reads unified diffs as git, diff -u and mail programs write them, with whatever stands around them. Linear, never
 * fails: what is no diff is passed over, and a hunk that does not hold what its header says is a problem. Offsets
 * are UTF-16 code units of the text.
 */
export function readUnifiedDiff(text: string): UnifiedDiff {
  const files: OpenFile[] = [];
  const problems: (Span & { message: string })[] = [];
  let file: OpenFile | null = null;
  let old: string | null | undefined;
  let at = 0;
  const open = (from: string | null, to: string | null, place: Span): OpenFile => {
    const opened = { from, to, place, hunks: [] };
    files.push(opened);
    return opened;
  };
  while (at < text.length) {
    const start = at;
    const end = lineEnd(text, start);
    at = nextLine(text, end);
    if (text.startsWith('@@ ', start)) {
      const header = HEADER.exec(text.slice(start, Math.min(end, start + 2000)));
      if (!header || !file) continue;
      const read = readHunk(text, at, header, { start, end });
      file.hunks.push(read.hunk);
      if (read.problem !== null) problems.push({ start, end, message: read.problem });
      at = read.next;
    } else if (text.startsWith('--- ', start)) {
      old = pathIn(text.slice(start + 4, end));
    } else if (text.startsWith('+++ ', start) && old !== undefined) {
      const to = pathIn(text.slice(start + 4, end));
      const [from, stripped] = stripped1(old, to);
      // The header of git names the file before `---` does.
      if (file && file.hunks.length === 0 && (file.to === stripped || file.from === from)) {
        file.from = from;
        file.to = stripped;
        file.place = { start, end };
      } else file = open(from, stripped, { start, end });
      old = undefined;
    } else if (text.startsWith('diff --git ', start)) {
      file = null;
      old = undefined;
    } else if (text.startsWith('rename from ', start)) {
      file = open(unquoted(text.slice(start + 12, end)), null, { start, end });
    } else if (text.startsWith('rename to ', start) && file && file.hunks.length === 0) {
      file.to = unquoted(text.slice(start + 10, end));
      file.place = { start, end };
    } else if (text.startsWith('Index: ', start)) file = null;
  }
  return { files, problems };
}

function readHunk(
  text: string,
  from: number,
  header: RegExpExecArray,
  place: Span,
): { hunk: Hunk; next: number; problem: string | null } {
  const lines: DiffLine[] = [];
  let oldLeft = Number(header[2] ?? 1);
  let newLeft = Number(header[4] ?? 1);
  let at = from;
  const hunk = {
    oldStart: Number(header[1]),
    newStart: Number(header[3]) + (newLeft === 0 ? 1 : 0),
    heading: (header[5] ?? '').trimEnd(),
    place,
    lines,
  };
  while ((oldLeft > 0 || newLeft > 0) && at < text.length) {
    const end = lineEnd(text, at);
    const mark = at === end ? ' ' : text[at];
    // An empty line is an empty line of context whose blank a mail program took.
    const start = Math.min(at + 1, end);
    if (mark === ' ' && oldLeft > 0 && newLeft > 0) {
      oldLeft--;
      newLeft--;
      lines.push({ kind: 'context', start, end });
    } else if (mark === '+' && newLeft > 0) {
      newLeft--;
      lines.push({ kind: 'added', start, end });
    } else if (mark === '-' && oldLeft > 0) {
      oldLeft--;
      lines.push({ kind: 'removed', start, end });
    } else if (mark !== '\\') break;
    at = nextLine(text, end);
  }
  if (oldLeft > 0 || newLeft > 0) {
    return { hunk, next: at, problem: 'The hunk is shorter than its header says: no program applies it.' };
  }
  if (/^(?:\+(?!\+\+ )|-[^-\s])/.test(text.slice(at, at + 5)))
    return {
      hunk,
      next: at,
      problem: 'The hunk goes on behind what its header counts: the rest is ignored.',
    };
  return { hunk, next: at, problem: null };
}

function lineEnd(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  const end = found < 0 ? text.length : found;
  return end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
}

function nextLine(text: string, end: number): number {
  return text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? end + 2 : end + 1;
}

/** The path of a `---` or `+++` line: what follows a tab is a time. */
function pathIn(written: string): string | null {
  const path = unquoted(written.slice(0, 4096).split('\t')[0] ?? '').trim();
  return path === '/dev/null' ? null : path;
}

/** git quotes paths with unusual characters, the bytes as octal numbers. */
function unquoted(path: string): string {
  if (!path.startsWith('"') || !path.endsWith('"') || path.length < 2) return path;
  const bytes = path
    .slice(1, -1)
    .replaceAll('%', '%25')
    .replace(/\\(?:([0-3][0-7]{2})|(.))/g, (_, octal: string | undefined, other: string) =>
      octal === undefined ? other : `%${Number.parseInt(octal, 8).toString(16).padStart(2, '0')}`,
    );
  try {
    return decodeURIComponent(bytes);
  } catch {
    return path.slice(1, -1);
  }
}

/** Both paths without their first part, unless they begin with a folder of the kernel tree (`--no-prefix`). */
function stripped1(from: string | null, to: string | null): [string | null, string | null] {
  const bare = [from, to].every((path) => path === null || TOP_FOLDERS.test(path));
  const strip = (path: string | null): string | null =>
    path === null || bare ? path : path.replace(/^(?:\.\/)?[^/]*\/+/, '');
  return [strip(from), strip(to)];
}
