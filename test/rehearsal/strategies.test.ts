import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import { nextVersion } from '../../server/src/core/scaffold/next-version';
import { compareStep } from '../../server/src/host/rehearsal/compare';
import type { ModuleSource } from '../../server/src/host/rehearsal/modules';
import {
  type RehearsalScenario,
  type RehearsalStep,
  type RehearsedScenario,
  rehearse,
} from '../../server/src/host/rehearsal/rehearse';
import { warningsIn } from '../../server/src/host/rehearsal/transcript';
import { startParser } from '../../server/src/host/start-parser';
import { granted, HOME, InMemory, MANIFEST, written } from '../scaffold/in-memory';
import { checkpatch } from '../support/linux-source';
import { analyseTexts } from '../support/project';
import { kernelForTests } from './kernels';
import { STORIES, STORY_PROBE, STORY_TARGET, type StoryLineage } from './story-lineages';

/**
 * For every way of finding what a faulty version left: v1, v2, the generated v3 and a v4 with v3's code, compiled and
 * taken through the ways that matter in a real kernel. A probe looks at what is there after each of them.
 */

/** What a probe has to find: nothing of anybody, v1's own effects once, or v2's beside them. */
type Look = 'untouched' | 'own' | 'left';
type Act = string | { readonly look: Look };

const look = (what: Look): Act => ({ look: what });
const HOME_AGAIN = (version: string): readonly Act[] => [
  `disable ${version}`,
  `unload ${version}`,
  look('untouched'),
];

const WAYS: Readonly<Record<string, readonly Act[]>> = {
  'v3 alone': ['load v3', look('own'), ...HOME_AGAIN('v3')],
  'v1, v3': ['load v1', 'load v3', 'unload v1', look('own'), ...HOME_AGAIN('v3')],
  'v2, v3': ['load v2', look('left'), 'load v3', 'unload v2', look('own'), ...HOME_AGAIN('v3')],
  'v1, v2, v3': ['load v1', 'load v2', 'unload v1', 'load v3', 'unload v2', look('own'), ...HOME_AGAIN('v3')],
  'v3, v4': ['load v3', 'load v4', 'unload v3', look('own'), ...HOME_AGAIN('v4')],
  'v2, v3, v4': ['load v2', 'load v3', 'unload v2', 'load v4', 'unload v3', look('own'), ...HOME_AGAIN('v4')],
  'v3 reversed over v1': [
    'load v1; stall; load v3; disable v3; resume; unload v3',
    look('own'),
    ...HOME_AGAIN('v1'),
  ],
  'v3 reversed over v2': [
    'load v2; stall; load v3; disable v3; resume; unload v3',
    look('left'),
    ...HOME_AGAIN('v2'),
  ],
  "v3's pre_patch fails over v2": [
    'load story_target; load v2; load v3 fail=-12',
    look('left'),
    'load v3; unload v2',
    look('own'),
    ...HOME_AGAIN('v3'),
    'unload story_target',
  ],
  'the target comes in the transition': [
    'load v2; stall; load v3; load story_target; resume; unload v2',
    look('own'),
    'unload story_target',
    ...HOME_AGAIN('v3'),
  ],
  'the target comes later': [
    'load v2; load v3; unload v2; load story_target',
    look('own'),
    'unload story_target',
    ...HOME_AGAIN('v3'),
  ],
  // A forced transition has a boot of its own.
  'v2 forced, then replaced': [
    'load v1; stall; load v2; force v2; resume; load v3; unload v2',
    look('own'),
    ...HOME_AGAIN('v3'),
  ],
  'v3 forced over v2': [
    'load v2; stall; load v3; force v3; resume',
    look('own'),
    'load v4; unload v3',
    look('own'),
    ...HOME_AGAIN('v4'),
  ],
};

const BACK: readonly string[] = ['load v1', 'load v2', 'unload v1', 'load v1', 'unload v2'];
const OWN_FILE = '/sys/kernel/debug/story_own';
const LEFT_FILES = ['/sys/kernel/debug/story_left/count', '/sys/kernel/story_left'];
const LONG_MS = 6 * 60_000;

const kernel = await kernelForTests('6.1');
const style = await checkpatch();

/** One lineage with everything that was generated for it. */
interface Staged {
  readonly story: StoryLineage;
  readonly lineage: InMemory;
  readonly prefix: string;
}

const VERSIONS = ['v1', 'v2', 'v3', 'v4'];

