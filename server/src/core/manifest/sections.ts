import type { EffectPair, Located, ManifestKernel, ManifestTarget, Scenario } from './manifest';
import { checkModuleName, checkNoNul, checkRelativePaths } from './name-checks';
import {
  EFFECT_KEY_KINDS,
  EFFECT_KEYS,
  FAILURES,
  IDENTIFIER,
  KERNEL_KEYS,
  RULE_SEVERITIES,
  type RuleSeverity,
  SCENARIO_KEYS,
  TARGET_KEYS,
  VERDICTS,
} from './names';
import { nearest } from './nearest';
import type { ProblemList } from './problem';
import { startOf } from './settings';
import { type LocatedStep, locateStep } from './steps';
import {
  asList,
  asMap,
  fieldsOf,
  readInteger,
  readOneOf,
  readText,
  readTexts,
  replaceFix,
  shorten,
  uniqueEntries,
} from './values';
import type { YamlMap, YamlNode } from './yaml-tree';

export const NO_KERNEL: ManifestKernel = {
  release: null,
  has: [],
  lacks: [],
  arch: null,
  config: null,
  tree: null,
  place: null,
};

export function readKernel(
  problems: ProblemList,
  node: YamlNode,
  capabilities: readonly string[] | undefined,
): ManifestKernel {
  if (node.k !== 'map') {
    const release = readText(problems, node, node.k === 'list' ? '`kernel`' : 'The kernel release');
    if (release !== null) checkRelease(problems, release);
    return { ...NO_KERNEL, release, place: node.place };
  }
  const fields = fieldsOf(problems, node, KERNEL_KEYS, '`kernel`');
  const text = (key: 'release' | 'arch' | 'config' | 'tree'): Located<string> | null => {
    const field = fields.get(key);
    return field === undefined ? null : readText(problems, field.node, `\`${key}\``);
  };
  const texts = (key: 'has' | 'lacks'): Located<string>[] => {
    const field = fields.get(key);
    if (field === undefined) return [];
    return readTexts(problems, field.node, `\`${key}\``).filter((name) =>
      checkCapability(problems, name, capabilities),
    );
  };
  const path = (key: 'config' | 'tree'): Located<string> | null => {
    const value = text(key);
    return value !== null && checkNoNul(problems, value.value, value.place, `\`${key}\``) ? value : null;
  };
  const release = text('release');
  if (release !== null) checkRelease(problems, release);
  else if (!node.entries.some((e) => e.key === 'release')) {
    problems.warning(
      '`kernel` has no `release`: every kernel feature counts as present.',
      startOf(node.place),
    );
  }
  const has = texts('has');
  const present = new Map(has.map((name) => [name.value, name]));
  const lacks = texts('lacks').filter((name) => {
    const there = present.get(name.value);
    if (there === undefined) return true;
    problems.error(
      `"${shorten(name.value)}" stands in \`has\` and in \`lacks\`; \`has\` counts.`,
      name.place,
      {
        related: [{ message: 'It is in `has` here.', place: there.place }],
      },
    );
    return false;
  });
  return {
    release,
    has,
    lacks,
    arch: text('arch'),
    config: path('config'),
    tree: path('tree'),
    place: node.place,
  };
}

function checkRelease(problems: ProblemList, release: Located<string>): void {
  if (/^\d+\.\d+/.test(release.value)) return;
  const bare = release.value.replace(/^\D+/, '');
  const fix =
    /^\d+\.\d+/.test(bare) && /^[\w.+~-]+$/.test(bare) ? replaceFix(release.place, `"${bare}"`) : {};
  problems.warning(
    `"${shorten(release.value)}" does not begin with a kernel release such as 6.1: every kernel feature counts as present.`,
    release.place,
    fix,
  );
}

function checkCapability(
  problems: ProblemList,
  name: Located<string>,
  known: readonly string[] | undefined,
): boolean {
  if (known === undefined || known.includes(name.value)) return true;
  const near = problems.full ? null : nearest(name.value, known);
  const hint = near === null ? `Known: ${known.join(', ')}.` : `Did you mean "${near}"?`;
  const fix = near === null ? {} : replaceFix(name.place, near);
  problems.error(`"${shorten(name.value)}" is not a capability of kernels. ${hint}`, name.place, fix);
  return false;
}

export function readTargets(problems: ProblemList, node: YamlNode): ManifestTarget[] {
  const targets: ManifestTarget[] = [];
  for (const item of asList(problems, node, '`targets`')?.items ?? []) {
    if (item.k !== 'map') {
      const module = readText(problems, item, 'A target');
      if (module === null) continue;
      checkModuleName(problems, module, 'A target');
      targets.push({ module, sources: [], place: item.place });
      continue;
    }
    const fields = fieldsOf(problems, item, TARGET_KEYS, 'a target');
    const moduleField = fields.get('module');
    const sourcesField = fields.get('sources');
    const written = sourcesField === undefined ? [] : readTexts(problems, sourcesField.node, '`sources`');
    const sources = checkRelativePaths(problems, written, '`sources`');
    const module = moduleField === undefined ? null : readText(problems, moduleField.node, '`module`');
    if (module !== null) {
      checkModuleName(problems, module, 'A target');
      targets.push({ module, sources, place: item.place });
    } else missing(problems, item, 'module', 'A target');
  }
  return targets;
}

