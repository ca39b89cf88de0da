/**
 * Names of files as they are in a git revision. Such a name carries the object that holds the text and the path at
 * which the file would stand in the work tree, so that whatever is keyed by file name is exact: versions that share
 * the object share the name, and a file that changed has another one.
 */
export interface BlobName {
  /** The object's hash. */
  readonly oid: string;
  /** Absolute, with `/` between its parts. */
  readonly path: string;
}

const PREFIX = 'git-blob:';

export function blobName({ oid, path }: BlobName): string {
  return `${PREFIX}${oid}:${path}`;
}

/** What a name made by `blobName` says; null for a file of the work tree. */
export function readBlobName(file: string): BlobName | null {
  if (!file.startsWith(PREFIX)) return null;
  const colon = file.indexOf(':', PREFIX.length);
  return colon < 0 ? null : { oid: file.slice(PREFIX.length, colon), path: file.slice(colon + 1) };
}

/** Where the file stands, or would stand, in the work tree. */
export function workTreePath(file: string): string {
  return readBlobName(file)?.path ?? file;
}
