import type { InstanceId } from '../kernel/types';
import type { Certainty, Place } from '../place';
import type { EffectRow } from './catalogue-row';
import type { Value } from './values';

/** What module code was running when something happened. */
export interface Actor {
  readonly instance: InstanceId;
  /** 'init', 'exit', a callback kind, 'work', or 'patched' for what a patched function may do. */
  readonly during: string;
  /** The C function that holds the call. */
  readonly function: string;
  readonly place: Place;
}

/** One side effect that is in force in the running kernel. */
export interface Effect {
  readonly id: number;
  /** The catalogue row; synthetic rows stand for plain writes to kernel memory, state data and shadow variables. */
  readonly row: EffectRow;
  /** Identity shown to people and equal across versions for the same thing: `net_status`, `console_loglevel`, `<NULL, 0x51>`. */
  readonly key: string;
  /** Identity for matching do and undo inside one run (addresses included). */
  readonly match: string;
  readonly by: Actor;
  /** Who did it again, or wrote another value over it, most recently. */
  readonly last?: Actor;
  /** The values of the row's identity parts. */
  readonly identity: readonly Value[];
  /** What the do call returned, where an undo may be given that. */
  readonly handle?: Value;
  /** Size of a shadow variable or allocation, where known. */
  readonly size?: number;
  /** Instances whose code or data the kernel can now reach through this effect. */
  readonly holds: readonly InstanceId[];
  /** How often it was done and not undone. */
  readonly count: number;
  /** For values: what stood there before the first write, and what stands there now. */
  readonly original?: Value;
  readonly value?: Value;
  readonly certainty: Certainty;
}

/** What the ledger saw, in order. Lineage turns this into verdicts, rules into findings. */
export type EffectEvent =
  | { readonly k: 'done'; readonly effect: Effect }
  | { readonly k: 'repeated'; readonly effect: Effect; readonly by: Actor; readonly result: number | null }
  | { readonly k: 'undone'; readonly effect: Effect; readonly by: Actor }
  /** It came to its end by itself: what was queued has run, and waits for no further turn. */
  | { readonly k: 'ended'; readonly effect: Effect }
  /** An undo of something that is not in force: double unregister, free of nothing. */
  | { readonly k: 'undone-without'; readonly row: EffectRow; readonly key: string; readonly by: Actor }
  /** A fault in the running code: NULL or freed memory dereferenced, double free, WARN of the kernel, deadlock. */
  | {
      readonly k: 'fault';
      readonly fault: Fault;
      readonly text: string;
      readonly by: Actor;
      readonly certainty: Certainty;
    };

/** What somebody's code did. */
export type DeedEvent = Exclude<EffectEvent, { readonly k: 'ended' }>;

export type Fault =
  | 'null-dereference'
  | 'use-after-free'
  | 'double-free'
  | 'refcount-underflow'
  | 'warn'
  | 'deadlock';
