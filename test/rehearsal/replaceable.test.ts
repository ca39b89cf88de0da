import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { run, steps } from '../../server/src/core/lineage/run';
import { applyChanges } from '../../server/src/core/scaffold/merge';
import { nextVersion } from '../../server/src/core/scaffold/next-version';
import { replaceable } from '../../server/src/core/scaffold/replaceable';
import { compareStep } from '../../server/src/host/rehearsal/compare';
import {
  type RehearsalStep,
  type RehearsedScenario,
  rehearse,
} from '../../server/src/host/rehearsal/rehearse';
import { warningsIn } from '../../server/src/host/rehearsal/transcript';
import { startParser } from '../../server/src/host/start-parser';
import { granted, HOME, InMemory, written } from '../scaffold/in-memory';
import { livepatch } from '../scaffold/sources';
import { checkpatch } from '../support/linux-source';
import { analyseTexts } from '../support/project';
import { kernelForTests } from './kernels';
import { STORY_TARGET } from './story-lineages';

/**
 * Drafts that no later version could clean up after, made replaceable by the edit that is offered, in a real kernel:
 * v3 is generated from v1 after v2, v4 is a copy of v2 under another name. What v2 registers counts the modules that
 * come, so it shows who is registered, and how often.
 */

const EXAMPLE = join(import.meta.dirname, '../../examples/module-watch');
const example = (name: string): string => readFileSync(join(EXAMPLE, name), 'utf8');

/** A notifier, a thread and a workqueue, made in post_patch, beside a state of its own. */
const MANY = livepatch({
  includes: [
    'linux/err.h',
    'linux/kthread.h',
    'linux/notifier.h',
    'linux/proc_fs.h',
    'linux/sched.h',
    'linux/seq_file.h',
    'linux/workqueue.h',
  ],
  code: `static uint loaded;
module_param(loaded, uint, 0444);

static int on_module(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == MODULE_STATE_LIVE)
		loaded++;
	return NOTIFY_OK;
}

static struct notifier_block nb = { .notifier_call = on_module };
static struct task_struct *worker;
static struct workqueue_struct *queue;

static int work(void *data)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static void many_post_patch(struct klp_object *obj)
{
	register_module_notifier(&nb);
	worker = kthread_run(work, NULL, "many_work");
	queue = alloc_workqueue("many", 0, 0);
}

static void many_pre_unpatch(struct klp_object *obj)
{
	if (queue)
		destroy_workqueue(queue);
	queue = NULL;
	if (!IS_ERR_OR_NULL(worker))
		kthread_stop(worker);
	worker = NULL;
	unregister_module_notifier(&nb);
}
`,
  callbacks: { post_patch: 'many_post_patch', pre_unpatch: 'many_pre_unpatch' },
  states: '{ .id = 8, .version = 3 },',
});

/** The modules of both lineages: `watch_v1` and so on. */
const DRAFTS: Readonly<Record<string, { readonly v1: string; readonly v2: string }>> = {
  watch: { v1: example('v1/livepatch_watch_v1.c'), v2: example('v2/livepatch_watch_v2.c') },
  many: { v1: livepatch({ includes: ['linux/seq_file.h'] }), v2: MANY },
};

