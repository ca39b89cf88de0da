import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A string that the client hands to `vscode.l10n.t`. */
export interface ShownString {
  readonly file: string;
  /** null where the argument is no literal, which no translator could find. */
  readonly text: string | null;
}

/** All of them below a folder, in the order of files and places. */
export function shownStrings(folder: string): ShownString[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((file) => {
      const calls = readFileSync(file, 'utf8').matchAll(
        /\bl10n\.t\(\s*('(?:[^'\\\n]|\\.)*'(?=\s*[,)])|"(?:[^"\\\n]|\\.)*"(?=\s*[,)]))?/g,
      );
      return [...calls].map(([, literal]) => ({
        file,
        text: literal === undefined ? null : literal.slice(1, -1).replace(/\\(.)/g, '$1'),
      }));
    });
}

/** The placeholders of a text, sorted: `{0}`, `{1}`. */
export function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\d+\}/g)].map(([all]) => all))].sort();
}
