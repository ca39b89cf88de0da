import type { InstanceId } from '../kernel/types';
import type { Certainty } from '../place';
import type { EffectRow } from './catalogue-row';
import { HOOK_WRITE, VALUE_WRITE } from './catalogue-synthetic';
import type { Actor, Effect, EffectEvent } from './effects';
import { isUnknown, type Pointer, type Value } from './values';

/** How a canonical key names values and instances: block and instance numbers differ between equal states. */
export interface KeyNames {
  value(value: Value): string;
  instance(instance: InstanceId): string;
}

/** Who is told what the ledger sees: the machine's host. */
export interface EffectListener {
  effect(event: EffectEvent): void;
}

/** A new effect, as a model hands it in. */
export interface Deed {
  readonly row: EffectRow;
  readonly identity: readonly Value[];
  readonly handle?: Value;
  /** Name for people, equal across versions. */
  readonly key: string;
  readonly by: Actor;
  readonly holds: readonly InstanceId[];
  readonly original?: Value;
  readonly value?: Value;
  readonly size?: number;
  readonly certainty?: Certainty;
}

/** A write to memory of the kernel that goes past every API. */
export interface KernelWrite {
  readonly pointer: Pointer;
  /** Readable name of the place: `console_loglevel`. */
  readonly key: string;
  readonly old: Value;
  readonly value: Value;
  readonly by: Actor;
  /** Instances that the new value leads to. */
  readonly holds: readonly InstanceId[];
}

/** A text that is equal exactly for values that are provably the same. */
export function token(value: Value): string {
  if (typeof value !== 'object') return `i${value}`;
  switch (value.k) {
    case 'pointer':
      return `p${value.block}:${value.path}`;
    case 'string':
      return `s${JSON.stringify(value.text.slice(value.offset))}`;
    case 'function':
      return `f${value.instance ?? ''}:${value.name}`;
    case 'unknown':
      return `u${value.id}`;
    case 'aggregate':
      return `a${[...value.cells].map(([path, cell]) => `${path}=${token(cell)}`).join(';')}`;
  }
}

/**
 * The side effects in force. Cloning is cheap: both copies share their table until one of them changes it.
 */
export class Ledger {
  #effects: Map<number, Effect>;
  /** Family and match to effect id. */
  #index: Map<string, number>;
  #shared = false;
  #next = 1;

  constructor(from?: Ledger) {
    this.#effects = from ? from.#effects : new Map();
    this.#index = from ? from.#index : new Map();
    this.#next = from ? from.#next : 1;
    if (from) {
      from.#shared = true;
      this.#shared = true;
    }
  }

  clone(): Ledger {
    return new Ledger(this);
  }

  get size(): number {
    return this.#effects.size;
  }

