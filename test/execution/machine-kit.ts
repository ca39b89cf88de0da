import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { initParser } from '../../server/src/core/csource/tree';
import type { Unit } from '../../server/src/core/csource/unit';
import type { EffectEvent } from '../../server/src/core/execution/effects';
import { Machine, type MachineOptions } from '../../server/src/core/execution/machine';
import type { MachineHost, Program, UnknownReason } from '../../server/src/core/execution/machine-host';
import type { InstanceId, ModuleState, PatchImage } from '../../server/src/core/kernel/types';

/** The parser with the WebAssembly files of the installed packages; before the first unit. */
export function startParser(): Promise<void> {
  return initParser({
    core: 'node_modules/web-tree-sitter/web-tree-sitter.wasm',
    language: 'node_modules/tree-sitter-c/tree-sitter-c.wasm',
  });
}

/** A unit from one text; includes find nothing. */
export function unitOf(text: string, file = 'test.c'): Unit {
  const provider = { text: (name: string) => (name === file ? text : undefined), resolve: () => undefined };
  return openUnit(file, provider, { defines: {}, kernelRelease: '6.1' }, new CSource());
}

export function programOf(name: string, ...texts: readonly string[]): Program {
  return { name, units: texts.map((text, i) => unitOf(text, `${name}${i === 0 ? '' : i}.c`)) };
}

/** A host that keeps what it is told, and stands for a kernel in which everything is live. */
export class RecordingHost implements MachineHost {
  readonly lines: string[] = [];
  readonly events: EffectEvent[] = [];
  readonly unknowns: UnknownReason[] = [];
  readonly names = new Map<InstanceId, string>();
  readonly states = new Map<InstanceId, ModuleState>();
  readonly images: PatchImage[] = [];
  moved = 0;
  enabling: (caller: InstanceId, image: PatchImage) => number = () => 0;
  transition: InstanceId | null = null;
  listed: InstanceId[] = [];

  enablePatch(caller: InstanceId, image: PatchImage): number {
    this.images.push(image);
    return this.enabling(caller, image);
  }
  transitionPatch(): InstanceId | null {
    return this.transition;
  }
  listedPatches(): readonly InstanceId[] {
    return this.listed;
  }
  moduleByName(name: string): InstanceId | null {
    for (const [instance, known] of this.names) if (known === name) return instance;
    return null;
  }
  moduleName(instance: InstanceId): string {
    return this.names.get(instance) ?? `module${instance}`;
  }
  moduleState(instance: InstanceId): ModuleState {
    return this.states.get(instance) ?? 'live';
  }
  moduleGet(): boolean {
    return true;
  }
  modulePut(): void {}
  tasksMoved(): void {
    this.moved++;
  }
  log(text: string): void {
    this.lines.push(text);
  }
  effect(event: EffectEvent): void {
    this.events.push(event);
  }
  unknown(reason: UnknownReason): void {
    this.unknowns.push(reason);
  }

  /** The faults seen, as `kind: text`. */
  faults(): string[] {
    return this.events.flatMap((event) => (event.k === 'fault' ? [`${event.fault}: ${event.text}`] : []));
  }
}

/** A machine with one module in memory, as instance 1. */
export function load(
  texts: string | readonly string[],
  parameters: Record<string, string> = {},
  options: MachineOptions = {},
) {
  const host = new RecordingHost();
  const machine = new Machine(host, options);
  const program = programOf('test', ...(typeof texts === 'string' ? [texts] : texts));
  host.names.set(1, 'test');
  const inserted = machine.insert(1, program, new Map(Object.entries(parameters)));
  return { host, machine, inserted };
}

/** What init prints. */
export function linesOf(text: string): string[] {
  const { host, machine } = load(text);
  machine.init(1);
  return host.lines;
}
