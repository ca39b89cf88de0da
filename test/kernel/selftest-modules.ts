import type { CallbackKind, ModuleState, PatchImage } from '../../server/src/core/kernel/types';
import { imageOf, type ScriptedModule, type ScriptedWorld } from './scripted-world';

/** What the kernel's selftest modules do, as far as their messages show it; their C is not read here. */

const STATES: Readonly<Record<ModuleState, string>> = {
  live: '[MODULE_STATE_LIVE] Normal state',
  coming: '[MODULE_STATE_COMING] Full formed, running module_init',
  going: '[MODULE_STATE_GOING] Going away',
};

/** Parameters given to modprobe or written later, by module. */
export type Parameters = Map<string, Map<string, string>>;

function parameter(parameters: Parameters, module: string, name: string): string {
  return parameters.get(module)?.get(name) ?? '0';
}

function announce(
  world: ScriptedWorld,
  called: { patch: string; object: string; callback: CallbackKind; state: ModuleState | null },
): void {
  const { patch, object, callback, state } = called;
  const what = state === null ? object : `${object} -> ${STATES[state]}`;
  world.print(`${patch}: ${callback}_callback: ${what}`);
}

function plainTarget(name: string): ScriptedModule {
  return {
    init: (world) => {
      world.print(`${name}: ${name}_init`);
      return 0;
    },
    exit: (world) => world.print(`${name}: ${name}_exit`),
  };
}

/** Its work function sleeps while block_transition is set: `asleep` tells the test. */
function busyTarget(parameters: Parameters, asleep: (now: boolean) => void): ScriptedModule {
  const name = 'test_klp_callbacks_busy';
  return {
    init: (world) => {
      world.print(`${name}: ${name}_init`);
      world.print(`${name}: busymod_work_func enter`);
      if (parameter(parameters, name, 'block_transition') === 'Y') asleep(true);
      else world.print(`${name}: busymod_work_func exit`);
      return 0;
    },
    exit: (world) => {
      if (parameter(parameters, name, 'block_transition') === 'Y')
        world.print(`${name}: busymod_work_func exit`);
      asleep(false);
      world.print(`${name}: ${name}_exit`);
    },
  };
}

/** The console_loglevel modules: version 2 knows klp_get_prev_state(), version 1 does not. */
function stateModule(version: number): ScriptedModule {
  return {
    image: imageOf(['vmlinux'], { states: [{ id: 1, version }] }),
    callback: (world, called) => {
      announce(world, called);
      const taken = version > 1 && world.kernel.previousStates(1).length > 0;
      const messages: Readonly<Record<CallbackKind, readonly [string, string]>> = {
        pre_patch: [
          'allocate_loglevel_state: allocating space to store console_loglevel',
          'allocate_loglevel_state: space to store console_loglevel already allocated',
        ],
        post_patch: [
          'fix_console_loglevel: fixing console_loglevel',
          'fix_console_loglevel: taking over the console_loglevel change',
        ],
        pre_unpatch: [
          'restore_console_loglevel: restoring console_loglevel',
          'restore_console_loglevel: passing the console_loglevel change back to the old livepatch',
        ],
        post_unpatch: [
          'free_loglevel_state: freeing space for the stored console_loglevel',
          'free_loglevel_state: keeping space to store console_loglevel',
        ],
      };
      world.print(`${called.patch}: ${messages[called.callback][taken ? 1 : 0]}`);
      return 0;
    },
  };
}

function plainLivepatch(fn: string, replace: () => PatchImage['replace']): ScriptedModule {
  return {
    image: () => imageOf([{ name: 'vmlinux', functions: [fn], callbacks: [] }], { replace: replace() }),
  };
}

/** All modules of the 6.1 selftests that load without C of their own being run. */
export function selftestModules(
  parameters: Parameters,
  asleep: (now: boolean) => void,
): Record<string, ScriptedModule> {
  const replaceBy = (module: string) => () =>
    parameter(parameters, module, 'replace') === '1' ? ('everything' as const) : ('nothing' as const);
  const demo = 'test_klp_callbacks_demo';
  const demo2 = 'test_klp_callbacks_demo2';
  return {
    test_klp_callbacks_mod: plainTarget('test_klp_callbacks_mod'),
    test_klp_callbacks_busy: busyTarget(parameters, asleep),
    [demo]: {
      image: imageOf(
        [
          'vmlinux',
          'test_klp_callbacks_mod',
          { name: 'test_klp_callbacks_busy', functions: ['busymod_work_func'] },
        ],
        { replace: 'nothing' },
      ),
      callback: (world, called) => {
        announce(world, called);
        return called.callback === 'pre_patch' ? Number(parameter(parameters, demo, 'pre_patch_ret')) : 0;
      },
    },
    [demo2]: {
      image: () => imageOf(['vmlinux'], { replace: replaceBy(demo2)() }),
      callback: (world, called) => {
        announce(world, called);
        return 0;
      },
    },
    test_klp_livepatch: plainLivepatch('cmdline_proc_show', () => 'nothing'),
    test_klp_atomic_replace: plainLivepatch('meminfo_proc_show', replaceBy('test_klp_atomic_replace')),
    test_klp_state: stateModule(1),
    test_klp_state2: stateModule(2),
    test_klp_state3: stateModule(2),
  };
}
