import { NEVER_SLEEPS } from './catalogue-atomic';
import { arg, RESULT, text } from './catalogue-builders';
import { DEVICE_ROWS } from './catalogue-devices';
import { DRIVER_ROWS } from './catalogue-drivers';
import { FILE_ROWS } from './catalogue-files';
import { MEMORY_ROWS } from './catalogue-memory';
import { NET_ROWS } from './catalogue-net';
import { NOTIFIER_ROWS } from './catalogue-notifiers';
import type { CallPart, EffectRow, FailureForm, Hazard } from './catalogue-row';
import { RUNNING_ROWS } from './catalogue-running';

/** Every do/undo pair that ships with the program. */
export const CATALOGUE: readonly EffectRow[] = [
  ...NOTIFIER_ROWS,
  ...FILE_ROWS,
  ...DEVICE_ROWS,
  ...RUNNING_ROWS,
  ...NET_ROWS,
  ...MEMORY_ROWS,
  ...DRIVER_ROWS,
].map((row) => ({
  ...row,
  undo: row.undo.map((call) => (NEVER_SLEEPS.has(call.name) ? call : { ...call, maySleep: true })),
}));

/** A pair as a lineage's manifest states it. `argument` counts from 1. */
export interface OwnEffect {
  readonly do: string;
  readonly undo: string;
  readonly key: 'name' | 'pointer' | 'handle' | 'value';
  readonly argument: number;
  readonly fails: 'null' | 'errno' | 'errptr' | 'never';
}

/** A row together with the place among its undos where the name was found. */
export interface UndoRow {
  readonly row: EffectRow;
  readonly undo: EffectRow['undo'][number];
}

const HAZARDS_OF_KEY: Readonly<Record<OwnEffect['key'], readonly Hazard[]>> = {
  name: ['use-after-free', 'double-application'],
  pointer: ['use-after-free'],
  handle: ['leak'],
  value: ['stuck-value'],
};

/** Rows for a lineage's own pairs. */
export function effectRowsOf(effects: readonly OwnEffect[]): EffectRow[] {
  return effects.map((effect) => {
    const at = Math.max(0, effect.argument - 1);
    const part: CallPart = effect.key === 'name' ? text(at) : arg(at);
    const byResult = effect.key === 'handle' && (effect.fails === 'null' || effect.fails === 'errptr');
    return {
      family: effect.do,
      do: effect.do,
      undo: [
        byResult
          ? { name: effect.undo, identity: [], handle: arg(at) }
          : { name: effect.undo, identity: [part] },
      ],
      header: '',
      key: effect.key,
      identity: [byResult ? RESULT : part],
      holds: effect.key === 'pointer' ? [at] : [],
      hazards: HAZARDS_OF_KEY[effect.key],
      fails: effect.fails satisfies FailureForm,
      repeated: effect.key === 'name' ? 'errno' : effect.key === 'value' ? 'harmless' : 'corrupts',
      noun: effect.do,
    };
  });
}

/** Lookups over the catalogue and a lineage's own rows, which come first. */
export class Catalogue {
  readonly #do = new Map<string, EffectRow[]>();
  readonly #undo = new Map<string, UndoRow[]>();
  /** Rows whose functions are named after something, by what their names begin with. */
  readonly #patterns: (readonly [prefix: string, row: EffectRow])[] = [];

  constructor(own: readonly EffectRow[] = []) {
    for (const row of [...own, ...CATALOGUE]) {
      if (!row.do.endsWith('*')) {
        this.#add(row);
        continue;
      }
      for (const name of [row.do, ...row.undo.map((call) => call.name)])
        if (name.endsWith('*')) this.#patterns.push([name.slice(0, -1), row]);
    }
  }

  /** Rows whose do is this function; empty for a function that is in no row. */
  rowsByDo(name: string): readonly EffectRow[] {
    this.#expand(name);
    return this.#do.get(name) ?? [];
  }

  /** Rows that this function undoes. */
  rowsByUndo(name: string): readonly UndoRow[] {
    this.#expand(name);
    return this.#undo.get(name) ?? [];
  }

  /** A row for tracepoints and the like, whose functions are named after something. */
  #expand(name: string): void {
    if (this.#do.has(name) || this.#undo.has(name)) return;
    for (const [prefix, row] of this.#patterns) {
      if (name.length === prefix.length || !name.startsWith(prefix)) continue;
      const rest = name.slice(prefix.length);
      const named = (text: string): string => text.replace('*', rest);
      this.#add({
        ...row,
        family: `${row.family} ${rest}`,
        do: named(row.do),
        undo: row.undo.map((call) => ({ ...call, name: named(call.name) })),
      });
      return;
    }
  }

  #add(row: EffectRow): void {
    push(this.#do, row.do, row);
    for (const undo of row.undo) push(this.#undo, undo.name, { row, undo });
  }
}

let shipped: Catalogue | undefined;

/** The catalogue with a lineage's own rows; one for all lineages that have none. */
export function catalogueWith(own: readonly EffectRow[]): Catalogue {
  if (own.length > 0) return new Catalogue(own);
  shipped ??= new Catalogue();
  return shipped;
}

/** Rows of the catalogue without any lineage's additions. */
export function rowsByDo(name: string): readonly EffectRow[] {
  return catalogueWith([]).rowsByDo(name);
}

export function rowsByUndo(name: string): readonly UndoRow[] {
  return catalogueWith([]).rowsByUndo(name);
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
