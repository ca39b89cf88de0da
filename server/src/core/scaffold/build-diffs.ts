import { compose } from '../csource/dialects/diffs';
import type { PatchedFile } from '../csource/dialects/patched-file';
import type { LineageVersion } from '../lineage/lineage';
import { appendVersion } from '../manifest/edit';
import type { Place } from '../place';
import { type Built, manifestEntry } from './build';
import type { Cast } from './checks';
import { freeSite, isBuiltIn, originalFile, pathAt, type Site, siteOf } from './cleanup-site';
import { cleanupDiff } from './emit-diff';
import { basename, dirname, join, relativePath } from './layout';
import { applyChanges } from './merge';
import type { Remedy } from './remedy';
import type { StatePlan } from './states';
import type { NewFile, Subject } from './subject';

const CLEANUP = 'klp-cleanup.patch';

/**
 * The new version as diffs: those of the good version byte for byte, and one more that adds the cleanup to a file of
 * vmlinux as a post_patch, or in front of the good version's own.
 */
export function buildDiffs(
  subject: Subject,
  cast: Cast,
  _states: StatePlan,
  remedies: readonly Remedy[],
  out: string | null,
  where: (place: Place) => string,
): Built | readonly string[] {
  const { good, faulty, names } = cast;
  const home = dirname(subject.manifestFile);
  const diffs = subject.filesOf(good).filter((file) => /\.(?:patch|diff)$/.test(file));
  const [first] = diffs;
  if (first === undefined) return [`${good.name}: the good version has no diffs.`];
  const base = dirname(first);
  const folder =
    out ?? join(base === home || !base.startsWith(`${home}/`) ? home : dirname(base), names.folder);
  const files: NewFile[] = [];
  for (const file of diffs) {
    const path = join(folder, basename(file));
    if (files.some((other) => other.path === path) || basename(file) === CLEANUP)
      return [`${good.name}: two diffs of the new version would both be called ${basename(file)}.`];
    const text = subject.text(file);
    if (text.includes('\ufffd'))
      return [
        `${where({ file, start: 0, end: 0 })}: the file is not UTF-8 and cannot be copied byte for byte.`,
      ];
    files.push({ path, text });
  }
  const notes: string[] = [];
  if (remedies.length > 0) {
    const patched = compose(
      diffs.map((file) => ({ file, text: () => subject.text(file) })),
      [],
    );
    const found = siteFor(subject, cast, remedies, patched, diffs);
    if (typeof found === 'string') return [`${found} Write the cleanup by hand.`];
    const { site, own } = found;
    const text = cleanupDiff({
      site,
      own,
      tool: good.dialect === 'klp-build' ? 'klp-build' : 'kpatch',
      file: {
        restore: good.name,
        after: faulty.map((version) => version.name),
        as: names.version,
        license: 'GPL-2.0',
        names: nameFor(names.module),
        remedies,
        states: [],
        noFuncs: false,
        foreignHeaders: foreignHeaders(subject, faulty),
        where: (remedy) => (remedy.place ? where(remedy.place) : null),
      },
    });
    files.push({ path: join(folder, CLEANUP), text });
    notes.push(
      `The cleanup stands in ${site.path} and is applied after the other diffs. ${own === null ? 'See that it is not inside an #if there.' : `It runs in front of ${own}(), ${good.name}'s own post_patch of vmlinux.`}`,
    );
  }
  const blocked = files.filter((file) => subject.exists(file.path));
  if (blocked.length > 0) {
    const shown = blocked.map(({ path }) => relativePath(home, path)).join(', ');
    return [`${shown}: exists already and is not overwritten. Choose another name or folder.`];
  }
  const manifest = subject.text(subject.manifestFile);
  const sources = files.map(({ path }) => relativePath(home, path));
  const edit = appendVersion(manifest, manifestEntry(cast, sources));
  if (!edit.ok) return [edit.reason];
  return {
    files,
    units: files.map(({ path }) => path),
    layout: {
      folder,
      copies: [],
      outside: [],
      objects: [],
      cleanupSource: join(folder, CLEANUP),
      cleanupHeader: '',
      kbuild: '',
    },
    manifestText: applyChanges(manifest, edit.edits),
    manifestEdits: edit.edits,
    notes,
  };
}

