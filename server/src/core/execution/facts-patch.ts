import type { Unit } from '../csource/unit';
import { CALLBACK_KINDS, type ObjectImage } from '../kernel/types';
import type { Place } from '../place';
import type { Unseen } from './api';
import type { CallbackFacts, FunctionEntry, ObjectFacts, PatchFacts, StateFacts } from './fact-types';
import { initialiserPlace, type ReadPatch } from './facts-memory';
import { isPointer, type Pointer, type Value } from './values';

const MEMBERS: Readonly<Record<Unseen['array'], readonly string[]>> = {
  objects: ['.name', '.funcs', '.callbacks', ...CALLBACK_KINDS.map((kind) => `.callbacks.${kind}`)],
  functions: ['.old_name', '.new_func', '.old_sympos'],
  states: ['.id'],
};

/** Where a patch is defined: its variable, if it is one. */
export interface PatchVariable {
  readonly unit: Unit | null;
  readonly name: string;
  readonly place: Place;
}

/** The facts of one patch from its record in memory. */
export function patchFacts(patch: ReadPatch, variable: PatchVariable): PatchFacts {
  return new PatchReading(patch, variable).facts();
}

class PatchReading {
  constructor(
    private readonly patch: ReadPatch,
    private readonly variable: PatchVariable,
  ) {}

  facts(): PatchFacts {
    const { record } = this.patch;
    const { unit, name, place } = this.variable;
    const definition = unit?.variables.get(name)?.place ?? place;
    return {
      variable: name,
      place,
      initialiser: (unit && initialiserPlace(unit, name)) ?? definition,
      replace: record.replaceKnown ? record.image.replace === 'everything' : null,
      replacePlace: this.origin('.replace'),
      mod: { set: record.image.hasModule, place: this.origin('.mod') },
      objects: record.image.objects?.map((object, index) => this.object(object, index)) ?? null,
      objectsPlace: this.origin('.objs'),
      states: record.image.states.map((state, index): StateFacts => {
        const pointer = record.statePointers[index];
        return { ...state, place: (pointer && this.element(pointer, '.id')) ?? place };
      }),
      statesPlace: this.origin('.states'),
      unterminated: record.unterminated.map(({ array, pointer }) => ({
        array,
        name: this.patch.memory.nameOf(pointer),
        place: this.tablePlace(pointer),
      })),
      unseen: record.unseen.map(({ array, what, table, pointer }) => ({
        array,
        what,
        name: this.patch.memory.nameOf(table),
        place: this.written(pointer, array) ?? this.tablePlace(table),
      })),
      settled: this.patch.memory.settled.has(this.patch),
      complete: record.complete,
    };
  }

  private object(image: ObjectImage, index: number): ObjectFacts {
    const { record, reader } = this.patch;
    const pointer = record.objectPointers[index];
    const place = (pointer && this.element(pointer, '.funcs')) ?? this.variable.place;
    const functions = record.functionPointers[index];
    return {
      name: image.name,
      namePlace: pointer ? reader.origin(reader.at(pointer, '.name')) : null,
      place,
      functions:
        image.functions?.map((entry, at): FunctionEntry => {
          const row = functions?.[at];
          return {
            old: entry.oldName,
            new: entry.newName,
            sympos: entry.sympos,
            place: (row && this.element(row, '.old_name')) ?? place,
          };
        }) ?? null,
      callbacks: this.callbacks(index, pointer, place),
    };
  }

  private callbacks(index: number, pointer: Pointer | undefined, place: Place): CallbackFacts[] {
    const { record, reader } = this.patch;
    const found: CallbackFacts[] = [];
    for (const callback of CALLBACK_KINDS) {
      const value = record.callbackValues[index]?.[callback];
      if (value === undefined || !pointer) continue;
      found.push({
        callback,
        function: nameOf(value),
        place: reader.origin(reader.at(pointer, `.callbacks.${callback}`)) ?? place,
        definition: this.definition(value),
      });
    }
    return found;
  }

  private definition(value: Value): Place | null {
    if (typeof value !== 'object' || value.k !== 'function' || value.instance === null) return null;
    const { units } = this.patch.memory.image;
    const own = value.unit === undefined ? undefined : units[value.unit]?.unit.functions.get(value.name);
    if (own) return own.namePlace;
    for (const { unit } of units) {
      const item = unit.functions.get(value.name);
      if (item && !item.static) return item.namePlace;
    }
    return null;
  }

  private origin(member: string): Place | null {
    const { reader, pointer } = this.patch;
    return reader.origin(reader.at(pointer, member));
  }

  /** The place of a table's element, or of the member that is most likely written in it. */
  private element(pointer: Pointer, member: string): Place | null {
    const { reader } = this.patch;
    return reader.origin(pointer) ?? reader.origin(reader.at(pointer, member));
  }

  /** The place of an element that may have any of its members. */
  private written(pointer: Pointer, array: Unseen['array']): Place | null {
    for (const member of MEMBERS[array]) {
      const place = this.element(pointer, member);
      if (place) return place;
    }
    return null;
  }

  private tablePlace(pointer: Pointer): Place {
    const { memory, reader } = this.patch;
    const name = memory.nameOf(pointer);
    for (const { unit } of memory.image.units) {
      const variable = memory.variable(unit, name);
      const place = variable?.block === pointer.block ? unit.variables.get(name)?.namePlace : undefined;
      if (place) return place;
    }
    return reader.origin({ ...pointer, path: '' }) ?? reader.origin(pointer) ?? this.variable.place;
  }
}

function nameOf(value: Value): string {
  if (typeof value === 'object' && (value.k === 'function' || value.k === 'unknown')) {
    return value.k === 'function' ? value.name : value.id;
  }
  return isPointer(value) ? '?' : String(value);
}
