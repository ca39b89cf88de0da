import { CallGraph, type FunctionNode } from '../execution/reach';
import type { LineageVersion } from './lineage';

/** One function of a version's own sources, and from where it is reached. */
export interface VersionFunction {
  readonly node: FunctionNode;
  /**
   * 'init', 'exit', a callback kind, 'patched' (any new_func), and 'work', 'timer', 'thread', 'event' for what these
   * start. Callbacks of a module object also as `pre_patch@ext4`, patched functions as `patched@vmlinux:old:sympos`.
   */
  readonly from: ReadonlySet<string>;
}

const KNOWN = new WeakMap<object, readonly VersionFunction[]>();

/** Every function that something reaches; nothing where the sources are not known. Worked out once for equal facts. */
export function functionsOf(version: LineageVersion): readonly VersionFunction[] {
  const { program, facts } = version;
  if (!program || !facts) return [];
  let known = KNOWN.get(facts);
  if (!known) {
    known = reached(version);
    KNOWN.set(facts, known);
  }
  return known;
}

function reached(version: LineageVersion): VersionFunction[] {
  const { program, facts } = version;
  if (!program || !facts) return [];
  const graph = new CallGraph(program);
  const reach = (name: string, file: string | undefined, ...from: string[]): void => {
    const unit = program.units.find((it) => it.functions.get(name)?.namePlace.file === file) ?? null;
    const node = graph.find(name, unit);
    if (node) for (const origin of from) graph.reach(node, origin);
  };
  if (facts.init) reach(facts.init.name, facts.init.place.file, 'init');
  if (facts.exit) reach(facts.exit.name, facts.exit.place.file, 'exit');
  for (const object of facts.patches.flatMap((patch) => patch.objects ?? [])) {
    for (const { callback, function: name, definition } of object.callbacks) {
      const own = object.name ? [`${callback}@${object.name}`] : [];
      reach(name, definition?.file, callback, ...own);
    }
    for (const entry of object.functions ?? []) {
      const own = patchedOrigin(object.name, entry.old, entry.sympos);
      reach(entry.new, entry.place.file, 'patched', own);
    }
  }
  return [...graph.functions()].flatMap((node) => {
    const from = graph.reachedFrom(node);
    return from.length > 0 ? [{ node, from: new Set(from) }] : [];
  });
}

/** The name of a patched function, equal across versions; the kernel takes sympos 0 and 1 for the same. */
export function patchedOrigin(object: string | null, old: string, sympos: number): string {
  return `patched@${object ?? 'vmlinux'}:${old}:${Math.max(1, sympos)}`;
}
