import type { KernelTree } from '../core/csource/dialects/kernel-object';
import type { Unit } from '../core/csource/unit';
import type { Lineage, LineageVersion } from '../core/lineage/lineage';
import type { Transitions } from '../core/lineage/transitions';
import type { ParsedManifest } from '../core/manifest/parse';
import type { Finding } from '../rules/rule';

/** One lineage as read, joined and judged: what every feature, command and panel works from. */
export interface Analysis {
  /** The manifest's path. */
  readonly manifestFile: string;
  readonly parsed: ParsedManifest;
  readonly lineage: Lineage;
  readonly transitions: Transitions;
  /** Sorted by file and place. Computed when first asked for. */
  findings(): readonly Finding[];
  /** The findings of a lineage that had only these of its versions; made anew each time. */
  findingsAmong(versions: readonly LineageVersion[]): readonly Finding[];
  /** The text of a file of this lineage; empty where it could not be read. */
  text(file: string): string;
  unitsOf(version: LineageVersion): readonly Unit[];
  /** The files of a version as absolute paths: what the manifest names and the units include. */
  filesOf(version: LineageVersion): readonly string[];
  /** The kernel's source folder and configuration, where the manifest names them. */
  kernelTree?(): KernelTree | undefined;
  /** The revision that a file was read from, as the oldest version that has it names it; undefined in the work tree. */
  revisionOf(file: string): string | undefined;
  /** Whether something exists at this path (for what would be written). */
  exists(path: string): boolean;
}
