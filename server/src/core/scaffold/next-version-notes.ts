import type { Actor, Effect } from '../execution/effects';
import { identity } from '../lineage/left-behind';
import { isSameVersion, isWanted, type LineageVersion } from '../lineage/lineage';
import { ownUndo } from '../lineage/own-undo';
import type { Run } from '../lineage/run';
import { because } from '../lineage/transitions';
import { describeEffect } from '../lineage/verdict';
import type { Place } from '../place';
import type { Prospect } from './prospect';
import { firstById } from './states';

/** Other versions that the copy is run over, at most. */
const MAX_OTHERS = 20;

/** Something that FROM did and that its copy does not take over. */
interface Clash {
  readonly effect: Effect;
  /** The copy's call that does it again; null where it does nothing about it. */
  readonly again: Actor | null;
  readonly what: string;
}

/**
 * What the copy's callbacks meet when it replaces FROM, from a run of both: first whether FROM's callbacks take over
 * from themselves at all, then effect by effect what would be repeated or lost and what to write, then what else to
 * know before the first change.
 */
export function nextNotes(
  { lineage, transitions, added }: Prospect,
  named: LineageVersion,
  where: (place: Place) => string,
): string[] {
  const from = lineage.versions[named.index] ?? named;
  const over = transitions.transition(from, added);
  const clashes = clashesOf(transitions.transition(null, added).run, over.run, from, added);
  const notes: string[] = [];
  const { word } = over.run.verdict;
  if (word !== 'clean' || clashes.length > 0) {
    const steps = `load ${from.name}; load ${added.name}; unload ${from.name}`;
    const why = word === 'clean' ? 'something is repeated or lost' : `${word}: ${because(over)}`;
    notes.push(
      `${from.name} does not take over from itself, so its copy ${added.name} does not either: "${steps}" is ${why}.`,
    );
  }
  for (const clash of clashes) {
    const undo = ownUndo(transitions, from, clash.effect);
    const missed = undo ? ` ${from.name}'s ${undo.during} (${where(undo.place)}) is not called then.` : '';
    notes.push(
      `${toldOf(clash, from, added, where)}${missed} ${whatToWrite(clash, from, added, freeId(lineage.versions))}`,
    );
  }
  if (word === 'clean' && clashes.length === 0 && over.run.end.effects().length > 0)
    notes.push(`What ${from.name} did is taken over or undone when ${added.name} replaces it.`);
  notes.push(...stateNotes(from, added));
  for (const version of lineage.versions.slice(0, MAX_OTHERS)) {
    if (isSameVersion(version, from) || isSameVersion(version, added) || !version.program) continue;
    const other = transitions.transition(version, added);
    if (other.run.verdict.word !== 'clean')
      notes.push(
        `Over ${version.name}, without ${from.name} in between, it is ${other.run.verdict.word}: ${because(other)}.`,
      );
  }
  if (!isWanted(from)) {
    const note = from.entry.note ? ` (${from.entry.note.value})` : '';
    notes.push(`${from.name} is ${from.entry.status.value}${note}: its copy is so too until that is mended.`);
  }
  const unknown = new Set(over.run.unknown.map((reason) => reason.text));
  if (unknown.size > 0)
    notes.push(
      `As far as read; not known: ${[...unknown].slice(0, 5).join('; ')}${unknown.size > 5 ? '; …' : ''}.`,
    );
  return [...new Set(notes)];
}

/** What the copy repeats, leaves or loses of what FROM did. */
function clashesOf(alone: Run, over: Run, from: LineageVersion, added: LineageVersion): Clash[] {
  const found = new Map<string, Clash>();
  const makerOf = (effect: Effect): LineageVersion | null => over.end.nameOf(effect.by.instance).version;
  const refusal = over.verdict.refusals[0];
  const shadows: Effect[] = [];
  for (const outcome of over.outcomes) {
    const own = outcome.step.k === 'load' && outcome.step.name === added.name;
    for (const it of outcome.happenings) {
      if (it.k !== 'effect') continue;
      if (!own) {
        if (it.event.k === 'done' && it.event.effect.row.family === 'shadow variable')
          shadows.push(it.event.effect);
        continue;
      }
      if (it.event.k === 'fault') {
        // klp_shadow_alloc() of what is there warns and answers NULL: a fault in the model, not a repeated effect.
        const { text, by } = it.event;
        const effect = shadows.find(
          (item) => text.endsWith(` ${item.key}`) && isSameVersion(makerOf(item), from),
        );
        if (effect)
          found.set(identity(effect), { effect, again: by, what: `that warns and answers NULL (${text})` });
      }
      if (it.event.k !== 'repeated') continue;
      const { effect, by, result } = it.event;
      if (!isSameVersion(makerOf(effect), from)) continue;
      if (!isSameVersion(over.end.nameOf(by.instance).version, added)) continue;
      const what = repetition(effect, result, refusal?.result ?? null);
      if (what !== null) found.set(identity(effect), { effect, again: by, what });
    }
  }
  if (refusal) return [...found.values()];
  const left = [
    ...over.verdict.dangers.flatMap((danger) =>
      danger.effect && isSameVersion(danger.version, from) ? [danger.effect] : [],
    ),
    ...over.verdict.leftovers.flatMap(({ effect, version }) =>
      isSameVersion(version, from) ? [effect] : [],
    ),
  ];
  for (const effect of left) {
    const what =
      effect.row.key === 'value'
        ? 'what stood there before is not restored any more'
        : 'nobody undoes it any more';
    if (!found.has(identity(effect))) found.set(identity(effect), { effect, again: null, what });
  }
  const there = new Set(over.end.effects().map(identity));
  for (const effect of alone.end.effects()) {
    if (there.has(identity(effect)) || found.has(identity(effect))) continue;
    if (!isSameVersion(alone.end.nameOf(effect.by.instance).version, added)) continue;
    found.set(identity(effect), {
      effect,
      again: null,
      what: `it is lost: on a clean kernel ${added.name} makes it, here it is gone in the end`,
    });
  }
  return [...found.values()];
}

