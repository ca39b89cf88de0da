import type { Positions } from '../csource/ir';
import type { CType } from '../csource/types';
import type { InstanceId } from '../kernel/types';
import type { Layout } from './layout';
import { splitPath, untypedPath } from './paths';
import { leavesOf, readUnion, unionCell, writeUnion } from './unions';
import type { Aggregate, BlockId, Pointer, Value } from './values';

export type BlockKind = 'static' | 'heap' | 'stack' | 'kernel' | 'unknown';

/** What an unwritten cell holds: zero, nothing known, or the unknown that is named after the cell. */
export type Fill = 'zero' | 'unknown' | 'named';

/** One subobject. Immutable once its token is not the memory's any more. */
export interface Cell {
  value: Value | undefined;
  /** Where it was written: the stretch of source of the initialiser element or the assignment. */
  positions: Positions | null;
  at: number;
  /** Overrides what the surrounding object is filled with. */
  fill: Fill | undefined;
  children: Map<string, Cell> | null;
  token: object;
}

export interface Block {
  readonly id: BlockId;
  readonly kind: BlockKind;
  /** The module instance whose data or stack this is; null for heap and kernel memory. */
  readonly owner: InstanceId | null;
  /** The variable's name, or what allocated it. */
  readonly label: string;
  /** As declared, with the layout that knows its tags; null where nothing declares it. */
  readonly type: CType | null;
  readonly layout: Layout | null;
  readonly fill: Fill;
  /** Why it must not be used any more. */
  readonly dead: string | null;
  root: Cell;
  readonly token: object;
}

/** Finds blocks that nobody has written yet: module data as its initialisers leave it, kernel variables. */
export interface PristineBlocks {
  open(id: BlockId): Block | undefined;
}

const FROZEN = {};
const DYNAMIC_BASE = 2 ** 45;

export function emptyCell(token: object = FROZEN): Cell {
  return { value: undefined, positions: null, at: -1, fill: undefined, children: null, token };
}

/**
 * All memory that differs from its pristine form. Cells stand in a tree by path, so that nothing ever scans a
 * block; clones share all cells until one side writes.
 */
export class Memory {
  private token: object = {};

  constructor(
    private readonly pristine: PristineBlocks,
    private readonly blocks: Map<BlockId, Block> = new Map(),
    private next: number = DYNAMIC_BASE,
  ) {}

  clone(pristine: PristineBlocks): Memory {
    this.token = {};
    return new Memory(pristine, new Map(this.blocks), this.next);
  }

  /** Undefined for stack memory of a function that has returned. */
  block(id: BlockId): Block | undefined {
    return this.blocks.get(id) ?? this.pristine.open(id);
  }

  /** Whether the block differs from what its module or the kernel started with. */
  isWritten(id: BlockId): boolean {
    return this.blocks.has(id);
  }

  create(
    kind: BlockKind,
    owner: InstanceId | null,
    label: string,
    fill: Fill,
    type: CType | null,
    layout: Layout | null,
  ): BlockId {
    const id = this.next++;
    const root = emptyCell(this.token);
    this.blocks.set(id, { id, kind, owner, label, type, layout, fill, dead: null, root, token: this.token });
    return id;
  }

  /** Puts a block made elsewhere under this memory's care. */
  place(block: Omit<Block, 'token' | 'root'>): Block {
    const placed: Block = { ...block, root: emptyCell(this.token), token: this.token };
    this.blocks.set(block.id, placed);
    return placed;
  }

  /** Stack memory whose function returns. */
  drop(id: BlockId): void {
    this.blocks.delete(id);
  }

  /** Heap memory that is freed: stays as a grave, so that later uses are known for what they are. */
  bury(block: Block, because: string): void {
    this.blocks.set(block.id, { ...block, dead: because, root: emptyCell(), token: this.token });
  }

  /** Module memory that goes away. */
  dropOwned(owner: InstanceId): void {
    for (const block of this.blocks.values()) if (block.owner === owner) this.blocks.delete(block.id);
  }

  /** Blocks that differ from their pristine form, dead ones included. */
  written(): Iterable<Block> {
    return this.blocks.values();
  }

  /** Forgets a block that nothing can reach. */
  forget(id: BlockId): void {
    this.blocks.delete(id);
  }

  /** From now on the (heap) block is taken to hold an object of `type`. */
  adopt(block: Block, type: CType, layout: Layout): void {
    this.blocks.set(block.id, { ...this.own(block), type, layout });
  }

  /** The value written at `path`, the default of what never was, or undefined where nothing is known. */
  load(block: Block, path: string, type: CType): Value | undefined {
    if (block.type !== null && block.layout !== null) {
      const union = unionCell(block.layout, block.type, path, type);
      if (union !== null) return readUnion(union, (at) => this.plain(block, at));
    }
    return this.plain(block, path);
  }

  private plain(block: Block, path: string): Value | undefined {
    let cell: Cell | undefined = block.root;
    let fill: Fill = cell.fill ?? block.fill;
    if (path !== '') {
      for (const segment of splitPath(block.type === null ? untypedPath(path) : path)) {
        cell = cell.children?.get(segment);
        if (cell === undefined) return fill === 'zero' ? 0 : undefined;
        fill = cell.fill ?? fill;
      }
    }
    if (cell.value !== undefined) return cell.value;
    // An object stands here, read as if it were a scalar: the caller looks at what begins it.
    return fill === 'zero' && cell.children === null ? 0 : undefined;
  }

