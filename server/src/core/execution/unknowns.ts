import type { CType } from '../csource/types';
import type { Place } from '../place';
import { errorPointer, toInteger } from './integers';
import type { Decision } from './machine-host';
import type { Pointer, Unknown, Value } from './values';

/** How an unknown follows from others: `left op right`, computed in `type`. */
export interface Derivation {
  readonly op: string;
  readonly left: Value;
  readonly right: Value;
  readonly type: CType;
  /** How many operations stand above each other in it. */
  readonly height: number;
}

interface Constraint {
  readonly condition: Unknown;
  readonly truth: boolean;
}

/** What the interpreter lends: arithmetic on known values, the memory behind an unknown pointer, steps of the call. */
export interface KnownValues {
  compute(op: string, left: Value, right: Value, type: CType): Value;
  behind(id: string): Pointer;
  /** So many steps were spent on unknowns. */
  worked(steps: number): void;
  /** A new unknown was made. */
  made(): void;
}

const MAX_BASES = 3;
const MAX_CONSTANTS = 12;
/** So much is assumed of one unknown at most: a loop assumes something more at every turn. */
const MAX_ASSUMED = 200;
/** What stands higher is not worked out: a loop puts something on top at every turn. */
const MAX_HEIGHT = 31;
/** Above this, what an unknown follows from is worked out once a look: `h ^= h << 5` holds the same on each side. */
const UNSHARED_HEIGHT = 4;
/** To look at 2^5 unknowns costs as much as a step: a decision about what people write takes a handful. */
const LOOKS_PER_STEP = 5;

/**
 * The named unknowns of a run and what has been assumed of them. A branch on an unknown takes the way of success:
 * integers are 0, pointers lead somewhere. The branch that `flip` numbers takes the other way, and a value that
 * makes it do so (a witness) stands for the unknown in every later condition, so that all answers agree.
 */
export class Unknowns {
  private derivations = new Map<string, Derivation>();
  private types = new Map<string, CType>();
  private successes = new Map<string, Value>();
  private witnesses = new Map<string, Value>();
  private constraints = new Map<string, readonly Constraint[]>();
  private outcomes = new Map<string, boolean>();
  private counts = new Map<string, number>();
  private log: Decision[] = [];
  /** Unknowns looked at for one decision, each as often as it was. */
  private looks = 0;

  constructor(
    private readonly known: KnownValues,
    private readonly flip: number | null,
  ) {}

  clone(known: KnownValues, flip: number | null): Unknowns {
    const copy = new Unknowns(known, flip);
    copy.derivations = this.derivations; // only grows, and equal names mean equal derivations
    copy.types = new Map(this.types);
    copy.successes = new Map(this.successes);
    copy.witnesses = new Map(this.witnesses);
    copy.constraints = new Map(this.constraints);
    copy.outcomes = new Map(this.outcomes);
    copy.counts = new Map(this.counts);
    return copy;
  }

  decisions(): readonly Decision[] {
    return this.log;
  }

  /** A new unknown: `text`, made unique. */
  fresh(text: string, type: CType, success?: Value): Unknown {
    const n = (this.counts.get(text) ?? 0) + 1;
    this.counts.set(text, n);
    this.known.made();
    return this.named(n === 1 ? text : `${text}#${n}`, type, success);
  }

  /** The unknown of this name, the same each time. */
  named(id: string, type: CType, success?: Value): Unknown {
    if (!this.types.has(id)) this.types.set(id, type);
    if (success !== undefined && !this.successes.has(id)) this.successes.set(id, success);
    return { k: 'unknown', id };
  }

  /** A typed place now holds the unknown: if nothing said what it is, this does. */
  note(value: Unknown, type: CType): void {
    if (type.k === 'unknown' || type.k === 'void') return;
    const known = this.types.get(value.id);
    if (known === undefined || known.k === 'unknown') {
      if (!this.derivations.has(value.id)) this.types.set(value.id, type);
    }
  }

  typeOf(value: Unknown): CType | undefined {
    return this.types.get(value.id);
  }

