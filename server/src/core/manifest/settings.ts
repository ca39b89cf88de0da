import type { Span } from '../place';
import type { GitSource, KeptEffect, Located, NamedValue, VersionSettings } from './manifest';
import { checkRelativePaths, checkVersionName } from './name-checks';
import {
  DIALECTS,
  type Dialect,
  GIT_KEYS,
  IDENTIFIER,
  KEEP_KEYS,
  STATUSES,
  type Status,
  type VersionKey,
} from './names';
import { notYet } from './not-yet';
import type { ProblemList } from './problem';
import {
  asList,
  asMap,
  type Field,
  type Fields,
  fieldsOf,
  readBoolean,
  readOneOf,
  readSpelled,
  readText,
  readTexts,
  shorten,
  uniqueEntries,
} from './values';
import type { YamlNode } from './yaml-tree';

/** The settings that one map (a version or `defaults`) writes itself; absent keys are undefined. */
export interface OwnSettings {
  readonly sources?: readonly Located<string>[];
  readonly status?: Located<Status>;
  readonly note?: Located<string>;
  readonly keeps?: readonly KeptEffect[];
  readonly git?: GitSource;
  readonly restores?: Located<string>;
  readonly cleansUpAfter?: readonly Located<string>[];
  readonly dialect?: Located<Dialect>;
  readonly replace?: Located<boolean>;
  readonly built?: Located<string>;
  readonly defines?: ReadonlyMap<string, NamedValue>;
  readonly include?: readonly Located<string>[];
  readonly params?: ReadonlyMap<string, NamedValue>;
}

/** Reads the keys of a version other than its names. */
export function readSettings(problems: ProblemList, fields: Fields<VersionKey>): OwnSettings {
  const get = <T>(key: VersionKey, read: (node: YamlNode, what: string) => T | null): T | undefined => {
    const field = fields.get(key);
    if (field === undefined) return undefined;
    sayNotYet(problems, key, field);
    return read(field.node, `\`${key}\``) ?? undefined;
  };
  const settings = {
    sources: get('sources', (node, what) => readPaths(problems, node, what)),
    status: get('status', (node, what) => readOneOf(problems, node, what, STATUSES)),
    note: get('note', (node, what) => readText(problems, node, what)),
    keeps: get('keeps', (node, what) => readKeeps(problems, node, what)),
    git: get('git', (node, what) => readGit(problems, node, what)),
    restores: get('restores', (node, what) => readText(problems, node, what)),
    cleansUpAfter: get('cleans-up-after', (node, what) => readTexts(problems, node, what)),
    dialect: get('dialect', (node, what) => readOneOf(problems, node, what, DIALECTS)),
    replace: get('replace', (node, what) => readBoolean(problems, node, what)),
    built: get('built', (node, what) => readPath(problems, node, what)),
    defines: get('defines', (node, what) => readNamedValues(problems, node, what, 'a macro')),
    include: get('include', (node, what) => readPaths(problems, node, what)),
    params: get('params', (node, what) => readNamedValues(problems, node, what, 'a parameter')),
  };
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as OwnSettings;
}

/** The entry's own settings over those of `defaults`; maps are joined, lists and single values replaced. */
export function mergeSettings(
  own: OwnSettings,
  defaults: OwnSettings,
  namePlace: Span,
): { settings: VersionSettings; inherited: Set<VersionKey> } {
  const inherited = new Set<VersionKey>();
  const pick = <K extends keyof OwnSettings>(key: K, name: VersionKey): OwnSettings[K] | undefined => {
    if (own[key] === undefined && defaults[key] !== undefined) inherited.add(name);
    return own[key] ?? defaults[key];
  };
  const join = (key: 'defines' | 'params'): ReadonlyMap<string, NamedValue> => {
    const result = new Map(defaults[key] ?? []);
    for (const [name, value] of own[key] ?? []) result.set(name, value);
    if ([...result.keys()].some((name) => own[key]?.has(name) !== true)) inherited.add(key);
    return result;
  };
  const settings: VersionSettings = {
    sources: pick('sources', 'sources') ?? [],
    status: pick('status', 'status') ?? { value: 'draft', place: namePlace },
    note: pick('note', 'note') ?? null,
    keeps: pick('keeps', 'keeps') ?? [],
    git: pick('git', 'git') ?? null,
    restores: pick('restores', 'restores') ?? null,
    cleansUpAfter: pick('cleansUpAfter', 'cleans-up-after') ?? [],
    dialect: pick('dialect', 'dialect') ?? { value: 'auto', place: namePlace },
    replace: pick('replace', 'replace') ?? null,
    built: pick('built', 'built') ?? null,
    defines: join('defines'),
    include: pick('include', 'include') ?? [],
    params: join('params'),
  };
  return { settings, inherited };
}

