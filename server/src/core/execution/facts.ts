import type { Unit } from '../csource/unit';
import type { Place } from '../place';
import type { FunctionFact, LivepatchFacts, PatchFacts } from './fact-types';
import { callFacts, shadowUses } from './facts-calls';
import { ModuleMemory, onlyEnables, type ReadPatch } from './facts-memory';
import { type PatchVariable, patchFacts } from './facts-patch';
import type { Program } from './machine-host';
import { CallGraph, type FunctionNode } from './reach';

/** The functions that put a patch into force; the second until 5.1. */
const ENABLING = new Set(['klp_enable_patch', 'klp_register_patch']);

/** A module's init or exit: the function and the unit that names it. */
interface Entry {
  readonly unit: Unit;
  readonly fact: FunctionFact;
}

interface FoundPatch {
  readonly variable: PatchVariable;
  readonly read: ReadPatch;
}

/**
 * What the C of one module says. Static data as its initialisers leave it; where init does more than to enable a
 * patch, init is run with unknown parameters and the patch is what it hands over. Never fails: what could not be
 * read is absent, unknown, or makes it not `complete`.
 */
export function livepatchFacts(program: Program): LivepatchFacts {
  const init = entry(program, 'moduleInit');
  const exit = entry(program, 'moduleExit');
  const graph = new CallGraph(program);
  const found = patchesOf(program, init, graph);
  const patches = found.map((patch) => patchFacts(patch.read, patch.variable));
  const enabled = found.findIndex((patch) => patch.read.memory.enabled.includes(patch.read));
  const enables = init ? reachesEnabling(graph, init, patches) : false;
  mark(graph, init, exit, found);
  return {
    patches,
    patch: patches[enabled] ?? (patches.length === 1 ? (patches[0] ?? null) : null),
    init: init?.fact ?? null,
    exit: exit?.fact ?? null,
    livepatchInfo: calls(program, 'MODULE_INFO').find((call) => call.args[0] === 'livepatch')?.place ?? null,
    license: license(program),
    enables,
    parameters: program.units.flatMap((unit) =>
      unit.parameters.map(({ name, variable, place }) => ({ name, variable, place })),
    ),
    shadow: shadowUses(graph),
    calls: callFacts(graph),
    complete: program.units.every((unit) => unit.complete) && patches.every((patch) => patch.complete),
  };
}

function entry(program: Program, kind: 'moduleInit' | 'moduleExit'): Entry | null {
  for (const unit of program.units) {
    const named = unit[kind];
    if (!named) continue;
    const place = unit.functions.get(named.function)?.namePlace ?? named.place;
    return { unit, fact: { name: named.function, place } };
  }
  return null;
}

/** Every struct klp_patch that is defined with an initialiser or handed over, in order of appearance. */
function patchesOf(program: Program, init: Entry | null, graph: CallGraph): FoundPatch[] {
  const variables = patchVariables(program);
  const start = init && graph.find(init.fact.name, init.unit);
  if (variables.length === 0 && (!start || !callsEnabling(graph, start))) return [];
  const memory = new ModuleMemory(program);
  const found = new Map<number, FoundPatch>();
  for (const variable of variables) {
    const pointer = variable.unit && memory.variable(variable.unit, variable.name);
    if (pointer && variable.unit?.variables.get(variable.name)?.hasInitialiser) {
      found.set(pointer.block, { variable, read: memory.read(pointer) });
    }
  }
  if (!start || !init) return [...found.values()];
  const only = onlyEnables(start.ir);
  const direct = only === null ? null : memory.variable(init.unit, only);
  const known = direct && found.get(direct.block);
  if (known) {
    memory.enabled.push(known.read);
    memory.settled.add(known.read);
    return [...found.values()];
  }
  if (!callsEnabling(graph, start)) return [...found.values()];
  const running = new ModuleMemory(program);
  running.runInit(init.unit, init.fact.name);
  for (const read of running.enabled) {
    const variable = variables.find(
      (it) => it.unit && running.variable(it.unit, it.name)?.block === read.pointer.block,
    );
    found.set(read.pointer.block, {
      read,
      variable: variable ?? { unit: null, name: running.nameOf(read.pointer), place: init.fact.place },
    });
  }
  return [...found.values()];
}

/** The variables of type struct klp_patch, each once. */
function patchVariables(program: Program): PatchVariable[] {
  const found: PatchVariable[] = [];
  for (const unit of program.units) {
    for (const item of unit.variables.values()) {
      if (item.extern || item.type.k !== 'struct' || item.type.tag !== 'klp_patch') continue;
      found.push({ unit, name: item.name, place: item.namePlace });
    }
  }
  return found;
}

function callsEnabling(graph: CallGraph, start: FunctionNode): boolean {
  graph.reach(start, 'init');
  for (const node of graph.reached('init')) {
    if (node.calls.some((call) => ENABLING.has(call.callee))) return true;
  }
  return false;
}

/** Null where init could not be found or something on the way could not be read. */
function reachesEnabling(graph: CallGraph, init: Entry, patches: readonly PatchFacts[]): boolean | null {
  const start = graph.find(init.fact.name, init.unit);
  if (!start) return null;
  if (callsEnabling(graph, start)) return true;
  const read = init.unit.complete && init.unit.missingIncludes.length === 0;
  return read || patches.length === 0 ? false : null;
}

/** Marks what is reached from where: init, exit, the callbacks, the replacement functions. */
function mark(
  graph: CallGraph,
  init: Entry | null,
  exit: Entry | null,
  patches: readonly FoundPatch[],
): void {
  for (const [found, from] of [
    [init, 'init'],
    [exit, 'exit'],
  ] as const) {
    const node = found && graph.find(found.fact.name, found.unit);
    if (node) graph.reach(node, from);
  }
  for (const { read } of patches) {
    const units = read.memory.image.units;
    for (const callbacks of read.record.callbackValues) {
      for (const [kind, value] of Object.entries(callbacks)) {
        if (typeof value !== 'object' || value.k !== 'function') continue;
        const unit = value.unit === undefined ? null : (units[value.unit]?.unit ?? null);
        const node = graph.find(value.name, unit);
        if (node) graph.reach(node, kind);
      }
    }
    for (const functions of read.record.functionPointers) {
      for (const entry of functions ?? []) {
        const value = read.reader.peek(read.reader.at(entry, '.new_func'));
        if (typeof value !== 'object' || value.k !== 'function') continue;
        const unit = value.unit === undefined ? null : (units[value.unit]?.unit ?? null);
        const node = graph.find(value.name, unit);
        if (node) graph.reach(node, 'patched');
      }
    }
  }
}

function license(program: Program): { readonly text: string; readonly place: Place } | null {
  const named = calls(program, 'MODULE_LICENSE')[0];
  if (named) return { text: unquoted(named.args[0]), place: named.place };
  const info = calls(program, 'MODULE_INFO').find((call) => call.args[0] === 'license');
  return info ? { text: unquoted(info.args[1]), place: info.place } : null;
}

function calls(program: Program, macro: string): Unit['calls'][number][] {
  return program.units.flatMap((unit) => unit.calls.filter((call) => call.macro === macro));
}

function unquoted(text: string | undefined): string {
  return (text ?? '').replace(/^"|"$/g, '');
}
