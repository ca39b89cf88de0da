import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type Diagnostic,
  DiagnosticSeverity,
  DiagnosticTag,
  type Position,
  type Range,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { type BlobName, blobName, readBlobName } from '../core/blob-names';
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
  return { start: toPosition(lines, span.start), end: toPosition(lines, span.end) };
}

export function toPosition(lines: Lines, offset: number): Position {
  const { line, column } = lines.at(offset);
  return { line, character: column };
}

/** The first and last line that a span touches, as folding wants them. */
export function toLineSpan(lines: Lines, span: Span): { startLine: number; endLine: number } {
  return { startLine: lines.at(span.start).line, endLine: lines.at(span.end).line };
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

/** Edits by file as one edit of the workspace; null where a file's text is not known or stands in a revision. */
export function toWorkspaceEdit(edits: readonly ActionEdit[], target: EditTarget): WorkspaceEdit | null {
  const byFile = new Map<string, TextEdit[]>();
  for (const { place, text } of edits) {
    const lines = readBlobName(place.file) ? null : target.linesOf(place.file);
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

/** Read-only documents that hold files as they are in a revision. */
export const REVISION_SCHEME = 'livepatch-revision';

/** Files as URIs, and back to the spelling that the editor used for a document it has open. */
export class Uris {
  readonly #spelled = new Map<string, string>();
  readonly #revisionOf: (file: string) => string | undefined;

  /** `revisionOf` names the revision of a file that stands in one. */
  constructor(revisionOf: (file: string) => string | undefined = () => undefined) {
    this.#revisionOf = revisionOf;
  }

  /** The file that a URI means, or null where it is none. The editor's spelling is remembered. */
  path(uri: string): string | null {
    try {
      const path = uri.startsWith('file:')
        ? fileURLToPath(uri)
        : uri.startsWith(`${REVISION_SCHEME}:`)
          ? blobOfUri(uri)
          : null;
      if (path !== null) this.#spelled.set(path, uri);
      return path;
    } catch {
      return null;
    }
  }

  uri(file: string): string {
    const spelled = this.#spelled.get(file);
    if (spelled !== undefined) return spelled;
    const blob = readBlobName(file);
    return blob ? uriOfBlob(blob, this.#revisionOf(file) ?? '') : pathToFileURL(file).toString();
  }
}

/** The revision stands as a folder in the path, so that tabs of two revisions differ; the query says what it is. */
function uriOfBlob({ oid, path }: BlobName, revision: string): string {
  const { pathname } = pathToFileURL(path);
  const at = pathname.lastIndexOf('/') + 1;
  const folder = revision.replaceAll(/[^\w.~^@{}+-]/g, '-');
  const shown = `${pathname.slice(0, at)}${encodeURIComponent(folder || oid.slice(0, 12))}/${pathname.slice(at)}`;
  return `${REVISION_SCHEME}:${shown}?${encodeURIComponent(JSON.stringify({ blob: oid, file: path, revision }))}`;
}

function blobOfUri(uri: string): string | null {
  const query: unknown = JSON.parse(decodeURIComponent(uri.slice(uri.indexOf('?') + 1)));
  if (typeof query !== 'object' || query === null) return null;
  const { blob, file } = query as Record<string, unknown>;
  return typeof blob === 'string' && /^[0-9a-f]{40,64}$/.test(blob) && typeof file === 'string'
    ? blobName({ oid: blob, path: file })
    : null;
}
