import type { Expr, FunctionIr, Positions, VariableIr } from '../csource/ir';
import type { CType } from '../csource/types';
import type { FileScopeCall, Unit } from '../csource/unit';
import type { InstanceId } from '../kernel/types';
import { Layout } from './layout';
import type { Program } from './machine-host';
import type { BlockId } from './values';

/** What a name means inside one translation unit. */
export type NameRef =
  | { readonly k: 'variable'; readonly slot: number }
  | { readonly k: 'function'; readonly unit: UnitImage; readonly name: string; readonly static: boolean }
  | { readonly k: 'foreign' };

/** One variable with static storage. Slot 0 is the struct module. */
export interface VariableSlot {
  readonly unit: UnitImage | null;
  readonly name: string;
  /** Null where no declaration but a macro defines it (LIST_HEAD, DECLARE_WORK). */
  readonly ir: VariableIr | null;
  readonly declaredBy: FileScopeCall | null;
  readonly type: CType | null;
  /** A compound literal outside any function: an object without a name. */
  readonly literal: Extract<Expr, { readonly k: 'compound' }> | null;
  /** Positions for the initialiser. */
  readonly positions: Positions | null;
}

export interface UnitImage {
  readonly index: number;
  readonly unit: Unit;
  readonly layout: Layout;
  readonly names: Map<string, NameRef>;
  readonly lowered: Map<string, FunctionIr | null>;
}

const STRIDE = 2 ** 20;
const FOREIGN: NameRef = { k: 'foreign' };
/** Macros that define a variable and take its name first; of DEFINE_PER_CPU and its kin it is the second. */
const DEFINES =
  /^(LIST_HEAD|HLIST_HEAD|DECLARE_(?!STATIC_KEY|PER_CPU)\w+|DEFINE_\w+|STATIC_\w+|\w*NOTIFIER_HEAD)$/;
const TYPE_FIRST = /PER_CPU/;

/** The block of an instance's variable. */
export function staticBlock(instance: InstanceId, slot: number): BlockId {
  return (instance + 1) * STRIDE + slot;
}

/** The instance and slot of a block of static data. */
export function slotOf(block: BlockId): { readonly instance: InstanceId; readonly slot: number } {
  return { instance: Math.floor(block / STRIDE) - 1, slot: block % STRIDE };
}

const images = new WeakMap<Program, ProgramImage>();

/** A module's code, with its names resolved once for all machines that run it. */
export class ProgramImage {
  readonly units: readonly UnitImage[];
  readonly slots: VariableSlot[] = [
    {
      unit: null,
      name: 'THIS_MODULE',
      ir: null,
      declaredBy: null,
      type: null,
      literal: null,
      positions: null,
    },
  ];
  /** Names that other modules can link to. */
  readonly exports: ReadonlySet<string>;
  private readonly slotsByName = new Map<string, number>();
  private readonly literals = new Map<Expr, number>();

  private constructor(readonly program: Program) {
    this.units = program.units.map((unit, index) => ({
      index,
      unit,
      layout: new Layout((tag) => unit.struct(tag)),
      names: new Map(),
      lowered: new Map(),
    }));
    const exports = new Set<string>();
    for (const unit of program.units) {
      for (const call of unit.calls) {
        if (call.macro.startsWith('EXPORT_') && call.args[0] !== undefined) exports.add(call.args[0]);
      }
    }
    this.exports = exports;
  }

  static of(program: Program): ProgramImage {
    let image = images.get(program);
    if (image === undefined) images.set(program, (image = new ProgramImage(program)));
    return image;
  }

  /** What `name` means in `unit`. */
  resolve(unit: UnitImage, name: string): NameRef {
    let ref = unit.names.get(name);
    if (ref === undefined) {
      ref = this.local(unit, name, true) ?? this.elsewhere(unit, name) ?? FOREIGN;
      unit.names.set(name, ref);
    }
    return ref;
  }

  /** What a name that others can link to means, from outside any unit. */
  global(name: string): NameRef {
    for (const unit of this.units) {
      const ref = this.local(unit, name, false);
      if (ref !== null) return ref;
    }
    return FOREIGN;
  }

  /** The slot of a compound literal in a static initialiser. */
  literal(unit: UnitImage, expr: Extract<Expr, { readonly k: 'compound' }>, positions: Positions): number {
    let slot = this.literals.get(expr);
    if (slot === undefined) {
      slot = this.slots.length;
      const name = `(literal ${slot})`;
      this.slots.push({ unit, name, ir: null, declaredBy: null, type: expr.type, literal: expr, positions });
      this.literals.set(expr, slot);
    }
    return slot;
  }

  /** Lowered once. Undefined where the unit has no such function. */
  function(unit: UnitImage, name: string): FunctionIr | undefined {
    let ir = unit.lowered.get(name);
    if (ir === undefined) unit.lowered.set(name, (ir = unit.unit.lower(name) ?? null));
    return ir ?? undefined;
  }

  /** Whether static blocks of that number exist. */
  slot(index: number): VariableSlot | undefined {
    return this.slots[index];
  }

  private elsewhere(unit: UnitImage, name: string): NameRef | null {
    for (const other of this.units) {
      if (other === unit) continue;
      const ref = this.local(other, name, false);
      if (ref !== null) return ref;
    }
    return null;
  }

  private local(unit: UnitImage, name: string, statics: boolean): NameRef | null {
    const fn = unit.unit.functions.get(name);
    if (fn !== undefined && (statics || !fn.static)) return { k: 'function', unit, name, static: fn.static };
    const item = unit.unit.variables.get(name);
    if (item !== undefined && !item.extern && (statics || !item.static)) {
      return this.variable(unit, name, item.static, () => unit.unit.variable(name) ?? null, item.type, null);
    }
    if (!statics) return null;
    const dot = name.indexOf('.');
    if (dot > 0) {
      const ir = this.function(unit, name.slice(0, dot))?.statics.find((variable) => variable.name === name);
      if (ir !== undefined) return this.variable(unit, name, true, () => ir, ir.type, null);
    }
    for (const call of unit.unit.calls) {
      if (DEFINES.test(call.macro) && call.args[TYPE_FIRST.test(call.macro) ? 1 : 0] === name) {
        return this.variable(unit, name, true, () => null, null, call);
      }
    }
    return null;
  }

  private variable(
    unit: UnitImage,
    name: string,
    isStatic: boolean,
    lower: () => VariableIr | null,
    type: CType | null,
    declaredBy: FileScopeCall | null,
  ): NameRef {
    const key = isStatic ? `${unit.index}:${name}` : name;
    let slot = this.slotsByName.get(key);
    if (slot === undefined) {
      const ir = lower();
      slot = this.slots.length;
      const positions = ir?.positions ?? null;
      this.slots.push({ unit, name, ir, declaredBy, type: ir?.type ?? type, literal: null, positions });
      this.slotsByName.set(key, slot);
    }
    return { k: 'variable', slot };
  }
}