/** Where the cleanup goes, with the good version's own post_patch; or why there is no such place. */
function siteFor(
  subject: Subject,
  { good, faulty }: Cast,
  remedies: readonly Remedy[],
  patched: readonly PatchedFile[],
  diffs: readonly string[],
): { readonly site: Site; readonly own: string | null } | string {
  const tree = subject.kernelTree?.();
  const wanted = new Set<string>();
  for (const { foreign, place } of remedies) {
    const path = foreign && place ? pathAt(subject.text(place.file), place.start) : null;
    if (path !== null) wanted.add(path);
  }
  const [path, other] = wanted;
  if (other !== undefined)
    return `What is left behind is named in ${String(path)} and in ${other}, and one callback can stand in one file only.`;
  if (path !== undefined && !isBuiltIn(path, tree))
    return `What is left behind is named in ${path}, which is part of a module: its callbacks run only while that is loaded.`;
  const own = good.facts?.patch?.objects
    ?.find((object) => object.name === null)
    ?.callbacks.find((callback) => callback.callback === 'post_patch');
  if (own) {
    const diff = diffs.indexOf(own.place.file);
    for (const file of patched) {
      const line = file.stretches
        .flatMap(({ lines }) => lines)
        .find((one) => one.diff === diff && one.start <= own.place.start && own.place.end <= one.end);
      if (!line) continue;
      if (path !== undefined && file.path !== path)
        return `${good.name} has its post_patch of vmlinux in ${file.path}, and what is left behind is named in ${path}: one callback cannot be in both.`;
      const whole = /^\w+\s*\(\s*&?\w+\s*\)\s*(?:;\s*)?$/.test(line.text);
      const site = whole ? siteOf(file, line) : null;
      return site
        ? { site, own: own.function }
        : `The line of ${file.path} that names ${good.name}'s post_patch of vmlinux cannot be replaced.`;
    }
    return `${good.name}'s own post_patch of vmlinux was not found in its diffs.`;
  }
  for (const file of patched) {
    if (path === undefined ? !isBuiltIn(file.path, tree) : file.path !== path) continue;
    const site = freeSite(file);
    if (site) return { site, own: null };
  }
  for (const version of faulty) {
    const texts = subject.filesOf(version).map((file) => subject.text(file));
    for (const one of path === undefined ? pathsOf(subject, version) : [path]) {
      if (!isBuiltIn(one, tree) || patched.some((file) => file.path === one)) continue;
      const file = originalFile(texts, one);
      const site = file && freeSite(file);
      if (site) return { site, own: null };
    }
  }
  return `No diff of ${good.name} or ${faulty.map((version) => version.name).join(', ')} shows a place between two functions of ${path ?? 'a file of vmlinux'} where a hunk could be put (give the diffs more lines of context).`;
}

function pathsOf(subject: Subject, version: LineageVersion): string[] {
  const files = subject.filesOf(version).map((file) => ({ file, text: () => subject.text(file) }));
  return compose(files, []).map((file) => file.path);
}

function nameFor(module: string): Parameters<typeof cleanupDiff>[0]['file']['names'] {
  const prefix = /^[a-z_]/.test(module) ? module : `klp_${module}`;
  return { header: '', cleanup: `${prefix}_cleanup`, wrapper: '', states: '', noFuncs: '' };
}

/** Headers that the faulty versions' diffs add. */
function foreignHeaders(subject: Subject, faulty: readonly LineageVersion[]): string[] {
  const found = new Set<string>();
  for (const version of faulty) {
    for (const file of subject.filesOf(version)) {
      for (const [, header = ''] of subject.text(file).matchAll(/^\+#include <([\w./-]+)>/gm))
        if (header !== 'linux/livepatch_helpers.h') found.add(header);
    }
  }
  return [...found];
}
