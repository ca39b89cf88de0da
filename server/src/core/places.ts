import { Lines } from './lines';
import type { Place } from './place';

/** A place as people and scripts get it: lines and columns from 1, columns in UTF-16 units. */
export interface LinePlace {
  readonly file: string;
  readonly revision?: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Turns places into lines and columns; every text is split into lines once. */
export class Places {
  readonly #name: (file: string) => string;
  readonly #text: (file: string) => string;
  readonly #revision: (file: string) => string | undefined;
  readonly #lines = new Map<string, Lines>();

  /** `name` gives a file's name as people know it, `text` its text, `revision` the one that it was read from. */
  constructor(
    name: (file: string) => string,
    text: (file: string) => string,
    revision: (file: string) => string | undefined = () => undefined,
  ) {
    this.#name = name;
    this.#text = text;
    this.#revision = revision;
  }

  at(place: Place): LinePlace {
    const lines = this.#linesOf(place.file);
    const start = lines.at(place.start);
    const end = lines.at(place.end);
    const revision = place.revision ?? this.#revision(place.file);
    return {
      file: this.file(place.file),
      ...(revision === undefined ? {} : { revision }),
      line: start.line + 1,
      column: start.column + 1,
      endLine: end.line + 1,
      endColumn: end.column + 1,
    };
  }

  /** The line of a place, from 1. */
  line(place: Place): number {
    return this.#linesOf(place.file).at(place.start).line + 1;
  }

  file(path: string): string {
    return this.#name(path);
  }

  /** As people read it: `main.c:12`, or `u2:main.c:12`, in git's own notation, where a revision has it. */
  text(place: Place): string {
    return `${this.fileText(place.file)}:${this.line(place)}`;
  }

  /** The file's name with the revision that has it. */
  fileText(path: string): string {
    const revision = this.#revision(path);
    return revision === undefined ? this.file(path) : `${revision}:${this.file(path)}`;
  }

  #linesOf(file: string): Lines {
    let lines = this.#lines.get(file);
    if (!lines) {
      lines = new Lines(this.#text(file));
      this.#lines.set(file, lines);
    }
    return lines;
  }
}
