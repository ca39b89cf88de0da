import { CAPABILITIES } from '../core/kernel/capabilities';
import type { LineageVersion } from '../core/lineage/lineage';
import { describeKey, describeValue, keysAt, valuesAt } from '../core/manifest/describe';
import { containerAt } from '../core/manifest/node-at';
import { yamlText } from '../core/manifest/quoting';
import type { YamlNode } from '../core/manifest/yaml-tree';
import type { Span } from '../core/place';
import { RULES } from '../rules/registry';
import type { Analysis } from './analysis';
import type { Completion, CompletionKind } from './completion';
import { completeStep } from './completion-steps';

/** Characters in front of the caret that tell whether a value stands there. */
const LONGEST_LEAD = 1_000;

/** Keys, values and names that fit at an offset of the manifest. */
export function completeManifest(analysis: Analysis, offset: number): Completion[] {
  const text = analysis.text(analysis.manifestFile);
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const before = text.slice(lineStart, offset);
  if (/(?:^|\s)#/.test(before)) return [];
  const path = containerAt(analysis.parsed, text, offset);
  const last = path[path.length - 1] ?? '';
  const inList = /^\d+$/.test(last);
  if (path[0] === 'scenarios' && path[2] === 'steps') return completeStep(analysis, text, offset);
  const span = wordSpan(text, offset);
  const node = nodeOf(analysis.parsed.root, path);
  const item = (label: string, kind: CompletionKind, detail = '', documentation = ''): Completion => {
    const quote = /["']/.test(text[span.start - 1] ?? '');
    return { label, kind, detail, documentation, insert: quote ? label : yamlText(label), span };
  };
  const keys = keysOf(path);
  if (keys.length > 0) {
    const line = text.slice(Math.max(lineStart, span.start - LONGEST_LEAD), span.start);
    const lead = line.slice(Math.max(line.lastIndexOf('{'), line.lastIndexOf(',')) + 1);
    if (/:\s*\S*$/.test(lead)) return [];
    const taken = node?.k === 'map' ? node.entries.map((entry) => entry.key) : [];
    const word = text.slice(span.start, span.end);
    const end = text[span.end] === ':' ? '' : ': ';
    return keys
      .filter((key) => key === word || !taken.includes(key))
      .map((key) => ({ ...item(key, 'key', '', describeKey([...path, key]) ?? ''), insert: key + end }));
  }
  const parent = inList ? path.slice(0, -1) : path;
  const known = valuesAt(path).map((value) => item(value, 'value', '', describeValue(path, value) ?? ''));
  // `null` is a word of the format and not YAML's.
  if (known.length > 0) return known.map((it) => (it.label === 'null' ? { ...it, insert: 'null' } : it));
  const listed = nodeOf(analysis.parsed.root, parent);
  const already =
    listed?.k === 'list' ? listed.items.flatMap((it) => (it.k === 'scalar' ? [it.text] : [])) : [];
  return namesFor(analysis, parent, item).filter((it) => {
    const word = text.slice(span.start, span.end);
    return it.label === word || !already.includes(it.label);
  });
}

/** The keys that fit: those of a map, of the rules all codes; where a list expects maps, none without a dash. */
function keysOf(path: readonly string[]): readonly string[] {
  if (path.length === 1 && path[0] === 'rules') return RULES.map((rule) => rule.code);
  return keysAt(path);
}

type Item = (label: string, kind: CompletionKind, detail?: string, documentation?: string) => Completion;

function namesFor(analysis: Analysis, path: readonly string[], item: Item): Completion[] {
  const { lineage } = analysis;
  const key = path[path.length - 1] ?? '';
  const version = path[0] === 'versions' ? lineage.versions[Number(path[1])] : undefined;
  const describe = (it: LineageVersion): Completion =>
    item(it.name, 'version', it.entry.status.value, it.entry.note?.value ?? '');
  if (key === 'restores' || key === 'cleans-up-after')
    return lineage.versions.slice(0, version?.index).reverse().map(describe);
  if (path[0] === 'kernel' && (key === 'has' || key === 'lacks'))
    return CAPABILITIES.map((capability) => item(capability, 'value'));
  if (path[0] === 'targets' && (path.length === 1 || key === 'module')) {
    const declared = new Set(lineage.manifest.targets.map((target) => target.module.value));
    return lineage.targets
      .filter(({ module }) => !declared.has(module))
      .map(({ module }) => item(module, 'module', 'object of a version'));
  }
  if (path[0] === 'effects' && (key === 'do' || key === 'undo')) {
    const called = new Map<string, string>();
    for (const it of lineage.versions)
      for (const { callee } of it.facts?.calls ?? []) called.set(callee, it.name);
    return [...called].sort().map(([callee, by]) => item(callee, 'callback', `called in ${by}`));
  }
  if (version && key === 'params')
    return (version.facts?.parameters ?? []).map(({ name }) => item(name, 'constant', 'module parameter'));
  if (version && path[2] === 'keeps') return kept(analysis, version, key, item);
  return [];
}

/** What a version does that could stay. */
function kept(analysis: Analysis, version: LineageVersion, key: string, item: Item): Completion[] {
  const found = new Map<string, Completion>();
  for (const { row, key: what } of analysis.transitions.transition(null, version).run.end.effects()) {
    const label = key === 'effect' ? row.do : key === 'key' ? what : '';
    if (label !== '') found.set(label, item(label, 'value', key === 'effect' ? what : row.do));
  }
  return [...found.values()];
}

function nodeOf(root: YamlNode | null, path: readonly string[]): YamlNode | null {
  let node = root;
  for (const word of path) {
    if (node?.k === 'map') node = node.entries.find((entry) => entry.key === word)?.node ?? null;
    else if (node?.k === 'list') node = node.items[Number(word)] ?? null;
    else return null;
  }
  return node;
}

/** The word that the cursor is in; what ends a scalar in flow style ends it. */
export function wordSpan(text: string, offset: number): Span {
  const ends = /[\s,[\]{}"']/;
  let start = offset;
  let end = offset;
  while (start > 0 && !ends.test(text[start - 1] ?? '')) start--;
  while (end < text.length && !ends.test(text[end] ?? '') && text[end] !== ':') end++;
  return { start, end };
}
