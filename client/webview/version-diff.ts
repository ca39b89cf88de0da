/** What differs between two versions: functions, callbacks, states, shadow variables, side effects. Pure. */
import type { PanelSource, PanelVersion } from '../../server/src/features/panel-model';
import { objectName } from './words';

export interface Difference {
  readonly kind: 'function' | 'callback' | 'state' | 'shadow' | 'effect';
  readonly change: 'added' | 'removed' | 'changed';
  /** What it is, with its object where it belongs to one. */
  readonly text: string;
  /** In the version that has it; in `to` where both have. */
  readonly source: PanelSource | null;
}

interface Item {
  readonly kind: Difference['kind'];
  readonly text: string;
  /** What can differ while it stays the same item; the empty text where nothing can. */
  readonly value: string;
  readonly source: PanelSource | null;
}

/**
 * The differences on the way from `from` (null: no livepatch) to `to`, by kind and in the order of the versions.
 * A function counts as the same when object and old name are: which new code it gets is not compared here.
 */
export function versionDiff(from: PanelVersion | null, to: PanelVersion): Difference[] {
  const before = from === null ? new Map<string, Item>() : itemsOf(from);
  const after = itemsOf(to);
  const found: Difference[] = [];
  for (const [key, item] of after) {
    const old = before.get(key);
    if (old === undefined) found.push(difference(item, 'added'));
    else if (old.value !== item.value)
      found.push({ ...difference(item, 'changed'), text: `${item.text}: ${old.value} → ${item.value}` });
  }
  for (const [key, item] of before) if (!after.has(key)) found.push(difference(item, 'removed'));
  return KINDS.flatMap((kind) => found.filter((one) => one.kind === kind));
}

const KINDS = ['function', 'callback', 'state', 'shadow', 'effect'] as const;

function difference({ kind, text, source }: Item, change: Difference['change']): Difference {
  return { kind, change, text, source };
}

function itemsOf(version: PanelVersion): Map<string, Item> {
  const items = new Map<string, Item>();
  const add = (kind: Item['kind'], text: string, value: string, source: PanelSource | null): void => {
    // The same name may be patched twice, at two positions (sympos); each counts.
    for (let nth = 0; ; nth++) {
      const key = `${kind} ${nth} ${text}`;
      if (items.has(key)) continue;
      items.set(key, { kind, text, value, source });
      return;
    }
  };
  for (const object of version.objects) {
    const name = objectName(object.name);
    for (const fn of object.functions) add('function', `${name}: ${fn.old}`, '', fn.source);
    for (const one of object.callbacks) add('callback', `${name}: ${one.callback}`, '', one.source);
  }
  for (const state of version.states)
    add('state', `state ${state.id}`, `version ${state.version}`, state.source);
  for (const shadow of version.shadow) add('shadow', `shadow ${shadow.id}`, '', shadow.source);
  for (const effect of version.effects) add('effect', `${effect.noun} ${effect.key}`, '', effect.source);
  return items;
}
