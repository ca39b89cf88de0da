/** Files of one folder and what lies below it, as they are now or were in a revision. */
export interface Shelf {
  /** Paths relative to the folder, with `/` between their parts; sorted. */
  readonly files: readonly string[];
  /** The text of one of them; empty where it cannot be read. */
  text(file: string): string;
}

/** A tag at which the folder was there. */
export interface Tagged extends Shelf {
  readonly tag: string;
}

/** A revision of the checked-out branch. */
export interface Revision extends Shelf {
  /** The commit's hash. */
  readonly revision: string;
}

/** What a manifest can be made from. */
export interface Scene extends Shelf {
  /** The folder's own name. */
  readonly name: string;
  /** Oldest first; empty without git. */
  readonly tags: readonly Tagged[];
  /** The revisions that changed a file, oldest first; empty without git. Asked of git when it is called. */
  changesOf?(file: string): readonly Revision[];
  /** Release of the kernel that this machine runs, as a first guess; null where it runs another system. */
  readonly kernel: string | null;
}

/** A version as a recogniser found it. `guesses` are put behind what they are about, as comments. */
export interface DraftVersion {
  readonly version: string;
  readonly module: string;
  readonly sources: string | readonly string[];
  readonly status: 'draft' | 'released';
  readonly git?: { readonly revision: string; readonly path?: string };
  readonly dialect?: 'kpatch' | 'klp-build' | 'suse';
  readonly guesses?: { readonly module?: string; readonly sources?: string; readonly status?: string };
}

/** A manifest before it is text. */
export interface Draft {
  readonly versions: readonly DraftVersion[];
  /** Release of the kernel, where the sources tell it. */
  readonly kernel?: string;
  /** What was seen and left out, and why; one sentence each. */
  readonly notes: readonly string[];
}

/** One way in which people keep a lineage. */
export interface Recogniser {
  /** What it looks for, in words for the case that none finds anything. */
  readonly looksFor: string;
  recognise(scene: Scene): Draft | null;
}
