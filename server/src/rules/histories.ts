import { identity } from '../core/lineage/left-behind';
import { isWanted, type LineageVersion, versionByName } from '../core/lineage/lineage';
import type { Trial } from '../core/lineage/trial';
import type { Danger, Leftover } from '../core/lineage/verdict';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Severity } from '../core/place';
import type { RuleContext } from './context';
import { replacePlace } from './placement';
import type { Finding, RelatedPlace } from './rule';
import { hazardOf, listed, milder, theEffect } from './wording';

/**
 * What only a longer history shows: each transition of a chain is clean by itself, and what the first version handed to
 * the second decides what the second hands to the third. Found by the search; reported under the code that fits.
 */

/** Faults in running code that a wrong handing over leads to, in words. */
const HANDED_OVER_WRONGLY: Partial<Record<Danger['kind'], string>> = {
  'null-dereference': 'NULL is dereferenced',
  'use-after-free': 'memory that is gone is used',
  'double-free': 'memory is freed twice',
};

const CODE_OF: Partial<Record<Danger['kind'], string>> = {
  'dangling-pointer': 'dangling-module-pointer',
  'double-registration': 'repeated-side-effect',
  'refcount-underflow': 'refcount-across-replace',
};

const KNOWN = new WeakMap<RuleContext, readonly Finding[]>();

/** The findings about histories that have this code. */
export function chainFindings(context: RuleContext, code: string): Finding[] {
  let all = KNOWN.get(context);
  if (!all) {
    all = findAll(context);
    KNOWN.set(context, all);
  }
  return all.filter((finding) => finding.code === code);
}

function findAll(context: RuleContext): Finding[] {
  const { lineage, transitions } = context;
  if (lineage.versions.length < 2) return [];
  const known = new Set<string>();
  const add = (danger: Danger): void => void known.add(dangerKey(danger));
  for (const [from, to] of transitions.pairs()) {
    const verdict = transitions.verdict(from, to);
    // That NULL arrives by an upgrade of two is told here as well: no other rule speaks of it.
    const told = from !== null && isUpgrade([from, to]) && isWanted(to);
    for (const danger of verdict.dangers) if (!told || !isNull(danger)) add(danger);
    for (const leftover of verdict.leftovers) known.add(leftKey(leftover));
  }
  const findings: Finding[] = [];
  const say = (key: string, finding: Finding | null): void => {
    if (finding === null || known.has(key)) return;
    known.add(key);
    findings.push(finding);
  };
  for (const trial of transitions.search().trials) {
    const chain = chainOf(context, trial);
    // What a version does wrong without a predecessor is told by others; shorter ways come first.
    if (chain?.length === 1) trial.dangers.forEach(add);
    if (chain === null || chain.length < 2) continue;
    for (const danger of trial.dangers) {
      say(dangerKey(danger), ofDanger(context, trial, chain, danger));
    }
    if (chain.length < 3 || trial.way !== 'load') continue;
    const dangling = new Set(trial.dangers.flatMap(({ effect }) => (effect ? [identity(effect)] : [])));
    for (const leftover of trial.leftovers) {
      // One cause, one finding: that it stays is part of what is told of the pointer.
      if (dangling.has(identity(leftover.effect))) continue;
      say(leftKey(leftover), ofLeftover(context, trial, chain, leftover));
    }
  }
  return findings;
}

/**
 * The versions loaded one over the other, the last one that somebody would want, and then disabled or not; null for
 * other trials.
 */
function chainOf(context: RuleContext, trial: Trial): LineageVersion[] | null {
  // The trial may have been made when the manifest said something else of the version.
  const to = trial.version && versionByName(context.lineage, trial.version.name);
  const disabled = trial.way === 'disable';
  if ((trial.way !== 'load' && !disabled) || trial.from === null || !to || !isWanted(to)) return null;
  const chain: LineageVersion[] = [];
  for (const [i, step] of trial.steps.entries()) {
    if (step.k === 'unload' || (disabled && i === trial.steps.length - trial.own)) continue;
    if (step.k !== 'load') return null;
    const version = versionByName(context.lineage, step.name);
    if (version) chain.push(version);
  }
  if (disabled) return isUpgrade(chain) ? chain : null;
  return isUpgrade(chain.slice(0, -1)) ? chain : null;
}

function isUpgrade(chain: readonly LineageVersion[]): boolean {
  return chain.every((version, i) => i === 0 || version.index > (chain[i - 1]?.index ?? -1));
}

function isNull(danger: Danger): boolean {
  return danger.kind === 'null-dereference';
}

function dangerKey(danger: Danger): string {
  const { kind, effect, place, version } = danger;
  if (effect) return `${kind} ${identity(effect)}`;
  return `${kind} ${version?.name} ${place?.file}:${place?.start ?? danger.text}`;
}