export function readEffects(problems: ProblemList, node: YamlNode): EffectPair[] {
  const effects: EffectPair[] = [];
  for (const item of asList(problems, node, '`effects`')?.items ?? []) {
    const map = asMap(problems, item, 'An entry of `effects`');
    if (map === null) continue;
    const fields = fieldsOf(problems, map, EFFECT_KEYS, 'an entry of `effects`');
    const name = (key: 'do' | 'undo'): Located<string> | null => {
      const field = fields.get(key);
      if (field === undefined) {
        missing(problems, map, key, 'An entry of `effects`');
        return null;
      }
      const text = readText(problems, field.node, `\`${key}\``);
      if (text === null || IDENTIFIER.test(text.value)) return text;
      problems.error(
        `\`${key}\` is the name of a function or macro; "${shorten(text.value)}" is none.`,
        text.place,
      );
      return null;
    };
    const keyField = fields.get('key');
    const argumentField = fields.get('argument');
    const failsField = fields.get('fails');
    const pair = { do: name('do'), undo: name('undo') };
    const key = keyField === undefined ? null : readOneOf(problems, keyField.node, '`key`', EFFECT_KEY_KINDS);
    const argument =
      argumentField === undefined ? null : readInteger(problems, argumentField.node, '`argument`', 1, 12);
    const fails = failsField === undefined ? null : readOneOf(problems, failsField.node, '`fails`', FAILURES);
    if (pair.do !== null && pair.undo !== null) {
      effects.push({ do: pair.do, undo: pair.undo, key, argument, fails, place: map.place });
    }
  }
  return effects;
}

export function readScenarios(problems: ProblemList, node: YamlNode): Scenario[] {
  const scenarios: Scenario[] = [];
  const names = new Map<string, Located<string>>();
  for (const item of asList(problems, node, '`scenarios`')?.items ?? []) {
    const map = asMap(problems, item, 'A scenario');
    if (map === null) continue;
    const fields = fieldsOf(problems, map, SCENARIO_KEYS, 'a scenario');
    for (const key of SCENARIO_KEYS) if (!fields.has(key)) missing(problems, map, key, 'A scenario');
    const nameField = fields.get('name');
    const name = nameField === undefined ? null : readText(problems, nameField.node, '`name`');
    const stepsField = fields.get('steps');
    const read = stepsField === undefined ? null : readScenarioSteps(problems, stepsField.node);
    const expectField = fields.get('expect');
    const expect =
      expectField === undefined ? null : readOneOf(problems, expectField.node, '`expect`', VERDICTS);
    if (name === null) continue;
    const first = names.get(name.value);
    if (first !== undefined) {
      const related = [{ message: 'The other one is here.', place: first.place }];
      problems.error(`Two scenarios are called "${shorten(name.value)}".`, name.place, { related });
    } else names.set(name.value, name);
    const complete = read !== null && read.complete && expect !== null;
    scenarios.push({ name, steps: read?.steps ?? [], expect, complete, place: map.place });
  }
  return scenarios;
}

function readScenarioSteps(
  problems: ProblemList,
  node: YamlNode,
): { steps: LocatedStep[]; complete: boolean } {
  const list = asList(problems, node, '`steps`');
  if (list !== null && list.items.length === 0) problems.error('`steps` is empty.', list.place);
  const steps: LocatedStep[] = [];
  for (const item of list?.items ?? []) {
    const text = readText(problems, item, 'A step');
    if (text === null || item.k !== 'scalar') continue;
    const step = locateStep(text.value, item.verbatim ?? 0);
    if ('problem' in step) {
      const exact = item.verbatim !== null && step.place.end > step.place.start;
      problems.error(step.problem, exact ? step.place : text.place);
    } else if (item.verbatim !== null) {
      steps.push(step);
    } else {
      steps.push({
        value: step.value,
        place: text.place,
        namePlace: step.namePlace === null ? null : text.place,
      });
    }
  }
  return { steps, complete: list !== null && steps.length === list.items.length && steps.length > 0 };
}

export function readRules(
  problems: ProblemList,
  node: YamlNode,
  codes: readonly string[] | undefined,
): Map<string, Located<RuleSeverity> & { keyPlace: { start: number; end: number } }> {
  const rules = new Map<string, Located<RuleSeverity> & { keyPlace: { start: number; end: number } }>();
  const map = asMap(problems, node, '`rules`');
  for (const { key, keyPlace, node: valueNode } of map === null
    ? []
    : uniqueEntries(problems, map, '`rules`')) {
    if (codes === undefined ? !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(key) : !codes.includes(key)) {
      const near = problems.full ? null : nearest(key, codes ?? []);
      const hint = near === null ? '' : ` Did you mean \`${near}\`?`;
      const fix = near === null ? {} : replaceFix(keyPlace, near);
      problems.error(`There is no rule \`${shorten(key)}\`.${hint}`, keyPlace, fix);
    } else if (valueNode === null) {
      problems.error(`\`${key}\` has no severity: ${RULE_SEVERITIES.join(', ')}.`, keyPlace);
      continue;
    }
    if (valueNode === null) continue;
    const severity = readOneOf(problems, valueNode, `The severity of \`${shorten(key)}\``, RULE_SEVERITIES);
    if (severity !== null) rules.set(key, { ...severity, keyPlace });
  }
  return rules;
}

/** Reports a key that is not there at all; one without a value has been reported already. */
function missing(problems: ProblemList, map: YamlMap, key: string, what: string): void {
  if (map.entries.some((e) => e.key === key)) return;
  problems.error(`${what} needs \`${key}\`.`, map.entries[0]?.keyPlace ?? map.place);
}
