import type { InstanceId } from '../kernel/types';
import { type KeyNames, Ledger, token } from './ledger';
import type { Pointer, Value } from './values';

/** One entry of the kernel's hash of shadow variables. */
export interface ShadowEntry {
  readonly object: Value;
  readonly id: Value;
  readonly data: Pointer;
  /** In bytes, as asked for; unknown where no number came out. */
  readonly size: Value;
  /** Who allocated it. */
  readonly by: InstanceId;
}

/**
 * What the models of kernel functions keep beside memory: the effect ledger and the shadow variables. Cloned with
 * the machine, and part of its key.
 */
export class ApiState {
  readonly ledger: Ledger;
  #shadows: Map<string, ShadowEntry>;
  #shared = false;

  constructor(from?: ApiState) {
    this.ledger = from ? from.ledger.clone() : new Ledger();
    this.#shadows = from ? from.#shadows : new Map();
    if (from) {
      from.#shared = true;
      this.#shared = true;
    }
  }

  clone(): ApiState {
    return new ApiState(this);
  }

  shadow(object: Value, id: Value): ShadowEntry | undefined {
    return this.#shadows.get(shadowKey(object, id));
  }

  shadows(): readonly ShadowEntry[] {
    return [...this.#shadows.values()];
  }

  addShadow(entry: ShadowEntry): void {
    this.#own();
    this.#shadows.set(shadowKey(entry.object, entry.id), entry);
  }

  removeShadow(entry: ShadowEntry): void {
    this.#own();
    this.#shadows.delete(shadowKey(entry.object, entry.id));
  }

  /** Every value kept here: what it points at is reachable. */
  *values(): Iterable<Value> {
    yield* this.ledger.values();
    for (const entry of this.#shadows.values()) {
      yield entry.object;
      yield entry.data;
    }
  }

  /** Equal for equal states. */
  key(names: KeyNames): string {
    const shadows = [...this.#shadows.values()].map((entry) =>
      [entry.object, entry.id, entry.data, entry.size].map((value) => names.value(value)).join('|'),
    );
    return `${this.ledger.key(names)}\n#\n${shadows.sort().join('\n')}`;
  }

  #own(): void {
    if (!this.#shared) return;
    this.#shadows = new Map(this.#shadows);
    this.#shared = false;
  }
}

function shadowKey(object: Value, id: Value): string {
  return `${token(object)}|${token(id)}`;
}
