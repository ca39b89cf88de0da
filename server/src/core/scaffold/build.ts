import type { LineageVersion } from '../lineage/lineage';
import { appendVersion, type NewVersion } from '../manifest/edit';
import type { KeptEffect } from '../manifest/manifest';
import type { YamlValue } from '../manifest/quoting';
import type { Place } from '../place';
import { commentText, isIdentifier } from './c-text';
import type { Cast } from './checks';
import { cleanupHeader, cleanupSource } from './emit-c';
import { kbuildText } from './kbuild';
import { basename, dirname, type Layout, planLayout, relativePath } from './layout';
import { type AddedNames, applyChanges, type Merge, mergeTables } from './merge';
import { changedOutside, changedSentence } from './outside';
import { includedHeaders, words } from './own-text';
import type { Remedy } from './remedy';
import type { StatePlan } from './states';
import type { NewFile, Subject, TextEdit } from './subject';

/** The new version as text. */
export interface Built {
  readonly files: readonly NewFile[];
  /** The .c files that are compiled by themselves. */
  readonly units: readonly string[];
  readonly layout: Layout;
  readonly manifestText: string;
  readonly manifestEdits: readonly TextEdit[];
  readonly notes: readonly string[];
}

/** Writes the new version with these remedies, or says why it cannot be written. */
export function build(
  subject: Subject,
  cast: Cast,
  states: StatePlan,
  remedies: readonly Remedy[],
  out: string | null,
  where: (place: Place) => string,
): Built | readonly string[] {
  const { good, faulty, names } = cast;
  const newStates = states.states.filter((state) => state.own === null);
  const ownStates = good.facts?.patch?.states.length ?? 0;
  const added = remedies.length > 0 || (newStates.length > 0 && ownStates === 0);
  const units = subject.unitsOf(good).map((unit) => unit.file);
  const layout = planLayout(
    { module: good.module, units, files: subject.filesOf(good) },
    names,
    subject.manifestFile,
    out,
    added,
  );
  if ('reason' in layout) return [`${good.name}: ${layout.reason}.`];
  const changed = changedOutside(subject, layout);
  if (changed !== null)
    return [
      changedSentence(good.name, changed, (file) => where({ file, start: 0, end: 0 }).replace(/:1$/, '')),
    ];
  const texts = new Map(layout.copies.map((copy) => [copy.from, subject.text(copy.from)]));
  for (const [file, text] of texts) {
    if (text.includes('\ufffd'))
      return [
        `${where({ file, start: 0, end: 0 })}: the file is not UTF-8 and cannot be copied byte for byte.`,
      ];
  }
  const addedNames = namesFor(names.module, basename(layout.cleanupHeader), texts);
  const mark = commentText(
    `${names.version}: cleanup after ${faulty.map((version) => version.name).join(', ')}`,
  ).slice(0, 50);
  const merge = mergeTables(good, (file) => subject.text(file), {
    cleanup: remedies.length > 0,
    states: states.states,
    mark,
    names: addedNames,
  });
  if ('message' in merge) {
    const at = merge.place ? `${where(merge.place)}: ` : '';
    return [
      `${at}the tables of ${good.name} cannot be changed safely: ${merge.message}. Write the cleanup by hand.`,
    ];
  }
  const outside = merge.changes.find((change) => !texts.has(change.file));
  if (outside) {
    return [
      `${where({ file: outside.file, start: outside.start, end: outside.end })}: the table to be changed stands outside the folder of ${good.name}'s sources.`,
    ];
  }
  const files: NewFile[] = layout.copies.map((copy) => ({
    path: copy.to,
    text: applyChanges(
      texts.get(copy.from) ?? '',
      merge.changes.filter((change) => change.file === copy.from),
    ),
  }));
  if (added) files.push(...addedFiles(subject, cast, states, remedies, merge, addedNames, layout, where));
  const about = `${names.version}: ${good.name}${remedies.length > 0 ? ` and the cleanup after ${faulty.map((version) => version.name).join(', ')}` : ''}`;
  files.push({ path: layout.kbuild, text: kbuildText(names.module, layout.objects, about) });
  const blocked = files
    .filter((file) => subject.exists(file.path))
    .map((file) => where({ file: file.path, start: 0, end: 0 }).replace(/:1$/, ''));
  if (blocked.length > 0)
    return [`${blocked.join(', ')}: exists already and is not overwritten. Choose another name or folder.`];
  const newUnits = [
    ...layout.copies.filter((copy) => copy.unit).map((copy) => copy.to),
    ...(added ? [layout.cleanupSource] : []),
  ];
  const sources = sourcesEntry(subject, layout, newUnits);
  if (typeof sources === 'object' && 'reason' in sources) return [sources.reason];
  const manifest = subject.text(subject.manifestFile);
  const edit = appendVersion(manifest, manifestEntry(cast, sources, remedies));
  if (!edit.ok) return [edit.reason];
  return {
    files,
    units: newUnits,
    layout,
    manifestText: applyChanges(manifest, edit.edits),
    manifestEdits: edit.edits,
    notes: merge.notes,
  };
}

