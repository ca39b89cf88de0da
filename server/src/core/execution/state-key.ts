import type { InstanceId } from '../kernel/types';
import type { Interpreter } from './interpreter';
import type { KeyNames } from './ledger';
import { token } from './ledger';
import type { Block, Cell } from './memory';
import { slotOf } from './program';
import type { HandedPatch } from './services';
import type { BlockId, Value } from './values';

const DYNAMIC_BASE = 2 ** 45;
const KERNEL_BASE = 2 ** 46;

/**
 * A text that is equal for states in which the same things can happen: blocks and instances are named by how they
 * are reached, memory that nothing reaches and data that is as its initialisers left it do not count. Modules have the
 * names that `nameIn` gives them.
 */
export function stateKey(
  it: Interpreter,
  handed: ReadonlyMap<InstanceId, HandedPatch>,
  nameIn: (module: string) => string,
): string {
  return new KeyBuilder(it, handed, nameIn).build();
}

class KeyBuilder implements KeyNames {
  private readonly dynamic = new Map<BlockId, string>();
  private readonly pending: Block[] = [];
  private readonly gone = new Map<InstanceId, string>();
  private readonly unknowns = new Map<string, string>();
  private readonly unknownCounts = new Map<string, number>();
  private readonly assumed: string[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(
    private readonly it: Interpreter,
    private readonly handed: ReadonlyMap<InstanceId, HandedPatch>,
    private readonly nameIn: (module: string) => string,
  ) {}

  build(): string {
    const parts: string[] = [];
    const written = [...this.it.memory.written()].filter(
      (block) => block.id < DYNAMIC_BASE || block.id >= KERNEL_BASE,
    );
    const named = written
      .map((block) => [this.blockName(block.id), block] as const)
      .sort((a, b) => (a[0] < b[0] ? -1 : 1));
    for (const [name, block] of named) {
      const content = this.content(block, this.it.open(block.id));
      if (content !== '') parts.push(`${name}=${content}`);
    }
    const patches = [...this.handed].map(
      ([instance, patch]) => `${this.instance(instance)}>${this.value(patch.pointer)}`,
    );
    parts.push(patches.sort().join(';'));
    for (const task of this.it.tasks.list()) {
      const { kind, handle, callee, args } = task.queued;
      const stack = task.stack.map(
        (entry) => `${entry.instance === null ? '' : this.instance(entry.instance)}:${entry.name}`,
      );
      const values = [handle, callee, ...args].map((value) => this.value(value));
      parts.push(`task ${kind} ${values.join(',')} ${task.trace === null ? 'queued' : stack.join('<')}`);
    }
    parts.push(this.it.state.key(this));
    while (this.pending.length > 0) {
      const block = this.pending.shift() as Block;
      parts.push(`${this.dynamic.get(block.id)}=${this.content(block, undefined)}`);
    }
    parts.push(this.assumed.sort().join(';'));
    parts.push(
      [...this.it.failures]
        .map(([what, errno]) => `${what.replace(/^\d+/, (n) => this.instance(Number(n)))}:${errno}`)
        .sort()
        .join(';'),
    );
    return parts.join('\n');
  }

  instance(instance: InstanceId): string {
    const module = this.it.modules.get(instance);
    if (module !== undefined) return this.nameIn(module.image.program.name);
    let name = this.gone.get(instance);
    if (name === undefined) {
      name = `gone${this.gone.size + 1}`;
      this.gone.set(instance, name);
    }
    return name;
  }

  value(value: Value): string {
    if (typeof value !== 'object') return token(value);
    switch (value.k) {
      case 'pointer':
        return `p${this.blockName(value.block)}:${value.path}`;
      case 'function':
        return `f${value.instance === null ? '' : this.instance(value.instance)}:${value.unit ?? ''}:${value.name}`;
      case 'unknown':
        return `u${this.unknown(value.id)}`;
      case 'aggregate':
        return `a${[...value.cells]
          .map(([path, cell]) => `${path}=${this.value(cell)}`)
          .sort()
          .join(';')}`;
      default:
        return token(value);
    }
  }

  private blockName(id: BlockId): string {
    if (id < DYNAMIC_BASE) {
      const { instance, slot: index } = slotOf(id);
      const slot = this.it.modules.get(instance)?.image.slot(index);
      return slot === undefined
        ? `${this.instance(instance)}.?`
        : `${this.instance(instance)}.${slot.unit?.index ?? ''}.${slot.name}`;
    }
    const block = this.it.memory.block(id);
    if (id >= KERNEL_BASE)
      return block?.kind === 'kernel' ? `k.${block.label}` : `b.${this.unknown(block?.label ?? '')}`;
    if (block === undefined || block.dead !== null) return 'dead';
    let name = this.dynamic.get(id);
    if (name === undefined) {
      name = `h${this.dynamic.size + 1}`;
      this.dynamic.set(id, name);
      this.pending.push(block);
    }
    return name;
  }

  /** The cells that differ from `pristine`, or from what the block is filled with. */
  private content(block: Block, pristine: Block | undefined): string {
    const cells: string[] = [];
    const visit = (cell: Cell, path: string, fill: string, other: Cell | undefined): void => {
      const own = cell.fill ?? fill;
      if (cell.value !== undefined) {
        const same = other?.value ?? (own === 'zero' ? 0 : undefined);
        const isOwnName =
          typeof cell.value === 'object' &&
          cell.value.k === 'unknown' &&
          cell.value.id === this.it.kernel.cellName(block, path);
        if (!isOwnName && (same === undefined || token(same) !== token(cell.value)))
          cells.push(`${path}:${this.value(cell.value)}`);
      } else if (cell.fill !== undefined && cell.fill !== (other?.fill ?? fill))
        cells.push(`${path}~${cell.fill}`);
      const children =
        cell.children === null ? [] : [...cell.children].sort((a, b) => (a[0] < b[0] ? -1 : 1));
      for (const [segment, child] of children)
        visit(child, path + segment, own, other?.children?.get(segment));
    };
    visit(block.root, '', block.fill, pristine?.root);
    return cells.join('|');
  }

  /** The unknown's name, with the numbers in it counted anew. */
  private unknown(id: string): string {
    let name = this.unknowns.get(id);
    if (name === undefined) {
      name = this.rename(id);
      this.unknowns.set(id, name);
      const assumptions = this.it.unknowns.assumptions(id);
      if (assumptions !== '') this.assumed.push(`${name}:${this.renumber(assumptions)}`);
    }
    return name;
  }

  private rename(id: string): string {
    const plain = /^([^#&?]*)#\d+$/.exec(id);
    if (plain === null) return this.renumber(id);
    const base = plain[1] as string;
    const n = (this.unknownCounts.get(base) ?? 0) + 1;
    this.unknownCounts.set(base, n);
    return `${base}#${n}`;
  }

  private renumber(text: string): string {
    return text
      .replaceAll(/&(\d{7,})/g, (_, block: string) => `&${this.blockName(Number(block))}`)
      .replaceAll(/\?(\d{13,})/g, '?')
      .replaceAll(/#(\d+)/g, (found) => {
        let n = this.numbers.get(found);
        if (n === undefined) this.numbers.set(found, (n = this.numbers.size + 1));
        return `#~${n}`;
      });
  }
}
