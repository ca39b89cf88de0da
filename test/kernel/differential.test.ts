import { expect, test } from 'vitest';
import { type Mutation, NaiveModel } from './naive-model';
import { type RandomRun, randomRun } from './random-runs';
import { type ScriptedModule, ScriptedWorld } from './scripted-world';

/** Mutants face fewer of them: each would cost seconds, and a wrong model shows within a few hundred. */
const RUNS = process.env['MUTATED'] ? 1_000 : 10_000;

interface Trace {
  /** One line for each step: result, calls, what is listed, what is in memory. */
  readonly lines: string[];
  readonly calls: number;
}

function runNaive(run: RandomRun, wrong: Mutation | null): Trace {
  let calls: string[] = [];
  let total = 0;
  let asked = 0;
  let busy = false;
  const next = (): number => run.outcomes[asked++ % run.outcomes.length] ?? 0;
  const model = new NaiveModel(
    run.patches,
    {
      prePatch: next,
      targetInit: next,
      busy: () => busy,
      called: (text) => {
        calls.push(text);
        total++;
      },
    },
    wrong,
  );
  const lines = run.steps.map(([verb, name]) => {
    if (verb === 'busy' || verb === 'idle') busy = verb === 'busy';
    calls = [];
    const result = model.step(verb, name);
    const listed = model.layers.map(
      (layer) =>
        `${layer.patch.name}${layer.on ? '+' : '-'}${layer.pinned ? '!' : ''}${model.move?.layer === layer ? `>${model.move.aim}` : ''}`,
    );
    const memory = model.memory.map((thing) => `${thing.name}:${thing.references}:${thing.state}`);
    return `${verb} ${name} = ${result} | ${calls.join(' ')} | ${listed.join(' ')} | ${memory.join(' ')}`;
  });
  return { lines, calls: total };
}

function runModel(run: RandomRun): Trace & { key: string } {
  let asked = 0;
  let busy = false;
  const next = (): number => run.outcomes[asked++ % run.outcomes.length] ?? 0;
  const modules: Record<string, ScriptedModule> = { m: { init: next }, n: { init: next } };
  for (const [name, { image, livepatch }] of run.images) {
    modules[name] = {
      livepatch,
      image,
      callback: (_, { callback }) => (callback === 'pre_patch' ? next() : 0),
    };
  }
  const world = new ScriptedWorld(modules);
  const unpatchable = new Set(
    run.patches.flatMap((patch) =>
      patch.objects.filter((o) => o.unpatchable).map((o) => `${patch.name}.${o.name}`),
    ),
  );
  world.isBusy = () => busy;
  world.isMissing = (patch, object) => (unpatchable.has(`${patch}.${object}`) ? 'ftrace' : null);
  const { kernel } = world;
  let total = 0;
  const lines = run.steps.map(([verb, name]) => {
    if (verb === 'busy' || verb === 'idle') busy = verb === 'busy';
    const result = stepOf(world, verb, name);
    kernel.settle();
    const calls = world.called.map(
      (call) => `${call.patch}.${call.object}.${call.callback}:${call.state ?? ''}=${call.result}`,
    );
    total += calls.length;
    world.called.length = 0;
    const listed = kernel.patches().map((patch) => {
      const to = patch.transition === null ? '' : patch.transition === 'patched' ? '>on' : '>off';
      return `${patch.name}${patch.enabled ? '+' : '-'}${patch.forced ? '!' : ''}${to}`;
    });
    const memory = kernel.modules().map((module) => `${module.name}:${module.references}:${module.state}`);
    return `${verb} ${name} = ${result} | ${calls.join(' ')} | ${listed.join(' ')} | ${memory.join(' ')}`;
  });
  return { lines, calls: total, key: kernel.key() };
}

function stepOf(world: ScriptedWorld, verb: string, name: string): number {
  const { kernel } = world;
  switch (verb) {
    case 'load':
      return world.load(name);
    case 'unload':
      return kernel.unload(name);
    case 'disable':
      return kernel.disable(name);
    case 'enable':
      return kernel.enable(name);
    case 'force':
      return kernel.force(name);
    case 'stall':
      kernel.stall();
      return 0;
    case 'hold':
      kernel.hold();
      return 0;
    case 'resume':
      kernel.resume();
      return 0;
    default:
      return 0;
  }
}

test(`two independent models agree on ${RUNS} random runs`, () => {
  let calls = 0;
  const shapes = { busy: 0, again: 0, refused: 0, forced: 0, reversed: 0 };
  for (let seed = 1; seed <= RUNS; seed++) {
    const run = randomRun(seed);
    const model = runModel(run);
    expect(model.lines, `seed ${seed}`).toEqual(runNaive(run, null).lines);
    calls += model.calls;
    const text = model.lines.join('\n');
    if (text.includes('= -16')) shapes.busy++;
    if (text.includes('= -11')) shapes.again++;
    if (text.includes('= -19')) shapes.refused++;
    if (/force \S+ = 0/.test(text)) shapes.forced++;
    if (/-[^ ]*>off/.test(text)) shapes.reversed++;
  }
  // The agreement means something only if the runs reach the interesting places.
  expect(calls).toBeGreaterThan(RUNS * 3);
  for (const [shape, count] of Object.entries(shapes)) expect(count, shape).toBeGreaterThan(RUNS / 50);
});

const MUTATIONS: readonly Mutation[] = [
  'replaced-post-unpatch',
  'replaced-pre-unpatch',
  'unpatch-backwards',
  'post-patch-while-moving',
  'pre-unpatch-while-moving',
  'reversal-post-patch',
  'pre-patch-again-on-reversal',
  'post-unpatch-after-failed-pre-patch',
  'forced-drops-reference',
  'replaced-keeps-reference',
  'reversal-stays-stalled',
  'busy-before-init',
  'refused-module-keeps-earlier',
  'old-patch-silent-during-replacement',
];

test.each(MUTATIONS)('a model that is wrong about %s is noticed', (wrong) => {
  let noticed = false;
  for (let seed = 1; seed <= 3000 && !noticed; seed++) {
    const run = randomRun(seed);
    noticed = runModel(run).lines.join() !== runNaive(run, wrong).lines.join();
  }
  expect(noticed).toBe(true);
});

test('the same run always ends in the same key', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const run = randomRun(seed);
    expect(runModel(run).key).toBe(runModel(run).key);
  }
});