function leftKey(leftover: Leftover): string {
  return `left ${identity(leftover.effect)}`;
}

function ofDanger(
  context: RuleContext,
  trial: Trial,
  chain: readonly LineageVersion[],
  danger: Danger,
): Finding | null {
  const down = !isUpgrade(chain);
  const handed = HANDED_OVER_WRONGLY[danger.kind];
  const told =
    trial.way === 'disable' ? handed !== undefined : chain.length >= 3 || (!down && isNull(danger));
  if (danger.place === null || !told) return null;
  const code = down ? 'unsafe-downgrade' : handed ? 'forgotten-original-value' : CODE_OF[danger.kind];
  if (code === undefined) return null;
  const to = chain[chain.length - 1];
  if (!to) return null;
  const stands = danger.version ?? to;
  const what = handed
    ? `${handed} in ${stands.name}`
    : danger.kind === 'dangling-pointer' && danger.effect
      ? `${theEffect(danger.effect)} still points into ${danger.version?.module ?? 'a module'}, which can be removed`
      : `${danger.effect ? 'the ' : ''}${danger.text}`;
  const advice =
    danger.kind === 'use-after-free'
      ? 'Leave no pointer into a version of its own in data that outlives it: the successor sets its own.'
      : handed
        ? 'Hand the data on in every version that declares the state, and ask for NULL before using it.'
        : `Undo it or take it over in ${to.name}'s post_patch, whoever made it.`;
  return finding(context, trial, chain, {
    code,
    severity: down ? 'warning' : 'error',
    certainty: danger.certainty,
    what,
    advice,
    place: danger.place,
    stands,
  });
}

const SEVERITY: Readonly<Record<ReturnType<typeof hazardOf>, Severity>> = {
  'use-after-free': 'error',
  'double-application': 'error',
  'stuck-value': 'warning',
  leak: 'information',
};

function ofLeftover(
  context: RuleContext,
  trial: Trial,
  chain: readonly LineageVersion[],
  leftover: Leftover,
): Finding | null {
  const { effect, version } = leftover;
  const to = chain[chain.length - 1];
  if (!to || !version) return null;
  const down = !isUpgrade(chain);
  const place = down ? effect.by.place : (replacePlace(context, to) ?? effect.by.place);
  return finding(context, trial, chain, {
    code: down ? 'unsafe-downgrade' : 'orphaned-side-effect',
    severity: down ? 'warning' : SEVERITY[hazardOf(effect)],
    certainty: leftover.certainty,
    what: `${theEffect(effect)} of ${version.name} stays for good`,
    advice: `Undo it or take it over in ${to.name}'s post_patch.`,
    place,
    stands: down ? version : to,
    related: [{ message: `${version.name}: ${theEffect(effect)} is made here`, place: effect.by.place }],
  });
}

interface Said {
  readonly code: string;
  readonly severity: Severity;
  readonly certainty: Finding['certainty'];
  readonly what: string;
  readonly advice: string;
  readonly place: Finding['place'];
  readonly stands: LineageVersion;
  readonly related?: readonly RelatedPlace[];
}

function finding(context: RuleContext, trial: Trial, chain: readonly LineageVersion[], said: Said): Finding {
  const { code, stands, certainty } = said;
  const history = chain.map((version) => version.name);
  const last = history[history.length - 1] ?? '';
  const before = listed(history.slice(0, -1));
  const single = chain.length > 2 ? ', though each of these steps is without it by itself' : '';
  return {
    code,
    severity: certainty === 'may' ? milder(said.severity) : said.severity,
    message: `Loaded after ${chain.length > 2 ? `${before} in this order` : before}, ${last} goes wrong${trial.way === 'disable' ? ' when it is disabled' : single}: ${said.what}. ${said.advice}`,
    certainty,
    place: said.place,
    versions: [...new Set([stands.name, ...history])],
    related: [...(said.related ?? []), ...statesBetween(chain)],
    run: shown(context, trial.steps),
    fixes: [],
  };
}

/** Where the versions in the middle declare the states that the last one has as well: what they hand on goes this way. */
function statesBetween(chain: readonly LineageVersion[]): RelatedPlace[] {
  const last = chain[chain.length - 1];
  const ids = new Set(last?.facts?.patch?.states.map((state) => state.id));
  return chain.slice(0, -1).flatMap((version) =>
    (version.facts?.patch?.states ?? [])
      .filter((state) => ids.has(state.id))
      .map((state) => ({
        message: `${version.name} declares the state ${String(state.id)} here`,
        place: state.place,
      })),
  );
}

function shown(context: RuleContext, steps: readonly Step[]): string[] {
  return steps
    .filter((step) => step.k !== 'load' || versionByName(context.lineage, step.name) !== undefined)
    .map(formatStep);
}