function repetition(effect: Effect, result: number | null, refused: number | null): string | null {
  switch (effect.row.repeated) {
    case 'harmless':
      return null;
    case 'corrupts':
      return 'the same object is linked in twice, which corrupts the list';
    case 'counts':
      return 'it is counted twice';
    default:
      if (result === null || result >= 0) return null;
      return refused === null
        ? `that fails with ${result}`
        : `that fails with ${result}, and the kernel refuses the load (${refused})`;
  }
}

function toldOf(
  { effect, again, what }: Clash,
  from: LineageVersion,
  added: LineageVersion,
  where: (place: Place) => string,
): string {
  const made = `the ${describeEffect(effect)} that ${from.name}'s ${effect.by.during} made (${where(effect.by.place)})`;
  return again
    ? `${capital(made)} is there still when ${added.name}'s ${again.during} makes it again (${where(again.place)}): ${what}.`
    : `${capital(made)} meets ${added.name}: ${what}.`;
}

/** The remedy in words; the code is the author's, who knows what the data means. */
function whatToWrite(
  { effect, again }: Clash,
  from: LineageVersion,
  added: LineageVersion,
  free: number,
): string {
  const ids = [...firstById(from).keys()];
  const during = again?.during ?? 'pre_patch and post_patch';
  const asks =
    during === 'init'
      ? `Move it from init to pre_patch of vmlinux and ask`
      : `In ${added.name}'s ${during} of vmlinux ask`;
  if (ids.length > 0) {
    const id = ids.length === 1 ? String(ids[0]) : `the id that stands for it (${ids.join(', ')})`;
    return (
      `${asks} klp_get_prev_state(${id}) first: where it answers a state, take its data over ` +
      `in post_patch and do not do this again; where it answers NULL, do it and keep in the state's data what the undo needs. Undo it in ` +
      `the unpatch callbacks through that data, not through a variable of the module.`
    );
  }
  const declare = `Declare a klp_state (id ${free} is free in this lineage) in ${added.name}, so that the version after it can ask klp_get_prev_state(${free}).`;
  if (effect.row.family === 'shadow variable')
    return `${added.name} finds it by its id: ask klp_shadow_get() first and keep what is there. ${declare}`;
  switch (effect.row.key) {
    case 'name':
      return `${from.name} declares no klp_state, so ${added.name} can only look for the name: make it in post_patch, and there remove first what has that name (its code is ${from.name}'s). ${declare}`;
    case 'heap':
      return `${from.name} declares no klp_state, so ${added.name} cannot find it: leave ${from.name} by disabling it first (klp-lineage runbook). ${declare}`;
    case 'value':
      return `${from.name} declares no klp_state, so the value from before it is not known to ${added.name}: leave ${from.name} by disabling it first, or write the value that is known to be right. ${declare}`;
    default:
      return `${from.name} declares no klp_state that hands it over, so ${added.name} cannot undo it: leave ${from.name} by disabling it first (klp-lineage runbook). ${declare}`;
  }
}

function stateNotes(from: LineageVersion, added: LineageVersion): string[] {
  const states = [...firstById(from).values()];
  if (states.length === 0) return [];
  const list = states.map((state) => `${String(state.id)} (version ${state.version ?? 'not a constant'})`);
  return [
    `${added.name} carries the states of ${from.name}: ${list.join(', ')}. The kernel refuses it over ${from.name} if one of them is missing or has a lower version; raise a version when the data's layout or meaning changes.`,
  ];
}

/** The lowest number above every state id of the lineage. */
export function freeId(versions: readonly LineageVersion[]): number {
  let highest = 0;
  for (const version of versions) {
    for (const id of firstById(version).keys()) if (typeof id === 'number' && id > highest) highest = id;
  }
  return highest + 1;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
