import type { Place } from '../../place';

interface Stretch {
  /** Where the stretch begins in the text that is made. */
  readonly at: number;
  readonly place: Place;
  /** The text is that of the place, letter by letter. */
  readonly copied: boolean;
}

/** Puts a text together out of stretches, and remembers where each comes from. */
export class FilledText {
  #text = '';
  readonly #stretches: Stretch[] = [];

  get text(): string {
    return this.#text;
  }

  /** A stretch of what a person wrote, as it stands there. */
  copy(source: string, place: Place): void {
    this.#add(source.slice(place.start, place.end), place, true);
  }

  /** Text that nobody wrote; all of it is shown at this place. */
  put(text: string, place: Place): void {
    this.#add(text, place, false);
  }

  #add(text: string, place: Place, copied: boolean): void {
    if (text === '') return;
    this.#stretches.push({ at: this.#text.length, place, copied });
    this.#text += text;
  }

  /** Where a stretch of the made text, in UTF-16 units, stands in what a person wrote. */
  original(start: number, end: number): Place | undefined {
    const first = this.#at(start);
    if (first === undefined || !first.copied) return first?.place;
    const { file, start: from } = first.place;
    const begins = from + start - first.at;
    const last = this.#at(Math.max(start, end - 1)) ?? first;
    const ends = last.copied ? last.place.start + end - last.at : last.place.end;
    return {
      file,
      start: begins,
      end: last.place.file === file ? Math.max(begins, ends) : first.place.end,
    };
  }

  #at(offset: number): Stretch | undefined {
    let low = 0;
    let high = this.#stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#stretches[middle]?.at ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#stretches[low];
  }
}
