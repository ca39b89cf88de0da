/**
 * Where something stands. `file` is whatever name the host gave the text (a path, a URI): core never takes it
 * apart. Offsets are UTF-16 code units from 0, `end` is exclusive. `revision` is set when the text was read from
 * a git revision instead of the working tree.
 */
export interface Place {
  readonly file: string;
  readonly revision?: string;
  readonly start: number;
  readonly end: number;
}

/** Where a place of a text that was made for reading stands in what a person wrote. */
export type Relocate = (place: Place) => Place;

/** A stretch of one text, in UTF-16 code units from 0; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How sure a statement is: `may` where an unknown value, an opaque call or a spent budget stands in between. */
export type Certainty = 'must' | 'may';

export type Severity = 'error' | 'warning' | 'information' | 'hint';