async function stage(story: StoryLineage, index: number): Promise<Staged> {
  await startParser();
  const prefix = `s${index}`;
  const entry = (version: string, status: string): string =>
    `  - { version: ${version}, module: ${prefix}_${version}, sources: [${version}/${prefix}_${version}.c], status: ${status} }\n`;
  const before = new InMemory({
    'livepatch.yaml': `lineage: ${prefix}\nkernel: "6.1"\nversions:\n${entry('v1', 'released')}${entry('v2', 'faulty')}targets:\n  - { module: story_target, sources: story_target.c }\n`,
    [`v1/${prefix}_v1.c`]: story.v1,
    [`v2/${prefix}_v2.c`]: story.v2,
    'story_target.c': STORY_TARGET,
  });
  const { after } = granted(before, 'v1', ['v2'], 'v3', null, story.values);
  const next = nextVersion(after, { from: 'v3', as: 'v4', out: null });
  if (!next.ok) throw new Error(next.reasons.join('\n'));
  return { story, lineage: written(after, next), prefix };
}

function modulesOf({ lineage, prefix }: Staged): ModuleSource[] {
  return VERSIONS.map((version) => ({
    name: `${prefix}_${version}`,
    sources: [...lineage.files]
      .filter(([file]) => file.startsWith(`${HOME}/${version}/`) && /\.[ch]$/.test(file))
      .map(([file, text]) => ({ file: basename(file), text })),
  }));
}

/** Whether a transition is pending after each of the guest's steps. */
function pendingOf({ lineage }: Staged, acts: readonly Act[]): boolean[] {
  const { outcomes } = run(lineage.lineage, steps(...acts.filter((act) => typeof act === 'string')));
  let outcome = 0;
  let pending = false;
  return acts.flatMap((act) => {
    if (typeof act !== 'string') return Array.from({ length: 5 }, () => pending);
    pending = (outcomes[outcome++]?.transition ?? null) !== null;
    return [pending];
  });
}

function guestSteps({ prefix }: Staged, acts: readonly Act[]): RehearsalStep[] {
  return acts.flatMap((act): RehearsalStep[] => {
    if (typeof act === 'string')
      return [...steps(act.replace(/\b(v\d)\b/, (version) => `${prefix}_${version}`))];
    const probe = { name: 'story_probe' };
    return [
      { k: 'load', ...probe, params: [] },
      { k: 'unload', ...probe },
      ...[OWN_FILE, ...LEFT_FILES].map((path): RehearsalStep => ({ k: 'read', path })),
    ];
  });
}

/** Goes through one way: every line that was not predicted, and what a probe found that it should not. */
function faultsOf(
  { story, lineage, prefix }: Staged,
  acts: readonly Act[],
  real: RehearsedScenario,
): string[] {
  const faults: string[] = [];
  const predicted = run(lineage.lineage, steps(...acts.filter((act) => typeof act === 'string')));
  const names = [...VERSIONS.map((version) => `${prefix}_${version}`), 'story_target'];
  const plain = (lines: readonly string[]): string[] =>
    lines.filter((line) => story.notified === undefined || !line.endsWith(`: ${story.notified}`));
  let at = 0;
  let outcome = 0;
  for (const act of acts) {
    if (typeof act !== 'string') {
      const seen = real.steps.slice(at, at + 5);
      faults.push(...lookFaults(story, prefix, act.look, seen).map((fault) => `${act.look}: ${fault}`));
      at += 5;
      continue;
    }
    const of = predicted.outcomes[outcome++];
    const seen = real.steps[at++];
    const compared = compareStep(
      {
        result: of?.result ?? 1,
        log: (of?.happenings ?? []).flatMap((it) => (it.k === 'log' && it.timed ? [it.text] : [])),
      },
      seen ? { result: seen.result, log: plain(seen.log.map((line) => line.text)) } : null,
      names,
    );
    if (!compared.same) faults.push(`${act}: ${JSON.stringify(compared)}`);
  }
  if (real.crash) faults.push(`${real.crash.headline}\n${real.crash.console}`);
  faults.push(...real.steps.flatMap((step) => warningsIn(step.log)));
  return faults;
}

function lookFaults(
  story: StoryLineage,
  prefix: string,
  what: Look,
  [probe, , own, ...left]: RehearsedScenario['steps'],
): string[] {
  const faults: string[] = [];
  const texts = (probe?.log ?? []).map((line) => line.text);
  const text = { untouched: story.untouched, own: story.own, left: story.leftByV2 }[what];
  if (!texts.includes(`story_probe: ${text}`)) faults.push(`expected "${text}", got ${texts.join(' | ')}`);
  const notified = texts.filter((line) => story.notified !== undefined && line.endsWith(story.notified));
  const expected = what === 'left' && story.notified !== undefined ? [`${prefix}_v2: ${story.notified}`] : [];
  if (notified.join() !== expected.join()) faults.push(`notified: ${notified.join()}`);
  const hasOwn = story.files === true && what !== 'untouched';
  if ((own?.content ?? null) !== (hasOwn ? '7\n' : null)) faults.push(`own file: ${String(own?.content)}`);
  const contents = left.map((step) => step.content);
  const there = story.files === true && what === 'left' ? ['3\n', 'left\n'] : [null, null];
  if (JSON.stringify(contents) !== JSON.stringify(there)) faults.push(`left files: ${contents.join()}`);
  return faults;
}