  /** The cell at `path` if anything was written there or below. */
  cell(block: Block, path: string): Cell | undefined {
    let cell: Cell | undefined = block.root;
    for (const segment of splitPath(block.type === null ? untypedPath(path) : path)) {
      cell = cell.children?.get(segment);
      if (cell === undefined) return undefined;
    }
    return cell;
  }

  /** What an unwritten cell at `path` holds. */
  fillAt(block: Block, path: string): Fill {
    let cell: Cell | undefined = block.root;
    let fill = cell.fill ?? block.fill;
    for (const segment of splitPath(block.type === null ? untypedPath(path) : path)) {
      cell = cell.children?.get(segment);
      if (cell === undefined) break;
      fill = cell.fill ?? fill;
    }
    return fill;
  }

  store(
    block: Block,
    path: string,
    value: Value,
    type: CType,
    positions: Positions | null,
    at: number,
  ): void {
    if (block.type !== null && block.layout !== null) {
      const union = unionCell(block.layout, block.type, path, type);
      if (union !== null && typeof value === 'object' && value.k === 'aggregate') {
        for (const leaf of leavesOf(block.layout, type)) {
          const part = value.cells.get(leaf.path) ?? (value.fill === 'unknown' ? undefined : 0);
          if (part !== undefined)
            this.store(this.block(block.id) ?? block, path + leaf.path, part, leaf.type, positions, at);
        }
        return;
      }
      if (union !== null) {
        writeUnion(union, value, {
          load: (p) => this.plain(this.block(block.id) ?? block, p),
          store: (p, v) => this.put(this.block(block.id) ?? block, p, v, positions, at),
          fill: (p, fill) => this.fill(this.block(block.id) ?? block, p, fill),
        });
        return;
      }
    }
    this.put(block, path, value, positions, at);
  }

  private put(block: Block, path: string, value: Value, positions: Positions | null, at: number): void {
    const cell = this.writable(block, path);
    cell.positions = positions;
    cell.at = at;
    if (typeof value === 'object' && value.k === 'aggregate') {
      cell.value = undefined;
      cell.children = null;
      cell.fill = value.fill ?? 'zero';
      for (const [sub, v] of value.cells) {
        const leaf = this.descend(cell, sub);
        leaf.value = v;
        leaf.positions = positions;
        leaf.at = at;
      }
      return;
    }
    cell.value = value;
    // An array's first element may stand at its start: the others beside it are not touched.
    cell.children = cell.children === null ? null : elementsBehind(cell.children);
    if (cell.children === null) cell.fill = undefined;
  }

  /** Makes everything at and below `path` read as `fill`. */
  fill(block: Block, path: string, fill: Fill): void {
    const cell = this.writable(block, path);
    cell.value = undefined;
    cell.children = null;
    cell.fill = fill;
  }

  /** Everything at and below `path`, as a value; undefined where nothing was written there. */
  aggregate(block: Block, path: string): Aggregate {
    const cells = new Map<string, Value>();
    const fill = this.fillAt(block, path) === 'zero' ? 'zero' : 'unknown';
    const cell = this.cell(block, path);
    if (cell !== undefined) collect(cell, '', cells);
    if (cell === undefined && block.type !== null && block.layout !== null) {
      // A struct that lies in a union stands there byte by byte.
      const type = block.layout.typeAt(block.type, path);
      if (type !== undefined && unionCell(block.layout, block.type, path, type) !== null) {
        for (const leaf of leavesOf(block.layout, type)) {
          const value = this.load(block, path + leaf.path, leaf.type);
          if (value !== undefined) cells.set(leaf.path, value);
        }
      }
    }
    return { k: 'aggregate', cells, fill };
  }

  private own(block: Block): Block {
    if (block.token === this.token) return block;
    const owned = { ...block, token: this.token };
    this.blocks.set(block.id, owned);
    return owned;
  }

  private writable(block: Block, path: string): Cell {
    const owned = this.own(block);
    owned.root = this.ownCell(owned.root);
    return this.descend(owned.root, block.type === null ? untypedPath(path) : path);
  }

  private descend(from: Cell, path: string): Cell {
    let cell = from;
    for (const segment of splitPath(path)) {
      // A scalar written over an object, then the object used by member: the scalar is gone.
      if (cell.value !== undefined && !(segment.startsWith('[') && segment !== '[0]')) {
        cell.value = undefined;
        cell.fill = 'unknown';
      }
      if (cell.children === null) cell.children = new Map();
      const child = cell.children.get(segment);
      const owned = child === undefined ? emptyCell(this.token) : this.ownCell(child);
      if (owned !== child) cell.children.set(segment, owned);
      cell = owned;
    }
    return cell;
  }

  private ownCell(cell: Cell): Cell {
    if (cell.token === this.token) return cell;
    return { ...cell, children: cell.children === null ? null : new Map(cell.children), token: this.token };
  }
}

function elementsBehind(children: Map<string, Cell>): Map<string, Cell> | null {
  let kept: Map<string, Cell> | null = null;
  for (const [segment, child] of children) {
    if (!segment.startsWith('[') || segment === '[0]') continue;
    kept ??= new Map();
    kept.set(segment, child);
  }
  return kept;
}

function collect(cell: Cell, path: string, into: Map<string, Value>): void {
  if (cell.value !== undefined) into.set(path, cell.value);
  if (cell.children !== null)
    for (const [segment, child] of cell.children) collect(child, path + segment, into);
}

/** `pointer.path` one subobject further. */
export function sub(pointer: Pointer, path: string): Pointer {
  return { k: 'pointer', block: pointer.block, path: pointer.path + path };
}
