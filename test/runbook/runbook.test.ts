import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Places } from '../../server/src/core/places';
import { type Runbook, runbook, runbookJson } from '../../server/src/features/runbook';
import { runbookMarkdown, runbookText } from '../../server/src/features/runbook-text';
import { granted, HOME, InMemory, netFixes } from '../scaffold/in-memory';
import { livepatch } from '../scaffold/sources';
import { FOREVER, LEAK, lineageOf, PLAIN } from './lineages';

function answerOf(lineage: InMemory, from: string | null, to: string) {
  const places = new Places(
    (file) => file.slice(HOME.length + 1),
    (file) => lineage.text(file),
  );
  const origin = from === null ? null : lineage.version(from);
  return runbook(lineage.transitions, origin, lineage.version(to), places);
}

function bookOf(lineage: InMemory, from: string | null, to: string): Runbook {
  const answer = answerOf(lineage, from, to);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.runbook;
}

const scaffolded = (): InMemory => granted(netFixes(), 'v1', ['v2'], 'v3').after;

const BOOKS: readonly (readonly [string, () => Runbook])[] = [
  ['v2 to v1 by disabling', () => bookOf(netFixes(), 'v2', 'v1')],
  ['v2 to v1 through v3', () => bookOf(scaffolded(), 'v2', 'v1')],
  ['v3 to v1', () => bookOf(scaffolded(), 'v3', 'v1')],
  ['none to v1', () => bookOf(netFixes(), null, 'v1')],
];

test.each(BOOKS)('%s: the steps end clean in the model', (_name, book) => {
  const { from, steps, destination } = book();
  const own = steps.flatMap((step) => (step.step === null ? [] : [step.step]));
  const run = scaffolded().run(...(from === null ? [] : [`load ${from}`]), ...own);
  expect(run.verdict.word).toBe('clean');
  expect(run.outcomes.every((outcome) => outcome.result === 0)).toBe(true);
  const enabled = run.end.kernel.patches().map((patch) => run.end.nameOf(patch.instance).version?.name);
  expect(enabled).toEqual([destination]);
});

test.each(BOOKS)('%s: steps are numbered, and every command is one valid line', (_name, book) => {
  const { steps } = book();
  expect(steps.map((step) => step.number)).toEqual(steps.map((_, index) => index + 1));
  for (const step of steps) {
    const commands = [
      step.command,
      step.check,
      ...step.onFailure.flatMap((item) => item.commands),
      ...(step.rollback ? [step.rollback.command] : []),
    ];
    for (const command of commands) {
      expect(command).not.toMatch(/[\n\r]/);
      expect(spawnSync('sh', ['-n', '-c', command]).status, command).toBe(0);
    }
  }
});

let machine = '';
afterEach(() => {
  if (machine !== '') rmSync(machine, { recursive: true, force: true });
  machine = '';
});

