import type { ObjectFacts } from '../core/execution/fact-types';
import type { CallbackKind } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { fix, replaceWithin, withDesignator } from './edits';
import type { Fix } from './rule';

/**
 * Registers a callback as another kind: `.pre_unpatch = f` becomes `.post_unpatch = f`. Offered only where each object
 * that has the function as `from` has no callback of the kind `to`, and every entry is written that way.
 */
export function renamedCallback(
  context: RuleContext,
  version: LineageVersion,
  name: string,
  from: CallbackKind,
  to: CallbackKind,
): Fix[] {
  const objects = (version.facts?.patch?.objects ?? []).filter((object) => has(object, from, name));
  if (objects.length === 0 || objects.some((object) => object.callbacks.some((it) => it.callback === to)))
    return [];
  const edits = new Map<string, NonNullable<ReturnType<typeof replaceWithin>>>();
  for (const object of objects) {
    const entry = object.callbacks.find((it) => it.callback === from && it.function === name);
    if (!entry) return [];
    const text = context.text(entry.place.file);
    const edit = replaceWithin(text, withDesignator(text, entry.place), `.${from}`, `.${to}`);
    if (!edit) return [];
    edits.set(`${edit.place.file}:${edit.place.start}`, edit);
  }
  return [fix(`Call ${name}() as ${to}`, [...edits.values()], false)];
}

function has(object: ObjectFacts, kind: CallbackKind, name: string): boolean {
  return object.callbacks.some((it) => it.callback === kind && it.function === name);
}