/** A module comes: how often v2 and v4 are told of it; null where they are gone. */
type Look = { readonly v2: number | null; readonly v4: number | null };
const look = (v2: number | null, v4: number | null): Look => ({ v2, v4 });
const WAYS: Readonly<Record<string, readonly (string | Look)[]>> = {
  'v2 alone': ['load v2', look(1, null), 'disable v2', look(0, null), 'unload v2', look(null, null)],
  'v1, v2, v3': [
    'load v1',
    'load v2',
    'unload v1',
    look(1, null),
    'load v3',
    look(0, null),
    'unload v2',
    look(null, null),
    'disable v3',
    'unload v3',
    look(null, null),
  ],
  'v2, v4': [
    'load v2',
    look(1, null),
    'load v4',
    look(0, 1),
    'unload v2',
    look(null, 1),
    'disable v4',
    look(null, 0),
    'unload v4',
    look(null, null),
  ],
  'v2, v4, v3': [
    'load v2',
    'load v4',
    'unload v2',
    look(null, 1),
    'load v3',
    look(null, 0),
    'unload v4',
    look(null, null),
    'disable v3',
    'unload v3',
  ],
  'v2 reversed over v1': [
    'load v1',
    'stall',
    'load v2',
    'disable v2',
    'resume',
    'unload v2',
    look(null, null),
    'disable v1',
    'unload v1',
  ],
  'v4 reversed over v2': [
    'load v2',
    'stall',
    'load v4',
    'disable v4',
    'resume',
    'unload v4',
    look(1, null),
    'load v3',
    'unload v2',
    look(null, null),
    'disable v3',
    'unload v3',
  ],
  'a disable of v2 reversed, then v3': [
    'load v2',
    'stall',
    'disable v2',
    'enable v2',
    'resume',
    look(1, null),
    'load v3',
    look(0, null),
    'unload v2',
    look(null, null),
    'disable v3',
    'unload v3',
  ],
  'v1 over v2 is refused': ['load v2', 'load v1', look(1, null), 'disable v2', 'unload v2', look(null, null)],
};

const LONG_MS = 6 * 60_000;
const kernel = await kernelForTests('6.1');
const style = await checkpatch();
const VERSIONS = ['v1', 'v2', 'v3', 'v4'];

await startParser();
const staged = Object.entries(DRAFTS).map(([name, draft]) => {
  const entry = (version: string, status: string): string =>
    `  - { version: ${version}, module: ${name}_${version}, sources: [${version}/${name}_${version}.c], status: ${status} }\n`;
  const files: Record<string, string> = {
    'livepatch.yaml': `lineage: ${name}\nkernel: "6.1"\nversions:\n${entry('v1', 'released')}${entry('v2', 'draft')}`,
    [`v1/${name}_v1.c`]: draft.v1,
    [`v2/${name}_v2.c`]: draft.v2,
  };
  return { name, files };
});

async function finished({ name, files }: (typeof staged)[number]): Promise<InMemory> {
  const analysis = await analyseTexts(files);
  const places = analysis
    .findings()
    .filter((finding) => ['cleanup-impossible', 'unpublished-pointer'].includes(finding.code))
    .map((finding) => finding.place);
  const before = new InMemory(files);
  const { changes, reasons } = replaceable(before, before.version('v2'), places);
  expect(reasons).toEqual([]);
  const v2 = `v2/${name}_v2.c`;
  const published = new InMemory({ ...files, [v2]: applyChanges(files[v2] ?? '', changes) });
  const { after } = granted(published, 'v1', ['v2'], 'v3');
  const next = nextVersion(after, { from: 'v2', as: 'v4', out: null });
  if (!next.ok) throw new Error(next.reasons.join('\n'));
  return written(after, next);
}

