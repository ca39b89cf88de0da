import type { InstanceId } from '../kernel/types';
import type { MachineServices, PatchRecord, QueuedTask } from './api';
import type { Interpreter } from './interpreter';
import type { Cell } from './memory';
import { lastSegmentStart } from './paths';
import { slotOf, staticBlock } from './program';
import type { BlockId, FunctionValue, Pointer, Value } from './values';

const MAX_CELLS = 4096;

/** What an instance handed to klp_enable_patch(). */
export interface HandedPatch {
  readonly pointer: Pointer;
  readonly record: PatchRecord;
}

/** The machine as models of kernel functions see it. */
export class Services implements MachineServices {
  constructor(
    private readonly it: Interpreter,
    private readonly handed: Map<InstanceId, HandedPatch>,
    private readonly enable: (instance: InstanceId, patch: Value) => number,
  ) {}

  memoryKind(value: Value): 'static' | 'heap' | 'stack' | 'kernel' | 'none' {
    if (typeof value !== 'object' || value.k !== 'pointer') return 'none';
    const block = this.it.memory.block(value.block);
    if (block === undefined) return 'stack';
    return block.kind === 'unknown' ? 'kernel' : block.kind;
  }

  ownerOf(block: BlockId): InstanceId | null {
    return this.it.memory.block(block)?.owner ?? null;
  }

  sameAddress(value: Value): Value {
    if (typeof value !== 'object' || value.k !== 'pointer') return value;
    const block = this.it.memory.block(value.block);
    if (!block?.type || !block.layout) return value;
    let { path } = value;
    while (path !== '') {
      const parent = path.slice(0, lastSegmentStart(path));
      if (block.layout.offsetof(block.type, parent) !== block.layout.offsetof(block.type, path)) break;
      path = parent;
    }
    return path === value.path ? value : { ...value, path };
  }

  instanceOf(fn: FunctionValue): InstanceId | null {
    return fn.instance;
  }

  instancesBehind(value: Value): readonly InstanceId[] {
    const found = new Set<InstanceId>();
    if (typeof value !== 'object') return [];
    if (value.k === 'aggregate') for (const cell of value.cells.values()) this.direct(cell, found);
    this.direct(value, found);
    if (value.k === 'pointer') {
      const block = this.it.memory.block(value.block);
      const at = value.path.endsWith('[0]') ? value.path.slice(0, -3) : value.path;
      const cell = block === undefined || block.dead !== null ? undefined : this.it.memory.cell(block, at);
      if (cell !== undefined) this.below(cell, found, { left: MAX_CELLS });
    }
    return [...found];
  }

  private direct(value: Value, into: Set<InstanceId>): void {
    if (typeof value !== 'object') return;
    if (value.k === 'function' && value.instance !== null) into.add(value.instance);
    else if (value.k === 'pointer') {
      const owner = this.ownerOf(value.block);
      if (owner !== null) into.add(owner);
    }
  }

  private below(cell: Cell, into: Set<InstanceId>, budget: { left: number }): void {
    if (budget.left-- <= 0) return;
    if (cell.value !== undefined) this.direct(cell.value, into);
    if (cell.children !== null) for (const child of cell.children.values()) this.below(child, into, budget);
  }

  moduleOf(pointer: Value): InstanceId | null {
    if (typeof pointer !== 'object' || pointer.k !== 'pointer' || pointer.path !== '') return null;
    const { instance, slot } = slotOf(pointer.block);
    return slot === 0 && this.it.modules.has(instance) && pointer.block === staticBlock(instance, 0)
      ? instance
      : null;
  }

  modulePointer(instance: InstanceId): Value {
    return this.it.staticPointer(instance, 0);
  }

  kernelSymbol(name: string, kind: 'variable' | 'function'): Value {
    if (kind === 'function') return { k: 'function', name, instance: null };
    return { k: 'pointer', block: this.it.kernel.variable(name), path: '' };
  }

  queueTask(task: QueuedTask): boolean {
    return this.it.tasks.queue(task);
  }

  cancelTask(handle: Value): boolean {
    return this.it.tasks.cancel(handle);
  }

  flushTask(handle: Value | null, cancels = false): void {
    this.it.tasks.flush(this.it, handle, cancels);
  }

  wait(ready: () => boolean): boolean {
    return this.it.tasks.wait(this.it, ready);
  }

  sleep(): void {
    this.it.tasks.sleep(this.it);
  }

  currentTask(): Value | null {
    return this.it.tasks.running?.handle ?? null;
  }

  enablePatch(instance: InstanceId, patch: Value): number {
    return this.enable(instance, patch);
  }

  patchPointer(instance: InstanceId): Pointer | null {
    return this.handed.get(instance)?.pointer ?? null;
  }
}
