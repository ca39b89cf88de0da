import { VERSION_KEYS, type VersionKey } from './names';
import { parseManifest } from './parse';
import type { TextEdit } from './problem';
import { type YamlValue, yamlFlow, yamlText } from './quoting';
import type { YamlEntry, YamlList, YamlMap } from './yaml-tree';

/** A version to be written; keys without a value are left out, the others stand in the order of the format. */
export type NewVersion = { readonly version: string; readonly module: string } & {
  readonly [key in Exclude<VersionKey, 'version' | 'module'>]?: YamlValue;
};

export type EditResult =
  | { readonly ok: true; readonly edits: readonly TextEdit[] }
  /** Why nothing was changed, as a sentence. */
  | { readonly ok: false; readonly reason: string };

/**
 * The edit that adds a version at the end of `versions`, in the style of the file: its indentation, its line ends, and
 * every other character as it was. Refused where a name is taken, where the text cannot be read well enough to know
 * the place, and where the entry would be wrong.
 */
export function appendVersion(text: string, entry: NewVersion): EditResult {
  const before = parseManifest('', text);
  if (!before.wellFormed && text.trim() !== '') {
    return { ok: false, reason: 'The manifest is not valid YAML: repair it first.' };
  }
  const taken = new Set<string>();
  for (const { version, module } of before.manifest.versions) taken.add(version.value).add(module.value);
  for (const target of before.manifest.targets) taken.add(target.module.value);
  for (const name of [entry.version, entry.module]) {
    if (taken.has(name)) return { ok: false, reason: `The manifest has "${name}" already.` };
  }
  if (entry.version === entry.module) {
    return { ok: false, reason: `The version and its module would both be called "${entry.version}".` };
  }
  const edit = insertion(text, before.root?.k === 'map' ? before.root : null, before.root === null, entry);
  if (typeof edit === 'string') return { ok: false, reason: edit };
  return verified(text, edit, entry, before.manifest.versions.length);
}

/** Holds the edit against what reading the result says: better no edit than a wrong one. */
function verified(text: string, edit: TextEdit, entry: NewVersion, count: number): EditResult {
  const result = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  const { manifest, problems } = parseManifest('', result);
  const added = manifest.versions[count];
  const right =
    manifest.versions.length === count + 1 &&
    added?.version.value === entry.version &&
    added.module.value === entry.module;
  if (!right || added === undefined) {
    return {
      ok: false,
      reason: 'The manifest cannot be read well enough to add a version: repair it first.',
    };
  }
  const { start, end } = added.place;
  const wrong = problems.find((p) => p.severity === 'error' && p.place.start >= start && p.place.end <= end);
  return wrong === undefined ? { ok: true, edits: [edit] } : { ok: false, reason: wrong.message };
}

function insertion(text: string, root: YamlMap | null, empty: boolean, entry: NewVersion): TextEdit | string {
  const eol = /\r\n|\n/.exec(text)?.[0] ?? '\n';
  if (root === null && !empty) return 'The manifest is no map of keys: there is no place for `versions`.';
  const versions = root?.entries.find((e) => e.key === 'versions');
  if (versions === undefined) {
    if (root?.flow === true)
      return 'The manifest is written in braces and has no `versions`: add it by hand.';
    const gap = text === '' || text.endsWith('\n') || text === '\uFEFF' ? '' : eol;
    return {
      start: text.length,
      end: text.length,
      text: `${gap}versions:${eol}${blockEntry(entry, '  ', '- ', eol)}`,
    };
  }
  if (versions.node === null)
    return root?.flow === true
      ? 'An empty `versions` in braces cannot be filled.'
      : afterKey(text, versions, entry, eol);
  if (versions.node.k !== 'list') return '`versions` must be a list.';
  return versions.node.flow ? intoFlow(versions.node, entry) : afterLastItem(text, versions.node, entry, eol);
}

/** `versions:` without a value: the list starts on the line below. */
function afterKey(text: string, versions: YamlEntry, entry: NewVersion, eol: string): TextEdit {
  const indent = ' '.repeat(columnOf(text, versions.keyPlace.start) + 2);
  return onLineBelow(text, versions.keyPlace.end, blockEntry(entry, indent, '- ', eol), eol);
}

function intoFlow(list: YamlList, entry: NewVersion): TextEdit {
  const last = list.items[list.items.length - 1];
  const at = last?.place.end ?? list.place.start + 1;
  return {
    start: at,
    end: at,
    text: `${last === undefined ? '' : ', '}${yamlFlow(Object.fromEntries(entriesOf(entry)))}`,
  };
}

function afterLastItem(text: string, list: YamlList, entry: NewVersion, eol: string): TextEdit {
  const last = list.items[list.items.length - 1];
  // A block list begins at its first dash.
  const column = columnOf(text, list.place.start);
  const dash = /^- +(?=\S)/.exec(text.slice(list.place.start, list.place.start + 40))?.[0] ?? '- ';
  const end = pastOwnComments(text, last?.place.end ?? list.place.end, column);
  return onLineBelow(text, end, blockEntry(entry, ' '.repeat(column), dash, eol), eol);
}

/** Comment lines that are indented deeper than the dash belong to the entry above them. */
function pastOwnComments(text: string, from: number, dash: number): number {
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd < 0) return at;
    const comment = /^( *)#[^\n]*/.exec(text.slice(lineEnd + 1, lineEnd + 2000));
    if (comment === null || (comment[1] ?? '').length <= dash) return at;
    at = lineEnd + 1 + comment[0].length;
  }
}

/** Inserts whole lines below the one in which `at` stands. */
function onLineBelow(text: string, at: number, lines: string, eol: string): TextEdit {
  const lineEnd = text.indexOf('\n', at);
  if (lineEnd >= 0) return { start: lineEnd + 1, end: lineEnd + 1, text: lines };
  return { start: text.length, end: text.length, text: `${eol}${lines.slice(0, -eol.length)}` };
}

function columnOf(text: string, at: number): number {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return at - start - (text[start] === '\uFEFF' ? 1 : 0);
}

function entriesOf(entry: NewVersion): [string, YamlValue][] {
  const result: [string, YamlValue][] = [];
  for (const key of VERSION_KEYS) {
    const value = entry[key];
    if (value !== undefined) result.push([key, value]);
  }
  return result;
}

/** The entry as lines, each with its line end. */
function blockEntry(entry: NewVersion, indent: string, dash: string, eol: string): string {
  const inner = indent + ' '.repeat(dash.length);
  return entriesOf(entry)
    .map(([key, value], i) => `${i === 0 ? indent + dash : inner}${yamlText(key)}: ${yamlFlow(value)}${eol}`)
    .join('');
}