  derive(op: string, left: Value, right: Value, type: CType): Unknown {
    const text =
      op === '!' || op === '~' || op === 'neg'
        ? `${op === 'neg' ? '-' : op}${textOf(left)}`
        : `(${textOf(left)} ${op} ${textOf(right)})`;
    const id = text.length > 160 ? `${text.slice(0, 100)}…${hash(text).toString(36)}` : text;
    if (!this.derivations.has(id)) {
      const height = 1 + Math.max(this.height(left), this.height(right));
      this.derivations.set(id, { op, left, right, type, height });
    }
    const symbolic = isSymbolic(left) && isSymbolic(right);
    return symbolic ? { k: 'unknown', id, symbolic: true } : { k: 'unknown', id };
  }

  /** The truth of a condition: as assumed before, or by a new decision. */
  truth(condition: Unknown, place: () => Place | null): boolean {
    this.looks = 0;
    const now = this.isTrue(condition, null, null);
    const other = this.alternative(condition, now);
    this.known.worked(this.looks >> LOOKS_PER_STEP);
    if (other === null) return now;
    const flipped = this.log.length === this.flip;
    if (flipped) this.witnesses.set(other.base, other.value);
    const taken = flipped ? !now : now;
    this.log.push({ id: condition.id, success: now, taken, place: place() });
    const constraint = { condition, truth: taken };
    for (const base of this.bases(condition)) {
      this.constraints.set(base.id, [...(this.constraints.get(base.id) ?? []), constraint]);
    }
    return taken;
  }

  /** An outcome that a model asks for: decided once per id. */
  outcome(id: string, success: boolean, place: Place | null): boolean {
    const known = this.outcomes.get(id);
    if (known !== undefined) return known;
    const taken = this.log.length === this.flip ? !success : success;
    this.log.push({ id, success, taken, place });
    this.outcomes.set(id, taken);
    return taken;
  }

  /** The value that stands for an unknown under all that has been assumed; undefined where none can be computed. */
  stand(value: Value): Value | undefined {
    this.looks = 0;
    const result = this.evaluate(value, null, null, MAX_HEIGHT);
    this.known.worked(this.looks >> LOOKS_PER_STEP);
    return result;
  }

  /** Everything assumed of an unknown, as text, for the state's key. */
  assumptions(id: string): string {
    const witness = this.witnesses.get(id);
    const list = (this.constraints.get(id) ?? []).map((c) => `${c.condition.id}:${c.truth ? 1 : 0}`);
    return witness === undefined && list.length === 0
      ? ''
      : `${witness === undefined ? '' : textOf(witness)}{${list.join(',')}}`;
  }

  bases(value: Unknown): readonly Unknown[] {
    const found = new Map<string, Unknown>();
    const seen = new Map<string, number>();
    const visit = (v: Value, depth: number): void => {
      if (typeof v !== 'object' || v.k !== 'unknown' || depth > 30 || found.size > 8) return;
      if ((seen.get(v.id) ?? 31) <= depth) return;
      this.looks++;
      seen.set(v.id, depth);
      const derivation = this.derivations.get(v.id);
      if (derivation === undefined) found.set(v.id, v);
      else {
        visit(derivation.left, depth + 1);
        visit(derivation.right, depth + 1);
      }
    };
    visit(value, 0);
    return [...found.values()];
  }

  private isTrue(condition: Unknown, base: string | null, value: Value | null): boolean {
    const result = this.evaluate(condition, base, value, MAX_HEIGHT);
    if (result === undefined) return false;
    return typeof result === 'object' ? true : result !== 0;
  }

  private height(value: Value): number {
    return typeof value === 'object' && value.k === 'unknown'
      ? (this.derivations.get(value.id)?.height ?? 0)
      : 0;
  }

