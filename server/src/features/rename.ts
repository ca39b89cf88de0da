import { readBlobName } from '../core/blob-names';
import { lex, NAME } from '../core/csource/lexer';
import { type LineageVersion, versionByName } from '../core/lineage/lineage';
import { IDENTIFIER, RESERVED_NAME, VERSION_NAME } from '../core/manifest/names';
import { yamlText } from '../core/manifest/quoting';
import type { Place, Span } from '../core/place';
import type { Analysis } from './analysis';
import type { ActionEdit } from './code-actions';
import { holds } from './hover';
import { type IdKind, type IdSite, idSites, wordAt } from './id-sites';
import { mentionsAt, mentionsOf } from './mentions';

/** What can be renamed at a place; offsets from 0. */
export interface Renamable {
  readonly span: Span;
  readonly text: string;
}

/** The edits over the whole lineage, or one sentence that says why there are none. */
export type RenameAnswer = { readonly edits: readonly ActionEdit[] } | { readonly problem: string };

type Subject = Renamable &
  (
    | { readonly k: 'version'; readonly version: LineageVersion }
    | { readonly k: 'constant'; readonly kind: IdKind }
    | { readonly k: 'number'; readonly kind: IdKind; readonly id: string }
  );

/** A version where its name is written, or the id of a state or shadow variable; null for everything else. */
export function renamable(analysis: Analysis, file: string, offset: number): Renamable | null {
  const subject = subjectAt(analysis, file, offset);
  return subject && { span: subject.span, text: subject.text };
}

/** Renames what stands at an offset everywhere in the lineage; null where there is nothing to rename. */
export function rename(
  analysis: Analysis,
  file: string,
  offset: number,
  newName: string,
): RenameAnswer | null {
  const subject = subjectAt(analysis, file, offset);
  if (!subject) return null;
  const name = newName.trim();
  if (name === subject.text) return { edits: [] };
  if (subject.k === 'version') return renameVersion(analysis, subject.version, name);
  return subject.k === 'constant'
    ? renameConstant(analysis, subject.text, name)
    : renameNumber(analysis, subject.kind, subject.id, name);
}

function subjectAt(analysis: Analysis, file: string, offset: number): Subject | null {
  const text = analysis.text(file);
  if (file === analysis.manifestFile) {
    const at = mentionsAt(analysis, file, offset).find((it) => it.kind === 'version' && it.version);
    if (!at?.version || at.role === 'module' || at.text !== at.version.name) return null;
    const span = { start: at.place.start, end: at.place.end };
    return { k: 'version', version: at.version, span, text: at.text };
  }
  const word = readBlobName(file) ? null : wordAt(text, offset);
  if (!word) return null;
  const written = text.slice(word.start, word.end);
  const sites = idSites(analysis);
  if (IDENTIFIER.test(written)) {
    const site = sites.find((it) => it.text === written);
    return site ? { k: 'constant', kind: site.kind, span: word, text: written } : null;
  }
  const site = sites.find(
    ({ place, text: id }) => isIn(place, file) && holds(place, offset) && id === written,
  );
  return site ? { k: 'number', kind: site.kind, id: site.id, span: word, text: written } : null;
}

