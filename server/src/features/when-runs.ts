import type { CallbackKind } from '../core/kernel/types';
import { isSameVersion, type LineageVersion } from '../core/lineage/lineage';
import { type Run, targetsLoaded } from '../core/lineage/run';
import type { Transitions } from '../core/lineage/transitions';
import type { Step } from '../core/manifest/steps';

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

/** When this callback of this version runs and when it does not; each row is one simulated run. */
export function whenRuns(
  transitions: Transitions,
  version: LineageVersion,
  object: string | null,
  callback: CallbackKind,
): Situation[] {
  const { lineage } = transitions;
  const targets = targetsLoaded(lineage);
  const rows: Situation[] = [];
  const add = (
    situation: string,
    steps: readonly Step[],
    from: number,
    others: readonly LineageVersion[] = [],
  ): void => {
    const run = transitions.runOf(steps, [version, ...others]);
    rows.push({ situation, ...look(run, from, version, object, callback) });
  };
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
  if (object !== null) {
    const others = targets.filter((step) => step.k === 'load' && step.name !== object);
    const absent = [...others, load(version.name)];
    add(`${object} comes later`, [...absent, load(object)], absent.length);
    add(`${object} goes`, [...setup, { k: 'unload', name: object }], setup.length);
  }
  return rows;
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
      const name = run.end.machine.image(call.patch)?.objects?.[call.object]?.name ?? null;
      if (name !== object) continue;
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
