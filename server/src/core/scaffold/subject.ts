import type { KernelTree } from '../csource/dialects/kernel-object';
import type { Unit } from '../csource/unit';
import type { Lineage, LineageVersion } from '../lineage/lineage';
import type { Transitions } from '../lineage/transitions';

/** The lineage that is scaffolded, as its reader has it. Paths are absolute, with `/` between their parts. */
export interface Subject {
  readonly manifestFile: string;
  readonly lineage: Lineage;
  readonly transitions: Transitions;
  /** The text of a file of the lineage, the manifest included; empty where it could not be read. */
  text(file: string): string;
  /** The revision that a file was read from; undefined in the work tree. */
  revisionOf?(file: string): string | undefined;
  unitsOf(version: LineageVersion): readonly Unit[];
  filesOf(version: LineageVersion): readonly string[];
  /** The kernel's source folder and configuration, where the manifest names them. */
  kernelTree?(): KernelTree | undefined;
  /** Whether something exists at this path. */
  exists(path: string): boolean;
}

export interface Request {
  readonly restore: string;
  readonly after: readonly string[];
  readonly as: string;
  /** Folder for the new files; null for the usual one. */
  readonly out: string | null;
  /** What kernel variables are to hold again, by name, where no version hands the old value over. */
  readonly values?: ReadonlyMap<string, string>;
}

export interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** A change of one text: what stands from `start` to `end` (offsets) becomes `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A generated version: files that are new, and its entry in the manifest. */
export interface GeneratedVersion {
  readonly ok: true;
  readonly files: readonly NewFile[];
  readonly manifestEdits: readonly TextEdit[];
  /** Sentences for its author; the worst first. */
  readonly notes: readonly string[];
}
