import type { ApiModel, ExecutionLibrary, ForeignWrite } from './api';
import { ApiState } from './api-state';
import { type Catalogue, catalogueWith } from './catalogue';
import type { EffectRow } from './catalogue-row';
import type { MachineHost } from './machine-host';
import { ATOMIC_MODELS } from './models/atomics';
import { deadlockModel } from './models/deadlocks';
import { deferredModels, taskEnded } from './models/deferred';
import { effectModel } from './models/effects-model';
import { heapModel } from './models/heap';
import { LIST_MODELS } from './models/lists';
import { LIVEPATCH_MODELS } from './models/livepatch';
import { LOOKUP_MODELS } from './models/lookups';
import { moduleModels } from './models/modules';
import { quietModel } from './models/quiet';
import { SHADOW_MODELS } from './models/shadow';
import { staticKeyModels } from './models/static-keys';
import { STRING_MODELS } from './models/strings';
import { readPatch } from './records';

/** Models of kernel functions for one catalogue; each is made when it is first asked for. */
class Models {
  readonly #made = new Map<string, ApiModel | undefined>();
  readonly #fixed: Readonly<Record<string, ApiModel>>;
  readonly #own: ReadonlySet<string>;

  constructor(
    readonly catalogue: Catalogue,
    own: readonly EffectRow[],
  ) {
    this.#own = new Set(own.flatMap((row) => [row.do, ...row.undo.map((call) => call.name)]));
    this.#fixed = {
      ...ATOMIC_MODELS,
      ...LIST_MODELS,
      ...STRING_MODELS,
      ...LOOKUP_MODELS,
      ...staticKeyModels(catalogue),
      ...moduleModels(catalogue),
      ...deferredModels(catalogue),
      ...SHADOW_MODELS,
      ...LIVEPATCH_MODELS,
    };
  }

  of(name: string): ApiModel | undefined {
    if (!this.#made.has(name)) this.#made.set(name, this.#make(name));
    return this.#made.get(name);
  }

  #make(name: string): ApiModel | undefined {
    if (this.#own.has(name)) return effectModel(name, this.catalogue);
    const model =
      (Object.hasOwn(this.#fixed, name) ? this.#fixed[name] : undefined) ??
      heapModel(name, this.catalogue) ??
      effectModel(name, this.catalogue) ??
      quietModel(name);
    return deadlockModel(name, model) ?? model;
  }
}

const SHIPPED_ROWS: readonly EffectRow[] = [];
const models = new WeakMap<readonly EffectRow[], Models>();

function modelsOf(rows: readonly EffectRow[]): Models {
  // What every lineage without pairs of its own shares.
  if (rows.length === 0) rows = SHIPPED_ROWS;
  let made = models.get(rows);
  if (!made) {
    made = new Models(catalogueWith(rows), rows);
    models.set(rows, made);
  }
  return made;
}

/** The model of a kernel function; undefined for one that nothing here knows. `rows`: a lineage's own pairs. */
export function modelOf(name: string, rows: readonly EffectRow[] = SHIPPED_ROWS): ApiModel | undefined {
  return modelsOf(rows).of(name);
}

/** What a machine needs to know of the kernel, with a lineage's own do/undo pairs first. */
export function executionLibrary(rows: readonly EffectRow[] = SHIPPED_ROWS): ExecutionLibrary {
  const table = modelsOf(rows);
  return {
    modelOf: (name) => table.of(name),
    readPatch,
    createState: () => new ApiState(),
    wrote,
    taskEnded,
  };
}

function wrote(state: ApiState, host: MachineHost, write: ForeignWrite): void {
  state.ledger.wrote(host, {
    pointer: write.pointer,
    key: write.label,
    old: write.before,
    value: write.after,
    by: write.actor,
    holds: write.holds,
  });
}