/** What checkpatch.pl has to say of a text, without places; sorted. */
async function complaints(text: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-style-'));
  try {
    writeFileSync(join(folder, 'a.c'), text);
    const args = [style ?? '', '--no-tree', '--no-summary', '--terse', '--strict', '-f', join(folder, 'a.c')];
    const { stdout } = await promisify(execFile)('perl', args).catch((error: { stdout?: string }) => ({
      stdout: error.stdout ?? String(error),
    }));
    return stdout
      .split('\n')
      .map((line) => line.replace(/^\S*?:\d+: /, ''))
      .sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(style === null).each(staged)(
  '$name: the edit adds nothing for checkpatch.pl',
  async ({ name, files }) => {
    const v2 = `v2/${name}_v2.c`;
    const text = lineages.get(name)?.text(`${HOME}/${v2}`) ?? '';
    expect(text).toContain('klp_get_prev_state');
    expect(await complaints(text)).toEqual(await complaints(files[v2] ?? ''));
  },
);

const lineages = new Map<string, InMemory>();
for (const one of staged) lineages.set(one.name, await finished(one));

function moduleOf(name: string, version: string) {
  const sources = [...(lineages.get(name)?.files ?? [])]
    .filter(([file]) => file.startsWith(`${HOME}/${version}/`) && /\.[ch]$/.test(file))
    .map(([file, text]) => ({ file: file.slice(file.lastIndexOf('/') + 1), text }));
  return { name: `${name}_${version}`, sources };
}

const counter = (name: string, version: string): RehearsalStep => ({
  k: 'read',
  path: `/sys/module/${name}_${version}/parameters/loaded`,
});

function guestSteps(name: string, acts: readonly (string | Look)[]): RehearsalStep[] {
  return acts.flatMap((act): readonly RehearsalStep[] =>
    typeof act === 'string'
      ? steps(act.replace(/\bv\d\b/, (version) => `${name}_${version}`))
      : [
          counter(name, 'v2'),
          counter(name, 'v4'),
          ...steps('load story_target', 'unload story_target'),
          counter(name, 'v2'),
          counter(name, 'v4'),
        ],
  );
}

/** What was not as predicted, and every look that saw something else. */
function faultsOf(name: string, acts: readonly (string | Look)[], real: RehearsedScenario): string[] {
  const lineage = lineages.get(name);
  if (!lineage) throw new Error(name);
  const { outcomes } = run(lineage.lineage, steps(...acts.filter((act) => typeof act === 'string')));
  const faults: string[] = [];
  let at = 0;
  let outcome = 0;
  for (const act of acts) {
    if (typeof act !== 'string') {
      const seen = real.steps.slice(at, at + 6).map(({ content }) => content);
      at += 6;
      const told = (from: number): number | null =>
        typeof seen[from + 4] === 'string' ? Number(seen[from + 4]) - Number(seen[from]) : null;
      const [v2, v4] = [told(0), told(1)];
      if (v2 !== act.v2 || v4 !== act.v4)
        faults.push(`expected ${JSON.stringify(act)}, got ${String(v2)} and ${String(v4)}`);
      continue;
    }
    const predicted = outcomes[outcome++];
    const seen = real.steps[at++];
    const log = (predicted?.happenings ?? []).flatMap((it) => (it.k === 'log' && it.timed ? [it.text] : []));
    const compared = compareStep(
      { result: predicted?.result ?? 1, log },
      seen ? { result: seen.result, log: seen.log.map((line) => line.text) } : null,
      VERSIONS.map((version) => `${name}_${version}`),
    );
    if (!compared.same) faults.push(`${act}: ${JSON.stringify(compared)}`);
  }
  if (real.crash) faults.push(`${real.crash.headline}\n${real.crash.console}`);
  return [...faults, ...real.steps.flatMap((step) => warningsIn(step.log))];
}

describe.skipIf(kernel === null)('in a real kernel', () => {
  const plan = staged.flatMap(({ name }) => Object.entries(WAYS).map(([way, acts]) => ({ name, way, acts })));
  let real: readonly RehearsedScenario[] = [];
  let warnings: readonly string[] = ['nothing was built'];

  beforeAll(async () => {
    if (kernel === null) return;
    const rehearsal = await rehearse({
      kernel,
      modules: [
        ...staged.flatMap(({ name }) => VERSIONS.map((version) => moduleOf(name, version))),
        { name: 'story_target', sources: [{ file: 'story_target.c', text: STORY_TARGET }] },
      ],
      scenarios: plan.map(({ name, acts }) => ({ steps: guestSteps(name, acts) })),
      extraWarnings: true,
      parallel: 2,
    });
    real = rehearsal.scenarios;
    warnings = rehearsal.warnings;
  }, LONG_MS);

  test('everything compiles at W=1 without a warning', () => {
    expect(warnings).toEqual([]);
  });

  test.each(plan)('$name: $way', ({ name, way, acts }) => {
    const seen = real[plan.findIndex((item) => item.name === name && item.way === way)];
    if (!seen) throw new Error('it was not rehearsed');
    expect(faultsOf(name, acts, seen)).toEqual([]);
  });
});
