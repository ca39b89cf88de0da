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
  readonly #lines = new Map<string, Lines>();

  /** `name` gives a file's name as people know it, `text` its text. */
  constructor(name: (file: string) => string, text: (file: string) => string) {
    this.#name = name;
    this.#text = text;
  }

  at(place: Place): LinePlace {
    const lines = this.#linesOf(place.file);
    const start = lines.at(place.start);
    const end = lines.at(place.end);
    return {
      file: this.file(place.file),
      ...(place.revision === undefined ? {} : { revision: place.revision }),
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

  #linesOf(file: string): Lines {
    let lines = this.#lines.get(file);
    if (!lines) {
      lines = new Lines(this.#text(file));
      this.#lines.set(file, lines);
    }
    return lines;
  }
}
