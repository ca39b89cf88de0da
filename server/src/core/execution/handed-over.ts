import type { InstanceId } from '../kernel/types';
import type { Interpreter } from './interpreter';
import { token } from './ledger';
import type { Cell } from './memory';
import type { HandedPatch } from './services';
import type { BlockId, Value } from './values';

/** Cells that are looked at for one answer at most. */
const MAX_CELLS = 20_000;

/** What another module can find: the values that state data, shadow variables and variables of the kernel lead to. */
export interface HandedOver {
  /** Whether such a value is this one, or points into memory that is reached. */
  has(value: Value): boolean;
}

/** Follows the data of every state and shadow variable, and what was written to variables of the kernel. */
export function handedOver(it: Interpreter, handed: ReadonlyMap<InstanceId, HandedPatch>): HandedOver {
  const tokens = new Set<string>();
  const blocks = new Set<BlockId>();
  const pending: BlockId[] = [];
  let left = MAX_CELLS;
  const reach = (value: Value): void => {
    tokens.add(token(value));
    if (typeof value !== 'object') return;
    if (value.k === 'aggregate') for (const cell of value.cells.values()) reach(cell);
    if (value.k !== 'pointer' || blocks.has(value.block)) return;
    blocks.add(value.block);
    pending.push(value.block);
  };
  const below = (cell: Cell): void => {
    if (left-- <= 0) return;
    if (cell.value !== undefined) reach(cell.value);
    if (cell.children !== null) for (const child of cell.children.values()) below(child);
  };
  for (const { record } of handed.values()) {
    for (const state of record.statePointers) {
      const block = it.memory.block(state.block);
      const data = block && block.dead === null ? it.memory.cell(block, `${state.path}.data`) : undefined;
      if (data) below(data);
    }
  }
  for (const shadow of it.state.shadows()) reach(shadow.data);
  for (const { row, value } of it.state.ledger.effects()) {
    if (row.family === 'kernel write' && value !== undefined) reach(value);
  }
  while (pending.length > 0) {
    const block = it.memory.block(pending.pop() as BlockId);
    // What the kernel itself holds is found by its own names.
    if (block && block.dead === null && block.kind !== 'kernel') below(block.root);
  }
  return {
    has: (value) =>
      tokens.has(token(value)) ||
      (typeof value === 'object' && value.k === 'pointer' && blocks.has(value.block)),
  };
}
