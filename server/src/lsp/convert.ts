import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type Diagnostic,
  DiagnosticSeverity,
  DiagnosticTag,
  type Range,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import type { Lines } from '../core/lines';
import type { Severity, Span } from '../core/place';
import type { ActionEdit } from '../features/code-actions';
import type { Finding } from '../rules/rule';

// The only file where offsets become ranges of the protocol and paths become URIs.

const SEVERITY: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

export function toRange(lines: Lines, span: Span): Range {
  const start = lines.at(span.start);
  const end = lines.at(span.end);
  return {
    start: { line: start.line, character: start.column },
    end: { line: end.line, character: end.column },
  };
}

/** The offset of a position; positions outside the text are taken to its nearest end. */
export function toOffset(
  lines: Lines,
  position: { readonly line: number; readonly character: number },
): number {
  return lines.offset(position.line, position.character);
}

/** The span of a range of the protocol, each end taken to the nearest place in the text; never backwards. */
export function toSpan(lines: Lines, range: Range): Span {
  const start = toOffset(lines, range.start);
  return { start, end: Math.max(start, toOffset(lines, range.end)) };
}

/** What the editor must know to apply edits to the texts that they were made for, and to no other. */
export interface EditTarget {
  /** Null for a file whose text is not known. */
  linesOf(file: string): Lines | null;
  uri(file: string): string;
  /** The version of an open document; null where the text on disk was read. */
  version(file: string): number | null;
  /** Whether the editor understands versioned edits. */
  readonly versioned: boolean;
}

/** Edits by file as one edit of the workspace; null where a file's text is not known. */
export function toWorkspaceEdit(edits: readonly ActionEdit[], target: EditTarget): WorkspaceEdit | null {
  const byFile = new Map<string, TextEdit[]>();
  for (const { place, text } of edits) {
    const lines = target.linesOf(place.file);
    if (!lines) return null;
    const list = byFile.get(place.file) ?? [];
    list.push({ range: toRange(lines, place), newText: text });
    byFile.set(place.file, list);
  }
  if (!target.versioned) {
    return { changes: Object.fromEntries([...byFile].map(([file, list]) => [target.uri(file), list])) };
  }
  return {
    documentChanges: [...byFile].map(([file, list]) => ({
      textDocument: { uri: target.uri(file), version: target.version(file) },
      edits: list,
    })),
  };
}

/** What a finding's code links to: the rule's page inside the editor. */
export function rulePageUri(code: string): string {
  return `livepatch-rule:/${code}.md`;
}

/** `linesOf` answers null for a file whose text is not known: its related place is left out. */
export function toDiagnostic(
  finding: Finding,
  lines: Lines,
  linesOf: (file: string) => Lines | null,
  toUri: (file: string) => string,
): Diagnostic {
  const related = finding.related.flatMap((item) => {
    const other = linesOf(item.place.file);
    return other
      ? [
          {
            message: item.message,
            location: { uri: toUri(item.place.file), range: toRange(other, item.place) },
          },
        ]
      : [];
  });
  return {
    range: toRange(lines, finding.place),
    severity: SEVERITY[finding.severity],
    code: finding.code,
    codeDescription: { href: rulePageUri(finding.code) },
    source: 'livepatch',
    message: finding.run ? `${finding.message}\nShown by: ${finding.run.join('; ')}` : finding.message,
    relatedInformation: related,
    ...(finding.unnecessary ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    data: { certainty: finding.certainty, versions: finding.versions },
  };
}

/** Paths of `file:` URIs, and back to the spelling that the editor used for a document it has open. */
export class Uris {
  readonly #spelled = new Map<string, string>();

  /** The path of a URI, or null where it is not a file. The editor's spelling is remembered. */
  path(uri: string): string | null {
    if (!uri.startsWith('file:')) return null;
    try {
      const path = fileURLToPath(uri);
      this.#spelled.set(path, uri);
      return path;
    } catch {
      return null;
    }
  }

  uri(path: string): string {
    return this.#spelled.get(path) ?? pathToFileURL(path).toString();
  }
}
