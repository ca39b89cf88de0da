/** A rehearsal that cannot take place, told in one line: what, where, what to do. */
export class RehearsalFailure extends Error {
  readonly kind: FailureKind;
  /** More lines, such as the compiler's messages. */
  readonly details: readonly string[];

  constructor(kind: FailureKind, message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'RehearsalFailure';
    this.kind = kind;
    this.details = details;
  }
}

export type FailureKind =
  /** A tool or a package is not there. */
  | 'missing'
  /** A step or a source that the rehearsal does not take. */
  | 'refused'
  /** The modules do not build. */
  | 'build'
  /** The guest did not even reach its first step. */
  | 'boot'
  | 'disk'
  | 'interrupted';

/** The failure behind an error: a full disk and an abort get their own kind, anything else is thrown on as it is. */
export function failureOf(error: unknown, folder: string): unknown {
  if (error instanceof RehearsalFailure || !(error instanceof Error)) return error;
  if (error.name === 'AbortError') return interrupted();
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new RehearsalFailure('disk', `no space left for ${folder}: free some and try again`);
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR')
    return new RehearsalFailure(
      'disk',
      `cannot write to ${folder} (${code}): set LIVEPATCH_LINEAGE_CACHE to a folder that can be written`,
    );
  return error;
}

export function interrupted(): RehearsalFailure {
  return new RehearsalFailure('interrupted', 'the rehearsal was interrupted');
}
