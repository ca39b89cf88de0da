import type { PatchFacts, StateFacts } from '../core/execution/fact-types';
import { ERRNO } from '../core/kernel/types';
import { isDraft, isWanted, type LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { fixWith, replaceWithin } from './edits';
import { replacePlace, stepsWithoutTargets } from './placement';
import type { Finding, Fix, RelatedPlace, Rule } from './rule';
import { listed } from './wording';

/** A state id is dropped or its version lowered. */
export const incompatibleState: Rule = {
  code: 'incompatible-state',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'a state id is dropped or its version lowered: the kernel refuses the load with -EINVAL',
  documentation: { page: 'livepatch/system-state', anchor: 'livepatch-compatibility' },
  page: `
An installed livepatch has a \`klp_state\` that this version lacks, or has in a lower version. The kernel then refuses
to load this version over it: \`klp_enable_patch()\` answers -EINVAL before it calls anything, and the log says that the
livepatch is not compatible with those that are installed.

## The rule the kernel applies

For every state of every livepatch that is installed:

* the new livepatch has the id: its version must be the same or higher;
* the new livepatch lacks the id: allowed only without \`.replace\`. One that replaces everything would lose the state.

New ids are always allowed. States are therefore sticky: once released, every later cumulative version carries the id.
The check protects the way back as well: an older version without the state cannot be loaded over a newer one.

## Example

~~~c
/* v1 */
static struct klp_state states[] = { { .id = LOGLEVEL, .version = 2 }, { } };

/* v2, wrong: refused over v1 */
static struct klp_state states[] = { { .id = LOGLEVEL, .version = 1 }, { } };

/* v2, right */
static struct klp_state states[] = { { .id = LOGLEVEL, .version = 2 }, { } };
~~~

## What to do

Carry the id on, with the same version where the meaning is the same, with a higher one where it changed or where this
version cleans up after the other.
`,
  check: (context) => context.lineage.versions.flatMap((to) => refusedOver(context, to)),
};

interface Conflict {
  readonly from: LineageVersion;
  readonly state: StateFacts;
  /** This version's entry of that id; null where it has none. */
  readonly own: StateFacts | null;
}

function refusedOver(context: RuleContext, to: LineageVersion): Finding[] {
  const patch = to.facts?.patch;
  if (!patch || !isWanted(to)) return [];
  const groups = new Map<string, Conflict[]>();
  for (const from of context.lineage.versions) {
    if (from.index >= to.index || !answeredBy(context, from, to)) continue;
    const found = conflicts(from, patch);
    if (found.length === 0 || !isRefused(context, from, to)) continue;
    for (const state of found) {
      const key = `${typeof state.state.id}:${state.state.id}`;
      groups.set(key, [...(groups.get(key) ?? []), { from, ...state }]);
    }
  }
  return [...groups.values()].flatMap((group) => findingOf(context, to, patch, group) ?? []);
}

/** Whether this pair is a matter of `to`: it, or else FROM, is a draft, or nothing later can be changed either. */
function answeredBy(context: RuleContext, from: LineageVersion, to: LineageVersion): boolean {
  if (isDraft(to) || isDraft(from)) return true;
  return !context.lineage.versions.some((next) => next.index > to.index && isDraft(next));
}

function conflicts(from: LineageVersion, patch: PatchFacts): { state: StateFacts; own: StateFacts | null }[] {
  const found: { state: StateFacts; own: StateFacts | null }[] = [];
  const seen = new Set<StateFacts['id']>();
  for (const state of from.facts?.patch?.states ?? []) {
    // Of entries with the same id the kernel sees the first.
    if (seen.has(state.id)) continue;
    seen.add(state.id);
    const own = patch.states.find((item) => item.id === state.id) ?? null;
    if (own === null) {
      if (patch.replace === true && patch.complete) found.push({ state, own });
    } else if (own.version !== null && state.version !== null && own.version < state.version) {
      found.push({ state, own });
    }
  }
  return found;
}

function isRefused(context: RuleContext, from: LineageVersion, to: LineageVersion): boolean {
  const { run } = context.transitions.transition(from, to);
  return run.verdict.refusals.some(({ step, result }) => {
    const refused = run.steps[step];
    return refused?.k === 'load' && refused.name === to.name && result === -ERRNO.EINVAL;
  });
}

function findingOf(
  context: RuleContext,
  to: LineageVersion,
  patch: PatchFacts,
  group: readonly Conflict[],
): Finding | null {
  const worst = [...group].sort((a, b) => (b.state.version ?? 0) - (a.state.version ?? 0))[0];
  if (!worst) return null;
  const { state, own } = worst;
  const froms = listed(group.map((conflict) => conflict.from.name));
  const what =
    own === null
      ? `${to.name} does not carry on the state ${state.id} of ${froms}`
      : `${to.name} lowers the version of state ${state.id} from ${state.version} (${worst.from.name}) to ${own.version}`;
  const advice =
    own === null
      ? `Carry it on${state.version === null ? '' : ` with version ${state.version} or higher`}.`
      : `Make it ${state.version} or higher.`;
  const onOther = !isDraft(to) && isDraft(worst.from);
  const ownPlace = own?.place ?? patch.statesPlace ?? replacePlace(context, to) ?? patch.place;
  const related: RelatedPlace[] = onOther
    ? [{ message: `${to.name} has it so`, place: ownPlace }]
    : group.map(({ from, state: theirs }) => ({
        message: `${from.name} has the state ${theirs.id}${theirs.version === null ? '' : `, version ${theirs.version}`}`,
        place: theirs.place,
      }));
  const run = context.transitions.transition(worst.from, to).run;
  return {
    code: 'incompatible-state',
    severity: 'error',
    message: `${what}: the kernel refuses to load ${to.name} over ${froms}, with -EINVAL and before any callback runs. ${advice}`,
    certainty: 'must',
    place: onOther ? state.place : ownPlace,
    versions: onOther
      ? [worst.from.name, to.name]
      : [to.name, ...group.map((conflict) => conflict.from.name)],
    related,
    run: stepsWithoutTargets(run).slice(0, 2),
    fixes: onOther ? [] : fixesOf(context, patch, worst),
  };
}

function fixesOf(context: RuleContext, patch: PatchFacts, { state, own }: Conflict): Fix[] {
  if (state.version === null) return [];
  if (own !== null) {
    if (own.version === null) return [];
    const text = context.text(own.place.file);
    const edit = versionEdit(text, own.place, own.version, state.version);
    return fixWith(`Raise the version of state ${state.id} to ${state.version}`, edit);
  }
  // In front of the first entry: behind the last one stands the terminator.
  const first = patch.states[0];
  if (!first || typeof state.id !== 'number') return [];
  const text = context.text(first.place.file);
  if (text[first.place.start] !== '{') return [];
  const indent =
    /[ \t]*$/.exec(text.slice(Math.max(0, first.place.start - 40), first.place.start))?.[0] ?? '';
  const onOwnLine = /\n[ \t]*$/.test(text.slice(Math.max(0, first.place.start - 40), first.place.start));
  const place = { ...first.place, end: first.place.start };
  const entry = `{ .id = ${state.id}, .version = ${state.version} },${onOwnLine ? `\n${indent}` : ' '}`;
  return fixWith(`Carry on state ${state.id}`, { place, text: entry });
}

function versionEdit(
  text: string,
  place: Place,
  old: number,
  version: number,
): { place: Place; text: string } | null {
  const match = /\.version\s*=\s*(\d+)\b/.exec(text.slice(place.start, place.end));
  if (!match || Number(match[1]) !== old) return null;
  return replaceWithin(text, place, match[0], match[0].replace(/(?<!\d)\d+$/, String(version)));
}
