import type { Expr, FunctionIr } from '../csource/ir';
import { placeIn } from '../csource/item-places';
import type { Unit } from '../csource/unit';
import type { Place } from '../place';
import type { PatchRecord } from './api';
import { executionLibrary } from './api-models';
import { BudgetSpent, Interpreter, type LoadedModule } from './interpreter';
import { KernelNames } from './kernel-names';
import type { MachineHost, Program } from './machine-host';
import { Printer } from './printer';
import { ProgramImage } from './program';
import { addressed } from './reach';
import { describe, Reader } from './reading';
import { readPatch } from './records';
import { Services } from './services';
import { patchRecord } from './shared-data';
import { TaskList } from './tasks';
import { Suspended } from './traces';
import { isPointer, type Pointer } from './values';

const INSTANCE = 1;
const UNKNOWN_INT = { k: 'unknown', name: '' } as const;

/** A struct klp_patch as it stands in memory, with what is needed to find the places of its parts. */
export interface ReadPatch {
  readonly pointer: Pointer;
  readonly record: PatchRecord;
  readonly reader: Reader;
  readonly memory: ModuleMemory;
}

/** One module's static data, without anything around it: no other module, a kernel that knows nothing. */
export class ModuleMemory {
  readonly image: ProgramImage;
  readonly reader: Reader;
  /** What init handed to klp_enable_patch(), as it stood then. */
  readonly enabled: ReadPatch[] = [];
  /** Of what was read, that which klp_enable_patch() gets just so: nothing that is not known came before. */
  readonly settled = new Set<ReadPatch>();
  readonly #it: Interpreter;
  #opaque = false;

  constructor(program: Program) {
    this.image = ProgramImage.of(program);
    const library = executionLibrary();
    const module: LoadedModule = { instance: INSTANCE, image: this.image, pristine: new Map() };
    this.#it = new Interpreter({
      host: this.#host(program),
      library,
      flip: null,
      kernel: new KernelNames(),
      state: library.createState(),
      tasks: new TaskList(),
      printer: new Printer(() => undefined),
      modules: new Map([[INSTANCE, module]]),
      failures: new Map(),
    });
    this.reader = new Reader(this.#it);
    this.#it.services = new Services(this.#it, new Map(), (_instance, patch) => {
      if (!isPointer(patch)) return 0;
      const read = this.read(patch);
      this.enabled.push(read);
      if (!this.#opaque && this.#it.unknowns.decisions().length === 0) this.settled.add(read);
      return 0;
    });
  }

  /** The address of a variable of this unit, or null. */
  variable(unit: Unit, name: string): Pointer | null {
    const index = this.image.units.findIndex((image) => image.unit === unit);
    const image = this.image.units[index];
    const ref = image ? this.image.resolve(image, name) : null;
    return ref?.k === 'variable' ? this.#it.staticPointer(INSTANCE, ref.slot) : null;
  }

  read(pointer: Pointer): ReadPatch {
    const record = patchRecord(this.#it, INSTANCE, pointer, readPatch);
    return { pointer, record, reader: this.reader, memory: this };
  }

  /** The variable that a pointer points into, as C would write it. */
  nameOf(pointer: Pointer): string {
    return describe(this.#it, { ...pointer, path: '' }).replace(/^&/, '');
  }

  /**
   * Runs the module's init with its parameters unknown. True if nothing opaque came before what it handed to
   * klp_enable_patch().
   */
  runInit(unit: Unit, name: string): boolean {
    for (const { unit: owner } of this.image.units) {
      for (const parameter of owner.parameters) this.#forget(owner, parameter.variable);
    }
    const index = this.image.units.findIndex((image) => image.unit === unit);
    try {
      this.#it.invoke({ k: 'function', name, instance: INSTANCE, unit: index }, [], 'init', null);
    } catch (thrown) {
      if (!(thrown instanceof BudgetSpent || thrown instanceof Suspended)) throw thrown;
      this.#opaque = true;
    }
    return this.enabled.length > 0 || !this.#opaque;
  }

  #forget(unit: Unit, variable: string): void {
    const pointer = this.variable(unit, variable);
    const block = pointer && this.#it.memory.block(pointer.block);
    if (!block || block.type?.k === 'array') return;
    const value = { k: 'unknown', id: `parameter ${variable}` } as const;
    this.#it.memory.store(block, '', value, block.type ?? UNKNOWN_INT, null, -1);
  }

  #host(program: Program): MachineHost {
    return {
      enablePatch: () => 0,
      transitionPatch: () => null,
      listedPatches: () => [],
      moduleByName: () => null,
      moduleName: () => program.name,
      moduleState: () => 'coming',
      moduleGet: () => true,
      modulePut: () => undefined,
      tasksMoved: () => undefined,
      log: () => undefined,
      effect: () => undefined,
      unknown: () => {
        this.#opaque = true;
      },
    };
  }
}

/** The variable in `return klp_enable_patch(&variable);`, where that is all that init does. */
export function onlyEnables(init: FunctionIr): string | null {
  const [first, second] = init.body;
  if (first?.k !== 'return' || second !== undefined || first.value === null) return null;
  return enabledVariable(first.value);
}

/** `variable` of `klp_enable_patch(&variable)`. */
function enabledVariable(expr: Expr): string | null {
  if (expr.k !== 'call' || expr.callee.k !== 'name' || expr.callee.name !== 'klp_enable_patch') return null;
  const argument = expr.args[0];
  return argument?.k === 'unary' && argument.op === '&' ? (addressed(argument)?.name ?? null) : null;
}

/** The initialiser of a variable, or null. */
export function initialiserPlace(unit: Unit, name: string): Place | null {
  const variable = unit.variable(name);
  return variable?.init ? placeIn(variable.positions, variable.init.at) : null;
}