function renameVersion(analysis: Analysis, version: LineageVersion, name: string): RenameAnswer {
  const { lineage, manifestFile } = analysis;
  if (!VERSION_NAME.test(name) || name === RESERVED_NAME || yamlText(name) !== name)
    return { problem: `"${name}" cannot name a version: use letters, digits and . _ + -` };
  if (versionByName(lineage, name) || lineage.targets.some((target) => target.module === name))
    return { problem: `"${name}" is already a version, module or target of this lineage.` };
  const text = analysis.text(manifestFile);
  const edits: ActionEdit[] = [];
  for (const { kind, role, place, text: written, version: owner } of mentionsOf(analysis)) {
    if (kind !== 'version' || owner !== version || written !== version.name) continue;
    if (role !== 'name' && role !== 'uses') continue;
    const there = text.slice(place.start, place.end);
    if (there.replace(/^(["'])(.*)\1$/, '$2') !== written)
      return { problem: `The name is written as ${there.slice(0, 40)} somewhere: change it by hand first.` };
    edits.push({ place, text: there === written ? name : `${there[0]}${name}${there[0]}` });
  }
  return { edits };
}

/** A macro or an enumerator that some id is written with: every token of that name in the sources of all versions. */
function renameConstant(analysis: Analysis, old: string, name: string): RenameAnswer {
  if (!IDENTIFIER.test(name)) return { problem: `"${name}" is not a name in C.` };
  const edits = new Map<string, ActionEdit>();
  for (const version of analysis.lineage.versions) {
    const files = new Map<string, Place[]>();
    for (const file of analysis.filesOf(version)) {
      // What stands in a git revision keeps its name.
      if (readBlobName(file)) continue;
      const found = tokensOf(analysis.text(file), old, file);
      if (found.length > 0) files.set(file, found);
      const clash = tokensOf(analysis.text(file), name, file)[0];
      if (clash) return { problem: `"${name}" is already used in ${shortName(file)} of ${version.name}.` };
    }
    if (files.size === 0) continue;
    if (![...files.keys()].every(isC)) return inDiff(version);
    const defined = analysis
      .unitsOf(version)
      .some((unit) => unit.macro(old) !== undefined || unit.enumerator(old) !== undefined);
    if (!defined)
      return { problem: `${old} is not defined in the sources of ${version.name}: rename it where it is.` };
    for (const place of [...files.values()].flat())
      edits.set(`${place.file} ${place.start}`, { place, text: name });
  }
  return { edits: [...edits.values()] };
}

function tokensOf(text: string, name: string, file: string): Place[] {
  if (!text.includes(name)) return [];
  const found: Place[] = [];
  const tokens = lex(text);
  for (let i = 0; i < tokens.count; i++) {
    const start = tokens.start[i] ?? 0;
    const end = tokens.end[i] ?? 0;
    if (tokens.kind[i] !== NAME || end - start !== name.length || !text.startsWith(name, start)) continue;
    // A member of that name is something else.
    if (!/(?:\.|->)\s*$/.test(text.slice(Math.max(0, start - 40), start))) found.push({ file, start, end });
  }
  return found;
}

/** An id that is written as a number: all of its kind, and the macros that stand for it. */
function renameNumber(analysis: Analysis, kind: IdKind, id: string, name: string): RenameAnswer {
  if (!/^(?:0[xX][\da-fA-F]+|[1-9]\d*|0)[uUlL]*$/.test(name))
    return { problem: `"${name}" is not a number.` };
  const wanted = BigInt(name.replace(/[uUlL]+$/, '')).toString();
  const sites = idSites(analysis).filter((site) => site.kind === kind);
  const taken = wanted === id ? undefined : sites.find((site) => site.id === wanted);
  if (taken) return { problem: `${name} is already the id of another one in ${taken.version.name}.` };
  const edits = new Map<string, ActionEdit>();
  for (const site of sites) {
    if (site.id !== id) continue;
    if (readBlobName(site.place.file))
      return { problem: `${site.version.name} stands in a git revision and cannot be given another id.` };
    if (!isC(site.place.file)) return inDiff(site.version);
    const place = /^\d/.test(site.text) ? numberOf(site) : macroBody(analysis, site);
    if (!place)
      return {
        problem: `${site.version.name} writes it as ${site.text}: give that another value by hand first.`,
      };
    edits.set(`${place.file} ${place.start}`, { place, text: name });
  }
  return { edits: [...edits.values()] };
}

function numberOf({ text, place }: IdSite): Place | null {
  return /^[\da-fA-FxX]+[uUlL]*$/.test(text) ? place : null;
}

/** The number in `#define NAME number` of the version's own sources. */
function macroBody(analysis: Analysis, { text: name, version }: IdSite): Place | null {
  if (!IDENTIFIER.test(name)) return null;
  const define = new RegExp(`^([ \\t]*#[ \\t]*define[ \\t]+${name}[ \\t]+)(\\w+)[ \\t]*(?:$|/[/*])`, 'm');
  for (const file of analysis.filesOf(version).filter(isC)) {
    const match = define.exec(analysis.text(file).replaceAll('\r', ' '));
    if (!match?.[1] || !match[2] || !/^\d/.test(match[2])) continue;
    const start = match.index + match[1].length;
    return { file, start, end: start + match[2].length };
  }
  return null;
}

function inDiff(version: LineageVersion): RenameAnswer {
  return { problem: `The sources of ${version.name} are diffs: rename it there by hand.` };
}

function isC(file: string): boolean {
  return /\.[ch]$/.test(file);
}

function isIn(place: Place, file: string): boolean {
  return place.file === file && place.revision === undefined;
}

function shortName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