  /** `highest` goes down with every operation, so that this ends whatever the names of unknowns are. */
  private evaluate(
    value: Value,
    base: string | null,
    instead: Value | null,
    highest: number,
    memo?: Map<string, Value | undefined>,
  ): Value | undefined {
    if (typeof value !== 'object' || value.k !== 'unknown') return value;
    if (value.id === base && instead !== null) return instead;
    this.looks++;
    const derivation = this.derivations.get(value.id);
    if (derivation === undefined) return this.witnesses.get(value.id) ?? this.success(value);
    const { op, left, right, type, height } = derivation;
    if (height > highest) return undefined;
    memo = height > UNSHARED_HEIGHT ? (memo ?? new Map()) : undefined;
    if (memo?.has(value.id)) return memo.get(value.id);
    const a = this.evaluate(left, base, instead, height - 1, memo);
    const b = a === undefined ? undefined : this.evaluate(right, base, instead, height - 1, memo);
    let result: Value | undefined;
    if (a !== undefined && b !== undefined) {
      result = this.known.compute(op, a, b, type);
      if (typeof result === 'object' && result.k === 'unknown') result = undefined;
    }
    memo?.set(value.id, result);
    return result;
  }

  private success(value: Unknown): Value {
    if (value.symbolic) return 0x5eed00000 + (hash(value.id) % 0xfffff);
    const success = this.successes.get(value.id);
    if (success !== undefined) return success;
    return this.types.get(value.id)?.k === 'pointer' ? this.known.behind(value.id) : 0;
  }

  private alternative(condition: Unknown, now: boolean): { base: string; value: Value } | null {
    const bases = this.bases(condition).slice(0, MAX_BASES);
    for (const base of bases) {
      const constraints = this.constraints.get(base.id) ?? [];
      if (constraints.length >= MAX_ASSUMED) continue;
      for (const value of this.candidates(base, condition, constraints)) {
        if (this.isTrue(condition, base.id, value) === now) continue;
        if (constraints.every((c) => this.isTrue(c.condition, base.id, value) === c.truth))
          return { base: base.id, value };
      }
    }
    return null;
  }

  private candidates(base: Unknown, condition: Unknown, constraints: readonly Constraint[]): Value[] {
    const type = this.types.get(base.id);
    const constants: Value[] = [];
    const visit = (v: Value, depth: number): void => {
      if (depth > 10 || constants.length >= MAX_CONSTANTS) return;
      if (typeof v !== 'object' || v.k !== 'unknown') constants.push(v);
      else if (v.id !== base.id) {
        this.looks++;
        const derivation = this.derivations.get(v.id);
        if (derivation === undefined) constants.push(this.evaluate(v, null, null, 0) ?? 0);
        else {
          visit(derivation.left, depth + 1);
          visit(derivation.right, depth + 1);
        }
      }
    };
    visit(condition, 0);
    for (const constraint of constraints) visit(constraint.condition, 0);
    if (type?.k === 'pointer') {
      return [
        this.known.behind(base.id),
        0,
        errorPointer(22),
        ...constants.filter((c) => typeof c === 'object'),
      ];
    }
    const values: Value[] = [];
    const add = (v: number | bigint): void => {
      values.push(type?.k === 'int' ? toInteger(v, type) : v);
    };
    // What fails first: an errno.
    for (const v of [-22, 0, 1, -1]) add(v);
    for (const c of constants) {
      if (typeof c === 'number') for (const v of [c, c + 1, c - 1]) add(v);
      else values.push(c);
    }
    if (type === undefined || type.k === 'unknown') values.push(this.known.behind(base.id));
    return values;
  }
}

function isSymbolic(value: Value): boolean {
  return typeof value !== 'object' || (value.k === 'unknown' && value.symbolic === true);
}

/** Text for the names of derived unknowns. */
export function textOf(value: Value): string {
  if (typeof value !== 'object') return String(value);
  switch (value.k) {
    case 'unknown':
      return value.id;
    case 'pointer':
      return `&${value.block}${value.path}`;
    case 'string':
      return JSON.stringify(value.text.slice(value.offset));
    case 'function':
      return value.name;
    case 'aggregate':
      return '{…}';
  }
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}
