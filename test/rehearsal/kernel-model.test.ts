import { describe, expect, test } from 'vitest';
import { World } from '../../server/src/core/lineage/world';
import { formatStep, type Step } from '../../server/src/core/manifest/steps';
import { relevantLines } from '../../server/src/host/rehearsal/compare';
import { type Rehearsal, rehearse } from '../../server/src/host/rehearsal/rehearse';
import { projectOfTexts } from '../support/project';
import { kernelForTests } from './kernels';
import { modelRun, type Seen, type Wrong } from './random-model';
import {
  type RandomLivepatch,
  type RandomStep,
  randomLivepatches,
  randomSteps,
  TARGETS,
} from './random-modules';
import { randomModules } from './random-modules-c';

/**
 * The kernel model held against real kernels: random livepatches and random steps, once in the model and once in a
 * guest. LIVEPATCH_LINEAGE_SOAK=true runs more of them, and 6.12 as well.
 */

const soak = process.env['LIVEPATCH_LINEAGE_SOAK'] === 'true';
const LONG_MS = soak ? 30 * 60_000 : 8 * 60_000;

interface Plan {
  readonly series: string;
  readonly seed: number;
  readonly shared: number;
  readonly forced: number;
}

const PLANS: readonly Plan[] = soak
  ? [
      { series: '6.1', seed: 1, shared: 95, forced: 10 },
      { series: '6.1', seed: 2, shared: 95, forced: 10 },
      { series: '6.12', seed: 3, shared: 50, forced: 5 },
    ]
  : [{ series: '6.1', seed: 1, shared: 56, forced: 4 }];

interface Scenario {
  readonly livepatches: readonly RandomLivepatch[];
  readonly steps: readonly RandomStep[];
}

function scenariosOf(plan: Plan, livepatches: readonly RandomLivepatch[]): Scenario[] {
  return Array.from({ length: plan.shared + plan.forced }, (_, index) => ({
    livepatches,
    steps: randomSteps(plan.seed * 10_000 + index, livepatches, index >= plan.shared),
  }));
}

function stepOf({ verb, name, param }: RandomStep): Step {
  const value = String(param?.value ?? '');
  switch (verb) {
    case 'load':
      return { k: verb, name, params: param ? [{ name: param.name, value }] : [] };
    case 'set':
      return { k: verb, name, param: param?.name ?? '', value };
    case 'stall':
    case 'resume':
      return { k: verb };
    default:
      return { k: verb, name };
  }
}

/** Every step with what was seen after it, so that a difference shows where it began. */
function story(steps: readonly RandomStep[], seen: readonly Seen[]): string[] {
  return steps.flatMap((step, index) => {
    const { result, log, patches, modules } = seen[index] ?? {
      result: NaN,
      log: [],
      patches: [],
      modules: [],
    };
    return [
      `${formatStep(stepOf(step))} = ${result}`,
      ...log.map((text) => `  ${text}`),
      `  -> ${patches.join(', ')} | ${modules.join(', ')}`,
    ];
  });
}

/** What a run has to come by, and at least how often. */
const REACHED: Readonly<Record<string, number>> = {
  'pre-patch callback failed': 3,
  'refusing to load module': 3,
  'is not compatible with': 3,
  'reversing transition from patching': 3,
  'reversing transition from unpatching': 2,
  'forcing remaining tasks': 2,
  'applying patch': 5,
  'reverting patch': 5,
  'not found in symbol table': 2,
  ' was ': 3,
  ' freed': 3,
  ' true true': 10,
  ' = -16': 5,
  ' = -17': 5,
  ' = -11': 5,
  ' = -22': 5,
};

const plans = await Promise.all(
  PLANS.map(async (plan) => ({ plan, kernel: await kernelForTests(plan.series) })),
);

