import type { Expr } from '../csource/ir';
import { UNKNOWN_TYPE } from '../csource/types';
import type { InstanceId } from '../kernel/types';
import type { Certainty } from '../place';
import type { ApiCall, ApiContext, MachineServices } from './api';
import type { ApiState } from './api-state';
import type { Fault } from './effects';
import { formatKernel, PLACEHOLDER } from './format';
import type { Frame } from './frames';
import type { Interpreter } from './interpreter';
import type { MachineHost } from './machine-host';
import { lastSegmentStart, trailingIndex } from './paths';
import { describe, Reader, readAny, stringAt } from './reading';
import type { Pointer, Value } from './values';

/** One call of a kernel function: what its model may use. */
export class ModelContext implements ApiContext {
  readonly call: ApiCall;
  readonly placeholder = PLACEHOLDER;
  private readonly reader: Reader;

  constructor(
    private readonly it: Interpreter,
    private readonly frame: Frame,
    private readonly node: Extract<Expr, { k: 'call' }>,
    name: string,
    args: readonly Value[],
  ) {
    const actor = it.actor(frame, node.at);
    this.call = { name, args, exprs: node.args, typeArgs: node.typeArgs ?? {}, type: node.type, actor };
    this.reader = new Reader(it);
  }

  load(pointer: Value): Value {
    const at = this.it.deref(pointer, this.frame, this.node.at);
    if (at === null) return this.it.unknown('(value behind an invalid pointer)', UNKNOWN_TYPE);
    if (at.k === 'string') return at.text.charCodeAt(at.offset) || 0;
    if (!this.alive(at)) return this.it.unknown('(value of freed memory)', UNKNOWN_TYPE);
    return readAny(this.it, at);
  }

  store(pointer: Value, value: Value): void {
    this.it.store(
      this.it.deref(pointer, this.frame, this.node.at),
      UNKNOWN_TYPE,
      value,
      this.frame,
      this.node.at,
    );
  }

  copy(target: Value, source: Value, bytes: number | null): void {
    const count =
      typeof source === 'object' && source.k === 'pointer' ? elementCount(this.it, source, bytes) : 1;
    if (
      count === 1 ||
      typeof target !== 'object' ||
      target.k !== 'pointer' ||
      typeof source !== 'object' ||
      source.k !== 'pointer'
    ) {
      this.store(target, this.load(source));
      return;
    }
    const values = Array.from({ length: count }, (_, i) => this.load(this.element(source, i)));
    for (const [i, value] of values.entries()) this.store(this.element(target, i), value);
  }

  private alive(pointer: Pointer): boolean {
    const block = this.it.memory.block(pointer.block);
    if (block !== undefined && block.dead === null) return true;
    const what =
      block === undefined
        ? 'a local variable of a function that has returned'
        : `${block.label}, ${block.dead}`;
    this.fault('use-after-free', `${this.call.name}() uses ${what}`);
    return false;
  }

  peek(pointer: Pointer): Value {
    return this.reader.peek(pointer);
  }

  poke(pointer: Pointer, value: Value): void {
    const block = this.it.memory.block(pointer.block);
    if (block === undefined || block.dead !== null) return;
    this.it.memory.store(block, pointer.path, value, UNKNOWN_TYPE, this.frame.positions, this.node.at);
  }

  at(pointer: Pointer, path: string): Pointer {
    return this.reader.at(pointer, path);
  }

  element(pointer: Pointer, n: number): Pointer {
    return this.reader.element(pointer, n);
  }

  allocate(options: { readonly zeroed: boolean; readonly label: string }): Pointer {
    const block = this.it.memory.create(
      'heap',
      null,
      options.label,
      options.zeroed ? 'zero' : 'unknown',
      null,
      null,
    );
    return { k: 'pointer', block, path: '' };
  }

  opaque(label: string): Pointer {
    const { id } = this.it.unknown(label, UNKNOWN_TYPE);
    return { k: 'pointer', block: this.it.kernel.behind(id), path: '' };
  }

