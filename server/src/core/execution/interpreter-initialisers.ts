import type { Designator, Init, InitElement } from '../csource/ir';
import type { CType } from '../csource/types';
import type { Frame } from './frames';
import { wrap } from './integers';
import type { Interpreter } from './interpreter';
import { convert } from './interpreter-arithmetic';
import { evaluate, evaluateAs, stringText } from './interpreter-expressions';
import type { Memory } from './memory';
import { type Aggregate, type BlockId, isInteger, type Value } from './values';

const MAX_RANGE = 65_536;
const ZERO: Aggregate = { k: 'aggregate', cells: new Map(), fill: 'zero' };
const NOTHING: Aggregate = { k: 'aggregate', cells: new Map(), fill: 'unknown' };

interface Member {
  readonly path: string;
  readonly type: CType;
  readonly bits: number;
}

/** Elements of a braced list, read from `at` on: brace elision lets several objects read from one list. */
interface Source {
  readonly elements: readonly InitElement[];
  at: number;
}

/**
 * Writes an initialiser to an object: into `memory` where it is given (static data as it is before anything runs),
 * else as the running code's own stores. What the list does not name becomes zero.
 */
export function writeInitialiser(
  it: Interpreter,
  frame: Frame,
  memory: Memory | null,
  block: BlockId,
  path: string,
  type: CType,
  init: Init,
): void {
  new Writer(it, frame, memory, block).write(path, type, init, 0);
}

class Writer {
  constructor(
    private readonly it: Interpreter,
    private readonly frame: Frame,
    private readonly memory: Memory | null,
    private readonly block: BlockId,
  ) {}

  write(path: string, type: CType, init: Init, bits: number): void {
    if (init.k === 'list') {
      if (type.k === 'struct' || type.k === 'array' || type.k === 'unknown') {
        this.put(path, type, ZERO, init.at);
        this.list(path, type, { elements: init.elements, at: 0 }, true, false);
        return;
      }
      const first = init.elements[0]?.init;
      if (first !== undefined) this.write(path, type, first, bits);
      return;
    }
    const value = init.value;
    if (type.k === 'array') {
      if (value.k === 'string') return this.string(path, type, stringText(this.frame, value.value), init.at);
      const from = evaluate(this.it, this.frame, value);
      if (value.k === 'compound' && typeof from === 'object' && from.k === 'aggregate')
        return this.put(path, type, from, init.at);
      if (value.k === 'unknown') return this.put(path, type, NOTHING, init.at);
      if (typeof from === 'object' && from.k === 'pointer' && value.k === 'compound') {
        this.it.worldly++;
        const source = this.it.memory.block(from.block);
        if (source !== undefined) return this.put(path, type, this.it.memory.aggregate(source, ''), init.at);
      }
      return this.put(path, type, NOTHING, init.at);
    }
    let result = evaluateAs(this.it, this.frame, value, type);
    if (bits > 0 && isInteger(result) && type.k === 'int' && !type.bool)
      result = wrap(result, bits, type.signed);
    if (type.k === 'struct' && isUnknownValue(result)) result = NOTHING;
    this.put(path, type, result, init.at);
  }

  private put(path: string, type: CType, value: Value, at: number): void {
    const kept =
      typeof value === 'object' && value.k === 'aggregate' ? value : convert(this.it, value, type, null);
    if (this.memory === null) {
      this.it.store({ k: 'pointer', block: this.block, path }, type, kept, this.frame, at);
      return;
    }
    const block = this.memory.block(this.block);
    if (block !== undefined) this.memory.store(block, path, kept, type, this.frame.positions, at);
  }

  private string(path: string, type: Extract<CType, { k: 'array' }>, text: string, at: number): void {
    const cells = new Map<string, Value>();
    const length = type.length ?? text.length + 1;
    for (let i = 0; i < text.length && i < length; i++) cells.set(`[${i}]`, text.charCodeAt(i));
    this.put(path, type, { k: 'aggregate', cells, fill: 'zero' }, at);
  }

  /** Takes elements for the members of one object; `top`: the braces are the object's own. */
  private list(path: string, type: CType, source: Source, top: boolean, first: boolean): void {
    let next = 0;
    let ignoreDesignators = first;
    for (;;) {
      const element = source.elements[source.at];
      if (element === undefined) return;
      if (element.designators.length > 0 && !ignoreDesignators) {
        if (!top) return;
        next = this.designated(path, type, element, source);
        continue;
      }
      ignoreDesignators = false;
      const member = this.member(path, type, next);
      if (member === null) {
        if (!top) return;
        this.excess(path, type, element);
        source.at++;
        continue;
      }
      next++;
      this.take(member, source, false);
    }
  }

