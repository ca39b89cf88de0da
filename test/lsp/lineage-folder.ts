import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic, Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver/node';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');

/** A copy of the example to change at will. */
export class LineageFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'lineage-lsp-'));

  constructor() {
    cpSync(EXAMPLE, this.path, { recursive: true });
  }

  /** Puts another copy of the example into a folder below. */
  copyTo(name: string): void {
    cpSync(EXAMPLE, this.file(name), { recursive: true });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  uri(name: string): string {
    return pathToFileURL(this.file(name)).toString();
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  /** Writes what `change` makes of a file; a change that changes nothing is a mistake of the test. */
  change(name: string, change: (text: string) => string): string {
    const before = this.read(name);
    const text = change(before);
    if (text === before) throw new Error(`${name} is as it was`);
    writeFileSync(this.file(name), text);
    return text;
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The text after edits whose ranges are all in `text`, as an editor applies them. */
export function applied(text: string, edits: readonly TextEdit[]): string {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  const offset = (at: { line: number; character: number }): number =>
    Math.min((starts[at.line] ?? text.length) + at.character, starts[at.line + 1] ?? text.length);
  let result = text;
  const order = edits.map((edit, i) => ({ edit, i, start: offset(edit.range.start) }));
  order.sort((a, b) => b.start - a.start || b.i - a.i);
  for (const { edit, start } of order)
    result = result.slice(0, start) + edit.newText + result.slice(offset(edit.range.end));
  return result;
}

/** The edits of the only document that an edit changes, with the version they are for. */
export function onlyDocument(edit: WorkspaceEdit | undefined): {
  readonly uri: string;
  readonly version: number | null;
  readonly edits: readonly TextEdit[];
} {
  const [first, ...rest] = edit?.documentChanges ?? [];
  if (!first || rest.length > 0 || !('textDocument' in first)) throw new Error(JSON.stringify(edit));
  return {
    uri: first.textDocument.uri,
    version: first.textDocument.version,
    edits: first.edits as readonly TextEdit[],
  };
}

export function rangeOf(diagnostics: readonly Diagnostic[], code: string): Range {
  const found = diagnostics.find((it) => it.code === code);
  if (!found) throw new Error(`${code} is not among ${diagnostics.map((it) => it.code).join()}`);
  return found.range;
}
