import { checkReferences, withDistinctNames } from './cross-checks';
import type { Located, Manifest, ManifestVersion } from './manifest';
import { checkModuleName } from './name-checks';
import { NOT_IN_DEFAULTS, TOP_KEYS, VERSION_KEYS, type VersionKey } from './names';
import { notYet } from './not-yet';
import { type Problem, ProblemList } from './problem';
import { NO_KERNEL, readEffects, readKernel, readRules, readScenarios, readTargets } from './sections';
import { mergeSettings, type OwnSettings, readNames, readSettings } from './settings';
import { asList, asMap, type Field, fieldsOf, readInteger, readText } from './values';
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree';

export interface ParseOptions {
  /** The codes that `rules` may name; without it any well-formed code is accepted. */
  readonly ruleCodes?: readonly string[];
  /** The names that `has` and `lacks` may hold; without it all are accepted. */
  readonly capabilities?: readonly string[];
  /**
   * Modules that the versions' sources name as objects: steps may name them too. Without it a step's unknown name is
   * reported only where no version has sources, or where it could not be a module.
   */
  readonly objects?: readonly string[];
}

export interface ParsedManifest {
  readonly manifest: Manifest;
  /** By place. Never empty where something could not be understood. */
  readonly problems: readonly Problem[];
  /** The YAML behind it; null for a text without content. */
  readonly root: YamlNode | null;
  /** Whether the text is YAML without errors (and without what a manifest does not use of it). */
  readonly wellFormed: boolean;
}

/**
 * The manifest that `text` writes, as far as it can be understood, and everything that is wrong with it. `file` is
 * kept as given. Never throws. Places are UTF-16 offsets in `text` (a byte order mark counts as one unit).
 */
export function parseManifest(file: string, text: string, options: ParseOptions = {}): ParsedManifest {
  const list = new ProblemList();
  const root = readYaml(text, list);
  const wellFormed = list.sorted().length === 0;
  const { settings } = mergeSettings({}, {}, { start: 0, end: 0 });
  let manifest: Manifest = {
    file,
    schema: null,
    lineage: null,
    kernel: NO_KERNEL,
    defaults: settings,
    versions: [],
    targets: [],
    effects: [],
    scenarios: [],
    rules: new Map(),
  };
  if (root === null) {
    if (wellFormed) {
      const message =
        'The manifest is empty: it needs at least `versions`, a list of entries with `version` and `module`.';
      list.error(message, { start: 0, end: 0 });
    }
  } else {
    const map = asMap(list, root, 'A manifest');
    if (map !== null) manifest = readManifest(list, file, map, options);
  }
  return { manifest, problems: list.sorted(), root, wellFormed };
}

function readManifest(problems: ProblemList, file: string, map: YamlMap, options: ParseOptions): Manifest {
  const fields = fieldsOf(problems, map, TOP_KEYS, 'a manifest');
  for (const [key, field] of fields) {
    const message = notYet(key);
    if (message !== null)
      problems.add({ severity: 'information', message, place: field.keyPlace, notYet: true });
  }
  const read = <T>(key: (typeof TOP_KEYS)[number], reader: (node: YamlNode) => T): T | null => {
    const field = fields.get(key);
    return field === undefined ? null : reader(field.node);
  };
  const start = map.entries[0]?.keyPlace ?? map.place;
  const has = (key: string): boolean => map.entries.some((e) => e.key === key);
  if (!has('lineage')) problems.warning('`lineage` is missing: give the lineage a name.', start);
  if (!has('kernel')) {
    problems.warning(
      '`kernel` is missing: every kernel feature counts as present. Write kernel: "6.1".',
      start,
    );
  }
  if (!has('versions')) problems.error('`versions` is missing: the list of versions, oldest first.', start);

  const schema = read('schema', (node) => readSchema(problems, node));
  const lineage = read('lineage', (node) => readText(problems, node, '`lineage`'));
  const kernel = read('kernel', (node) => readKernel(problems, node, options.capabilities)) ?? NO_KERNEL;
  const own = read('defaults', (node) => readDefaults(problems, node)) ?? {};
  const { versions, targets } = withDistinctNames(
    problems,
    read('versions', (node) => readVersions(problems, node, own, fields.get('versions'))) ?? [],
    read('targets', (node) => readTargets(problems, node)) ?? [],
  );
  const effects = read('effects', (node) => readEffects(problems, node)) ?? [];
  const scenarios = read('scenarios', (node) => readScenarios(problems, node)) ?? [];
  const rules = read('rules', (node) => readRules(problems, node, options.ruleCodes)) ?? new Map();
  const defaults = mergeSettings(own, {}, fields.get('defaults')?.keyPlace ?? start).settings;
  const manifest: Manifest = {
    file,
    schema,
    lineage,
    kernel,
    defaults,
    versions,
    targets,
    effects,
    scenarios,
    rules,
  };
  checkReferences(problems, manifest, options.objects);
  return manifest;
}