  /** In the order in which they were done. */
  effects(): readonly Effect[] {
    return [...this.#effects.values()];
  }

  get(id: number): Effect | undefined {
    return this.#effects.get(id);
  }

  find(family: string, identity: readonly Value[]): Effect | undefined {
    const id = this.#index.get(indexKey(family, matchOf(identity)));
    return id === undefined ? undefined : this.#effects.get(id);
  }

  inForce(families: ReadonlySet<string>): Effect[] {
    const found: Effect[] = [];
    for (const effect of this.#effects.values()) if (families.has(effect.row.family)) found.push(effect);
    return found;
  }

  /**
   * Enters an effect. If the same thing is in force already, that is an event of its own: the count goes up where
   * the row counts, the earlier entry stays otherwise. `result` is what the second call returned, for the event.
   */
  done(host: EffectListener, deed: Deed, result: number | null = null): Effect {
    this.#own();
    const match = matchOf(deed.identity);
    const key = indexKey(deed.row.family, match);
    const known = this.#index.get(key);
    const earlier = known === undefined ? undefined : this.#effects.get(known);
    if (earlier) {
      const counts = deed.row.repeated === 'counts';
      const effect: Effect = { ...earlier, last: deed.by, count: earlier.count + (counts ? 1 : 0) };
      this.#effects.set(effect.id, effect);
      host.effect({ k: 'repeated', effect, by: deed.by, result });
      return effect;
    }
    const effect: Effect = {
      id: this.#next++,
      row: deed.row,
      key: deed.key,
      match,
      by: deed.by,
      identity: deed.identity,
      ...(deed.handle === undefined ? {} : { handle: deed.handle }),
      ...(deed.size === undefined ? {} : { size: deed.size }),
      ...(deed.original === undefined ? {} : { original: deed.original }),
      ...(deed.value === undefined ? {} : { value: deed.value }),
      holds: deed.holds,
      count: 1,
      certainty: deed.certainty ?? 'must',
    };
    this.#effects.set(effect.id, effect);
    this.#index.set(key, effect.id);
    host.effect({ k: 'done', effect });
    return effect;
  }

  /** A second do that the kernel refused with `result`, or that had no effect of its own. */
  repeated(host: EffectListener, effect: Effect, by: Actor, result: number | null): void {
    host.effect({ k: 'repeated', effect, by, result });
  }

  /** One undo of an effect; with `all`, however often it was done. */
  undo(host: EffectListener, effect: Effect, by: Actor, all = false): void {
    const current = this.#effects.get(effect.id);
    if (!current) return;
    this.#own();
    if (current.count > 1 && !all) {
      this.#effects.set(current.id, { ...current, count: current.count - 1, last: by });
      return;
    }
    this.#remove(current);
    host.effect({ k: 'undone', effect: current, by });
  }

  /** An effect is over, and nobody undid it. */
  end(host: EffectListener, effect: Effect): void {
    this.#own();
    this.#remove(effect);
    host.effect({ k: 'ended', effect });
  }

  #remove({ id, row, match }: Effect): void {
    this.#effects.delete(id);
    this.#index.delete(indexKey(row.family, match));
  }

  /** An undo call that met nothing in force. */
  undoneWithout(host: EffectListener, row: EffectRow, key: string, by: Actor): void {
    host.effect({ k: 'undone-without', row, key, by });
  }

  /** It may be that these effects are in force no longer: something unknown was undone. */
  doubt(effects: readonly Effect[]): void {
    if (!effects.some((effect) => effect.certainty === 'must')) return;
    this.#own();
    for (const effect of effects) this.#effects.set(effect.id, { ...effect, certainty: 'may' });
  }

  /**
   * A plain write to kernel memory. The first one remembers the original; writing that back undoes it, and a
   * write of the value that stands there changes nothing.
   */
  wrote(host: EffectListener, write: KernelWrite): void {
    const earlier = this.find(VALUE_WRITE.family, [write.pointer]);
    if (!earlier) {
      if (token(write.old) === token(write.value)) return;
      this.done(host, {
        row: write.holds.length > 0 ? HOOK_WRITE : VALUE_WRITE,
        identity: [write.pointer],
        key: write.key,
        by: write.by,
        holds: write.holds,
        original: write.old,
        value: write.value,
      });
      return;
    }
    if (earlier.original !== undefined && token(earlier.original) === token(write.value)) {
      this.undo(host, earlier, write.by, true);
      return;
    }
    this.#own();
    const same = earlier.value !== undefined && token(earlier.value) === token(write.value);
    const effect: Effect = {
      ...earlier,
      row: write.holds.length > 0 ? HOOK_WRITE : VALUE_WRITE,
      holds: write.holds,
      value: write.value,
      last: write.by,
      certainty: !same && mayBeEqual(earlier.original, write.value) ? 'may' : earlier.certainty,
    };
    this.#effects.set(effect.id, effect);
    host.effect({ k: 'repeated', effect, by: write.by, result: null });
  }

  /** Every value that an effect keeps: what they point at is reachable. */
  *values(): Iterable<Value> {
    for (const effect of this.#effects.values()) {
      yield* effect.identity;
      if (effect.handle !== undefined) yield effect.handle;
      if (effect.original !== undefined) yield effect.original;
      if (effect.value !== undefined) yield effect.value;
    }
  }

  /** Equal for equal ledgers, whatever their numbers. */
  key(names: KeyNames): string {
    const value = (part: Value | undefined): string => (part === undefined ? '-' : names.value(part));
    const lines: string[] = [];
    for (const effect of this.#effects.values()) {
      lines.push(
        [
          effect.row.family,
          effect.row.do,
          effect.identity.map(value).join(','),
          value(effect.handle),
          value(effect.original),
          value(effect.value),
          effect.count,
          effect.size ?? '-',
          effect.certainty,
          names.instance(effect.by.instance),
          effect.by.during,
          effect.holds.map((instance) => names.instance(instance)).join(','),
        ].join('|'),
      );
    }
    return lines.sort().join('\n');
  }

  #own(): void {
    if (!this.#shared) return;
    this.#effects = new Map(this.#effects);
    this.#index = new Map(this.#index);
    this.#shared = false;
  }
}

function matchOf(identity: readonly Value[]): string {
  return identity.map(token).join('|');
}

function indexKey(family: string, match: string): string {
  return `${family}#${match}`;
}

/** An unknown may be any value, so a write over an unknown original may have put it back. */
function mayBeEqual(original: Value | undefined, value: Value): boolean {
  return isUnknown(original) || isUnknown(value);
}
