import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import { scaffoldAnswer } from '../../server/src/features/scaffold-answer';
import { compareStep } from '../../server/src/host/rehearsal/compare';
import type { ModuleSource } from '../../server/src/host/rehearsal/modules';
import { type RehearsalStep, rehearse } from '../../server/src/host/rehearsal/rehearse';
import { analyseFolder, projectOfTexts } from '../support/project';
import { kernelForTests } from './kernels';

/**
 * The example's story in a real kernel: v1 over v2 and then removing v2 ends in an oops when somebody reads what v2
 * left; the same way through the generated v3 ends in silence.
 */
const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const FILE = '/sys/kernel/debug/net_status';
const kernel = await kernelForTests('6.1');

function texts(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const version of ['v1', 'v2']) {
    for (const name of readdirSync(join(folder, version))) {
      found[`${version}/${name}`] = readFileSync(join(folder, version, name), 'utf8');
    }
  }
  found['livepatch.yaml'] = readFileSync(join(folder, 'livepatch.yaml'), 'utf8');
  return found;
}

/** The texts of one version as kbuild gets them. */
function moduleOf(name: string, version: string, files: Readonly<Record<string, string>>): ModuleSource {
  const sources = Object.entries(files)
    .filter(([file]) => file.startsWith(`${version}/`) && /\.[ch]$/.test(file))
    .map(([file, text]) => ({ file: file.slice(version.length + 1), text }));
  return { name, sources };
}

test.skipIf(kernel === null)(
  'v1 over v2 ends in a use-after-free, the way through v3 in silence, and every line was predicted',
  async () => {
    if (kernel === null) return;
    const folder = mkdtempSync(join(tmpdir(), 'lineage-story-'));
    cpSync(EXAMPLE, folder, { recursive: true });
    const analysis = await analyseFolder(join(folder, 'livepatch.yaml'), folder);
    const answer = scaffoldAnswer(analysis, 'v1', ['v2'], 'v3');
    if (!answer.ok) throw new Error(answer.reasons.join('\n'));
    const files = texts(folder);
    for (const file of answer.files) files[file.path.slice(folder.length + 1)] = file.text;
    let manifest = files['livepatch.yaml'] ?? '';
    for (const edit of [...answer.manifestEdits].sort((a, b) => b.start - a.start)) {
      manifest = manifest.slice(0, edit.start) + edit.text + manifest.slice(edit.end);
    }
    files['livepatch.yaml'] = manifest;
    rmSync(folder, { recursive: true, force: true });

    const names = { v1: 'livepatch_net_v1', v2: 'livepatch_net_v2', v3: 'livepatch_net_v3' };
    const modules = Object.entries(names).map(([version, name]) => moduleOf(name, version, files));
    const ways = {
      unsafe: ['load v1', 'load v2', 'unload v1', 'load v1', 'unload v2'],
      clean: ['load v1', 'load v2', 'unload v1', 'load v3', 'unload v2', 'disable v3', 'unload v3'],
      first: ['load v3', 'disable v3', 'unload v3'],
      reversed: [
        'load v2',
        'stall',
        'load v3',
        'disable v3',
        'resume',
        'unload v3',
        'disable v2',
        'unload v2',
      ],
      overV1: ['load v1', 'load v3', 'unload v1', 'disable v3', 'unload v3'],
      reversedOverV1: [
        'load v1',
        'stall',
        'load v3',
        'disable v3',
        'resume',
        'unload v3',
        'disable v1',
        'unload v1',
      ],
      // What is forced has a boot of its own; v1 stays in memory for good.
      forced: [
        'load v1',
        'stall',
        'load v2',
        'force v2',
        'resume',
        'load v3',
        'unload v2',
        'disable v3',
        'unload v3',
        'unload v1',
      ],
    };
    const inGuest = (text: string): RehearsalStep => {
      const [step] = steps(text.replace(/\bv[123]\b/, (version) => names[version as keyof typeof names]));
      if (!step) throw new Error(text);
      return step;
    };
    const read: RehearsalStep = { k: 'read', path: FILE };
    const { scenarios, warnings } = await rehearse({
      kernel,
      modules,
      extraWarnings: true,
      scenarios: [
        { steps: [...ways.clean.map(inGuest), read] },
        { steps: [...ways.first.map(inGuest), read] },
        { steps: [...ways.reversed.slice(0, 5).map(inGuest), read, ...ways.reversed.slice(5).map(inGuest)] },
        { steps: [...ways.unsafe.map(inGuest), read] },
        { steps: [...ways.overV1.map(inGuest), read] },
        { steps: [...ways.reversedOverV1.map(inGuest), read] },
        { steps: [...ways.forced.map(inGuest), read] },
      ],
    });
    expect(warnings).toEqual([]);

    const lineage = (await projectOfTexts(files)).project.analyse().lineage;
    const { clean, first, reversed, unsafe, overV1, reversedOverV1, forced } = ways;
    const order = [clean, first, reversed, unsafe, overV1, reversedOverV1, forced];
    order.forEach((way, index) => {
      const predicted = run(lineage, steps(...way));
      const real = scenarios[index]?.steps.filter((_, i) => !(index === 2 && i === 5)) ?? [];
      predicted.outcomes.forEach((outcome, i) => {
        const log = outcome.happenings.flatMap((it) => (it.k === 'log' && it.timed ? [it.text] : []));
        const seen = real[i];
        const compared = compareStep(
          { result: outcome.result, log },
          seen ? { result: seen.result, log: seen.log.map((line) => line.text) } : null,
          Object.values(names),
        );
        expect(
          compared.lines.filter((line) => !line.same),
          `${way[i]} in ${way.join('; ')}`,
        ).toEqual([]);
        expect(compared.same, `${way[i]} in ${way.join('; ')}`).toBe(true);
      });
      expect(predicted.verdict.word).toBe(index === 3 ? 'unsafe' : 'clean');
    });

    // Nothing of v2 is left behind v3; v3 alone made nothing; v3 reversed over v2 left v2 as it was.
    for (const index of [0, 1, 4, 5, 6]) {
      expect(scenarios[index]).toMatchObject({ crash: null });
      expect(scenarios[index]?.steps.at(-1)).toMatchObject({ result: -2, content: null });
    }
    expect(scenarios[2]?.steps[5]?.content).toContain('rejected addresses');
    expect(scenarios[2]).toMatchObject({ crash: null });
    // And without v3 the kernel reads freed memory.
    expect(scenarios[3]?.crash).toMatchObject({ kind: 'oops' });
  },
  600_000,
);
