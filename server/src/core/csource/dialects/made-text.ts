import type { Place, Relocate } from '../../place';

/** A stretch of a file that a person wrote. */
export interface Source {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A text that is put together line by line, each line from a place in what a person wrote: either that line itself,
 * letter for letter, or something made that stands for it.
 */
export class MadeText {
  #text = '';
  readonly #starts: number[] = [];
  readonly #sources: Source[] = [];
  readonly #exact: boolean[] = [];

  get text(): string {
    return this.#text;
  }

  /** The line of the source as it is. */
  copy(text: string, source: Source): void {
    this.#line(text, source, true);
  }

  /** Lines of our own, shown as the source where somebody asks. */
  make(text: string, source: Source): void {
    for (const line of text.split('\n')) this.#line(line, source, false);
  }

  #line(text: string, source: Source, exact: boolean): void {
    this.#starts.push(this.#text.length);
    this.#sources.push(source);
    this.#exact.push(exact);
    this.#text += `${text}\n`;
  }

  /** Where a stretch of the text stands in the sources; one that goes on in another file ends with its line. */
  source(start: number, end: number): Source | null {
    const first = this.#lineAt(start);
    const source = this.#sources[first];
    if (!source) return null;
    if (!this.#exact[first]) return source;
    const from = Math.min(source.start + start - (this.#starts[first] as number), source.end);
    const last = this.#lineAt(Math.max(start, end - 1));
    const behind = this.#sources[last] as Source;
    const to = this.#exact[last]
      ? Math.min(behind.start + end - (this.#starts[last] as number), behind.end)
      : behind.end;
    return behind.file === source.file && to >= from
      ? { file: source.file, start: from, end: to }
      : { file: source.file, start: from, end: source.end };
  }

  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Relocation into what these texts, by name, were made from. */
export function relocateInto(made: ReadonlyMap<string, MadeText>): Relocate {
  return (place: Place): Place => {
    const source = made.get(place.file)?.source(place.start, place.end);
    if (!source) return place;
    return place.revision === undefined ? { ...source } : { ...source, revision: place.revision };
  };
}
