import type { Expr, FunctionIr, Positions, Stmt } from '../csource/ir';
import type { CType } from '../csource/types';
import type { InstanceId } from '../kernel/types';
import { visitExpressions } from './ir-walk';
import type { ProgramImage, UnitImage } from './program';
import type { BlockId, Value } from './values';

/** What a function's body tells before it runs. */
export interface FunctionInfo {
  /** Whether the local needs memory of its own: its address is taken, or it is an object. */
  readonly boxed: readonly boolean[];
}

const infos = new WeakMap<FunctionIr, FunctionInfo>();

export function infoOf(ir: FunctionIr): FunctionInfo {
  let info = infos.get(ir);
  if (info === undefined) infos.set(ir, (info = examine(ir)));
  return info;
}

function examine(ir: FunctionIr): FunctionInfo {
  const boxed = ir.locals.map((local) => local.type.k === 'struct' || local.type.k === 'array');
  visitExpressions(ir.body, (e) => {
    if (e.k === 'unary' && e.op === '&') box(e.of, boxed);
    else if (e.k === 'member' && !e.arrow) box(e.of, boxed);
  });
  return { boxed };
}

function box(e: Expr, boxed: boolean[]): void {
  let at = e;
  for (;;) {
    if (at.k === 'local') {
      boxed[at.slot] = true;
      return;
    }
    if (at.k === 'member' && !at.arrow) at = at.of;
    else if (at.k === 'index' && at.of.type.k === 'array') at = at.of;
    else return;
  }
}

/** One call of a function that is running. */
export class Frame {
  readonly slots: (Value | undefined)[];
  /** Blocks of the boxed locals; 0 for those that are not, or not yet declared. */
  readonly boxes: BlockId[];
  /** Memory that ends with the call. */
  readonly blocks: BlockId[] = [];
  result: Value = 0;
  /** Where a goto or a switch is heading while statements are left for it. */
  target: string | Stmt | null = null;
  variadic: readonly Value[] = [];

  constructor(
    readonly ir: FunctionIr | null,
    readonly info: FunctionInfo | null,
    readonly image: ProgramImage,
    readonly unit: UnitImage,
    readonly instance: InstanceId,
    readonly during: string,
    readonly caller: Frame | null,
    readonly positions: Positions | null,
    readonly name: string,
  ) {
    this.slots = [];
    this.boxes = [];
    if (ir !== null) {
      for (let i = 0; i < ir.locals.length; i++) {
        this.slots.push(undefined);
        this.boxes.push(0);
      }
    }
  }

  localType(slot: number): CType {
    return this.ir?.locals[slot]?.type ?? { k: 'unknown', name: '' };
  }
}
