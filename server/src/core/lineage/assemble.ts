import type { DialectName, ReadingProblem } from '../csource/dialects/dialect';
import { Fingerprint } from '../csource/fingerprint';
import { movePlaces } from '../csource/item-places';
import type { Unit } from '../csource/unit';
import type { ExecutionLibrary } from '../execution/api';
import { executionLibrary } from '../execution/api-models';
import { effectRowsOf, type OwnEffect } from '../execution/catalogue';
import type { LivepatchFacts } from '../execution/fact-types';
import { livepatchFacts } from '../execution/facts';
import type { Program } from '../execution/machine-host';
import { type Capabilities, capabilitiesOf } from '../kernel/capabilities';
import type { EffectPair, Manifest, ManifestVersion } from '../manifest/manifest';
import { type Behaviour, behaviourOf } from './fingerprint';
import type { Lineage, LineageTarget, LineageVersion } from './lineage';

/** The sources of one version or target, opened. */
export interface OpenedSources {
  /** Empty where nothing could be read or nothing is named. */
  readonly units: readonly Unit[];
  /** Sources that were named but could not be read, as written. */
  readonly unread: readonly string[];
  /** The dialect in which they were read; `module` where that is left out. */
  readonly dialect?: DialectName;
  /** What is wrong with the sources themselves. */
  readonly problems?: readonly ReadingProblem[];
}

/** What a version's sources came to the last time, to be used again while its units are the same. */
export interface Kept extends Behaviour {
  readonly units: readonly Unit[];
  readonly module: string;
  readonly program: Program;
  readonly facts: LivepatchFacts;
  /** Counts how often the behaviour has changed: the places of runs move along as long as it stays, and no further. */
  readonly era: number;
}

/** What is kept from one joining to the next; one per lineage document. */
export class AssemblyMemo {
  readonly modules = new Map<string, Kept>();
  #library: { readonly key: string; readonly library: ExecutionLibrary } | null = null;

  /** The models of kernel functions with the lineage's own do/undo pairs, made anew only if those changed. */
  library(effects: readonly EffectPair[]): ExecutionLibrary {
    const own = effects.map(ownEffect);
    const key = JSON.stringify(own);
    if (this.#library?.key !== key) {
      this.#library = { key, library: executionLibrary(effectRowsOf(own)) };
    }
    return this.#library.library;
  }
}

/** A pair of the manifest with what it leaves out: the first argument is the key, and an errno says that it failed. */
export function ownEffect(pair: EffectPair): OwnEffect {
  return {
    do: pair.do.value,
    undo: pair.undo.value,
    key: pair.key?.value ?? 'pointer',
    argument: pair.argument?.value ?? 1,
    fails: pair.fails?.value ?? 'errno',
  };
}

/** Joins a manifest with the sources it names. Facts of modules whose units did not change are not made again. */
export function assemble(
  manifest: Manifest,
  sourcesOf: (entry: { readonly module: string; readonly version: ManifestVersion | null }) => OpenedSources,
  memo: AssemblyMemo,
): Lineage {
  const capabilities = capabilitiesFor(manifest);
  const versions = manifest.versions.map((entry, index): LineageVersion => {
    const module = entry.module.value;
    const { units, unread, dialect: read = 'module', problems = [] } = sourcesOf({ module, version: entry });
    const kept = units.length > 0 ? factsOf(module, units, memo) : null;
    return {
      name: entry.version.value,
      module,
      index,
      entry,
      dialect: entry.dialect.value === 'auto' ? read : entry.dialect.value,
      problems,
      program: kept?.program ?? null,
      facts: kept?.facts ?? null,
      unread,
      fingerprint: `${fingerprintOf(module, entry.version.value, kept)} ${settingsFingerprint(entry)}`,
      nameless: kept && !kept.asksName ? `${kept.fingerprint} ${settingsFingerprint(entry)}` : null,
      strings: [...(kept?.strings ?? []), ...[...entry.params.values()].map((param) => param.value)],
    };
  });
  const named = new Map<string, LineageTarget>();
  for (const target of manifest.targets) {
    const module = target.module.value;
    const { units, unread } = sourcesOf({ module, version: null });
    const kept = units.length > 0 ? factsOf(module, units, memo) : null;
    named.set(module, {
      module,
      program: kept?.program ?? null,
      isWhole: unread.length === 0 && units.every((unit) => unit.complete),
      fingerprint: `${fingerprintOf(module, '', kept)} ${unread.length}`,
      strings: kept?.strings ?? [],
    });
  }
  const own = new Set(versions.map((version) => version.module));
  for (const version of versions) {
    for (const object of version.facts?.patch?.objects ?? []) {
      if (object.name === null || object.name === '' || own.has(object.name) || named.has(object.name))
        continue;
      const module = object.name;
      named.set(module, { module, program: null, isWhole: false, fingerprint: module, strings: [] });
    }
  }
  return {
    name: manifest.lineage?.value ?? 'lineage',
    manifest,
    capabilities,
    versions,
    targets: [...named.values()],
    library: memo.library(manifest.effects),
  };
}

/** The capabilities of the manifest's kernel; of an unknown one where the manifest names none. */
export function capabilitiesFor(manifest: Manifest): Capabilities {
  return capabilitiesOf({
    release: manifest.kernel.release?.value ?? '',
    has: manifest.kernel.has.map((item) => item.value),
    lacks: manifest.kernel.lacks.map((item) => item.value),
    ...(manifest.kernel.arch ? { arch: manifest.kernel.arch.value } : {}),
  });
}

/** Reads what the units say of the module; kept in `memo` while they are the same. */
export function factsOf(module: string, units: readonly Unit[], memo: AssemblyMemo): Kept {
  const known = memo.modules.get(module);
  if (known && known.units.length === units.length && known.units.every((unit, i) => unit === units[i]))
    return known;
  const program: Program = { name: module, units };
  const facts = livepatchFacts(program);
  const behaviour = behaviourOf(program, facts);
  let era = known?.era ?? 0;
  if (known?.fingerprint === behaviour.fingerprint) moveAll(known.units, units);
  else era++;
  const kept = { units, module, program, facts, ...behaviour, era };
  memo.modules.set(module, kept);
  return kept;
}

/** The sources changed and the behaviour did not: runs that were made from the old text are shown in the new one. */
function moveAll(before: readonly Unit[], after: readonly Unit[]): void {
  for (const old of before) {
    const unit = after.find((it) => it.file === old.file);
    if (!unit || unit === old) continue;
    const now = unit.loweredPositions();
    for (const [name, positions] of old.loweredPositions()) {
      const next = now.get(name);
      if (next && next.table.length === positions.table.length) movePlaces(positions, next);
    }
  }
}

/**
 * Equal while runs that were made before still hold, and all that they tell. A module is found by its name, and prints
 * it; steps name the version, and places the files.
 */
function fingerprintOf(module: string, version: string, kept: Kept | null): string {
  const names = new Fingerprint();
  for (const name of [version, ...(kept?.units ?? []).flatMap((unit) => unit.files)]) names.text(name);
  return `${kept?.fingerprint} ${kept?.era} ${module} ${names.value}`;
}

/** What of a version's manifest entry changes how it runs or is judged, its name apart. */
function settingsFingerprint(entry: ManifestVersion): string {
  const params = [...entry.params].map(([name, value]) => `${name}=${value.value}`);
  const keeps = entry.keeps.map((kept) => `${kept.effect.value}:${kept.key?.value ?? ''}`);
  return JSON.stringify([params, keeps]);
}
