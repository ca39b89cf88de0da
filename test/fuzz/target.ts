import type { Random } from '../execution/random';

/** One input: texts by name. Bytes are given as text of one character a byte. */
export type Input = Readonly<Record<string, string>>;

/** Marks an input whose findings are asked for too: that costs a hundred times as much as reading it. */
export const WHOLE = 'whole';

/** Something that must not break, whatever it is given. */
export interface Target {
  readonly name: string;
  /** An input that follows from the random numbers alone. */
  generate(random: Random): Input;
  /** Throws where a property does not hold. */
  run(input: Input): void;
  /** Executions of a short campaign, however slow the machine. */
  readonly least: number;
  /** Executions of a long one, a million in all. */
  readonly long: number;
}

/** Fails the property that is being checked. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** A place lies in its text. */
export function mustLieIn(span: { readonly start: number; readonly end: number }, text: string): void {
  const { start, end } = span;
  must(
    start >= 0 && end >= start && end <= text.length,
    `place ${start}..${end} outside of a text of ${text.length}`,
  );
}
