import type { YamlNode } from '../core/manifest/yaml-tree';
import type { Place, Span } from '../core/place';
import type { RuleContext } from './context';

/** One `livepatch-ignore` comment, in C or in the manifest. */
export interface Suppression {
  readonly codes: readonly string[];
  /** The comment itself. */
  readonly place: Place;
  /** The lines it speaks for; a finding that starts there is suppressed. */
  readonly covers: Span;
  /** The codes for which there was something to suppress. */
  readonly used: Set<string>;
  /** The versions whose sources hold it. */
  readonly versions: string[];
  /** No version compiles what stands beside it. */
  uncompiled: boolean;
}

/** All of a lineage, each comment once however many units include its file. */
export function suppressionsOf(context: RuleContext): Suppression[] {
  const found = new Map<string, Suppression>();
  for (const version of context.lineage.versions) {
    for (const unit of context.unitsOf(version)) {
      for (const comment of unit.suppressions) {
        const key = `${comment.place.revision ?? ''}\0${comment.place.file}\0${comment.place.start}`;
        const known = found.get(key);
        if (!known) {
          const uncompiled = comment.uncompiled === true;
          found.set(key, { ...comment, uncompiled, used: new Set(), versions: [version.name] });
        } else {
          known.uncompiled &&= comment.uncompiled === true;
          if (!known.versions.includes(version.name)) known.versions.push(version.name);
        }
      }
    }
  }
  return [...found.values(), ...manifestSuppressions(context)];
}

/** `# livepatch-ignore code: reason` in the manifest. */
function manifestSuppressions(context: RuleContext): Suppression[] {
  const text = context.text(context.manifestFile);
  if (!text.includes('livepatch-ignore')) return [];
  const found: Suppression[] = [];
  const scalars: Span[] = [];
  collectScalars(context.parsed.root, scalars);
  const comment = /(?<=^|[ \t])#[ \t]*livepatch-ignore\b([^\r\n]*)/gm;
  for (const match of text.matchAll(comment)) {
    const start = match.index;
    const end = start + match[0].trimEnd().length;
    if (scalars.some((span) => span.start < start && start < span.end)) continue;
    const [words = ''] = (match[1] ?? '').split(':');
    found.push({
      codes: words.match(/[^\s,]+/g) ?? [],
      place: context.manifestPlace({ start, end }),
      covers: coveredLines(text, start, end),
      used: new Set(),
      versions: [],
      uncompiled: false,
    });
  }
  return found;
}

function collectScalars(node: YamlNode | null, into: Span[]): void {
  if (node === null) return;
  if (node.k === 'scalar') into.push(node.place);
  else if (node.k === 'list') for (const item of node.items) collectScalars(item, into);
  else for (const entry of node.entries) collectScalars(entry.node, into);
}

/** The comment's own line and, when it stands alone there, the next one. */
function coveredLines(text: string, start: number, end: number): Span {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = endOfLine(text, end);
  const alone = text.slice(lineStart, start).trim() === '';
  return { start: lineStart, end: alone && lineEnd < text.length ? endOfLine(text, lineEnd + 1) : lineEnd };
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at;
}
