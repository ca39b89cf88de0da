import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { linuxSource } from '../support/linux-source';
import { activationFigures } from './activation';
import { editFigures } from './edit';
import { factsFigures, type Source } from './facts';
import { growthFigures, watchWasm } from './growth';
import { historyFigures } from './history';
import type { Figure } from './measure';
import { table } from './measure';
import { panelFigures } from './panel';
import { searchFigures } from './search';
import { suseFigures } from './suse';
import { vsixFigure } from './vsix';
import { wireFigures } from './wire';

const ROOT = process.env.LIVEPATCH_LINEAGE_ROOT ?? process.cwd();

function sourcesIn(folder: string): Source[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const memories = watchWasm();
  const bare = process.env.LIVEPATCH_LINEAGE_BARE ?? '';
  const linux = await linuxSource();
  if (linux === null) throw new Error('the kernel sources are missing: npm run bench needs Debian');
  const livepatches = [
    ...sourcesIn(join(linux, 'lib/livepatch')),
    ...sourcesIn(join(linux, 'samples/livepatch')),
  ];
  const large = ['kernel/sched/core.c', 'net/core/dev.c', 'kernel/module/main.c', 'kernel/livepatch/core.c']
    .map((name) => join(linux, name))
    .filter((path) => existsSync(path))
    .map((path) => ({ name: path.slice(linux.length + 1), text: readFileSync(path, 'utf8') }));
  const families: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
    facts: () => factsFigures(livepatches, large),
    search: () => searchFigures(),
    history: () => historyFigures(),
    suse: () => suseFigures(),
    edit: () => editFigures(ROOT),
    growth: () => growthFigures(ROOT, memories),
    wire: () => wireFigures(ROOT, bare),
    panel: () => panelFigures(),
    activation: () => activationFigures(ROOT),
    vsix: async () => vsixFigure(ROOT),
  };
  const only = valueOf(args, '--only');
  if (only !== undefined && !families[only])
    throw new Error(`no figures are called ${only}: ${Object.keys(families).join(', ')}`);
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(families)) {
    if (only === undefined || name === only) figures.push(...(await measure()));
  }
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`;
  console.log(`${machine}\n\n${table(figures)}`);
  const json = `${JSON.stringify({ schema: 1, machine, figures }, null, 2)}\n`;
  const file = valueOf(args, '--json');
  if (file) writeFileSync(file, json);
  if (args.includes('--docs')) {
    const kept = only === undefined ? figures : amongKept(figures);
    writeFileSync(
      join(ROOT, 'docs/benchmark.json'),
      `${JSON.stringify({ schema: 1, machine, figures: kept }, null, 2)}\n`,
    );
    writeFileSync(join(ROOT, 'docs/benchmark.md'), page(machine, kept));
  }
  if (figures.some((figure) => figure.value > figure.limit)) process.exitCode = 1;
}

/** The figures of the page, with these in their places. */
function amongKept(fresh: readonly Figure[]): Figure[] {
  const text = readFileSync(join(ROOT, 'docs/benchmark.json'), 'utf8');
  const { figures } = JSON.parse(text) as { readonly figures: readonly Figure[] };
  const names = new Set(figures.map((figure) => figure.name));
  return [
    ...figures.map((old) => fresh.find((figure) => figure.name === old.name) ?? old),
    ...fresh.filter((figure) => !names.has(figure.name)),
  ];
}

/** The page of figures that is kept in the repository. */
function page(machine: string, figures: readonly Figure[]): string {
  const missed = figures.filter((figure) => figure.value > figure.limit).length;
  return `# Benchmark

\`npm run bench -- --docs\` writes this page and \`benchmark.json\`, with \`--only NAME\` the figures of one family. Each figure is a ratio measured within one run against the
real thing beside it, a median of interleaved rounds where nothing else is said. What does not hold stays in the table.

Taken on ${machine}; ${figures.length - missed} of ${figures.length} figures hold.

${table(figures)}
`;
}

function valueOf(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
});