function addedFiles(
  subject: Subject,
  { good, faulty, names }: Cast,
  states: StatePlan,
  remedies: readonly Remedy[],
  merge: Merge,
  addedNames: AddedNames,
  layout: Layout,
  where: (place: Place) => string,
): NewFile[] {
  const text = (file: string): string => subject.text(file);
  const foreignHeaders = new Set(
    faulty.flatMap((version) => subject.unitsOf(version).flatMap((unit) => includedHeaders(unit, text))),
  );
  const file = {
    restore: good.name,
    after: faulty.map((version) => version.name),
    as: names.version,
    license: licenseOf(subject, good),
    names: addedNames,
    remedies,
    states: merge.needsStates ? states.states.filter((state) => state.own === null) : [],
    noFuncs: merge.needsNoFuncs,
    foreignHeaders: [...foreignHeaders],
    where: (remedy: Remedy) => (remedy.place ? where(remedy.place) : null),
  };
  return [
    { path: layout.cleanupSource, text: cleanupSource(file) },
    { path: layout.cleanupHeader, text: cleanupHeader(file) },
  ];
}

/** Names that occur nowhere in the good version's text. */
export function namesFor(module: string, header: string, texts: ReadonlyMap<string, string>): AddedNames {
  const known = new Set<string>();
  for (const text of texts.values()) for (const word of words(text)) known.add(word);
  const prefix = isIdentifier(module) ? module : `klp_${module}`;
  const name = (end: string): string => {
    let wanted = `${prefix}_${end}`;
    while (known.has(wanted)) wanted += '_';
    return wanted;
  };
  return {
    header,
    cleanup: name('cleanup'),
    wrapper: name('post_patch'),
    states: name('states'),
    noFuncs: name('no_funcs'),
  };
}

/** The SPDX identifier of the good version's first file, GPL-2.0 where it has none. */
export function licenseOf(subject: Subject, good: LineageVersion): string {
  const file = subject.unitsOf(good)[0]?.file;
  const head = file === undefined ? '' : subject.text(file).slice(0, 300);
  return (
    /SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+-]{1,40}(?: (?:OR|AND|WITH) [A-Za-z0-9.+-]{1,40}){0,3})/.exec(
      head,
    )?.[1] ?? 'GPL-2.0'
  );
}

const GLOB = /[*?[\]{}()!]/;

/** `v3/*.c` where that means exactly the new units, else a list. */
function sourcesEntry(
  subject: Subject,
  layout: Layout,
  units: readonly string[],
): string | readonly string[] | { readonly reason: string } {
  const home = dirname(subject.manifestFile);
  const folder = relativePath(home, layout.folder);
  if (GLOB.test(folder))
    return { reason: `${folder}: the folder's name would be read as a pattern: choose another.` };
  const flat = units.every((unit) => dirname(unit) === layout.folder && unit.endsWith('.c'));
  const included = layout.copies.some((copy) => !copy.unit && copy.to.endsWith('.c'));
  if (flat && !included && !subject.exists(layout.folder)) return `${folder}/*.c`;
  return units.map((unit) => relativePath(home, unit));
}

/** The manifest's entry for the new version. */
export function manifestEntry(
  { good, faulty, names }: Cast,
  sources: YamlValue,
  remedies: readonly Remedy[] = [],
): NewVersion {
  const { entry } = good;
  const own = (key: Parameters<typeof entry.inherited.has>[0]): boolean => entry.keyPlaces.has(key);
  const map = (values: ReadonlyMap<string, { readonly value: string }>): YamlValue =>
    Object.fromEntries([...values].map(([key, value]) => [key, value.value]));
  const keeps = new Map<string, YamlValue>();
  for (const version of [good, ...faulty]) {
    for (const kept of version.entry.keeps)
      keeps.set(`${kept.effect.value} ${kept.key?.value ?? ''}`, keptValue(kept));
  }
  for (const { given } of remedies)
    if (given !== undefined)
      keeps.set(`kernel write ${given}`, {
        effect: 'kernel write',
        key: given,
        reason: 'the value was given when this version was generated',
      });
  return {
    version: names.version,
    module: names.module,
    sources,
    status: 'draft',
    restores: good.name,
    'cleans-up-after': faulty.map((version) => version.name),
    ...(keeps.size > 0 ? { keeps: [...keeps.values()] } : {}),
    ...(own('dialect') ? { dialect: entry.dialect.value } : {}),
    ...(own('defines') && entry.defines.size > 0 ? { defines: map(entry.defines) } : {}),
    ...(own('include') && entry.include.length > 0
      ? { include: entry.include.map((item) => item.value) }
      : {}),
    ...(own('params') && entry.params.size > 0 ? { params: map(entry.params) } : {}),
  };
}

function keptValue(kept: KeptEffect): YamlValue {
  return {
    effect: kept.effect.value,
    ...(kept.key ? { key: kept.key.value } : {}),
    ...(kept.reason ? { reason: kept.reason.value } : {}),
  };
}
