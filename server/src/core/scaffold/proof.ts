import { identity } from '../lineage/left-behind';
import { isSameVersion, type LineageVersion } from '../lineage/lineage';
import { type Run, targetsLoaded } from '../lineage/run';
import { because } from '../lineage/transitions';
import { describeEffect } from '../lineage/verdict';
import { formatStep, type Step } from '../manifest/steps';
import type { Prospect } from './prospect';

export interface Proof {
  /** What the new version does wrong: there is a fault in what was generated. */
  readonly faults: readonly string[];
  /** What the good version does wrong over itself, and the new version over it: it comes first. Null for nothing. */
  readonly inherited: string | null;
  /** What the good version does by itself, and what could not be followed. */
  readonly notes: readonly string[];
}

/**
 * Runs the generated version through the model: over each faulty version, alone, over the good one, and reversed in
 * the middle of its transition. `untreated` are effects that are known to stay.
 */
export function prove(
  { lineage, transitions, added }: Prospect,
  good: LineageVersion,
  faulty: readonly LineageVersion[],
  untreated: ReadonlySet<string>,
): Proof {
  const faults: string[] = [];
  const notes: string[] = [];
  const load = (version: LineageVersion): Step => ({ k: 'load', name: version.name, params: [] });
  const unload = (version: LineageVersion): Step => ({ k: 'unload', name: version.name });
  const runOf = (steps: readonly Step[], versions: readonly LineageVersion[]): Run =>
    transitions.runOf([...targetsLoaded(lineage), ...steps], versions);

  const goodAlone = transitions.transition(null, good).run.verdict;
  for (const version of faulty) {
    const run = runOf([load(version), load(added), unload(version)], [version, added]);
    const refusal = run.verdict.refusals[0];
    if (refusal) {
      const step = run.steps[refusal.step];
      faults.push(
        `${step ? formatStep(step) : 'a load'} answers ${refusal.result} in "${said(version)}; ${said(added)}"`,
      );
      continue;
    }
    const own = new Set(goodAlone.dangers.map((danger) => danger.text));
    const disabled = runOf([load(version), { k: 'disable', name: version.name }, unload(version)], [version]);
    const alike = new Set(disabled.verdict.leftovers.map((leftover) => identity(leftover.effect)));
    for (const wrong of wrongs(run, version, added)) {
      if (alike.has(wrong.key) && !untreated.has(wrong.key))
        notes.push(`${wrong.text} in some cases, as it does when ${version.name} is disabled.`);
      else if (!untreated.has(wrong.key) && !own.has(wrong.text))
        faults.push(`after "${said(version)}; ${said(added)}; unload ${version.name}": ${wrong.text}`);
    }
    for (const target of lineage.targets) {
      const { module } = target;
      const steps: Step[] = [
        { k: 'unload', name: module },
        load(version),
        { k: 'stall' },
        load(added),
        { k: 'load', name: module, params: [] },
        { k: 'resume' },
        unload(version),
      ];
      const gone: Step[] = [load(version), { k: 'unload', name: module }, load(added), unload(version)];
      for (const [when, run] of [
        [`when ${module} comes while ${added.name} replaces ${version.name}`, steps],
        [`when ${module} goes before ${added.name} replaces ${version.name}`, gone],
      ] as const)
        for (const wrong of wrongs(runOf(run, [version, added]), version, added)) {
          if (untreated.has(wrong.key) || alike.has(wrong.key) || own.has(wrong.text)) continue;
          faults.push(`${when}: ${wrong.text}`);
        }
    }
    const reversed = runOf(
      [load(version), { k: 'stall' }, load(added), { k: 'disable', name: added.name }, { k: 'resume' }],
      [version, added],
    );
    const before = runOf([load(version)], [version]);
    const there = new Set(reversed.end.effects().map(identity));
    const lost = before.end
      .effects()
      .find(
        (effect) =>
          isSameVersion(before.end.nameOf(effect.by.instance).version, version) &&
          !there.has(identity(effect)),
      );
    if (lost)
      faults.push(
        `a reversed transition from ${version.name} undoes ${describeEffect(lost)}, which ${version.name} still needs`,
      );
  }
  for (const older of faulty) {
    for (const newer of faulty) {
      if (older === newer || older.index > newer.index) continue;
      const run = runOf(
        [load(older), load(newer), load(added), unload(older), unload(newer)],
        [older, newer, added],
      );
      if (run.verdict.refusals.length > 0) continue;
      for (const wrong of [...wrongs(run, older, added), ...wrongs(run, newer, added)]) {
        if (!untreated.has(wrong.key))
          notes.push(`After "${said(older)}; ${said(newer)}; ${said(added)}": ${wrong.text}.`);
      }
    }
  }
  const alone = transitions.transition(null, added).run.verdict;
  if (alone.word !== goodAlone.word) {
    faults.push(`loaded by itself it is ${alone.word}, while ${good.name} is ${goodAlone.word}`);
  }
  const over = transitions.transition(good, added);
  const inherited =
    over.run.verdict.word === 'clean'
      ? null
      : `${good.name} does not take over from itself, and ${added.name} inherits that: "${said(good)}; ${said(added)}" is ${over.run.verdict.word}: ${because(over)}.`;
  return { faults, inherited, notes };
}

/** Everything of `version` that is wrong at the end of a run, and what the added version does wrong in it. */
function wrongs(
  run: Run,
  version: LineageVersion,
  added: LineageVersion,
): { readonly key: string; readonly text: string }[] {
  const found: { key: string; text: string }[] = [];
  for (const leftover of run.verdict.leftovers) {
    if (!isSameVersion(leftover.version, version)) continue;
    found.push({
      key: identity(leftover.effect),
      text: `${describeEffect(leftover.effect)} of ${version.name} stays`,
    });
  }
  for (const danger of run.verdict.dangers) {
    const key = danger.effect ? identity(danger.effect) : '';
    if (found.some((known) => known.key === key && key !== '')) continue;
    if (isSameVersion(danger.version, danger.effect ? version : added))
      found.push({ key, text: danger.text });
  }
  for (const text of undoneAgain(run, added)) found.push({ key: '', text });
  return found;
}

/** What the version undoes that is not there, where the kernel does not bear that. */
function undoneAgain(run: Run, version: LineageVersion): string[] {
  return run.outcomes.flatMap(({ happenings }) =>
    happenings.flatMap((it) => {
      if (it.k !== 'effect' || it.event.k !== 'undone-without') return [];
      const { row, key, by } = it.event;
      if (!isSameVersion(run.end.nameOf(by.instance).version, version)) return [];
      const borne = row.undo.every(({ absent }) => absent === 'harmless' || absent === 'errno');
      return borne ? [] : [`${describeEffect({ row, key })} is not there any more, and is undone once more`];
    }),
  );
}

function said(version: LineageVersion): string {
  return `load ${version.name}`;
}