function readSchema(problems: ProblemList, node: YamlNode): Located<number> | null {
  const schema = readInteger(problems, node, '`schema`', 0, Number.MAX_SAFE_INTEGER);
  if (schema !== null && schema.value !== 1) {
    problems.error(`Schema ${schema.value} is not known here: this is for \`schema: 1\`.`, schema.place);
  }
  return schema;
}

function readDefaults(problems: ProblemList, node: YamlNode): OwnSettings | null {
  const map = asMap(problems, node, '`defaults`');
  if (map === null) return null;
  const fields = fieldsOf(problems, map, VERSION_KEYS, '`defaults`');
  const shared = new Map(fields);
  for (const key of NOT_IN_DEFAULTS) {
    const field = fields.get(key);
    if (field === undefined) continue;
    problems.error(
      `\`${key}\` cannot be the same for all versions: write it where it applies.`,
      field.keyPlace,
    );
    shared.delete(key);
  }
  return readSettings(problems, shared);
}

/** Every pair of them is looked at. A kernel that is patched every week for its whole life has some hundreds. */
const MAX_VERSIONS = 500;

function readVersions(
  problems: ProblemList,
  node: YamlNode,
  defaults: OwnSettings,
  field: Field | undefined,
): ManifestVersion[] {
  const list = asList(problems, node, '`versions`');
  if (list === null) return [];
  if (list.items.length === 0) {
    problems.error('`versions` is empty: a lineage has at least one version.', field?.keyPlace ?? list.place);
  }
  const versions: ManifestVersion[] = [];
  const beyond = list.items[MAX_VERSIONS];
  if (beyond)
    problems.error(
      `A lineage has at most ${MAX_VERSIONS} versions, and this one ${list.items.length}: the rest is not read.`,
      beyond.place,
    );
  for (const item of list.items.slice(0, MAX_VERSIONS)) {
    const map = asMap(problems, item, 'A version');
    if (map === null) continue;
    const version = readVersion(problems, map, defaults);
    if (version !== null) versions.push(version);
  }
  return versions;
}

/** Null where neither name can be read: nothing could refer to such a version. */
function readVersion(problems: ProblemList, map: YamlMap, defaults: OwnSettings): ManifestVersion | null {
  const fields = fieldsOf(problems, map, VERSION_KEYS, 'a version');
  const start = map.entries[0]?.keyPlace ?? map.place;
  for (const key of ['version', 'module'] as const) {
    if (map.entries.some((e) => e.key === key)) continue;
    const why = key === 'version' ? 'the name it has in steps and findings' : 'the name that lsmod shows';
    problems.error(`A version needs \`${key}\`, ${why}.`, start);
  }
  const own = readSettings(problems, fields);
  const names = readNames(problems, fields);
  if (names.module !== null) checkModuleName(problems, names.module, '`module`');
  const version = names.version ?? names.module;
  const module = names.module ?? names.version;
  if (version === null || module === null) return null;
  if (own.replace !== undefined && (own.dialect?.value === 'module' || own.dialect?.value === 'suse')) {
    problems.warning(
      `\`replace\` has no effect with dialect ${own.dialect.value}: there the C source says it, by \`.replace\`.`,
      fields.get('replace')?.keyPlace ?? map.place,
    );
  }
  const keyPlaces = new Map<VersionKey, { start: number; end: number }>();
  for (const [key, field] of fields) keyPlaces.set(key, field.keyPlace);
  const { settings, inherited } = mergeSettings(own, defaults, version.place);
  return {
    ...settings,
    version,
    module,
    place: map.place,
    keyPlace: fields.get('version')?.keyPlace ?? start,
    keyPlaces,
    inherited,
  };
}