/** A /sys of files: what insmod, rmmod and the end of a transition do to it is done by hand. */
class Machine {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(join(root, 'kernel/livepatch'), { recursive: true });
    mkdirSync(join(root, 'module'), { recursive: true });
  }

  load(module: string): void {
    mkdirSync(join(this.#root, 'module', module));
    this.#folder(module, '1', '1');
  }

  /** The pending transition ends: replaced and disabled livepatches lose their folders. */
  settle(): void {
    const folder = join(this.#root, 'kernel/livepatch');
    const names = readdirSync(folder);
    const coming = names.filter((name) => this.sh(`cat ${folder}/${name}/transition`) === '1');
    for (const name of names) {
      const off = this.sh(`cat ${folder}/${name}/enabled`) === '0';
      if (off || (coming.length > 0 && !coming.includes(name)))
        rmSync(join(folder, name), { recursive: true });
      else this.#folder(name, '1', '0');
    }
  }

  sh(command: string): string {
    const tools = [
      `insmod() { mkdir -p ${this.#root}/kernel/livepatch/$(basename "$1" .ko) ${this.#root}/module/$(basename "$1" .ko); echo 1 > ${this.#root}/kernel/livepatch/$(basename "$1" .ko)/enabled; echo 1 > ${this.#root}/kernel/livepatch/$(basename "$1" .ko)/transition; }`,
      `rmmod() { rmdir ${this.#root}/module/"$1"; }`,
      'modinfo() { [ "$2" = vermagic ] && echo "$(uname -r) SMP mod_unload" || echo Y; }',
      'sleep() { :; }',
    ];
    const script = [...tools, command.replaceAll('/sys/', `${this.#root}/`)].join('\n');
    return spawnSync('sh', ['-c', script], { encoding: 'utf8', timeout: 20_000 }).stdout.trimEnd();
  }

  has(path: string): boolean {
    return existsSync(join(this.#root, path));
  }

  #folder(module: string, enabled: string, transition: string): void {
    const folder = join(this.#root, 'kernel/livepatch', module);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'enabled'), `${enabled}\n`);
    writeFileSync(join(folder, 'transition'), `${transition}\n`);
  }
}

test.each(BOOKS)('%s: a shell that runs it sees what each check expects', (_name, book) => {
  const { steps, from, destination } = book();
  machine = mkdtempSync(join(tmpdir(), 'lineage-sysfs-'));
  const here = new Machine(machine);
  if (from !== null) {
    here.load(`livepatch_net_${from}`);
    here.settle();
  }
  for (const step of steps) {
    const waits = step.command.startsWith('for i in $(seq');
    // Before a transition is over, the check of the step that waits for it says so.
    if (waits) {
      expect(here.sh(step.check), step.title).not.toBe(step.expect);
      here.settle();
    }
    here.sh(step.command);
    expect(here.sh(step.check), step.title).toBe(step.expect);
  }
  expect(readdirSync(join(machine, 'kernel/livepatch'))).toEqual([`livepatch_net_${destination}`]);
  expect(readdirSync(join(machine, 'module'))).toEqual([`livepatch_net_${destination}`]);
});

test('the window in which nothing is patched goes from disabling to the end of loading', () => {
  const { window, steps } = bookOf(netFixes(), 'v2', 'v1');
  expect(steps[(window?.from ?? 0) - 1]?.step).toBe('disable v2');
  expect(steps[(window?.to ?? 0) - 2]?.step).toBe('load v1');
  expect(window?.functions).toEqual([
    'eth_validate_addr',
    'eth_prepare_mac_addr_change',
    'eth_header_parse',
    'eth_header_parse_protocol',
  ]);
  expect(bookOf(scaffolded(), 'v2', 'v1').window).toBeNull();
});

test('the log is that of the livepatch core alone, cut where the transition is waited for', () => {
  const loud = livepatch({
    code: `static void acme_post_patch(struct klp_object *obj)
{
	printk("livepatch: 'klp_v9': patching complete\\n");
}
`,
    callbacks: { post_patch: 'acme_post_patch' },
  });
  const { steps } = bookOf(lineageOf({ v1: { source: loud } }), null, 'v1');
  expect(steps.flatMap((step) => step.log)).toEqual([
    "livepatch: enabling patch 'klp_v1'",
    "livepatch: 'klp_v1': starting patching transition",
    "livepatch: 'klp_v1': patching complete",
  ]);
  const load = steps.find((step) => step.step === 'load v1');
  expect(load?.log).toHaveLength(2);
});

test('a stall: the tasks are found by their state, and force is told with its price', () => {
  const { steps } = bookOf(scaffolded(), 'v2', 'v1');
  const wait = steps.find((step) => step.title.startsWith('Wait until v3 has replaced v2'));
  const texts = wait?.onFailure.map((item) => `${item.when} ${item.advice} ${item.commands.join(' ')}`) ?? [];
  // Tasks that have not switched to the patched state show 0.
  expect(texts.some((text) => text.includes('grep -lx 0 /proc/'))).toBe(true);
  expect(texts.some((text) => text.includes('kill -STOP'))).toBe(true);
  const force = texts.find((text) => text.includes('/force'));
  expect(force).toContain('Do not');
  expect(force).toContain('module of v2 can then never be removed');
  expect(wait?.onFailure.flatMap((item) => item.commands).join()).not.toContain('/force');
  expect(wait?.rollback?.command).toBe('echo 0 > /sys/kernel/livepatch/livepatch_net_v3/enabled');
  const disable = bookOf(netFixes(), 'v2', 'v1').steps.find((step) => step.step === 'disable v2');
  expect(disable?.rollback?.command).toBe('echo 1 > /sys/kernel/livepatch/livepatch_net_v2/enabled');
});

test('the way back to a faulty version is not proposed while nothing is patched', () => {
  const refused = (book: Runbook): string =>
    book.steps
      .find((step) => step.step === 'load v1')
      ?.onFailure.find((item) => item.when.includes('for good'))?.advice ?? '';
  expect(refused(bookOf(netFixes(), 'v2', 'v1'))).toContain('do not go back to it');
  const stacked = PLAIN.replace('\t.replace = true,\n', '');
  expect(
    refused(bookOf(lineageOf({ v1: { source: stacked }, v2: { source: stacked } }), 'v2', 'v1')),
  ).toContain('load v2 again');
});

test('parameters and built files stand in the command, quoted', () => {
  const lineage = lineageOf({
    v1: {
      source: `${PLAIN}static char *mode;\nmodule_param(mode, charp, 0444);\n`,
      more: `built: "out dir/klp_v1.ko", params: { mode: "a'b; reboot" }`,
    },
  });
  const load = bookOf(lineage, null, 'v1').steps.find((step) => step.step === 'load v1');
  expect(load?.command).toBe(`insmod './out dir/klp_v1.ko' 'mode="a'\\''b; reboot"'`);
});

test('a value that no command can hold is a refusal with the reason', () => {
  const lineage = lineageOf({ v1: { source: PLAIN, more: 'params: { mode: "a\\nb" }' } });
  const answer = answerOf(lineage, null, 'v1');
  expect(answer.ok).toBe(false);
  expect(answer.ok ? '' : answer.reason).toContain('a parameter of v1');
});

test('JSON: a path', () => {
  const json = JSON.parse(JSON.stringify(runbookJson(answerOf(netFixes(), 'v2', 'v1'), 'v2', 'v1')));
  expect(json).toMatchObject({
    schema: 1,
    from: 'v2',
    to: 'v1',
    destination: 'v1',
    path: 'disable',
    via: null,
    certainty: 'must',
    stays: [],
    window: { from: 3, to: 7 },
  });
  for (const step of json.steps) {
    expect(Object.keys(step).sort()).toEqual(
      ['check', 'command', 'expect', 'log', 'number', 'onFailure', 'rollback', 'step', 'title'].sort(),
    );
    for (const item of step.onFailure)
      expect(Object.keys(item).sort()).toEqual(['advice', 'commands', 'when']);
  }
});

test('JSON: what stays has its place', () => {
  const answer = answerOf(lineageOf({ v1: { source: PLAIN }, v2: { source: LEAK } }), 'v2', 'v1');
  const line = LEAK.split('\n').findIndex((text) => text.includes('kzalloc(64')) + 1;
  expect(runbookJson(answer, 'v2', 'v1')).toMatchObject({
    path: 'replace',
    stays: [{ effect: 'kzalloc', hazard: 'leak', version: 'v2', file: 'v2/klp_v2.c', line }],
  });
});

test('JSON: no path', () => {
  const answer = answerOf(lineageOf({ v1: { source: PLAIN }, v2: { source: FOREVER } }), 'v2', 'v1');
  expect(runbookJson(answer, 'v2', 'v1')).toMatchObject({
    schema: 1,
    from: 'v2',
    to: 'v1',
    path: null,
    rejected: [{ path: 'let v1 replace v2' }, { path: 'disable v2, then load v1' }],
  });
  expect(answer.ok ? [] : answer.advice.length).toBeGreaterThan(0);
});

test('text: every step with its command, what it prints and the way back', () => {
  const text = runbookText(bookOf(netFixes(), 'v2', 'v1'));
  expect(text).toMatch(/^net-fixes on kernel 6\.1: from v2 to v1: disable v2, then load v1\n/);
  expect(text).toContain('\n3. Disable v2\n   $ echo 0 > /sys/kernel/livepatch/livepatch_net_v2/enabled\n');
  expect(text).toContain('Window: From step 3 to the end of step 7 nothing is patched');
});

test('Markdown: names and texts of the workspace are no markup, commands stand in blocks as they are', () => {
  const lineage = new InMemory({
    'livepatch.yaml': `lineage: "<img src=x> [a](b) *c*"
kernel: "6.1"
versions:
  - { version: "v*1*", module: klp_v1, sources: [v1/klp_v1.c], status: released }
  - { version: "v<2>\`x\`", module: klp_v2, sources: [v2/klp_v2.c], status: draft }
`,
    'v1/klp_v1.c': PLAIN,
    'v2/klp_v2.c': LEAK,
  });
  const book = bookOf(lineage, 'v<2>`x`', 'v*1*');
  const text = runbookMarkdown(book);
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  expect(prose).not.toMatch(/(?<!\\)[<>]/);
  expect(prose).not.toMatch(/(?<!\\)\]\(/);
  expect(prose).not.toMatch(/(?<!\\)\*/);
  expect(prose).not.toMatch(/(?<!\\)`/);
  for (const step of book.steps) expect(text).toContain(`\n${step.command}\n`);
});
