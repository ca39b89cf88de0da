import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linuxSource } from '../support/linux-source';
import { announcement, modprobeError, readScenarios, type Scenario } from '../support/selftest-scripts';
import { ScriptedWorld } from './scripted-world';
import { type Parameters, selftestModules } from './selftest-modules';

/** How the sleeping work function of test_klp_callbacks_busy reaches the model. */
type Sleep = 'busy task' | 'stall step';

/** Runs a scenario and answers the log as the script's dmesg filter would show it. */
function replay(scenario: Scenario, sleep: Sleep): { log: string[]; unhandled: string[] } {
  const parameters: Parameters = new Map();
  let ftrace = true;
  let asleep = false;
  const world = new ScriptedWorld(
    selftestModules(parameters, (now) => {
      asleep = now;
      if (sleep === 'busy task') return;
      if (now) world.kernel.stall();
      else world.kernel.resume();
    }),
  );
  world.isBusy = (patch) => sleep === 'busy task' && asleep && patch === 'test_klp_callbacks_demo';
  world.isMissing = () => (ftrace ? null : 'ftrace-busy');
  const unhandled: string[] = [];
  const write = (module: string, name: string, value: string): void => {
    parameters.set(module, new Map([...(parameters.get(module) ?? []), [name, value]]));
  };
  for (const step of scenario.steps) {
    const text = announcement(step);
    if (text !== null) world.print(text);
    switch (step.k) {
      case 'load': {
        parameters.delete(step.module);
        for (const param of step.params)
          write(step.module, param.split('=')[0] ?? '', param.split('=')[1] ?? '');
        const result = world.load(step.module);
        expect(result < 0, `${step.module} loads`).toBe(step.fails);
        if (result < 0) world.print(modprobeError(step.module, result));
        const pending = world.kernel.transition() !== null;
        if (world.modules[step.module]?.image)
          expect(pending, 'pending').toBe(!step.completes && !step.fails);
        break;
      }
      case 'unload':
        expect(world.kernel.unload(step.module)).toBe(0);
        break;
      case 'disable':
        expect(world.kernel.disable(step.module)).toBe(0);
        expect(world.kernel.patches().map((patch) => patch.name)).not.toContain(step.module);
        break;
      case 'set':
        write(step.module, step.param, step.value);
        break;
      case 'sysfs':
        expect(sysfs(world, step.module, step.path)).toBe(step.value);
        break;
      case 'ftrace-enabled':
        if (!step.fails) ftrace = step.enabled;
        break;
      case 'other':
        unhandled.push(step.text);
        break;
    }
  }
  return { log: world.texts(), unhandled };
}

function sysfs(world: ScriptedWorld, module: string, path: string): string {
  const patch = world.kernel.patches().find((candidate) => candidate.name === module);
  if (!patch) return 'no folder';
  if (path === 'enabled') return patch.enabled ? '1' : '0';
  if (path === 'transition') return patch.transition === null ? '0' : '1';
  const object = patch.objects.find((candidate) => `${candidate.name ?? 'vmlinux'}/patched` === path);
  return object?.patched ? '1' : '0';
}

/** Lines that come from the script itself or from patched functions, which the model does not run. */
function isForeign(line: string): boolean {
  return (
    line.endsWith(': this has been live patched') || /^livepatch: (kernel\.ftrace_enabled|sysctl:)/.test(line)
  );
}

const SCRIPTS = {
  'test-callbacks.sh': 11,
  'test-livepatch.sh': 3,
  'test-state.sh': 4,
  'test-sysfs.sh': 2,
  'test-ftrace.sh': 1,
};
/** Commands that read files or wait; they have no effect on the livepatch core. */
const HARMLESS = /^(?:if |grep |loop_until |check_sysfs_rights )/;

const source = await linuxSource();
if (source === null) console.warn('SKIPPED: replays of the kernel selftests');

describe.skipIf(source === null)('the expected logs of the kernel selftests', async () => {
  const folder = join(source ?? '', 'tools/testing/selftests/livepatch');
  for (const [script, count] of Object.entries(SCRIPTS)) {
    const scenarios = source === null ? [] : readScenarios(await readFile(join(folder, script), 'utf8'));
    test(`${script}: ${count} scenarios are read`, () => expect(scenarios).toHaveLength(count));
    for (const scenario of scenarios) {
      for (const sleep of ['busy task', 'stall step'] as const) {
        test(`${script}: ${scenario.name} (${sleep})`, () => {
          const { log, unhandled } = replay(scenario, sleep);
          expect(log.filter((line) => !isForeign(line))).toEqual(
            scenario.expected.filter((line) => !isForeign(line)),
          );
          expect(unhandled.filter((text) => !HARMLESS.test(text))).toEqual([]);
        });
      }
    }
  }
});
