import type { InstanceId } from '../kernel/types';
import { type Block, emptyCell } from './memory';
import { untypedPath } from './paths';
import type { BlockId } from './values';

const VARIABLE_BASE = 2 ** 46;
const BEHIND_BASE = 2 ** 47;

/**
 * The memory that no module holds: one block for each kernel variable, shared by all modules, and one for what an
 * unknown pointer leads to. Shared by a machine and its clones; blocks here are as nobody has written them.
 */
export class KernelNames {
  private readonly ids = new Map<string, BlockId>();
  private readonly blocks = new Map<BlockId, Block>();
  private variables = 0;
  private unknowns = 0;

  variable(name: string): BlockId {
    let id = this.ids.get(`v${name}`);
    if (id === undefined) {
      id = VARIABLE_BASE + this.variables++;
      this.ids.set(`v${name}`, id);
      this.blocks.set(id, pristine(id, 'kernel', name));
    }
    return id;
  }

  /** The block that the pointer called `unknown` leads to. */
  behind(unknown: string): BlockId {
    let id = this.ids.get(`u${unknown}`);
    if (id === undefined) {
      id = BEHIND_BASE + this.unknowns++;
      this.ids.set(`u${unknown}`, id);
      this.blocks.set(id, pristine(id, 'unknown', unknown));
    }
    return id;
  }

  block(id: BlockId): Block | undefined {
    return id < VARIABLE_BASE ? undefined : this.blocks.get(id);
  }

  /** The grave of a variable whose module is gone; undefined for memory that was never a module's. */
  removed(id: BlockId, instance: InstanceId): Block | undefined {
    if (id >= 2 ** 45) return undefined;
    const block = pristine(id, 'static', 'data of a removed module');
    return { ...block, owner: instance, dead: 'whose module is gone' };
  }

  /** How a cell of kernel memory is called: `init_net.x`, `dev->name`. */
  cellName(block: Block, place: string): string {
    const path = block.type === null ? untypedPath(place) : place;
    if (block.kind !== 'unknown') return `${block.label}${path}`;
    if (path === '') return `*${block.label}`;
    return path.startsWith('.') ? `${block.label}->${path.slice(1)}` : `${block.label}${path}`;
  }
}

function pristine(id: BlockId, kind: 'kernel' | 'unknown' | 'static', label: string): Block {
  return {
    id,
    kind,
    owner: null,
    label,
    type: null,
    layout: null,
    fill: 'named',
    dead: null,
    root: emptyCell(),
    token: {},
  };
}