  /** A positional element that nothing says where to put: the object is no longer known. */
  private excess(path: string, type: CType, element: InitElement): void {
    const isZero =
      element.init.k === 'value' && element.init.value.k === 'int' && element.init.value.value === 0;
    const known =
      type.k === 'array' || (type.k === 'struct' && this.frame.unit.layout.struct(type.tag) !== undefined);
    if (!isZero && !known) this.put(path, type, NOTHING, element.init.at);
  }

  private take(member: Member, source: Source, first: boolean): void {
    const element = source.elements[source.at];
    if (element === undefined) return;
    const init = element.init;
    const isObject = member.type.k === 'struct' || member.type.k === 'array';
    if (init.k === 'value' && isObject) {
      const value = init.value;
      const whole =
        member.type.k === 'array'
          ? value.k === 'string' || value.k === 'compound' || value.k === 'unknown'
          : value.type.k === 'struct' ||
            value.k === 'unknown' ||
            this.frame.unit.layout.struct(member.type.tag) === undefined;
      if (!whole) {
        const before = source.at;
        this.list(member.path, member.type, source, false, first);
        if (source.at === before) source.at++;
        return;
      }
    }
    this.write(member.path, member.type, init, member.bits);
    source.at++;
  }

  /** The n-th member that takes a positional element, or null behind the last. */
  private member(path: string, type: CType, n: number): Member | null {
    if (type.k === 'array') {
      return type.length !== null && n >= type.length
        ? null
        : { path: `${path}[${n}]`, type: type.of, bits: 0 };
    }
    if (type.k !== 'struct') return null;
    const layout = this.frame.unit.layout.struct(type.tag);
    if (layout === undefined || (layout.type.union && n > 0)) return null;
    const named = layout.direct.filter((field) => field.name !== '' || field.type.k === 'struct');
    const field = named[n];
    if (field === undefined) return null;
    return { path: field.name === '' ? path : `${path}.${field.name}`, type: field.type, bits: field.bits };
  }

  /** Writes a designated element; the position that follows it. */
  private designated(path: string, type: CType, element: InitElement, source: Source): number {
    const at = source.at;
    let targets: Member[] = [{ path, type, bits: 0 }];
    let next = 0;
    element.designators.forEach((designator, depth) => {
      const stepped: Member[] = [];
      for (const target of targets) {
        for (const member of this.step(target, designator)) stepped.push(member);
      }
      if (depth === 0) next = this.after(type, designator);
      targets = stepped;
    });
    for (const target of targets) {
      source.at = at;
      this.take(target, source, true);
    }
    if (source.at === at) source.at++;
    return next;
  }

  private step(target: Member, designator: Designator): Member[] {
    if (designator.k === 'field') {
      const layout = target.type.k === 'struct' ? this.frame.unit.layout.struct(target.type.tag) : undefined;
      const field = layout?.fields.get(designator.name);
      const type: CType = field?.type ?? { k: 'unknown', name: '' };
      return [{ path: `${target.path}.${designator.name}`, type, bits: field?.bits ?? 0 }];
    }
    const of: CType = target.type.k === 'array' ? target.type.of : { k: 'unknown', name: '' };
    const from = evaluate(this.it, this.frame, designator.from);
    const to = designator.to === null ? from : evaluate(this.it, this.frame, designator.to);
    if (typeof from === 'number' && typeof to === 'number') {
      const members: Member[] = [];
      for (let i = from; i <= to && i - from < MAX_RANGE; i++)
        members.push({ path: `${target.path}[${i}]`, type: of, bits: 0 });
      return members;
    }
    const name = typeof from === 'object' && from.k === 'unknown' ? from.id.replaceAll(/[[\].]/g, '_') : '?';
    return [{ path: `${target.path}[${name}]`, type: of, bits: 0 }];
  }

  private after(type: CType, designator: Designator): number {
    if (designator.k === 'index') {
      const last = evaluate(this.it, this.frame, designator.to ?? designator.from);
      return typeof last === 'number' ? last + 1 : Number.MAX_SAFE_INTEGER;
    }
    const layout = type.k === 'struct' ? this.frame.unit.layout.struct(type.tag) : undefined;
    if (layout === undefined) return Number.MAX_SAFE_INTEGER;
    const named = layout.direct.filter((field) => field.name !== '' || field.type.k === 'struct');
    const offset = layout.fields.get(designator.name)?.offset ?? 0;
    const direct = named.findIndex((field) => field.name === designator.name);
    if (direct >= 0) return direct + 1;
    return (
      named.findIndex(
        (field) =>
          field.name === '' &&
          field.offset <= offset &&
          field.offset + (this.frame.unit.layout.sizeof(field.type) ?? 0) > offset,
      ) + 1
    );
  }
}

function isUnknownValue(value: Value): boolean {
  return typeof value === 'object' && value.k === 'unknown';
}
