import type { CallPart, EffectKey, EffectRow, FailureForm, Hazard, UndoCall } from './catalogue-row';

/** The letters of the hazard column: U(se-after-free), E (double application), S(tuck value), L(eak). */
const HAZARDS: Readonly<Record<string, Hazard>> = {
  U: 'use-after-free',
  E: 'double-application',
  S: 'stuck-value',
  L: 'leak',
};

/** What rows of one kind share. Argument numbers are from 0. */
export interface RowKind {
  readonly noun: string;
  readonly header: string;
  readonly key: EffectKey;
  /** Letters of HAZARDS, the worst first. */
  readonly hazards: string;
  readonly fails: FailureForm;
  readonly family?: string;
  readonly repeated?: NonNullable<EffectRow['repeated']>;
  readonly repeatedErrno?: number;
  readonly label?: CallPart;
  readonly unique?: true;
}

export interface RowDetails {
  readonly identity?: readonly CallPart[];
  readonly holds?: readonly number[];
  readonly label?: CallPart;
  readonly unique?: true;
  readonly parent?: number;
  readonly fails?: FailureForm;
  readonly hazards?: string;
  readonly header?: string;
  readonly repeated?: NonNullable<EffectRow['repeated']>;
  readonly since?: string;
  readonly until?: string;
}

export const RESULT: CallPart = { result: true };

export function arg(index: number): CallPart {
  return { arg: index };
}

/** An argument that counts by the characters it points at. */
export function text(index: number, member?: string): CallPart {
  return member === undefined ? { arg: index, text: true } : { arg: index, member, text: true };
}

/** Maker of rows of one kind: `row(do, undo, details)`; identity and holds default to the first argument. */
export function rowsOf(
  kind: RowKind,
): (name: string, undo: readonly UndoCall[], details?: RowDetails) => EffectRow {
  return (name, undo, details = {}) => {
    const { hazards = kind.hazards, ...rest } = details;
    return {
      family: kind.family ?? kind.noun,
      do: name,
      undo,
      header: kind.header,
      key: kind.key,
      identity: [arg(0)],
      holds: [0],
      hazards: hazardsOf(hazards),
      fails: kind.fails,
      noun: kind.noun,
      ...(kind.repeated ? { repeated: kind.repeated } : {}),
      ...(kind.repeatedErrno ? { repeatedErrno: kind.repeatedErrno } : {}),
      ...(kind.label ? { label: kind.label } : {}),
      ...(kind.unique ? { unique: kind.unique } : {}),
      ...rest,
    };
  };
}

/** An undo that names the effect by the same arguments as the do; the first one unless said otherwise. */
export function undo(
  name: string,
  identity: readonly CallPart[] = [arg(0)],
  more: Partial<UndoCall> = {},
): UndoCall {
  return { name, identity, ...more };
}

/** An undo that gets what the do returned, as its first argument unless said otherwise. */
export function undoHandle(name: string, more: Partial<UndoCall> = {}, at = 0): UndoCall {
  return { name, identity: [], handle: arg(at), ...more };
}

/** Pairs that both take nothing but the address of the registered object. Most take it off a list, there or not. */
export function pairs(
  kind: RowKind,
  table: readonly (readonly [string, string])[],
  { absent, ...details }: RowDetails & Pick<UndoCall, 'absent'> = {},
): EffectRow[] {
  const row = rowsOf(kind);
  return table.map(([name, undoName]) =>
    row(name, [undo(undoName, [arg(0)], absent === undefined ? {} : { absent })], details),
  );
}

function hazardsOf(letters: string): Hazard[] {
  return [...letters].flatMap((letter) => HAZARDS[letter] ?? []);
}
