import type { CallbackFacts } from '../core/execution/fact-types';
import type { CallbackKind } from '../core/kernel/types';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { ownUndo } from '../core/lineage/own-undo';
import type { Place, Span } from '../core/place';
import type { Analysis } from './analysis';
import { holds } from './hover';
import { idSites } from './id-sites';

/**
 * What a place stands for. `version` goes from the manifest's entry over the module to the klp_patch in the C;
 * `callback` is one callback of one object in all versions.
 */
export type EntityKind = 'version' | 'target' | 'callback' | 'state' | 'shadow';

/**
 * name, module: the manifest's entry. patch: the klp_patch variable. declares: a target's entry, a callback's
 * function, a state in the table, an allocation. entry: a callback in the table. uses: everything else.
 */
export type Role = 'name' | 'module' | 'patch' | 'declares' | 'entry' | 'uses';

/** One place that speaks of an entity of the lineage. */
export interface Mention {
  readonly kind: EntityKind;
  /** Equal, within a kind, for the same thing in all versions. */
  readonly id: string;
  readonly role: Role;
  readonly place: Place;
  /** As people read it: a version's name, a callback's function, an id as written. */
  readonly text: string;
  /** To whom it belongs; null for targets. */
  readonly version: LineageVersion | null;
  readonly callback?: CallbackKind;
  /** The function that is called with an id. */
  readonly api?: string;
}

const kept = new WeakMap<Analysis, readonly Mention[]>();

/** All places of the lineage that name one of its entities: the manifest's first, then by version. */
export function mentionsOf(analysis: Analysis): readonly Mention[] {
  let known = kept.get(analysis);
  if (!known) kept.set(analysis, (known = [...inManifest(analysis), ...inSources(analysis)]));
  return known;
}

/** What stands at an offset (UTF-16, from 0) of a file; ends count. Several where one place says several things. */
export function mentionsAt(analysis: Analysis, file: string, offset: number): Mention[] {
  return mentionsOf(analysis).filter(({ place }) => isAt(place, file) && holds(place, offset));
}

function isAt(place: Place, file: string): boolean {
  return place.file === file && place.revision === undefined;
}

function inManifest({ lineage, manifestFile }: Analysis): Mention[] {
  const found: Mention[] = [];
  const { manifest, versions } = lineage;
  const at = (span: Span): Place => ({ file: manifestFile, start: span.start, end: span.end });
  const use = (name: string, span: Span): void => {
    const version = versions.find((it) => it.name === name || it.module === name) ?? null;
    const kind = version ? 'version' : 'target';
    found.push({ kind, id: version?.module ?? name, role: 'uses', place: at(span), text: name, version });
  };
  for (const version of versions) {
    const { version: name, module, restores, cleansUpAfter } = version.entry;
    const own = { kind: 'version', id: version.module, version } as const;
    found.push({ ...own, role: 'name', place: at(name.place), text: version.name });
    if (module.place.start !== name.place.start)
      found.push({ ...own, role: 'module', place: at(module.place), text: version.module });
    for (const older of [...(restores ? [restores] : []), ...cleansUpAfter]) use(older.value, older.place);
  }
  for (const { module } of manifest.targets) {
    const id = module.value;
    found.push({ kind: 'target', id, role: 'declares', place: at(module.place), text: id, version: null });
  }
  for (const { steps } of manifest.scenarios) {
    for (const { value, namePlace } of steps) if (namePlace && 'name' in value) use(value.name, namePlace);
  }
  return found;
}

function inSources(analysis: Analysis): Mention[] {
  const found: Mention[] = [];
  for (const version of analysis.lineage.versions) {
    for (const patch of version.facts?.patches ?? []) {
      const { place, variable: text } = patch;
      found.push({ kind: 'version', id: version.module, role: 'patch', place, text, version });
      for (const object of patch.objects ?? []) {
        if (object.name !== null && object.namePlace) {
          const { name: id, namePlace: at } = object;
          found.push({ kind: 'target', id, role: 'uses', place: at, text: id, version });
        }
        for (const { callback, function: name, place: entry, definition } of object.callbacks) {
          const id = `${object.name ?? 'vmlinux'} ${callback}`;
          const own = { kind: 'callback', id, text: name, version, callback } as const;
          found.push({ ...own, role: 'entry', place: entry });
          if (definition) found.push({ ...own, role: 'declares', place: definition });
        }
      }
    }
  }
  for (const { kind, id, text, place, declares, api, version } of idSites(analysis))
    found.push({ kind, id, role: declares ? 'declares' : 'uses', place, text, version, api });
  return found;
}

/** Which unpatch callback the kernel's documentation pairs with which patch callback. */
const PARTNER: Readonly<Record<CallbackKind, CallbackKind>> = {
  pre_patch: 'post_unpatch',
  post_patch: 'pre_unpatch',
  pre_unpatch: 'post_patch',
  post_unpatch: 'pre_patch',
};

/**
 * The callbacks that undo what this one does, or do what it undoes, as a run of load, disable and unload shows it;
 * where that shows nothing, the one that the kernel's documentation pairs with it.
 */
export function partners(analysis: Analysis, version: LineageVersion, callback: CallbackKind): Set<string> {
  const found = new Set<string>();
  const { run } = analysis.transitions.transition(null, version);
  for (const effect of run.end.effects()) {
    const maker = run.end.nameOf(effect.by.instance).version;
    const undo = isSameVersion(maker, version) ? ownUndo(analysis.transitions, version, effect) : null;
    if (effect.by.during === callback && undo) found.add(undo.during);
    else if (undo?.during === callback) found.add(effect.by.during);
  }
  return found.size > 0 ? found : new Set([PARTNER[callback]]);
}

/** The callbacks of a version, each with the object it belongs to (null: vmlinux). */
export function callbacksOf(
  version: LineageVersion,
): { readonly object: string | null; readonly callback: CallbackFacts }[] {
  return (version.facts?.patches ?? []).flatMap((patch) =>
    (patch.objects ?? []).flatMap(({ name, callbacks }) =>
      callbacks.map((callback) => ({ object: name, callback })),
    ),
  );
}
