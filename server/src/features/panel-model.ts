/**
 * What the stack panel and `klp-lineage graph` draw. Plain data: it crosses from the server to the page as JSON.
 * Every `source` is a place the page can ask to open; lines and columns count from 1.
 */

export type VerdictWord = 'clean' | 'leaves' | 'unsafe' | 'refused';

export interface PanelSource {
  readonly uri: string;
  readonly line: number;
  readonly column: number;
}

export interface PanelCallback {
  /** pre_patch, post_patch, pre_unpatch, post_unpatch */
  readonly callback: string;
  readonly function: string;
  readonly source: PanelSource | null;
}

export interface PanelFunction {
  readonly old: string;
  readonly new: string;
  /** Compared with the version below it in the stack. */
  readonly change: 'added' | 'kept';
  readonly source: PanelSource | null;
}

export interface PanelObject {
  /** null: vmlinux */
  readonly name: string | null;
  readonly functions: readonly PanelFunction[];
  readonly callbacks: readonly PanelCallback[];
}

export interface PanelVersion {
  readonly version: string;
  readonly module: string;
  readonly status: 'draft' | 'released' | 'faulty' | 'withdrawn';
  readonly note: string | null;
  readonly restores: string | null;
  readonly cleansUpAfter: readonly string[];
  /** null where a module parameter decides, or the sources could not be read. */
  readonly replace: boolean | null;
  /** False where only names are known or a source could not be read. */
  readonly complete: boolean;
  readonly source: PanelSource | null;
  readonly objects: readonly PanelObject[];
  readonly states: readonly {
    readonly id: string;
    readonly version: string;
    readonly source: PanelSource | null;
  }[];
  readonly shadow: readonly {
    readonly id: string;
    readonly api: string;
    readonly source: PanelSource | null;
  }[];
  /** What the machine that the server runs on does with it, in words; null where that is nothing, or not known. */
  readonly installed: string | null;
  /** Functions the version below patches and this one gives back to the original kernel. */
  readonly givesBack: readonly { readonly object: string | null; readonly function: string }[];
  /** Side effects its callbacks make, with what a replacement would leave. */
  readonly effects: readonly {
    readonly noun: string;
    readonly key: string;
    readonly api: string;
    readonly source: PanelSource | null;
  }[];
}

export interface PanelCell {
  /** A version, or `none` for a clean kernel. */
  readonly from: string;
  readonly to: string;
  readonly verdict: VerdictWord;
  readonly certainty: 'must' | 'may';
  readonly because: string;
  /** As of a transition. */
  readonly rehearsed: Rehearsed | null;
}

export interface PanelModel {
  readonly schema: 1;
  readonly lineage: string;
  readonly kernel: string;
  readonly manifestUri: string;
  readonly findings: number;
  /** Oldest first, as in the manifest; drawn newest on top. */
  readonly versions: readonly PanelVersion[];
  readonly matrix: readonly PanelCell[];
  /** Problems a person should know before believing the picture ("2 sources could not be read"). */
  readonly notices: readonly string[];
}

/** What is known of a rehearsal in a real kernel. */
export interface Rehearsed {
  /** `uname -r` of that kernel. */
  readonly release: string;
  /** ISO 8601. */
  readonly when: string;
  /** Every line of its log was predicted, and no other. */
  readonly same: boolean;
  /** How the kernel ended, where it did. */
  readonly crash: string | null;
}

/** One side effect that a callback makes or undoes. */
export interface PanelDeed {
  readonly does: 'makes' | 'undoes';
  readonly noun: string;
  readonly key: string;
  readonly certainty: 'must' | 'may';
  readonly source: PanelSource | null;
  /** Who of the same version undoes what is made; empty: nobody. */
  readonly undoneBy: readonly { readonly callback: string; readonly source: PanelSource | null }[];
  /** The hazard as which the transition leaves it; null: it does not. */
  readonly left: string | null;
}

/** What one callback does that outlives the call. */
export interface PanelDeeds {
  readonly version: string;
  /** null: vmlinux */
  readonly object: string | null;
  /** A callback, or init, exit or what else of the module makes side effects. */
  readonly callback: string;
  readonly source: PanelSource | null;
  readonly deeds: readonly PanelDeed[];
}

/** One run, laid out over moments: every callback, transition, load and unload is one moment; numbered from 0. */
export interface PanelTransition {
  readonly schema: 1;
  readonly from: string;
  readonly to: string;
  readonly verdict: VerdictWord;
  readonly certainty: 'must' | 'may';
  /** One or two sentences that name the callback and the side effect. */
  readonly sentence: string;
  readonly unknown: readonly string[];
  readonly steps: readonly {
    readonly step: string;
    readonly result: number;
    readonly first: number;
    readonly last: number;
  }[];
  readonly moments: readonly { readonly title: string }[];
  readonly lanes: readonly PanelLane[];
  readonly callbacks: readonly PanelDeeds[];
  readonly log: readonly {
    readonly text: string;
    readonly kind: 'command' | 'core' | 'module' | 'fault';
    readonly moment: number;
  }[];
  /** What a real kernel did with the same steps and sources; null where this is a prediction only. */
  readonly rehearsed: Rehearsed | null;
  readonly leftovers: readonly {
    readonly effect: string;
    readonly key: string;
    readonly hazard: string;
    readonly certainty: 'must' | 'may';
    readonly version: string;
    readonly source: PanelSource | null;
  }[];
  readonly actions: readonly {
    readonly command: string;
    readonly title: string;
    readonly arguments: readonly string[];
  }[];
}

export type PanelLane =
  | {
      readonly k: 'callbacks';
      readonly version: string;
      readonly object: string | null;
      readonly marks: readonly {
        readonly moment: number;
        readonly callback: string;
        readonly state: 'ran' | 'absent' | 'skipped';
        readonly because: string | null;
        readonly source: PanelSource | null;
      }[];
    }
  | { readonly k: 'tasks'; readonly spans: readonly PanelSpan[] }
  | {
      readonly k: 'effect';
      readonly key: string;
      readonly noun: string;
      readonly spans: readonly PanelSpan[];
      readonly source: PanelSource | null;
    }
  | {
      readonly k: 'module';
      readonly version: string;
      readonly module: string;
      readonly spans: readonly PanelSpan[];
    };

/** `last` is inclusive. */
export interface PanelSpan {
  readonly first: number;
  readonly last: number;
  readonly state: 'old-code' | 'mixed' | 'new-code' | 'owned' | 'no-owner' | 'freed' | 'in-memory';
  readonly label: string;
}

/** Messages from the page to the extension and back. Validated on both sides. */
export type PanelRequest =
  | { readonly type: 'ready' }
  | { readonly type: 'select'; readonly from: string; readonly to: string }
  | { readonly type: 'open'; readonly source: PanelSource }
  | { readonly type: 'action'; readonly command: string; readonly arguments: readonly string[] }
  /** The answer to `export`: SVG as it is, PNG as Base64; null where the picture is too large. */
  | { readonly type: 'exported'; readonly format: PictureFormat; readonly data: string | null };

export type PanelUpdate =
  | { readonly type: 'model'; readonly model: PanelModel; readonly transition: PanelTransition | null }
  | { readonly type: 'transition'; readonly transition: PanelTransition }
  | { readonly type: 'export'; readonly format: PictureFormat }
  | { readonly type: 'trouble'; readonly message: string };

export type PictureFormat = 'svg' | 'png';