  free(pointer: Value): void {
    if (typeof pointer !== 'object' || pointer.k !== 'pointer') return;
    const block = this.it.memory.block(pointer.block);
    if (block === undefined) {
      this.fault('double-free', `${this.call.name}() of stack memory`);
      return;
    }
    if (block.dead !== null) {
      this.fault('double-free', `${this.call.name}() of ${block.label}, ${block.dead}`);
      return;
    }
    if (block.kind === 'heap') this.it.memory.bury(block, 'freed before');
    else if (block.kind !== 'unknown' && block.kind !== 'kernel') {
      this.fault(
        'double-free',
        `${this.call.name}() of ${describe(this.it, pointer)}, which was not allocated`,
      );
    }
  }

  unknown(tag: string): Value {
    return this.it.unknown(tag, this.call.type);
  }

  decide(id: string, success: boolean): boolean {
    return this.it.unknowns.outcome(id, success, this.call.actor.place);
  }

  invoke(callee: Value, args: readonly Value[], during?: string): Value {
    if (typeof callee === 'object' && callee.k === 'function' && callee.instance !== null) {
      return this.it.invoke(callee, args, during ?? this.frame.during, this.frame);
    }
    if (callee === 0) {
      this.fault('null-dereference', `${this.call.name}() calls a NULL function pointer`);
      return 0;
    }
    const name = describe(this.it, callee);
    this.it.host.unknown({ kind: 'opaque-call', text: name, place: this.call.actor.place });
    return this.it.unknown(`${name}()`, UNKNOWN_TYPE);
  }

  string(value: Value): string | null {
    return stringAt(this.it, value);
  }

  describe(value: Value): string {
    return describe(this.it, value);
  }

  format(format: Value, args: readonly Value[]): string {
    const text = stringAt(this.it, format);
    return text === null ? PLACEHOLDER : formatKernel(this.reader, text, args);
  }

  log(text: string): void {
    this.it.printer.print(`${text}\n`, false);
  }

  print(text: string, continued: boolean): void {
    this.it.printer.print(text, continued);
  }

  fault(fault: Fault, text: string, certainty: Certainty = 'must'): void {
    this.it.host.effect({ k: 'fault', fault, text, by: this.call.actor, certainty });
  }

  failure(): number | null {
    return takeFailure(this.it.failures, this.frame.instance, this.call.name);
  }

  get state(): ApiState {
    return this.it.state;
  }

  get host(): MachineHost {
    return this.it.host;
  }

  get machine(): MachineServices {
    return this.it.services;
  }
}

/**
 * The errno (positive) with which this call by this module shall fail, which it then has; null where it succeeds.
 * `f#3`, which asks for the third call to fail, becomes `f#2` and that becomes `f`.
 */
export function takeFailure(
  failures: Map<string, number>,
  instance: InstanceId,
  called: string,
): number | null {
  if (failures.size === 0) return null;
  const key = `${instance}:${called}`;
  const errno = failures.get(key);
  if (errno !== undefined) {
    failures.delete(key);
    return errno;
  }
  for (const [name, later] of failures) {
    if (!name.startsWith(`${key}#`)) continue;
    const left = Number(name.slice(key.length + 1)) - 1;
    failures.delete(name);
    failures.set(left > 1 ? `${key}#${left}` : key, later);
    break;
  }
  return null;
}

const MAX_ELEMENTS = 65_536;

/** How many elements of a declared array a copy of `bytes` takes; 1 where no array stands there. */
function elementCount(it: Interpreter, source: Pointer, bytes: number | null): number {
  const block = it.memory.block(source.block);
  if (bytes === null || block === undefined || block.type === null || block.layout === null) return 1;
  const index = trailingIndex(source.path);
  if (index === null) return 1;
  const array = block.layout.typeAt(block.type, source.path.slice(0, lastSegmentStart(source.path)));
  const size = array?.k === 'array' ? block.layout.sizeof(array.of) : undefined;
  if (array?.k !== 'array' || size === undefined || size === 0) return 1;
  return Math.max(
    1,
    Math.min(Math.floor(bytes / size), (array.length ?? MAX_ELEMENTS) - index, MAX_ELEMENTS),
  );
}
