export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  /** The external ones of the archive: the mode of a Unix file in its upper half. */
  readonly attributes: number;
}

export function readArchive(archive: Buffer): Entry[];
export function writeArchive(entries: readonly Entry[]): Buffer;
