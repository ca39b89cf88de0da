import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Failure } from './campaign';
import type { Kept } from './corpus';
import { FuzzProgram } from './run';
import { TARGETS } from './targets';

/** Executions of one worker: after that a new one begins, so that nothing is blamed on what came long before. */
const LEG = 5_000;

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

/** Puts the figures into docs/fuzzing.md, in the place of those of the run before. */
function write(rows: readonly Row[]): void {
  const file = join(root, 'docs/fuzzing.md');
  const mark = '<!-- figures -->\n';
  const [before = ''] = readFileSync(file, 'utf8').split(mark);
  const total = rows.reduce((sum, row) => sum + row.executions, 0);
  const lines = [
    `${total} executions, taken on ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}.`,
    '',
    '| target | seed | executions | seconds | slowest input, ms | failures |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ target, seed, executions, seconds, slowest, failures }) =>
        `| ${target} | ${seed} | ${executions} | ${seconds} | ${slowest.ms} | ${failures} |`,
    ),
  ];
  writeFileSync(file, `${before}${mark}\n${lines.join('\n')}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      first: { type: 'string', default: '0' },
      executions: { type: 'string' },
      minutes: { type: 'string', default: '600' },
      keep: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const wanted = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
  const end = Date.now() + Number(values.minutes) * 60_000;
  const share = (Number(values.minutes) * 60_000) / Math.max(1, wanted.length);
  const program = await FuzzProgram.build(root);
  const rows: Row[] = [];
  for (const target of wanted) {
    const start = Date.now();
    const stop = Math.min(end, start + share);
    const executions = Number(values.executions ?? target.long);
    const first = Number(values.first);
    let row: Row = {
      target: target.name,
      seed,
      executions: 0,
      seconds: 0,
      slowest: { from: '', ms: 0 },
      failures: 0,
    };
    for (let at = first; at < first + executions && Date.now() < stop; at += LEG) {
      const leg = Math.min(LEG, first + executions - at);
      const done = await program.run(target.name, {
        seed,
        first: at,
        executions: leg,
        time: stop - Date.now(),
      });
      for (const failure of done.failures) {
        console.log(`${target.name}, ${failure.from}: ${failure.message}\n${JSON.stringify(failure.input)}`);
        if (values.keep) console.log(`kept as ${keep(target.name, failure)}`);
      }
      row = {
        ...row,
        executions: row.executions + done.executions,
        seconds: Math.round((Date.now() - start) / 1000),
        slowest: done.slowest.ms > row.slowest.ms ? done.slowest : row.slowest,
        failures: row.failures + done.failures.length,
      };
    }
    rows.push(row);
    console.log(
      `${row.target}: ${row.executions} executions of seed ${seed} in ${row.seconds} s, ${row.failures} failures, slowest ${row.slowest.ms} ms (${row.slowest.from})`,
    );
  }
  program.remove();
  if (values.write) write(rows);
  if (rows.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

void main();
