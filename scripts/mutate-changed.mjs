/**
 * Mutation testing of what a change touched in the rules and in the kernel model.
 *
 *   node scripts/mutate-changed.mjs [--base REVISION] [--minutes N]
 *
 * The base is the merge base with the main branch, or the commit before this one where that is the same. A rule faces
 * its own tests; the kernel model faces those of test/kernel that take no more than seconds. Exit 1 where the mutants
 * that were tried show a score below the threshold; out of time is no failure, but is said. `npm run soak` does the whole.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SANDBOX = '.stryker-tmp/changed';
const KERNEL = 'server/src/core/kernel/';
const RULES = 'server/src/rules/';
const SCORED = new Set(['Killed', 'Timeout', 'Survived', 'NoCoverage']);
const FOUND = new Set(['Killed', 'Timeout']);
/** A handful of mutants is no sample. */
const ENOUGH = 20;

/** The value behind an option of the command line. */
function option(name, standard) {
  const at = process.argv.indexOf(name);
  return at < 0 ? standard : (process.argv[at + 1] ?? standard);
}

function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** What the change is measured from; null where there is no history. */
function baseRevision() {
  const head = git('rev-parse', 'HEAD');
  for (const main of ['origin/main', 'main']) {
    const base = git('merge-base', main, 'HEAD');
    if (base !== null && base !== head) return base;
  }
  return git('rev-parse', '--verify', '--quiet', 'HEAD^');
}

/** Files to mutate with the test files that face them. */
export function planOf(changed, exists = (file) => existsSync(join(ROOT, file))) {
  const plan = { mutate: [], tests: new Set() };
  for (const file of changed) {
    if (!file.endsWith('.ts') || !exists(file)) continue;
    if (file.startsWith(KERNEL)) {
      plan.mutate.push(file);
      plan.tests.add('test/kernel/*.test.ts');
    } else if (file.startsWith(RULES)) {
      const own = `test/rules/${basename(file, '.ts')}.test.ts`;
      // What several rules share is tried by the whole only: it would take them all.
      if (!exists(own)) continue;
      plan.mutate.push(file);
      plan.tests.add(own);
    }
  }
  return { mutate: plan.mutate, tests: [...plan.tests] };
}

/** Counts of a report of Stryker, `{ scored, found }`. */
export function scoreOf(report) {
  const mutants = Object.values(report.files ?? {}).flatMap((file) => file.mutants ?? []);
  const scored = mutants.filter(({ status }) => SCORED.has(status));
  return { scored: scored.length, found: scored.filter(({ status }) => FOUND.has(status)).length };
}

async function main() {
  const minutes = Number(option('--minutes', '4'));
  const base = option('--base', '') || baseRevision();
  const diff = base === null ? null : git('diff', '--name-only', '--diff-filter=AM', base, 'HEAD');
  const { mutate, tests } = planOf((diff ?? '').split('\n'));
  if (mutate.length === 0) {
    console.log('mutation testing: no rule and no part of the kernel model has changed');
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'livepatch-mutation-'));
  try {
    const config = JSON.parse(readFileSync(join(ROOT, 'stryker.config.json'), 'utf8'));
    const report = join(folder, 'mutation.json');
    const own = join(folder, 'stryker.json');
    const settings = {
      ...config,
      mutate,
      tempDirName: SANDBOX,
      reporters: ['json'],
      jsonReporter: { fileName: report },
      thresholds: { ...config.thresholds, break: null },
    };
    writeFileSync(own, JSON.stringify(settings));
    const program = join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    const ended = await run(program, own, tests, minutes);
    if (ended === 'late') {
      console.log(
        `mutation testing of ${mutate.join(', ')} was ended after ${minutes} minutes; npm run soak does the whole`,
      );
      return 0;
    }
    if (ended !== 0) {
      console.error(`mutation testing of ${mutate.join(', ')} went wrong: run it by hand, npx stryker run`);
      return 1;
    }
    const { scored, found } = scoreOf(JSON.parse(readFileSync(report, 'utf8')));
    const percent = scored === 0 ? 100 : Math.floor((100 * found) / scored);
    console.log(
      `mutation testing of ${mutate.join(', ')}: ${found} of ${scored} mutants found (${percent} %)`,
    );
    return scored >= ENOUGH && percent < config.thresholds.break ? 1 : 0;
  } finally {
    // What was ended does not clear up after itself.
    for (const left of [folder, join(ROOT, SANDBOX)]) rmSync(left, { recursive: true, force: true });
  }
}

/** Exit status, or 'late'. */
function run(program, config, tests, minutes) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, 'run', config], {
      cwd: ROOT,
      env: { ...process.env, MUTATED_TESTS: tests.join(' ') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
    }, minutes * 60_000);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve(late ? 'late' : (status ?? 1));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
