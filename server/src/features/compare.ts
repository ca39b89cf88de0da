import { workTreePath } from '../core/blob-names';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Analysis } from './analysis';

/** One file of a version beside what it was in the version that is replaced; null where only one of them has it. */
export interface ComparedFile {
  /** From the folder that holds the version's files. */
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly same: boolean;
}

/** A version and the one that it replaces in the order of the manifest. */
export interface Comparison {
  readonly from: string;
  readonly to: string;
  readonly files: readonly ComparedFile[];
}

/** Every version beside the one before it, the oldest pair first; files that differ come first. */
export function comparisons(analysis: Analysis): Comparison[] {
  return analysis.lineage.versions.slice(1).map((to, i) => {
    const from = analysis.lineage.versions[i] as LineageVersion;
    return { from: from.name, to: to.name, files: compare(analysis, from, to) };
  });
}

function compare(analysis: Analysis, from: LineageVersion, to: LineageVersion): ComparedFile[] {
  const before = namesOf(analysis, from);
  const after = namesOf(analysis, to);
  const pairs: { key: string; before: string | null; after: string | null }[] = [...after].map(
    ([key, file]) => ({
      key,
      before: before.get(key) ?? null,
      after: file,
    }),
  );
  for (const [key, file] of before) if (!after.has(key)) pairs.push({ key, before: file, after: null });
  // One file alone on each side is that file under another name.
  const gone = pairs.filter((pair) => pair.after === null && pair.key.endsWith('.c'));
  const come = pairs.filter((pair) => pair.before === null && pair.key.endsWith('.c'));
  const [old, fresh] = [gone[0], come[0]];
  if (old && fresh && gone.length === 1 && come.length === 1) {
    fresh.before = old.before;
    pairs.splice(pairs.indexOf(old), 1);
  }
  const files = pairs.map((pair): ComparedFile => {
    const shown = workTreePath(pair.after ?? pair.before ?? '');
    const same =
      pair.before !== null && pair.after !== null && analysis.text(pair.before) === analysis.text(pair.after);
    return { name: shown.slice(shown.lastIndexOf('/') + 1), before: pair.before, after: pair.after, same };
  });
  return [...files.filter((file) => !file.same), ...files.filter((file) => file.same)];
}

/** Files by what stays the same from version to version: the path within the version without the module's name. */
function namesOf(analysis: Analysis, version: LineageVersion): Map<string, string> {
  const files = analysis.filesOf(version);
  const folders = files.map((file) => workTreePath(file).split('/').slice(0, -1));
  const [first = []] = folders;
  let shared = first.length;
  for (const folder of folders) {
    const other = folder.findIndex((part, i) => part !== first[i]);
    shared = Math.min(shared, folder.length, other < 0 ? shared : other);
  }
  return new Map(
    files.map((file) => {
      const inner = workTreePath(file).split('/').slice(shared).join('/');
      return [inner.replaceAll('-', '_').replace(version.module, '@'), file];
    }),
  );
}
