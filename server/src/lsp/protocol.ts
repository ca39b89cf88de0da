/**
 * What this server speaks beyond the language server protocol. The client imports the types and names only.
 */
import type { PanelModel, PanelTransition } from '../features/panel-model';

export const PANEL_REQUEST = 'livepatch/panel';
export const TRANSITION_REQUEST = 'livepatch/transition';
/** Server to client: the lineage of this manifest has been analysed anew. */
export const CHANGED_NOTIFICATION = 'livepatch/changed';
export const LINEAGES_REQUEST = 'livepatch/lineages';
export const SCAFFOLD_REQUEST = 'livepatch/scaffold';
export const PAGE_REQUEST = 'livepatch/page';
export const STEPS_REQUEST = 'livepatch/steps';
export const SIMULATE_REQUEST = 'livepatch/simulate';
export const EXPLAIN_REQUEST = 'livepatch/explain';
export const RUNBOOK_REQUEST = 'livepatch/runbook';
export const NEW_VERSION_REQUEST = 'livepatch/newVersion';
export const REHEARSAL_REQUEST = 'livepatch/rehearsal';
export const COMPARE_REQUEST = 'livepatch/compare';
export const INIT_REQUEST = 'livepatch/init';
export const REPLACEABLE_REQUEST = 'livepatch/replaceable';
export const SCENARIOS_REQUEST = 'livepatch/scenarios';
export const REVISION_REQUEST = 'livepatch/revision';
/** Client to server: the person trusts the workspace from now on. */
export const TRUSTED_NOTIFICATION = 'livepatch/trusted';
export const STATUS_NOTIFICATION = 'livepatch/status';

export interface ManifestParams {
  /** The manifest's URI. */
  readonly manifest: string;
}

export interface TransitionParams extends ManifestParams {
  /** A version, or `none`. */
  readonly from: string;
  readonly to: string;
}

export interface PanelResult {
  readonly model: PanelModel;
}

export interface TransitionResult {
  readonly transition: PanelTransition;
}

/** Which manifests the server knows; `document`, if given, asks for those that a file belongs to. */
export interface LineagesParams {
  readonly document?: string;
}

export interface LineagesResult {
  readonly lineages: readonly {
    readonly manifest: string;
    readonly lineage: string;
    readonly versions: readonly {
      readonly version: string;
      readonly module: string;
      readonly status: string;
    }[];
  }[];
}

export interface ScaffoldParams extends ManifestParams {
  readonly restore: string;
  readonly after: readonly string[];
  readonly as: string;
  /** What kernel variables are to hold again, by name, where no version hands the old value over. */
  readonly values?: Readonly<Record<string, string>>;
}

export interface NewVersionParams extends ManifestParams {
  readonly from: string;
  readonly as: string;
}

export interface ReplaceableParams extends ManifestParams {
  readonly version: string;
}

/** The edits that make a draft replaceable, none where there are none, and why something is left to be done by hand. */
export interface ReplaceableResult {
  readonly edits: readonly { readonly uri: string; readonly range: Range; readonly newText: string }[];
  readonly reasons: readonly string[];
}

interface Range {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** Either the files and the manifest edit, or why there can be none. Nothing is written by the server. */
export type ScaffoldResult =
  | {
      readonly ok: true;
      readonly files: readonly { readonly uri: string; readonly text: string }[];
      /** Edits of the manifest, offsets turned into LSP ranges; `version` is the document version they are for. */
      readonly manifestEdits: readonly {
        readonly range: Range;
        readonly newText: string;
      }[];
      readonly manifestVersion: number | null;
      readonly notes: readonly string[];
    }
  | {
      readonly ok: false;
      readonly reasons: readonly string[];
      /** Names of kernel variables whose value a person may give. */
      readonly asks?: readonly string[];
      /** A draft that could be made replaceable. */
      readonly draft?: string;
    };

/** Steps as a person types them: `load v1; load v2`. */
export interface StepsParams extends ManifestParams {
  readonly steps: string;
}

/** What is wrong with typed steps and where: UTF-16 offsets from 0 in `steps`. */
export interface StepsTrouble {
  readonly problem: string;
  readonly start: number;
  readonly end: number;
}

/** Whether steps could be run; null where nothing is wrong with them. Runs nothing. */
export type StepsResult = StepsTrouble | null;

/** The run told as a document, or why there is none. */
export type SimulateResult = { readonly text: string } | StepsTrouble;

/** A transition or a runbook as a Markdown document, or why there is none. */
export type ExplainResult = { readonly text: string } | { readonly problem: string };

/** The steps to rehearse for a transition, as the command line takes them, or why there are none. */
export type RehearsalResult = { readonly steps: string } | { readonly problem: string };

/** The scenarios of a manifest, each with how it ends in the model. */
export interface ScenariosResult {
  readonly scenarios: readonly {
    readonly name: string;
    /** Of the whole scenario in the manifest, as in the protocol. */
    readonly range: {
      readonly start: { readonly line: number; readonly character: number };
      readonly end: { readonly line: number; readonly character: number };
    };
    /** As the command line takes them; null where it is not complete or a step names nobody. */
    readonly steps: string | null;
    readonly passed: boolean;
    /** How it ends and where it leaves the expected way, as Markdown. */
    readonly text: string;
  }[];
}

/** Every version beside the one it replaces, the oldest pair first; files as URIs, null where there is none. */
export interface CompareResult {
  readonly pairs: readonly {
    readonly from: string;
    readonly to: string;
    readonly files: readonly {
      readonly name: string;
      readonly before: string | null;
      readonly after: string | null;
      readonly same: boolean;
    }[];
  }[];
}

/** A folder that shall get a manifest. */
export interface InitParams {
  readonly folder: string;
}

/** The manifest that the folder's sources would have, or why there can be none. Nothing is written by the server. */
export type InitResult =
  | { readonly ok: true; readonly uri: string; readonly text: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** What the client says when it starts the server. */
export interface InitializationOptions {
  /** Whether git may be run in the workspace's repositories. */
  readonly trusted: boolean;
  /** Patterns of what the editor hides: manifests are not looked for there. */
  readonly hidden: readonly string[];
}

/** A file as it is in a revision, by the URI that the server gave it. Answered with null where no lineage names it. */
export interface RevisionParams {
  readonly uri: string;
}

export type RevisionResult = { readonly text: string } | null;

/** A rule's page of explanation, as Markdown. */
export interface PageParams {
  readonly code: string;
}

export interface StatusParams {
  readonly busy: boolean;
  readonly text: string;
}
