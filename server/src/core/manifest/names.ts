/** The keys, enumerated values and name shapes of the manifest format, as data. */

export const TOP_KEYS = [
  'schema',
  'lineage',
  'kernel',
  'defaults',
  'versions',
  'targets',
  'effects',
  'scenarios',
  'rules',
] as const;

export const KERNEL_KEYS = ['release', 'has', 'lacks', 'arch', 'config', 'tree'] as const;

export const VERSION_KEYS = [
  'version',
  'module',
  'sources',
  'status',
  'note',
  'keeps',
  'git',
  'restores',
  'cleans-up-after',
  'dialect',
  'replace',
  'built',
  'defines',
  'include',
  'params',
] as const;
export type VersionKey = (typeof VERSION_KEYS)[number];

/** Keys of a version that cannot hold for all of them. */
export const NOT_IN_DEFAULTS: readonly VersionKey[] = ['version', 'module', 'restores', 'cleans-up-after'];

export const KEEP_KEYS = ['effect', 'key', 'reason'] as const;
export const GIT_KEYS = ['revision', 'path'] as const;
export const TARGET_KEYS = ['module', 'sources'] as const;
export const EFFECT_KEYS = ['do', 'undo', 'key', 'argument', 'fails'] as const;
export const SCENARIO_KEYS = ['name', 'steps', 'expect'] as const;

export const STATUSES = ['draft', 'released', 'faulty', 'withdrawn'] as const;
export type Status = (typeof STATUSES)[number];

export const DIALECTS = ['auto', 'module', 'kpatch', 'klp-build', 'suse'] as const;
export type Dialect = (typeof DIALECTS)[number];

export const EFFECT_KEY_KINDS = ['name', 'pointer', 'handle', 'value'] as const;
export type EffectKeyKind = (typeof EFFECT_KEY_KINDS)[number];

export const FAILURES = ['null', 'errno', 'errptr', 'never'] as const;
export type FailureKind = (typeof FAILURES)[number];

/** Worst last, as `expect` of a scenario writes them. */
export const VERDICTS = ['clean', 'leaves', 'unsafe', 'refused'] as const;
export type ExpectedVerdict = (typeof VERDICTS)[number];

export const RULE_SEVERITIES = ['error', 'warning', 'information', 'hint', 'off'] as const;
export type RuleSeverity = (typeof RULE_SEVERITIES)[number];

/**
 * A version's name is a word of a step and of a comma-separated list on the command line, so it holds no blanks,
 * no control or invisible characters, none of `; = , " '` and does not start with a dash.
 */
export const VERSION_NAME = /^[^\s\p{C};="',-][^\s\p{C};="',]{0,99}$/u;

/** `from: none` in the matrix is the clean kernel, so no version may be called so. */
export const RESERVED_NAME = 'none';

/** As lsmod shows it: MODULE_NAME_LEN is 56 on 64-bit kernels, one of them for the terminating NUL. */
export const MODULE_NAME = /^[A-Za-z0-9_]{1,55}$/;

/** Names of C functions, macros and module parameters. */
export const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Absolute on any system that may open the manifest: `/x`, `\x`, `C:x`. */
export const ABSOLUTE_PATH = /^(?:[/\\]|[A-Za-z]:)/;
