import type { DialectName, ReadingProblem } from '../csource/dialects/dialect';
import type { ExecutionLibrary } from '../execution/api';
import type { LivepatchFacts } from '../execution/fact-types';
import type { Program } from '../execution/machine-host';
import type { Capabilities } from '../kernel/capabilities';
import type { Manifest, ManifestVersion } from '../manifest/manifest';

/** One version of the lineage, joined with what its sources say. */
export interface LineageVersion {
  readonly name: string;
  readonly module: string;
  /** Position in the manifest, oldest first, from 0. */
  readonly index: number;
  readonly entry: ManifestVersion;
  /** What `dialect: auto` came to, or what the manifest says. */
  readonly dialect: DialectName;
  /** What is wrong with the sources themselves, at its place in them. */
  readonly problems: readonly ReadingProblem[];
  /** null where the manifest gives only names, or none of the sources could be read. */
  readonly program: Program | null;
  readonly facts: LivepatchFacts | null;
  /** Sources that were named but could not be read, as written in the manifest. */
  readonly unread: readonly string[];
  /**
   * Equal as long as the behaviour stays as it is: what init, exit and callbacks reach, and the livepatch itself. What
   * comes back to an earlier behaviour has another one, for places of earlier runs have not moved along.
   */
  readonly fingerprint: string;
  /**
   * Equal for versions that differ in nothing but the names of version and module; null where that cannot be told, or
   * the code does something with its own name but print it.
   */
  readonly nameless: string | null;
  /** Strings that its code does something with but print them, and names of its objects. */
  readonly strings: readonly string[];
}

/** A module that may be absent, come and go: named under `targets`, or as an object of some version. */
export interface LineageTarget {
  readonly module: string;
  readonly program: Program | null;
  /** Whether all of its sources could be read: then it has just the functions that they define. */
  readonly isWhole: boolean;
  readonly fingerprint: string;
  /** As of a version. */
  readonly strings: readonly string[];
}

export interface Lineage {
  readonly name: string;
  readonly manifest: Manifest;
  readonly capabilities: Capabilities;
  readonly versions: readonly LineageVersion[];
  readonly targets: readonly LineageTarget[];
  /** Models of kernel functions, the lineage's own do/undo pairs among them. */
  readonly library: ExecutionLibrary;
}

/** The version with this name or module name. */
export function versionByName(lineage: Lineage, name: string): LineageVersion | undefined {
  return lineage.versions.find((version) => version.name === name || version.module === name);
}

export function targetByName(lineage: Lineage, module: string): LineageTarget | undefined {
  return lineage.targets.find((target) => target.module === module);
}

/** The lineage as if it had only these of its versions. */
export function withVersions(lineage: Lineage, versions: readonly LineageVersion[]): Lineage {
  return {
    ...lineage,
    versions: versions.map((version, index) => ({ ...version, index })),
    manifest: { ...lineage.manifest, versions: versions.map((version) => version.entry) },
  };
}

/** Whether a person can still change this version. */
export function isDraft(version: LineageVersion): boolean {
  return version.entry.status.value === 'draft';
}

/** Whether somebody would want to be on this version: neither faulty nor withdrawn. */
export function isWanted(version: LineageVersion): boolean {
  const status = version.entry.status.value;
  return status === 'draft' || status === 'released';
}

/** Whether its sources were read, and define no struct klp_patch. */
export function isNoLivepatch(version: LineageVersion): boolean {
  return version.facts?.patches.length === 0;
}

/** Every name that a step may use: versions, their modules, targets, and modules that are objects of a version. */
export function knownNames(lineage: Lineage): ReadonlySet<string> {
  const names = new Set<string>();
  for (const version of lineage.versions) names.add(version.name).add(version.module);
  for (const target of lineage.targets) names.add(target.module);
  return names;
}

/** The same version, also after the lineage was read anew: a kept run holds the objects of an earlier reading. */
export function isSameVersion(a: LineageVersion | null, b: LineageVersion | null): boolean {
  return a?.module === b?.module;
}
