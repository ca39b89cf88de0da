import type { Effect } from '../core/execution/effects';
import { CALLBACK_KINDS, type CallbackCall } from '../core/kernel/types';
import { identity } from '../core/lineage/left-behind';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { type OneWay, targetsLoaded } from '../core/lineage/run';
import type { Transition, Transitions } from '../core/lineage/transitions';
import type { Happening } from '../core/lineage/world';
import type { Step } from '../core/manifest/steps';
import type { ToSource } from './panel';
import type { PanelDeed, PanelDeeds } from './panel-model';

type Deed = Omit<PanelDeed, 'undoneBy'> & { readonly id: string };
type Group = Omit<PanelDeeds, 'deeds'> & { readonly deeds: Map<string, Deed> };

/**
 * What the callbacks of the two versions of a transition do, and init and exit where they do something that lasts:
 * seen when a version is loaded, disabled and removed by itself, and in the transition's own run, where a callback
 * finds what another version did. What only another way through the code shows is "may".
 */
export function callbackDeeds(
  transitions: Transitions,
  transition: Transition,
  toSource: ToSource,
): PanelDeeds[] {
  const versions = transition.from ? [transition.from, transition.to] : [transition.to];
  const both = transitions.waysOf(transition.run.steps, versions);
  return versions.flatMap((version) => {
    const life: Step[] = [
      ...targetsLoaded(transitions.lineage),
      { k: 'load', name: version.name, params: [] },
      { k: 'disable', name: version.name },
      { k: 'unload', name: version.name },
    ];
    const told = new Telling(version, transition, toSource);
    for (const way of transitions.waysOf(life, [version])) told.way(way);
    for (const way of both) told.way(way);
    return told.groups();
  });
}

class Telling {
  readonly #version: LineageVersion;
  readonly #transition: Transition;
  readonly #toSource: ToSource;
  readonly #groups = new Map<string, Group>();

  constructor(version: LineageVersion, transition: Transition, toSource: ToSource) {
    this.#version = version;
    this.#transition = transition;
    this.#toSource = toSource;
    for (const object of version.facts?.patch?.objects ?? [])
      for (const kind of CALLBACK_KINDS)
        for (const callback of object.callbacks)
          if (callback.callback === kind)
            this.#group(object.name, kind, toSource(callback.definition ?? callback.place));
  }

  /** One run; the way of success comes first. */
  way({ run, decision }: OneWay): void {
    const { end } = run;
    const happenings = run.outcomes.flatMap((outcome) => outcome.happenings);
    const passing = passingEffects(happenings);
    const entered: CallbackCall[] = [];
    for (const it of happenings) {
      follow(entered, it);
      if (it.k !== 'effect') continue;
      const { event } = it;
      if (event.k === 'fault' || event.k === 'repeated' || event.k === 'ended') continue;
      const { row, key } = event.k === 'undone-without' ? event : event.effect;
      const by = event.k === 'done' ? event.effect.by : event.by;
      if (row.noun === '' || !isSameVersion(end.nameOf(by.instance).version, this.#version)) continue;
      if (event.k !== 'undone-without' && passing.has(event.effect.id)) continue;
      const call = entered.at(-1);
      const object = call ? end.objectOf(call) : null;
      const { deeds } = this.#group(object, call?.callback ?? by.during, null);
      const makes = event.k === 'done';
      const id = identity({ row, key });
      if (deeds.has(`${makes} ${id}`)) continue;
      deeds.set(`${makes} ${id}`, {
        id,
        does: makes ? 'makes' : 'undoes',
        noun: row.noun,
        key,
        certainty: decision !== null || (makes && event.effect.certainty === 'may') ? 'may' : 'must',
        source: this.#toSource(by.place),
        left: makes ? this.#leftAs(id) : null,
      });
    }
  }

  /** Callbacks in the order of the tables, then what else of the module makes or undoes something. */
  groups(): PanelDeeds[] {
    const groups = [...this.#groups.values()];
    const undoneBy = (id: string, maker: Group): PanelDeed['undoneBy'] =>
      groups.flatMap((group) => {
        const undo = group === maker ? undefined : group.deeds.get(`false ${id}`);
        return undo ? [{ callback: group.callback, source: undo.source }] : [];
      });
    return groups.map((group) => ({
      ...group,
      deeds: [...group.deeds.values()].map(({ id, ...deed }) => ({
        ...deed,
        undoneBy: deed.does === 'makes' ? undoneBy(id, group) : [],
      })),
    }));
  }

  #group(object: string | null, callback: string, source: PanelDeeds['source']): Group {
    const key = `${object ?? ''} ${callback}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const group = { version: this.#version.name, object, callback, source, deeds: new Map() };
    this.#groups.set(key, group);
    return group;
  }

  /** What the transition leaves it as, or null. */
  #leftAs(id: string): string | null {
    const { leftovers, dangers } = this.#transition.run.verdict;
    const own = (version: LineageVersion | null): boolean => isSameVersion(version, this.#version);
    if (dangers.some((it) => it.kind === 'dangling-pointer' && own(it.version) && isThis(it.effect, id)))
      return 'use-after-free';
    return leftovers.find((it) => own(it.version) && isThis(it.effect, id))?.hazard ?? null;
  }
}

function isThis(effect: Effect | null, id: string): boolean {
  return effect !== null && identity(effect) === id;
}

/** Keeps the callbacks that have been entered and have not returned. */
function follow(entered: CallbackCall[], it: Happening): void {
  if (it.k === 'calling') entered.push(it.call);
  else if (it.k === 'kernel' && it.event.k === 'called') entered.pop();
}

/** Side effects that do not outlive the call they are made in: held for a while, or taken back after a failure. */
function passingEffects(happenings: readonly Happening[]): Set<number> {
  const entered: CallbackCall[] = [];
  const made = new Map<number, CallbackCall | undefined>();
  const passing = new Set<number>();
  for (const it of happenings) {
    follow(entered, it);
    if (it.k !== 'effect') continue;
    const call = entered.at(-1);
    if (it.event.k === 'done') made.set(it.event.effect.id, call);
    else if (
      (it.event.k === 'undone' || it.event.k === 'ended') &&
      call &&
      made.get(it.event.effect.id) === call
    )
      passing.add(it.event.effect.id);
  }
  return passing;
}
