import type { Actor, Effect } from '../core/execution/effects';
import { CALLBACK_KINDS, type CallbackCall } from '../core/kernel/types';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Step } from '../core/manifest/steps';
import type { RuleContext } from './context';

export const load = (version: LineageVersion): Step => ({ k: 'load', name: version.name, params: [] });
export const unload = (version: LineageVersion): Step => ({ k: 'unload', name: version.name });

const UNDOING: readonly string[] = ['pre_unpatch', 'post_unpatch', 'exit'];

/** Where something is undone: in which callback, and the call. */
export type Undoing = Pick<Actor, 'during' | 'function' | 'place'>;

/**
 * What undoes the effect when its version is simply disabled and removed, and is not called when another version
 * replaces it: an unpatch callback, or exit. Null where nothing is seen to.
 */
export function undoneBy(context: RuleContext, from: LineageVersion, effect: Effect): Undoing | null {
  const steps: Step[] = [
    ...targetsLoaded(context.lineage),
    load(from),
    { k: 'disable', name: from.name },
    unload(from),
  ];
  const { outcomes, end } = context.transitions.runOf(steps, [from]);
  for (const outcome of outcomes) {
    for (const happening of outcome.happenings) {
      if (happening.k !== 'effect' || happening.event.k !== 'undone') continue;
      const { effect: undone, by } = happening.event;
      // A timer that went off is gone as well, but nobody undid it.
      if (identity(undone) !== identity(effect) || !UNDOING.includes(by.during)) continue;
      if (end.nameOf(by.instance).module === from.module) return by;
    }
  }
  return undoCall(from, effect);
}

/** A call of one of the effect's undo functions that the unpatch callbacks or exit reach. */
function undoCall(from: LineageVersion, effect: Effect): Undoing | null {
  const names = new Set(effect.row.undo.map((undo) => undo.name));
  for (const during of UNDOING) {
    const call = from.facts?.calls.find(
      (item) => names.has(item.callee) && item.reachedFrom.includes(during),
    );
    if (call) return { during, function: call.function, place: call.place };
  }
  return null;
}

/** The module of the object whose callback did it; null for vmlinux and for what no callback did. */
export function moduleObjectOf(run: Run, from: LineageVersion, effect: Effect): string | null {
  let call: CallbackCall | null = null;
  for (const outcome of run.outcomes) {
    for (const happening of outcome.happenings) {
      if (happening.k === 'calling') call = happening.call;
      else if (happening.k === 'kernel' && happening.event.k === 'called') call = null;
      else if (happening.k === 'effect' && happening.event.k === 'done' && call !== null) {
        const made = happening.event.effect;
        if (identity(made) !== identity(effect) || call.patch !== made.by.instance) continue;
        if (run.end.nameOf(call.patch).module !== from.module) continue;
        return from.facts?.patch?.objects?.[call.object]?.name ?? null;
      }
    }
  }
  return null;
}

/** "post_unpatch", or "module exit", or what else ran, in words. */
export function duringWords(actor: Pick<Actor, 'during' | 'function'>): string {
  if ((CALLBACK_KINDS as readonly string[]).includes(actor.during)) return actor.during;
  switch (actor.during) {
    case 'init':
      return 'module init';
    case 'exit':
      return 'module exit';
    case 'patched':
      return `the patched function ${actor.function}()`;
    default:
      return `${actor.function}()`;
  }
}
