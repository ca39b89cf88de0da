import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../../server/src/core/lineage/world';
import type { Step } from '../../server/src/core/manifest/steps';
import { compareLogs, relevantLines } from '../../server/src/host/rehearsal/compare';
import { rehearse } from '../../server/src/host/rehearsal/rehearse';
import { warningsIn } from '../../server/src/host/rehearsal/transcript';
import { linuxSource } from '../support/linux-source';
import { projectOfTexts } from '../support/project';
import { readScenarios } from '../support/selftest-scripts';
import { kernelForTests } from './kernels';
import { SHADOW_CASES, shadowModule } from './shadow-cases';

/** The shadow variable API as the interpreter models it, and as a real kernel carries it out. */

const LONG_MS = 3 * 60_000;
const load = (name: string): Step => ({ k: 'load', name, params: [] });
const unload = (name: string): Step => ({ k: 'unload', name });

const kernel = await kernelForTests('6.1');
const source = await linuxSource();

/** Log lines by case; a module's lines without its name. */
function byCase(lines: readonly string[]): string[][] {
  const cases: string[][] = [];
  for (const line of lines) {
    const text = line.replace(/^\w+: /, '');
    if (/^case \d+$/.test(text)) cases.push([]);
    else cases.at(-1)?.push(text);
  }
  return cases;
}

describe.skipIf(!kernel)('shadow variables', () => {
  const name = 'shadow_cases';
  const text = shadowModule();
  const titles = Object.keys(SHADOW_CASES);

  test(
    'every case prints in the prediction what it prints in the real kernel',
    async () => {
      if (!kernel) return;
      expect(titles.length).toBeGreaterThanOrEqual(30);
      const modules = [{ name, sources: [{ file: `${name}.c`, text }] }];
      const { scenarios, warnings } = await rehearse({
        kernel,
        modules,
        scenarios: [{ steps: [load(name)] }],
      });
      expect(warnings).toEqual([]);
      const [scenario] = scenarios;
      const real = scenario?.steps[0];
      expect(scenario?.crash).toBeNull();
      expect(real?.result).toBe(0);
      const log = real?.log ?? [];
      const realCases = byCase(
        relevantLines(
          log.map((line) => line.text),
          [name],
        ),
      );
      expect(realCases.length).toBe(titles.length);
      // What the API's own documentation and source say, by hand, so that both sides cannot be wrong together.
      const of = (title: string): string[] => realCases[titles.indexOf(title)] ?? [];
      expect(of('alloc twice')).toEqual(['1 3']);
      expect(of('the constructor sees object, memory and data')).toEqual(['constructor of a: 0, 42', '43']);
      expect(of('free_all calls the destructor for each')).toEqual(['126']);

      const { lineage } = (
        await projectOfTexts({
          [`${name}.c`]: text,
          'livepatch.yaml': `lineage: cases\nkernel: "6.1"\nversions:\n  - { version: none, module: none, sources: none.c }\ntargets:\n  - { module: ${name}, sources: ${name}.c }\n`,
          'none.c': '',
        })
      ).project.analyse();
      const outcome = new World(lineage).apply(load(name));
      const predicted = byCase(outcome.happenings.flatMap((it) => (it.k === 'log' ? [it.text] : [])));
      const differing = titles.flatMap((title, index) => {
        const rows = compareLogs(predicted[index] ?? [], realCases[index] ?? []);
        return rows.filter((row) => !row.same).map((row) => `${title}: ${row.predicted} | ${row.real}`);
      });
      expect(differing).toEqual([]);
      const warned = outcome.happenings.filter(
        (it) => it.k === 'effect' && it.event.k === 'fault' && it.event.fault === 'warn',
      );
      expect(warned.length).toBe(warningsIn(log).length);
      expect(warned.length).toBe(2);
    },
    LONG_MS,
  );

  test.skipIf(!source)(
    "the kernel's own selftest prints what its script expects",
    async () => {
      if (!kernel || !source) return;
      const module = 'test_klp_shadow_vars';
      const code = readFileSync(join(source, 'lib/livepatch', `${module}.c`), 'utf8');
      const script = readFileSync(
        join(source, 'tools/testing/selftests/livepatch/test-shadow-vars.sh'),
        'utf8',
      );
      const [expected] = readScenarios(script);
      const { scenarios } = await rehearse({
        kernel,
        modules: [{ name: module, sources: [{ file: `${module}.c`, text: code }] }],
        scenarios: [{ steps: [load(module), unload(module)] }],
      });
      const steps = scenarios[0]?.steps ?? [];
      expect(steps.map((step) => step.result)).toEqual([0, 0]);
      const real = steps.flatMap((step) =>
        relevantLines(
          step.log.map((line) => line.text),
          [module],
        ),
      );
      const wanted = (expected?.expected ?? []).filter((line) => !line.startsWith('% '));
      expect(wanted.length).toBeGreaterThan(20);
      expect(real).toEqual(wanted);
    },
    LONG_MS,
  );
});