describe.each(plans)('random scenarios on $plan.series, seed $plan.seed', ({ plan, kernel }) => {
  const livepatches = randomLivepatches(plan.seed);
  const modules = randomModules(livepatches);
  const scenarios = scenariosOf(plan, livepatches);
  const names = modules.map(({ name }) => name);
  let rehearsal: Promise<Rehearsal> | null = null;

  /** What the real kernel did, asked once. */
  async function real(): Promise<Seen[][]> {
    if (!kernel) return [];
    rehearsal ??= rehearse({
      kernel,
      modules,
      parallel: 3,
      scenarios: scenarios.map(({ steps }) => ({
        steps: steps.map(stepOf),
        // How long the guest waits, not what it says: a busy machine's reversal takes its time.
        pending: modelRun(livepatches, steps, plan.series).map(({ patches }) =>
          patches.some((patch) => patch.endsWith(' true')),
        ),
      })),
    });
    return (await rehearsal).scenarios.map(({ steps, crash }) => {
      expect(crash).toBeNull();
      return steps.map((step) => ({
        result: step.result,
        log: relevantLines(
          step.log.map(({ text }) => text),
          names,
        ),
        patches: step.patches.map((patch) => `${patch.name} ${patch.enabled} ${patch.transition}`),
        modules: step.modules.map((module) => `${module.name} ${module.references}`),
      }));
    });
  }

  test.skipIf(!kernel)(
    'the model predicts results, log, sysfs and module references',
    async () => {
      const seen = await real();
      expect(names.length).toBeGreaterThanOrEqual(8);
      expect(seen.length).toBe(scenarios.length);
      scenarios.forEach(({ steps }, index) => {
        const predicted = modelRun(livepatches, steps, plan.series);
        expect(story(steps, seen[index] ?? []), `scenario ${index}`).toEqual(story(steps, predicted));
      });
    },
    LONG_MS,
  );

  test.skipIf(!kernel)(
    'the scenarios reach what matters',
    async () => {
      const text = (await real())
        .flatMap((seen, index) => story(scenarios[index]?.steps ?? [], seen))
        .join('\n');
      const counts = Object.entries(REACHED).map(([mark, least]) => {
        const count = text.split(mark).length - 1;
        return { mark, enough: count >= least || count };
      });
      expect(counts).toEqual(counts.map(({ mark }) => ({ mark, enough: true })));
    },
    LONG_MS,
  );

  const WRONG: readonly Wrong[] = ['replaced-post-unpatch', 'failed-pre-patch-undone', 'never-refused'];
  test.skipIf(!kernel).each(WRONG)(
    'a model that is wrong about %s is noticed',
    async (wrong) => {
      const seen = await real();
      const differs = scenarios.filter(({ steps }, index) => {
        const predicted = modelRun(livepatches, steps, plan.series, wrong);
        return story(steps, seen[index] ?? []).join('\n') !== story(steps, predicted).join('\n');
      });
      expect(differs.length).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  test.skipIf(!kernel)(
    'so does the prediction from the C alone',
    async () => {
      const seen = await real();
      const texts: Record<string, string> = {};
      for (const module of modules) for (const { file, text } of module.sources) texts[file] = text;
      texts['livepatch.yaml'] = [
        'lineage: random',
        `kernel: "${plan.series}"`,
        'versions:',
        ...livepatches.map(({ name }) => `  - { version: v_${name}, module: ${name}, sources: ${name}.c }`),
        'targets:',
        ...TARGETS.map((name) => `  - { module: ${name}, sources: ${name}.c }`),
        '',
      ].join('\n');
      const { lineage } = (await projectOfTexts(texts)).project.analyse();
      let compared = 0;
      scenarios.forEach(({ steps }, index) => {
        const expected = story(steps, seen[index] ?? []).filter((line) => !line.startsWith('  -> '));
        compared++;
        const world = new World(lineage);
        const lines = steps.flatMap((step) => {
          const outcome = world.apply(stepOf(step));
          const log = outcome.happenings.flatMap((it) => (it.k === 'log' ? [`  ${it.text}`] : []));
          return [`${formatStep(stepOf(step))} = ${outcome.result}`, ...log];
        });
        expect(lines, `scenario ${index}`).toEqual(expected);
      });
      expect(compared).toBeGreaterThan(scenarios.length / 2);
    },
    LONG_MS,
  );
});
