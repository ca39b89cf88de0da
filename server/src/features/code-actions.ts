import type { YamlNode } from '../core/manifest/yaml-tree';
import type { Place, Span } from '../core/place';
import type { RuleContext } from '../rules/context';
import { isDiff } from '../rules/diff-lines';
import type { Finding } from '../rules/rule';
import { suppressionsOf } from '../rules/suppressions';
import type { Analysis } from './analysis';
import { isOutOfReach, replaceableAnswer } from './replaceable-answer';
import { suppressionInC, suppressionInDiff, suppressionInManifest } from './suppression-edit';

export interface ActionEdit {
  readonly place: Place;
  readonly text: string;
}

/** Something a person can do about findings: edits by file, or a command with its arguments. */
export interface EditorAction {
  readonly title: string;
  readonly kind: 'quickfix' | 'source.fixAll.livepatch';
  readonly preferred: boolean;
  /** The findings it answers. */
  readonly findings: readonly Finding[];
  /** Offsets in the texts that the analysis was made from; never overlapping. Empty for a command. */
  readonly edits: readonly ActionEdit[];
  readonly command: { readonly id: string; readonly arguments: readonly string[] } | null;
}

/** A comment that suppresses nothing is not silenced by another one. */
const NOT_SUPPRESSED = 'unused-suppression';

/** What can be done about the findings that touch `span` (UTF-16 offsets from 0) of a file; suppressions last. */
export function quickFixes(analysis: Analysis, file: string, span: Span): EditorAction[] {
  const findings = analysis
    .findings()
    .filter(({ place }) => isIn(place, file) && place.start <= span.end && span.start <= place.end);
  if (findings.length === 0) return [];
  return [
    ...findings.flatMap(fixActions),
    ...findings.flatMap((finding) => replaceableActions(analysis, finding)),
    ...suppressActions(analysis, file, findings),
  ];
}

function replaceableActions(analysis: Analysis, finding: Finding): EditorAction[] {
  const [version = ''] = finding.versions;
  if (!isOutOfReach(finding)) return [];
  const { changes, done } = replaceableAnswer(analysis, version);
  if (!done.includes(finding.place)) return [];
  return [
    {
      title: `Make ${version} replaceable: publish in a klp_state what only it knows`,
      kind: 'quickfix',
      preferred: false,
      findings: [finding],
      edits: changes.map(({ file, start, end, text }) => ({ place: { file, start, end }, text })),
      command: null,
    },
  ];
}

function fixActions(finding: Finding): EditorAction[] {
  const actions: EditorAction[] = [];
  for (const { title, preferred, edits, command } of finding.fixes) {
    if (edits.some((edit) => edit.place.revision !== undefined)) continue;
    if (edits.length === 0 && !command) continue;
    actions.push({
      title,
      kind: 'quickfix',
      preferred,
      findings: [finding],
      edits,
      command: edits.length === 0 && command ? command : null,
    });
  }
  return actions;
}

/** All preferred fixes of one file as one edit; of those that would touch the same text the first. Null if none. */
export function fixAll(findings: readonly Finding[], file: string): EditorAction | null {
  const taken: ActionEdit[] = [];
  const answered: Finding[] = [];
  for (const finding of findings) {
    if (!isIn(finding.place, file)) continue;
    const fix = finding.fixes.find((one) => one.preferred && one.edits.length > 0);
    if (!fix || fix.edits.some((edit) => edit.place.revision !== undefined)) continue;
    const fresh = fix.edits.filter((edit) => !taken.some((known) => isSame(known, edit)));
    if (fresh.some((edit) => taken.some((known) => touches(known.place, edit.place)))) continue;
    taken.push(...fresh);
    answered.push(finding);
  }
  if (taken.length === 0) return null;
  return {
    title: 'Fix all livepatch problems that have one safe fix',
    kind: 'source.fixAll.livepatch',
    preferred: false,
    findings: answered,
    edits: taken,
    command: null,
  };
}

function suppressActions(analysis: Analysis, file: string, findings: readonly Finding[]): EditorAction[] {
  const manifest = file === analysis.manifestFile;
  if (!manifest && !isDiff(file) && !/\.[ch]$/.test(file)) return [];
  const known = suppressionsOf(contextOf(analysis));
  const text = analysis.text(file);
  const scalars: Span[] = [];
  if (manifest) collectScalars(analysis.parsed.root, scalars);
  const actions = new Map<string, EditorAction>();
  for (const finding of findings) {
    if (finding.code === NOT_SUPPRESSED) continue;
    const edit = manifest
      ? suppressionInManifest(text, finding, known, scalars)
      : (isDiff(file) ? suppressionInDiff : suppressionInC)(text, finding, known);
    if (!edit) continue;
    // One comment hides all findings of its code on the line.
    const key = `${finding.code} ${edit.place.start}`;
    const same = actions.get(key);
    actions.set(key, {
      title: `Suppress ${finding.code} here (reason …)`,
      kind: 'quickfix',
      preferred: false,
      findings: [...(same?.findings ?? []), finding],
      edits: [edit],
      command: null,
    });
  }
  return [...actions.values()];
}

/** As much of a rule's context as the comments need. */
function contextOf(analysis: Analysis): RuleContext {
  return {
    manifestFile: analysis.manifestFile,
    parsed: analysis.parsed,
    sourceProblems: [],
    lineage: analysis.lineage,
    transitions: analysis.transitions,
    severity: (_, standard) => standard,
    text: (file) => analysis.text(file),
    unitsOf: (version) => analysis.unitsOf(version),
    manifestPlace: (span) => ({ file: analysis.manifestFile, ...span }),
  };
}

function collectScalars(node: YamlNode | null, into: Span[]): void {
  if (node === null) return;
  if (node.k === 'scalar') into.push(node.place);
  else if (node.k === 'list') for (const item of node.items) collectScalars(item, into);
  else for (const entry of node.entries) collectScalars(entry.node, into);
}

function isIn(place: Place, file: string): boolean {
  return place.file === file && place.revision === undefined;
}

function isSame(a: ActionEdit, b: ActionEdit): boolean {
  return (
    a.place.file === b.place.file &&
    a.place.start === b.place.start &&
    a.place.end === b.place.end &&
    a.text === b.text
  );
}

/** Two insertions at one place touch as well: which comes first would be chance. */
function touches(a: Place, b: Place): boolean {
  return a.file === b.file && a.start <= b.end && b.start <= a.end;
}
