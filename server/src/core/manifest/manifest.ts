import type { Span } from '../place';
import type {
  Dialect,
  EffectKeyKind,
  ExpectedVerdict,
  FailureKind,
  RuleSeverity,
  Status,
  VersionKey,
} from './names';
import type { LocatedStep } from './steps';

/** A value with the place of its text (quotes included) in the manifest; UTF-16 offsets from 0. */
export interface Located<T> {
  readonly value: T;
  readonly place: Span;
}

export interface ManifestKernel {
  readonly release: Located<string> | null;
  /** Capabilities that a vendor's kernel has although its number says otherwise. */
  readonly has: readonly Located<string>[];
  readonly lacks: readonly Located<string>[];
  readonly arch: Located<string> | null;
  readonly config: Located<string> | null;
  readonly tree: Located<string> | null;
  /** The value of `kernel`; null where there is none. */
  readonly place: Span | null;
}

/** An effect that shall stay after the version is gone. */
export interface KeptEffect {
  readonly effect: Located<string>;
  readonly key: Located<string> | null;
  readonly reason: Located<string> | null;
  readonly place: Span;
}

export interface GitSource {
  readonly revision: Located<string>;
  readonly path: Located<string> | null;
  readonly place: Span;
}

/** One entry of a map such as `defines`: numbers and booleans keep the spelling they have in the text. */
export interface NamedValue extends Located<string> {
  readonly name: string;
  readonly keyPlace: Span;
}

/** What a version may say beside its names; `defaults` has the same keys. */
export interface VersionSettings {
  /** Globs as written, relative to the manifest. */
  readonly sources: readonly Located<string>[];
  readonly status: Located<Status>;
  readonly note: Located<string> | null;
  readonly keeps: readonly KeptEffect[];
  readonly git: GitSource | null;
  readonly restores: Located<string> | null;
  readonly cleansUpAfter: readonly Located<string>[];
  readonly dialect: Located<Dialect>;
  readonly replace: Located<boolean> | null;
  readonly built: Located<string> | null;
  readonly defines: ReadonlyMap<string, NamedValue>;
  readonly include: readonly Located<string>[];
  readonly params: ReadonlyMap<string, NamedValue>;
}

export interface ManifestVersion extends VersionSettings {
  /** Where an entry names only one of the two, both have that name (and there is a problem). */
  readonly version: Located<string>;
  readonly module: Located<string>;
  /** The whole entry. */
  readonly place: Span;
  /** The key `version` of the entry, or its first key. */
  readonly keyPlace: Span;
  /** Where the entry's own keys stand. */
  readonly keyPlaces: ReadonlyMap<VersionKey, Span>;
  /** Keys whose value (for defines and params: some of it) comes from `defaults`; places point there. */
  readonly inherited: ReadonlySet<VersionKey>;
}

export interface ManifestTarget {
  readonly module: Located<string>;
  readonly sources: readonly Located<string>[];
  readonly place: Span;
}

/** A do/undo pair of the author's own kernel tree. */
export interface EffectPair {
  readonly do: Located<string>;
  readonly undo: Located<string>;
  readonly key: Located<EffectKeyKind> | null;
  /** Which argument is the key, from 1. */
  readonly argument: Located<number> | null;
  readonly fails: Located<FailureKind> | null;
  readonly place: Span;
}

export interface Scenario {
  readonly name: Located<string>;
  readonly steps: readonly LocatedStep[];
  readonly expect: Located<ExpectedVerdict> | null;
  /** False where a step could not be read or `expect` is missing: running the rest would answer another question. */
  readonly complete: boolean;
  readonly place: Span;
}

export interface Manifest {
  readonly file: string;
  readonly schema: Located<number> | null;
  readonly lineage: Located<string> | null;
  readonly kernel: ManifestKernel;
  readonly defaults: VersionSettings;
  /** Oldest first. */
  readonly versions: readonly ManifestVersion[];
  readonly targets: readonly ManifestTarget[];
  readonly effects: readonly EffectPair[];
  readonly scenarios: readonly Scenario[];
  /** Severity by rule code. */
  readonly rules: ReadonlyMap<string, Located<RuleSeverity> & { readonly keyPlace: Span }>;
}
