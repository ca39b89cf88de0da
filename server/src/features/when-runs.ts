import type { CallbackKind } from '../core/kernel/types';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Transitions } from '../core/lineage/transitions';
import type { Step } from '../core/manifest/steps';
import { escapeMarkdown } from './markdown';

/** Whether a callback runs in one situation, read off a run of that situation. */
export interface Situation {
  readonly situation: string;
  readonly runs: boolean;
  /** Why it does not, or what is special. */
  readonly note: string;
}

const SKIP_TEXT: Readonly<Record<string, string>> = {
  replaced: 'the kernel calls nothing of a livepatch that is replaced',
  reversed: 'not part of a reversed transition',
  'not-loaded': 'the module is not loaded',
  'pre-patch-failed': 'its pre_patch failed',
  'never-reached': 'an earlier object failed',
  'in-transition': 'the livepatch is in transition',
};

const load = (name: string): Step => ({ k: 'load', name, params: [] });

/** A run, and the step from which on it shows the situation. */
interface Shown {
  readonly situation: string;
  readonly run: Run;
  readonly from: number;
}

/** A run for each situation that a version gets into; `objects` are the target modules that come and go. */
function situations(transitions: Transitions, version: LineageVersion, objects: readonly string[]): Shown[] {
  const { lineage } = transitions;
  const targets = targetsLoaded(lineage);
  const rows: Shown[] = [];
  const add = (
    situation: string,
    steps: readonly Step[],
    from: number,
    others: readonly LineageVersion[] = [],
  ): void => void rows.push({ situation, run: transitions.runOf(steps, [version, ...others]), from });
  const setup = [...targets, load(version.name)];
  add('load', setup, targets.length);
  add('disable', [...setup, { k: 'disable', name: version.name }], setup.length);
  for (const other of lineage.versions) {
    if (other === version) continue;
    add(`replaced by ${other.name}`, [...setup, load(other.name)], setup.length, [other]);
  }
  const stalled: Step[] = [...targets, { k: 'stall' }, load(version.name)];
  add(
    'load, reversed before it completes',
    [...stalled, { k: 'disable', name: version.name }],
    targets.length + 1,
  );
  add(
    'disable, reversed before it completes',
    [...setup, { k: 'stall' }, { k: 'disable', name: version.name }, { k: 'enable', name: version.name }],
    setup.length,
  );
  for (const object of objects) {
    const others = targets.filter((step) => step.k === 'load' && step.name !== object);
    const absent = [...others, load(version.name)];
    add(`${object} comes later`, [...absent, load(object)], absent.length);
    add(`${object} goes`, [...setup, { k: 'unload', name: object }], setup.length);
  }
  return rows;
}

/** When this callback of this version runs and when it does not; each row is one simulated run. */
export function whenRuns(
  transitions: Transitions,
  version: LineageVersion,
  object: string | null,
  callback: CallbackKind,
): Situation[] {
  return situations(transitions, version, object === null ? [] : [object]).map(
    ({ situation, run, from }) => ({
      situation,
      ...look(run, from, version, object, callback),
    }),
  );
}

/** Which of all callbacks of a version run in each situation, as a Markdown table; empty where it has none. */
export function callbacksTable(transitions: Transitions, version: LineageVersion): string[] {
  const objects = (version.facts?.patch?.objects ?? []).filter((object) => object.callbacks.length > 0);
  if (objects.length === 0) return [];
  const names = objects.flatMap(({ name }) => (name === null ? [] : [name]));
  const many = objects.length > 1 || names.length > 0;
  const lines = situations(transitions, version, names).map(({ situation, run, from }) => {
    const runs: string[] = [];
    const not: string[] = [];
    for (const { name, callbacks } of objects) {
      for (const { callback } of callbacks) {
        const there = look(run, from, version, name, callback);
        const text = `${callback}${many ? ` (${name ?? 'vmlinux'})` : ''}`;
        (there.runs ? runs : not).push(escapeMarkdown(text));
      }
    }
    const refused = run.outcomes.slice(from).find((outcome) => outcome.result < 0);
    const answer = refused ? ` (the kernel answers ${refused.result})` : '';
    return `| ${escapeMarkdown(situation)}${answer} | ${runs.join(', ') || 'nothing'} | ${not.join(', ')} |`;
  });
  return ['', '| when | its callbacks that run | that do not |', '|---|---|---|', ...lines];
}

/** What happened to the callback from step `from` on. */
function look(
  run: Run,
  from: number,
  version: LineageVersion,
  object: string | null,
  callback: CallbackKind,
): { runs: boolean; note: string } {
  let times = 0;
  let because: string | null = null;
  for (const outcome of run.outcomes.slice(from)) {
    for (const it of outcome.happenings) {
      if (it.k !== 'kernel' || (it.event.k !== 'called' && it.event.k !== 'skipped')) continue;
      const { call } = it.event;
      if (call.callback !== callback || !isSameVersion(run.end.nameOf(call.patch).version, version)) continue;
      if (run.end.objectOf(call) !== object) continue;
      if (it.event.k === 'called') times++;
      else because = it.event.because;
    }
  }
  const refused = run.outcomes.slice(from).find((outcome) => outcome.result < 0);
  if (times > 0) return { runs: true, note: times > 1 ? `${times} times` : '' };
  if (because !== null) return { runs: false, note: SKIP_TEXT[because] ?? because };
  return { runs: false, note: refused ? `the kernel answers ${refused.result}` : '' };
}

/** The rows as a Markdown table. */
export function situationTable(rows: readonly Situation[]): string {
  const lines = rows.map(
    (row) => `| ${row.situation} | ${row.runs ? '**runs**' : 'does not run'} | ${row.note} |`,
  );
  return ['| when | | |', '|---|---|---|', ...lines].join('\n');
}
