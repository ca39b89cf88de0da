import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Failure } from './campaign';
import type { Kept } from './corpus';
import { FuzzProgram } from './run';
import type { Target } from './target';
import { TARGETS } from './targets';

/** Executions of one worker: after that a new one begins, so that nothing is blamed on what came long before. */
const LONGEST_LEG = 50_000;
/** A campaign has at least as many. */
const LEGS = 10;
/** Workers at a time. */
const LANES = 2;

interface Row {
  readonly target: string;
  readonly seed: number;
  readonly executions: number;
  readonly seconds: number;
  readonly slowest: { readonly from: string; readonly ms: number };
  readonly failures: number;
}

const root = process.env.LIVEPATCH_LINEAGE_ROOT ?? '.';

/** A failure as a file that every campaign begins with from now on. */
function keep(target: string, { message, input }: Failure): string {
  const kept: Kept = { fault: message.split('\n')[0] ?? '', input };
  const text = `${JSON.stringify(kept, null, 2)}\n`;
  const name = `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`;
  const folder = join(root, 'test/fuzz/corpus', target);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return name;
}

/** Puts the figures into docs/fuzzing.md, in the place of those that these targets had before. */
function write(rows: readonly Row[]): void {
  const file = join(root, 'docs/fuzzing.md');
  const mark = '<!-- figures -->\n';
  const [before = '', figures = ''] = readFileSync(file, 'utf8').split(mark);
  const lineOf = ({ target, seed, executions, seconds, slowest, failures }: Row): string =>
    `| ${target} | ${seed} | ${executions} | ${Math.round(seconds)} | ${slowest.ms} | ${failures} |`;
  const table = TARGETS.flatMap(({ name }) => {
    const row = rows.find(({ target }) => target === name);
    return row ? [lineOf(row)] : figures.split('\n').filter((line) => line.startsWith(`| ${name} |`));
  });
  const total = table.reduce((sum, line) => sum + Number(line.split('|')[3]), 0);
  const lines = [
    `${total} executions, taken on ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}.`,
    '',
    '| target | seed | executions | seconds | slowest input, ms | failures |',
    '|---|---|---|---|---|---|',
    ...table,
  ];
  writeFileSync(file, `${before}${mark}\n${lines.join('\n')}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      first: { type: 'string', default: '0' },
      executions: { type: 'string' },
      minutes: { type: 'string', default: '600' },
      keep: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const first = Number(values.first);
  const wanted = TARGETS.filter(({ name }) => values.target?.includes(name) !== false);
  const end = Date.now() + Number(values.minutes) * 60_000;
  const program = await FuzzProgram.build(root);
  const rows = new Map(
    wanted.map(({ name }) => [
      name,
      { target: name, seed, executions: 0, seconds: 0, slowest: { from: '', ms: 0 }, failures: 0 } as Row,
    ]),
  );
  const legs = wanted.flatMap((target) => legsOf(target, first, Number(values.executions ?? target.long)));
  // All targets go on side by side: where the time is up, each has had its part.
  legs.sort((a, b) => a.at - b.at);
  const lane = async (): Promise<void> => {
    for (let leg = legs.shift(); leg && Date.now() < end; leg = legs.shift()) {
      for (let at = leg.first; at < leg.last && Date.now() < end; ) {
        const start = Date.now();
        const done = await program.run(leg.target, {
          seed,
          first: at,
          executions: leg.last - at,
          time: end - start,
          least: 1,
          kept: at === first,
        });
        // Behind an input that did not end it goes on with the next.
        at += done.executions + (done.cutShort ? 1 : 0);
        const row = rows.get(leg.target);
        for (const failure of done.failures) {
          console.log(`${leg.target}, ${failure.from}: ${failure.message}\n${JSON.stringify(failure.input)}`);
          if (values.keep) console.log(`kept as ${keep(leg.target, failure)}`);
        }
        if (!row) continue;
        const now: Row = {
          ...row,
          executions: row.executions + done.executions,
          seconds: row.seconds + (Date.now() - start) / 1000,
          slowest: done.slowest.ms > row.slowest.ms ? done.slowest : row.slowest,
          failures: row.failures + done.failures.length,
        };
        rows.set(leg.target, now);
        console.log(
          `${now.target}: ${now.executions} executions of seed ${seed} in ${Math.round(now.seconds)} s, ${now.failures} failures, slowest ${now.slowest.ms} ms (${now.slowest.from})`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, availableParallelism()) }, lane));
  program.remove();
  const all = [...rows.values()];
  if (values.write) write(all);
  if (all.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

interface Leg {
  readonly target: string;
  readonly first: number;
  readonly last: number;
  /** Where in its campaign it stands, from 0 to 1. */
  readonly at: number;
}

function legsOf({ name }: Target, first: number, executions: number): Leg[] {
  const size = Math.ceil(executions / Math.max(LEGS, Math.ceil(executions / LONGEST_LEG)));
  const legs: Leg[] = [];
  for (let done = 0; done < executions; done += size) {
    const last = first + Math.min(executions, done + size);
    legs.push({ target: name, first: first + done, last, at: done / executions });
  }
  return legs;
}

void main();
