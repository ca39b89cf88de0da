import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExecutionLibrary } from '../../server/src/core/execution/api';
import type { Lineage } from '../../server/src/core/lineage/lineage';
import { World } from '../../server/src/core/lineage/world';
import type { Step } from '../../server/src/core/manifest/steps';
import type { Analysis } from '../../server/src/features/analysis';
import { linuxSource } from '../support/linux-source';
import { projectOfTexts } from '../support/project';
import { readScenarios, type Scenario, type ScriptStep } from '../support/selftest-scripts';

/**
 * The kernel's own selftests, replayed from the modules' own C: what the scripts expect in the kernel log is what the
 * prediction has to say, line by line.
 */
const SCRIPTS = [
  'test-callbacks.sh',
  'test-livepatch.sh',
  'test-state.sh',
  'test-sysfs.sh',
  'test-shadow-vars.sh',
];

const source = await linuxSource();

async function selftestLineage(root: string): Promise<Analysis> {
  const folder = join(root, 'lib', 'livepatch');
  const texts: Record<string, string> = {};
  const versions: string[] = [];
  const targets: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.c')) continue;
    const text = readFileSync(join(folder, name), 'utf8');
    texts[name] = text;
    const module = name.slice(0, -2);
    const isLivepatch = /MODULE_INFO\(livepatch/.test(text) || /^#include "test_klp_state2\.c"/m.test(text);
    if (isLivepatch)
      versions.push(`  - { version: ${versions.length + 1}-${module}, module: ${module}, sources: ${name} }`);
    else targets.push(`  - { module: ${module}, sources: ${name} }`);
  }
  texts['livepatch.yaml'] =
    `lineage: selftests\nkernel: "6.1"\nversions:\n${versions.join('\n')}\ntargets:\n${targets.join('\n')}\n`;
  return (await projectOfTexts(texts)).project.analyse();
}

/** Lines of the livepatch core and of the modules: all but what the script itself writes, such as what it reads in /proc. */
function isKernelLine(line: string): boolean {
  return /^(livepatch: |test_klp_\w+: )/.test(line) && !line.endsWith(': this has been live patched');
}

function predicted(analysis: Analysis, scenario: Scenario, lineage = analysis.lineage): string[] {
  const world = new World(lineage);
  const lines: string[] = [];
  for (const step of scenario.steps) {
    const translated = translate(step);
    if (!translated) continue;
    for (const it of world.apply(translated).happenings) if (it.k === 'log' && it.timed) lines.push(it.text);
  }
  return lines;
}

function translate(step: ScriptStep): Step | null {
  switch (step.k) {
    case 'load': {
      const params = step.params.map((param) => ({
        name: param.split('=')[0] ?? '',
        value: param.split('=')[1] ?? '',
      }));
      return { k: 'load', name: step.module, params };
    }
    case 'unload':
    case 'disable':
      return { k: step.k, name: step.module };
    case 'set':
      return { k: 'set', name: step.module, param: step.param, value: step.value };
    default:
      return null;
  }
}

/** The lineage as if this kernel function did nothing and answered NULL. */
function without(lineage: Lineage, name: string): Lineage {
  const { library } = lineage;
  const modelOf: ExecutionLibrary['modelOf'] = (called) =>
    called === name ? () => 0 : library.modelOf(called);
  return { ...lineage, library: { ...library, modelOf } };
}

describe.skipIf(source === null)('the selftests of Linux 6.1', async () => {
  const analysis = source === null ? null : await selftestLineage(source);

  test('the lineage of the selftest modules is read whole', () => {
    expect(analysis?.lineage.versions.map((version) => version.module)).toEqual([
      'test_klp_atomic_replace',
      'test_klp_callbacks_demo',
      'test_klp_callbacks_demo2',
      'test_klp_livepatch',
      'test_klp_state',
      'test_klp_state2',
      'test_klp_state3',
    ]);
    for (const version of analysis?.lineage.versions ?? [])
      expect(version.facts?.patch, version.name).not.toBeNull();
  });

  for (const script of SCRIPTS) {
    const text =
      source === null ? '' : readFileSync(join(source, 'tools/testing/selftests/livepatch', script), 'utf8');
    for (const scenario of readScenarios(text)) {
      test(`${script}: ${scenario.name}`, () => {
        if (!analysis) return;
        const expected = scenario.expected.filter(isKernelLine);
        expect(expected.length).toBeGreaterThan(0);
        expect(predicted(analysis, scenario)).toEqual(expected);
      });
    }
  }

  /** The comparison would notice a prediction that knows nothing of states: which scenarios differ without one function. */
  test.each([
    ['klp_get_prev_state', ['taking over system state modification', 'compatible cumulative livepatches']],
    [
      'klp_get_state',
      [
        'system state modification',
        'taking over system state modification',
        'compatible cumulative livepatches',
        'incompatible cumulative livepatches',
      ],
    ],
  ])('without %s the state scenarios differ', (name, expected) => {
    if (!analysis || source === null) return;
    const text = readFileSync(join(source, 'tools/testing/selftests/livepatch/test-state.sh'), 'utf8');
    const scenarios = readScenarios(text);
    expect(scenarios).toHaveLength(4);
    const lineage = without(analysis.lineage, name);
    const differing = scenarios.filter(
      (scenario) =>
        predicted(analysis, scenario, lineage).join('\n') !==
        scenario.expected.filter(isKernelLine).join('\n'),
    );
    expect(differing.map((scenario) => scenario.name)).toEqual(expected);
  });
});
