import { join } from 'node:path';
import type { Files } from './files';
import { type Glob, readGlob } from './glob';

/** One line of a .gitignore: what it hides, or with `!` shows again, of the folder it stands in. */
interface Line {
  readonly glob: Glob;
  readonly foldersOnly: boolean;
  readonly shows: boolean;
}

/** Lines of one .gitignore that are read. */
const MAX_LINES = 500;

/**
 * What is not looked at when manifests are looked for: what git ignores there, and what the editor hides
 * (`files.exclude`). A document that somebody opens is read all the same.
 */
export class Ignored {
  readonly #files: Files;
  readonly #hidden: readonly Glob[];
  readonly #lines = new Map<string, readonly Line[]>();

  /** `hidden`: the editor's patterns, relative to a folder of the workspace. */
  constructor(files: Files, hidden: readonly string[]) {
    this.#files = files;
    this.#hidden = hidden.map(readGlob);
  }

  /** Whether this entry is hidden; `path` is relative to `top`, a folder of the workspace, with `/` between its parts. */
  hides(top: string, path: string, isFolder: boolean): boolean {
    if (this.#hidden.some((glob) => glob.matches(path))) return true;
    const names = path.split('/');
    let hidden = false;
    // The file nearest to the entry speaks last.
    for (let depth = 0; depth < names.length; depth++) {
      const inner = names.slice(depth).join('/');
      for (const line of this.#linesOf(join(top, ...names.slice(0, depth)))) {
        if (line.shows === hidden && (isFolder || !line.foldersOnly) && line.glob.matches(inner))
          hidden = !line.shows;
      }
    }
    return hidden;
  }

  /** The .gitignore files may have changed. */
  forget(): void {
    this.#lines.clear();
  }

  #linesOf(folder: string): readonly Line[] {
    let lines = this.#lines.get(folder);
    if (!lines) {
      const path = join(folder, '.gitignore');
      const text = this.#files.real(path) === null ? '' : this.#files.read(path);
      this.#lines.set(folder, (lines = typeof text === 'string' ? readLines(text) : []));
    }
    return lines;
  }
}

function readLines(text: string): Line[] {
  return text
    .split(/\r?\n/, MAX_LINES)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const shows = line.startsWith('!');
      const pattern = line.slice(shows ? 1 : 0).replace(/\/$/, '');
      // A pattern with a slash stands for a path from here, one without for a name anywhere below.
      const glob = pattern.includes('/') ? pattern.replace(/^\//, '') : `**/${pattern}`;
      return { glob: readGlob(glob), foldersOnly: line.endsWith('/'), shows };
    });
}