function sayNotYet(problems: ProblemList, key: VersionKey, field: Field): void {
  const value = field.node.k === 'scalar' ? field.node.text : undefined;
  const message = notYet(`versions.*.${key}`, value);
  if (message !== null)
    problems.add({ severity: 'information', message, place: field.keyPlace, notYet: true });
}

function readPaths(problems: ProblemList, node: YamlNode, what: string): Located<string>[] {
  return checkRelativePaths(problems, readTexts(problems, node, what), what);
}

function readPath(problems: ProblemList, node: YamlNode, what: string): Located<string> | null {
  const path = readText(problems, node, what);
  return path === null ? null : (checkRelativePaths(problems, [path], what)[0] ?? null);
}

function readGit(problems: ProblemList, node: YamlNode, what: string): GitSource | null {
  const map = asMap(problems, node, what);
  if (map === null) return null;
  const fields = fieldsOf(problems, map, GIT_KEYS, '`git`');
  const revisionField = fields.get('revision');
  const pathField = fields.get('path');
  const path = pathField === undefined ? null : readPath(problems, pathField.node, '`path`');
  if (revisionField === undefined) {
    if (!map.entries.some((e) => e.key === 'revision'))
      problems.error('`git` needs a `revision`.', startOf(map.place));
    return null;
  }
  const revision = readText(problems, revisionField.node, '`revision`');
  if (revision === null) return null;
  if (!/^[^\s\p{C}-][^\s\p{C}]*$/u.test(revision.value)) {
    problems.error(
      '`revision` is a commit, tag or branch: no blanks or control characters, no dash in front.',
      revision.place,
    );
    return null;
  }
  return { revision, path, place: map.place };
}

function readKeeps(problems: ProblemList, node: YamlNode, what: string): KeptEffect[] | null {
  const list = asList(problems, node, what);
  if (list === null) return null;
  const result: KeptEffect[] = [];
  for (const item of list.items) {
    const map = asMap(problems, item, 'An entry of `keeps`');
    if (map === null) continue;
    const fields = fieldsOf(problems, map, KEEP_KEYS, 'an entry of `keeps`');
    const effectField = fields.get('effect');
    const keyField = fields.get('key');
    const reasonField = fields.get('reason');
    const effect = effectField === undefined ? null : readText(problems, effectField.node, '`effect`');
    const key = keyField === undefined ? null : readSpelled(problems, keyField.node, '`key`');
    const reason = reasonField === undefined ? null : readText(problems, reasonField.node, '`reason`');
    if (effect !== null) result.push({ effect, key, reason, place: map.place });
    else if (!map.entries.some((e) => e.key === 'effect')) {
      problems.error(
        'An entry of `keeps` needs an `effect`, the call whose effect stays.',
        startOf(map.place),
      );
    }
  }
  return result;
}

function readNamedValues(
  problems: ProblemList,
  node: YamlNode,
  what: string,
  thing: string,
): Map<string, NamedValue> | null {
  const map = asMap(problems, node, what);
  if (map === null) return null;
  const result = new Map<string, NamedValue>();
  for (const { key: name, keyPlace, node: valueNode } of uniqueEntries(problems, map, what)) {
    if (!IDENTIFIER.test(name)) {
      problems.error(
        `"${shorten(name)}" cannot be the name of ${thing}: letters, digits and "_" only, no digit in front.`,
        keyPlace,
      );
    } else if (valueNode === null) {
      problems.error(`\`${name}\` has no value: write one, "" for an empty one.`, keyPlace);
    } else {
      const value = readSpelled(problems, valueNode, `\`${name}\``);
      if (value !== null) result.set(name, { ...value, name, keyPlace });
    }
  }
  return result;
}

/** A problem that something is missing stands at the start of what lacks it. */
export function startOf(place: Span): Span {
  return { start: place.start, end: Math.min(place.start + 1, place.end) };
}

/** What `version` and `module` say, without the checks against other entries. */
export function readNames(
  problems: ProblemList,
  fields: Fields<VersionKey>,
): { version: Located<string> | null; module: Located<string> | null } {
  const versionField = fields.get('version');
  const moduleField = fields.get('module');
  const version = versionField === undefined ? null : readText(problems, versionField.node, '`version`');
  if (version !== null) checkVersionName(problems, version);
  const module = moduleField === undefined ? null : readText(problems, moduleField.node, '`module`');
  return { version, module };
}
