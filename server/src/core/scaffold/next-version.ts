import { workTreePath } from '../blob-names';
import type { LineageVersion } from '../lineage/lineage';
import { appendVersion, type NewVersion } from '../manifest/edit';
import type { YamlValue } from '../manifest/quoting';
import type { Place } from '../place';
import { Places } from '../places';
import { kbuildText } from './kbuild';
import { dirname, type Layout, planLayout, relativePath } from './layout';
import { applyChanges } from './merge';
import { checkNext, type NextCast } from './next-version-checks';
import { nextNotes } from './next-version-notes';
import { changedOutside, changedSentence } from './outside';
import { type Prospect, prospect } from './prospect';
import type { GeneratedVersion, NewFile, Subject } from './subject';

export interface NextRequest {
  readonly from: string;
  readonly as: string;
  /** Folder for the new files; null for the usual one beside FROM's. */
  readonly out: string | null;
}

/** The next version as files and edits of the manifest, or why there can be none; reasons are sentences. */
export type NextVersion = GeneratedVersion | { readonly ok: false; readonly reasons: readonly string[] };

/**
 * The next cumulative version as a copy of the last one under a new module's name: sources byte for byte, so with the
 * same states, a Kbuild file, and a draft in the manifest. The copy is read and run over its predecessor; what that
 * shows stands in the notes. Writes nothing itself.
 */
export function nextVersion(subject: Subject, request: NextRequest): NextVersion {
  const home = dirname(subject.manifestFile);
  // Places in the copies are told too, before anything is written.
  const texts = new Map<string, string>();
  const places = new Places(
    (file) => relativePath(home, workTreePath(file)),
    (file) => texts.get(file) ?? subject.text(file),
    (file) => subject.revisionOf?.(file),
  );
  const where = (place: Place): string => places.text(place);
  const refused = (...reasons: readonly string[]): NextVersion => ({ ok: false, reasons });
  const cast = checkNext(subject, request, where);
  if (!('from' in cast)) return refused(...cast);
  const { from, names } = cast;
  const layout = planLayout(
    {
      module: from.module,
      units: subject.unitsOf(from).map((unit) => unit.file),
      files: subject.filesOf(from),
    },
    names,
    subject.manifestFile,
    request.out,
    false,
  );
  if ('reason' in layout) return refused(`${from.name}: ${layout.reason}.`);
  const changed = changedOutside(subject, layout);
  if (changed !== null) return refused(changedSentence(from.name, changed, (file) => places.fileText(file)));
  const unreadable = layout.copies.find((copy) => subject.text(copy.from).includes('\ufffd'));
  if (unreadable) {
    return refused(
      `${places.file(unreadable.from)}: the file is not UTF-8 and cannot be copied byte for byte.`,
    );
  }
  const files: NewFile[] = [
    ...layout.copies.map((copy) => ({ path: copy.to, text: subject.text(copy.from) })),
    {
      path: layout.kbuild,
      text: kbuildText(names.module, layout.objects, `${names.version}, after ${from.name}`),
    },
  ];
  for (const file of files) texts.set(file.path, file.text);
  const blocked = files.filter((file) => subject.exists(file.path)).map((file) => places.file(file.path));
  if (blocked.length > 0)
    return refused(
      `${blocked.join(', ')}: exists already and is not overwritten. Choose another name or folder.`,
    );
  const sources = sourcesEntry(subject, layout);
  if (sources === null)
    return refused(
      `${relativePath(home, layout.folder)}: the folder's name would be read as a pattern: choose another.`,
    );
  const manifest = subject.text(subject.manifestFile);
  const edit = appendVersion(manifest, manifestEntry(cast, sources));
  if (!edit.ok) return refused(edit.reason);
  const result = prospect(
    subject,
    applyChanges(manifest, edit.edits),
    names.version,
    files,
    layout.copies.filter((copy) => copy.unit).map((copy) => copy.to),
  );
  if (!result) return refused('The manifest cannot be read with the new version in it: repair it first.');
  const lost = lostInclude(result, from);
  if (lost !== null) {
    return refused(
      `${from.name} includes "${lost}", which its copy in ${relativePath(home, layout.folder)} would not find: choose a folder beside that of ${from.name}.`,
    );
  }
  return { ok: true, files, manifestEdits: edit.edits, notes: nextNotes(result, from, where) };
}

const GLOB = /[*?[\]{}()!]/;

/** `v3/*.c` where that means exactly the new units, else a list; null where a path would be read as a pattern. */
function sourcesEntry(subject: Subject, layout: Layout): YamlValue | null {
  const home = dirname(subject.manifestFile);
  const folder = relativePath(home, layout.folder);
  if (GLOB.test(folder)) return null;
  const units = layout.copies.filter((copy) => copy.unit).map((copy) => copy.to);
  const flat = units.every((unit) => dirname(unit) === layout.folder && unit.endsWith('.c'));
  const included = layout.copies.some((copy) => !copy.unit && copy.to.endsWith('.c'));
  if (flat && !included && !subject.exists(layout.folder)) return `${folder}/*.c`;
  const paths = units.map((unit) => relativePath(home, unit));
  return paths.some((path) => GLOB.test(path)) ? null : paths;
}

/** FROM's own settings under the new names; what `defaults` gives needs no copy. */
function manifestEntry({ from, names }: NextCast, sources: YamlValue): NewVersion {
  const { entry } = from;
  const own = (key: 'dialect' | 'defines' | 'include' | 'params' | 'keeps'): boolean =>
    entry.keyPlaces.has(key);
  const map = (values: ReadonlyMap<string, { readonly value: string }>): YamlValue =>
    Object.fromEntries([...values].map(([key, value]) => [key, value.value]));
  const keeps = entry.keeps.map((kept) => ({
    effect: kept.effect.value,
    ...(kept.key ? { key: kept.key.value } : {}),
    ...(kept.reason ? { reason: kept.reason.value } : {}),
  }));
  return {
    version: names.version,
    module: names.module,
    sources,
    status: 'draft',
    ...(own('keeps') && keeps.length > 0 ? { keeps } : {}),
    ...(own('dialect') ? { dialect: entry.dialect.value } : {}),
    ...(own('defines') && entry.defines.size > 0 ? { defines: map(entry.defines) } : {}),
    ...(own('include') && entry.include.length > 0
      ? { include: entry.include.map((item) => item.value) }
      : {}),
    ...(own('params') && entry.params.size > 0 ? { params: map(entry.params) } : {}),
  };
}

/** A file that FROM includes and its copy would not find. */
function lostInclude({ added }: Prospect, from: LineageVersion): string | null {
  const missing = (version: LineageVersion): Set<string> =>
    new Set((version.program?.units ?? []).flatMap((unit) => unit.missingIncludes.map((item) => item.name)));
  const before = missing(from);
  return [...missing(added)].find((name) => !before.has(name)) ?? null;
}