const staged = await Promise.all(STORIES.map(stage));
/** A text may hold several steps. */
const ways = Object.entries(WAYS).map(([name, acts]): [string, readonly Act[]] => [
  name,
  acts.flatMap((act): readonly Act[] => (typeof act === 'string' ? act.split('; ') : [act])),
]);

describe.each(staged)('$story.title', (one) => {
  test('check has nothing to say of v3 and v4', async () => {
    const files = Object.fromEntries(
      [...one.lineage.files].map(([file, text]) => [file.slice(HOME.length + 1), text]),
    );
    const analysis = await analyseTexts(files);
    const { start } = analysis.lineage.versions[2]?.entry.place ?? { start: 0 };
    expect(analysis.lineage.versions.map((version) => version.name)).toEqual(VERSIONS);
    const said = analysis
      .findings()
      .filter(
        ({ place }) => /\/v[34]\//.test(place.file) || (place.file === MANIFEST && place.start >= start),
      );
    expect(said.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
    expect(analysis.lineage.versions.every((version) => version.facts?.complete)).toBe(true);
  });

  test.skipIf(style === null)('the generated files pass checkpatch.pl', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lineage-style-'));
    try {
      const generated = [...one.lineage.files].filter(([file]) => /\/v3\/.*\.[ch]$/.test(file));
      expect(generated.length).toBe(3);
      mkdirSync(join(folder, 'v3'));
      for (const [file, text] of generated) writeFileSync(join(folder, 'v3', basename(file)), text);
      const files = generated.map(([file]) => join(folder, 'v3', basename(file)));
      const args = [style ?? '', '--no-tree', '--no-summary', '--terse', '--strict', '-f', ...files];
      const { stdout } = await promisify(execFile)('perl', args).catch((error: { stdout?: string }) => ({
        stdout: error.stdout ?? String(error),
      }));
      expect(stdout.trim()).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('v1, v2 and v1 again is as bad as was predicted', () => {
    expect(run(one.lineage.lineage, steps(...BACK)).verdict.word).toBe(one.story.back);
  });
});

describe.skipIf(kernel === null)('in a real kernel', () => {
  const plan = staged.flatMap((one) => [
    ...ways.map(([name, acts]) => ({ one, name, acts })),
    { one, name: 'back', acts: [...BACK, look('left')] as readonly Act[] },
  ]);
  let real: readonly RehearsedScenario[] = [];
  let warnings: readonly string[] = ['nothing was built'];

  beforeAll(async () => {
    if (kernel === null) return;
    const rehearsal = await rehearse({
      kernel,
      modules: [
        ...staged.flatMap(modulesOf),
        { name: 'story_target', sources: [{ file: 'story_target.c', text: STORY_TARGET }] },
        { name: 'story_probe', sources: [{ file: 'story_probe.c', text: STORY_PROBE }] },
      ],
      scenarios: plan.map(
        ({ one, name, acts }): RehearsalScenario => ({
          steps: guestSteps(one, acts),
          pending: pendingOf(one, acts),
          alone: name === 'back' && one.story.back !== 'refused',
        }),
      ),
      extraWarnings: true,
      parallel: 6,
    });
    real = rehearsal.scenarios;
    warnings = rehearsal.warnings;
  }, LONG_MS);

  test('everything compiles at W=1 without a warning', () => {
    expect(warnings).toEqual([]);
  });

  test.each(plan.filter(({ name }) => name !== 'back'))('$one.story.title: $name', ({ one, name, acts }) => {
    const seen = real[plan.findIndex((item) => item.one === one && item.name === name)];
    if (!seen) throw new Error('it was not rehearsed');
    expect(faultsOf(one, acts, seen)).toEqual([]);
  });

  test.each(staged)('$story.title: v1, v2 and v1 again fails as predicted', (one) => {
    const seen = real[plan.findIndex((item) => item.one === one && item.name === 'back')];
    if (!seen) throw new Error('it was not rehearsed');
    const before = { ...seen, crash: null, steps: seen.steps.slice(0, BACK.length) };
    expect(faultsOf(one, BACK, before)).toEqual([]);
    if (one.story.back === 'refused') {
      expect(seen.steps[3]?.result).toBe(-22);
      expect(seen.crash).toBeNull();
    } else if (one.story.crashes === true) {
      expect(seen.crash?.kind).toBe('oops');
    } else {
      expect(lookFaults(one.story, one.prefix, 'left', seen.steps.slice(BACK.length))).toEqual([]);
    }
  });
});
