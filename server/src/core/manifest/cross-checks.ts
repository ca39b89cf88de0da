import type { Located, Manifest, ManifestTarget, ManifestVersion } from './manifest';
import { MODULE_NAME } from './names';
import { nearest } from './nearest';
import type { ProblemList } from './problem';
import { checkStepNames } from './steps';
import { replaceFix, shorten } from './values';

/** What one part of a manifest says about another: names that nothing has. */
export function checkReferences(
  problems: ProblemList,
  manifest: Manifest,
  objects: readonly string[] | undefined,
): void {
  checkOlderVersions(problems, manifest.versions);
  checkScenarioNames(problems, manifest, objects);
}

/** The entries whose names no earlier one has: a step could not tell the others apart, so they are reported and left out. */
export function withDistinctNames(
  problems: ProblemList,
  versions: readonly ManifestVersion[],
  targets: readonly ManifestTarget[],
): { versions: ManifestVersion[]; targets: ManifestTarget[] } {
  const seen = new Map<string, { kind: string; name: Located<string> }>();
  const add = (kind: string, name: Located<string>): boolean => {
    const first = seen.get(name.value);
    if (first === undefined) {
      seen.set(name.value, { kind, name });
      return true;
    }
    const shown = shorten(name.value);
    const message =
      first.kind === kind
        ? `Two ${kind}s are called "${shown}"; the first one counts.`
        : `"${shown}" is the name of a ${kind} here and of a ${first.kind} elsewhere: a step could mean either.`;
    problems.error(message, name.place, {
      related: [{ message: 'The other one is here.', place: first.name.place }],
    });
    return false;
  };
  const keptVersions = versions.filter((entry) => {
    const { version, module } = entry;
    const versionIsNew = add('version', version);
    // An entry with one name has it for both, and a problem of its own.
    if (module === version) return versionIsNew;
    const moduleIsNew = add('module', module);
    return versionIsNew && (moduleIsNew || module.value === version.value);
  });
  return { versions: keptVersions, targets: targets.filter((entry) => add('target', entry.module)) };
}

function checkOlderVersions(problems: ProblemList, versions: readonly ManifestVersion[]): void {
  const position = new Map<string, number>();
  const byModule = new Map<string, string>();
  for (const [i, { version, module }] of versions.entries()) {
    if (!position.has(version.value)) position.set(version.value, i);
    if (!byModule.has(module.value)) byModule.set(module.value, version.value);
  }
  const check = (at: number, name: Located<string>, key: string): void => {
    const found = position.get(name.value);
    if (found !== undefined && found < at) return;
    if (found !== undefined) {
      const which = found === at ? 'the version itself' : 'a newer version';
      problems.error(
        `\`${key}\` names ${which}; only an older one can be meant (versions stand oldest first).`,
        name.place,
      );
      return;
    }
    const older = versions.slice(Math.max(0, at - 100), at).map((v) => v.version.value);
    const meant = byModule.get(name.value);
    const near =
      meant !== undefined && older.includes(meant)
        ? meant
        : problems.full
          ? null
          : nearest(name.value, older);
    const hint =
      near !== null
        ? `Did you mean "${near}"?`
        : older.length === 0
          ? 'There is no older version.'
          : `Older ones: ${list(older)}.`;
    const fix = near === null || !/^[A-Za-z][A-Za-z0-9_.-]*$/.test(near) ? {} : replaceFix(name.place, near);
    problems.error(`\`${key}\`: no version is called "${shorten(name.value)}". ${hint}`, name.place, fix);
  };
  for (const [at, version] of versions.entries()) {
    if (version.restores !== null && !version.inherited.has('restores'))
      check(at, version.restores, 'restores');
    const seen = new Set<string>();
    for (const name of version.cleansUpAfter) {
      if (seen.has(name.value))
        problems.warning(`"${shorten(name.value)}" is listed twice in \`cleans-up-after\`.`, name.place);
      else check(at, name, 'cleans-up-after');
      seen.add(name.value);
    }
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(-5).map(shorten).join(', ');
  return names.length > 5 ? `… ${shown}` : shown;
}

function checkScenarioNames(
  problems: ProblemList,
  manifest: Manifest,
  objects: readonly string[] | undefined,
): void {
  const known = new Set(objects);
  for (const { version, module } of manifest.versions) known.add(version.value).add(module.value);
  for (const target of manifest.targets) known.add(target.module.value);
  const complete =
    objects !== undefined || !manifest.versions.some((v) => v.sources.length > 0 || v.built !== null);
  for (const scenario of manifest.scenarios) {
    const steps = complete
      ? scenario.steps
      : scenario.steps.filter(({ value }) => 'name' in value && !MODULE_NAME.test(value.name));
    for (const problem of checkStepNames(steps, known)) problems.add(problem);
  }
}
