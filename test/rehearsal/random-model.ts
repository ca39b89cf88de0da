import type { ScriptedModule } from '../kernel/scripted-world';
import { imageOf, ScriptedWorld } from '../kernel/scripted-world';
import { type RandomLivepatch, type RandomStep, STATE_IDS, TARGETS } from './random-modules';

/** The kernel model with the random modules, their code written a second time in TypeScript. */

/** What can be seen after a step, in the model and in a real kernel. */
export interface Seen {
  readonly result: number;
  readonly log: readonly string[];
  /** "name enabled transition", by name. */
  readonly patches: readonly string[];
  /** "name references", by name. */
  readonly modules: readonly string[];
}

/** Wrong on purpose: a comparison has to notice. */
export type Wrong = 'replaced-post-unpatch' | 'failed-pre-patch-undone' | 'never-refused';

type Parameters = Map<string, Map<string, number>>;

export function modelRun(
  livepatches: readonly RandomLivepatch[],
  steps: readonly RandomStep[],
  release: string,
  wrong: Wrong | null = null,
): Seen[] {
  const parameters: Parameters = new Map();
  const world = new ScriptedWorld(modulesOf(livepatches, parameters, new Map(), wrong), { release });
  const silent = new Set(livepatches.filter((patch) => world.modules[patch.name] === undefined));
  if (silent.size > 0) throw new Error('a livepatch has no model');
  world.isMissing = (_patch, _object, fn) => (fn.endsWith('_none') ? 'init' : null);
  return steps.map((step) => {
    world.log_.length = 0;
    world.events.length = 0;
    const result = carryOut(world, step, parameters, livepatches);
    const log = world.texts();
    if (wrong === 'replaced-post-unpatch')
      for (const event of world.events)
        if (event.k === 'replaced') log.push(`${world.names.get(event.patch) ?? ''}: post_unpatch vmlinux -`);
    return {
      result,
      log,
      patches: world.kernel
        .patches()
        .map((patch) => `${patch.name} ${patch.enabled} ${patch.transition !== null}`)
        .sort(),
      modules: world.kernel
        .modules()
        .map((module) => `${module.name} ${module.references}`)
        .sort(),
    };
  });
}

function modulesOf(
  livepatches: readonly RandomLivepatch[],
  parameters: Parameters,
  shadows: Map<number, number>,
  wrong: Wrong | null,
): Record<string, ScriptedModule> {
  const modules: Record<string, ScriptedModule> = {};
  for (const name of TARGETS)
    modules[name] = {
      init: (world) => {
        world.print(`${name}: init`);
        return parameters.get(name)?.get('init_ret') ?? 0;
      },
      exit: (world) => world.print(`${name}: exit`),
    };
  for (const patch of livepatches)
    modules[patch.name] = {
      image: imageOf(patch.objects, {
        replace: patch.replace ? 'everything' : 'nothing',
        states: wrong === 'never-refused' ? [] : patch.states,
      }),
      exit: (world) => {
        world.print(`${patch.name}: exit`);
        detach(world, patch, shadows);
      },
      callback: (world, { object, callback, state }) => {
        world.print(`${patch.name}: ${callback} ${object} ${state ?? '-'}`);
        if (object === 'vmlinux') for (const line of previous(world)) world.print(`${patch.name}: ${line}`);
        if (callback === 'post_patch') attach(world, patch, shadows);
        if (callback === 'pre_unpatch') detach(world, patch, shadows);
        const result =
          callback === 'pre_patch' ? (parameters.get(patch.name)?.get(`fail_${object}`) ?? 0) : 0;
        if (result !== 0 && wrong === 'failed-pre-patch-undone')
          world.print(`${patch.name}: post_unpatch ${object} ${state ?? '-'}`);
        return result;
      },
    };
  return modules;
}

/** Shadow variables by id, with the number of the livepatch that allocated each. */
function attach(world: ScriptedWorld, patch: RandomLivepatch, shadows: Map<number, number>): void {
  for (const id of patch.shadows) {
    const maker = shadows.get(id) ?? Number(patch.name.slice(3));
    shadows.set(id, maker);
    world.print(`${patch.name}: shadow ${id} of ${maker}`);
  }
}

function detach(world: ScriptedWorld, patch: RandomLivepatch, shadows: Map<number, number>): void {
  for (const id of patch.shadows) {
    const maker = shadows.get(id);
    if (maker !== undefined) world.print(`${patch.name}: shadow ${id} of ${maker} freed`);
    shadows.delete(id);
  }
}

function previous(world: ScriptedWorld): string[] {
  return STATE_IDS.flatMap((id) => {
    const last = world.kernel.previousStates(id).at(-1);
    if (!last) return [];
    const state = world.images.get(last.patch)?.states[last.state];
    return [`state ${id} was ${state?.version ?? '?'}`];
  });
}

function carryOut(
  world: ScriptedWorld,
  step: RandomStep,
  parameters: Parameters,
  livepatches: readonly RandomLivepatch[],
): number {
  const { kernel } = world;
  switch (step.verb) {
    case 'load':
      // A module that is in memory keeps its parameters.
      if (world.references(step.name) === null)
        parameters.set(step.name, new Map(step.param ? [[step.param.name, step.param.value]] : []));
      return world.load(step.name);
    case 'unload':
      return kernel.unload(step.name);
    case 'disable':
      return kernel.disable(step.name);
    case 'enable':
      return kernel.enable(step.name);
    case 'force':
      return kernel.force(step.name);
    case 'stall':
      kernel.stall();
      return 0;
    case 'resume':
      kernel.resume();
      return 0;
    case 'set': {
      const patch = livepatches.find(({ name }) => name === step.name);
      const known = patch?.objects.some(({ name }) => `fail_${name}` === step.param?.name) ?? false;
      if (!known || !step.param || world.references(step.name) === null) return -2;
      parameters.get(step.name)?.set(step.param.name, step.param.value);
      return 0;
    }
  }
}
