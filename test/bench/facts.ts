import { join } from 'node:path';
import { Language, Parser } from 'web-tree-sitter';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { initParser } from '../../server/src/core/csource/tree';
import { livepatchFacts } from '../../server/src/core/execution/facts';
import { type Figure, interleaved } from './measure';

export interface Source {
  readonly name: string;
  readonly text: string;
}

/** The grammar's own parser, with nothing of ours around it. */
export async function bareParser(): Promise<Parser> {
  const root = process.env.LIVEPATCH_LINEAGE_ROOT ?? process.cwd();
  const core = join(root, 'node_modules/web-tree-sitter/web-tree-sitter.wasm');
  const language = join(root, 'node_modules/tree-sitter-c/tree-sitter-c.wasm');
  await initParser({ core, language });
  const parser = new Parser();
  parser.setLanguage(await Language.load(language));
  return parser;
}

function parseBare(parser: Parser, sources: readonly Source[]): void {
  for (const source of sources) parser.parse(source.text)?.delete();
}

function readFacts(sources: readonly Source[]): void {
  const memory = new CSource();
  const texts = new Map(sources.map((source) => [source.name, source.text]));
  for (const source of sources) {
    const provider = {
      text: (file: string) => texts.get(file),
      resolve: (name: string) => (texts.has(name) ? name : undefined),
    };
    const unit = openUnit(source.name, provider, { defines: {}, kernelRelease: '6.1' }, memory);
    livepatchFacts({ name: source.name.replace(/\W/g, '_'), units: [unit] });
  }
  memory.dispose();
}

/** Text to facts against a bare parse of the same bytes. */
export async function factsFigures(
  livepatches: readonly Source[],
  large: readonly Source[],
): Promise<Figure[]> {
  const parser = await bareParser();
  const figures: Figure[] = [];
  for (const [name, sources, rounds] of [
    ['text to facts, 6.1 livepatch modules', livepatches, 60],
    ['text to facts, large kernel files', large, 12],
  ] as const) {
    for (let warm = 0; warm < 3; warm++) readFacts(sources);
    const [bare = 1, full = 0] = interleaved(rounds, [
      () => parseBare(parser, sources),
      () => readFacts(sources),
    ]);
    const size = sources.reduce((sum, source) => sum + source.text.length, 0);
    const detail = `${full.toFixed(1)} ms / ${bare.toFixed(1)} ms, ${sources.length} files, ${Math.round(size / 1000)} KB`;
    figures.push({ name, value: full / bare, limit: 1.5, unit: '× bare parse', detail });
  }
  parser.delete();
  return figures;
}
