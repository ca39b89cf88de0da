import type { Effect } from '../core/execution/effects';
import type { CallbackCall } from '../core/kernel/types';
import type { Run } from '../core/lineage/run';
import { because, type Transition, type Transitions } from '../core/lineage/transitions';
import { worstTrial } from '../core/lineage/trial';
import { describeEffect, type Leftover } from '../core/lineage/verdict';
import type { World } from '../core/lineage/world';
import { formatStep } from '../core/manifest/steps';
import type { Places } from '../core/places';
import type { Finding } from '../rules/rule';

export function findingJson(finding: Finding, places: Places): object {
  return {
    code: finding.code,
    severity: finding.severity,
    message: finding.message,
    certainty: finding.certainty,
    ...places.at(finding.place),
    versions: finding.versions,
    related: finding.related.map((related) => ({ message: related.message, ...places.at(related.place) })),
    ...(finding.run ? { run: finding.run } : {}),
  };
}

export function leftoverJson(leftover: Leftover, places: Places): object {
  return {
    effect: leftover.effect.row.do,
    key: leftover.effect.key,
    hazard: leftover.hazard,
    certainty: leftover.certainty,
    version: leftover.version?.name ?? null,
    ...places.at(leftover.place),
  };
}

/** The answer of `simulate`. */
export function runJson(run: Run, places: Places): object {
  const world = run.end;
  return {
    schema: 1,
    steps: run.outcomes.map((outcome) => ({
      step: formatStep(outcome.step),
      result: outcome.result,
      log: outcome.happenings.flatMap((it) => (it.k === 'log' ? [it.text] : [])),
      called: outcome.happenings.flatMap((it) =>
        it.k === 'kernel' && it.event.k === 'called'
          ? [
              {
                ...callJson(world, it.event.call),
                certainty: run.unsure.has(it.event.call) ? 'may' : 'must',
                result: it.event.result,
              },
            ]
          : [],
      ),
      skipped: outcome.happenings.flatMap((it) =>
        it.k === 'kernel' && it.event.k === 'skipped'
          ? [{ ...callJson(world, it.event.call), because: it.event.because }]
          : [],
      ),
      transition: outcome.transition
        ? { version: versionName(world, outcome.transition.patch), to: outcome.transition.to }
        : null,
    })),
    enabled: world.kernel
      .patches()
      .filter((patch) => patch.enabled)
      .map((patch) => versionName(world, patch.instance)),
    modules: world.kernel.modules().map((module) => ({ name: module.name, references: module.references })),
    leftovers: run.verdict.leftovers.map((leftover) => leftoverJson(leftover, places)),
    verdict: run.verdict.word,
    certainty: run.verdict.certainty,
    dangers: run.verdict.dangers.map((danger) => ({
      kind: danger.kind,
      text: danger.text,
      certainty: danger.certainty,
      step: danger.step,
      ...(danger.place ? places.at(danger.place) : {}),
    })),
    kept: run.verdict.kept.map((effect: Effect) => describeEffect(effect)),
    unknown: run.unknown.map((reason) => ({
      reason: reason.text,
      ...(reason.place ? places.at(reason.place) : {}),
    })),
    warnings: run.verdict.dangers
      .filter((danger) => danger.kind === 'warn' || danger.kind === 'kernel-warning')
      .map((danger) => danger.text),
  };
}

function callJson(
  world: World,
  call: CallbackCall,
): { version: string; object: string | null; callback: string; function: string } {
  return {
    version: versionName(world, call.patch),
    object: world.objectOf(call),
    callback: call.callback,
    function: world.callbackFunction(call.patch, call.object, call.callback),
  };
}

function versionName(world: World, instance: number): string {
  const name = world.nameOf(instance);
  return name.version?.name ?? name.module;
}

/** One row of `matrix`. */
export function transitionJson(transition: Transition, transitions: Transitions, places: Places): object {
  const { verdict } = transition.run;
  const worst = worstTrial(transitions.search(), transition.from?.name ?? null, transition.to.name);
  return {
    from: transition.from?.name ?? 'none',
    to: transition.to.name,
    verdict: verdict.word,
    certainty: verdict.certainty,
    leftovers: verdict.leftovers.map((leftover) => leftoverJson(leftover, places)),
    because: because(transition),
    worst: worst ? { verdict: worst.word, run: worst.steps.map(formatStep) } : null,
  };
}
