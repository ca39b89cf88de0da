import { join } from 'node:path';
import { Language, Parser } from 'web-tree-sitter';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { initParser } from '../../server/src/core/csource/tree';
import { executionLibrary } from '../../server/src/core/execution/api-models';
import { livepatchFacts } from '../../server/src/core/execution/facts';
import { capabilitiesFor } from '../../server/src/core/lineage/assemble';
import type { Lineage } from '../../server/src/core/lineage/lineage';
import { Transitions } from '../../server/src/core/lineage/transitions';
import { type ParsedManifest, parseManifest } from '../../server/src/core/manifest/parse';
import type { RuleContext } from '../../server/src/rules/context';
import { checkAll } from '../../server/src/rules/engine';
import { RULES } from '../../server/src/rules/registry';
import type { Rule } from '../../server/src/rules/rule';
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

/** A manifest with one version for each source, read beforehand: reading YAML is no part of the figure. */
function manifestFor(source: Source): ParsedManifest {
  const text = `lineage: bench\nkernel: "6.1"\nversions:\n  - { version: v1, module: ${moduleName(source)}, sources: ${source.name} }\n`;
  return parseManifest(MANIFEST, text, { ruleCodes: RULES.map((rule) => rule.code), capabilities: [] });
}

function moduleName(source: Source): string {
  return source.name.replace(/\.c$/, '').replace(/\W/g, '_');
}

const MANIFEST = 'livepatch.yaml';
const FACTS_RULES: readonly Rule[] = RULES.filter((rule) => rule.kind === 'facts');
/** Rounds until the code is compiled as a server that has been up for some seconds has it: it is much, and little data. */
const WARM_ROUNDS = 150;

/** One source as a lineage of one version, through the rules that read facts. */
class Module {
  readonly #parsed: ParsedManifest;
  readonly #capabilities: Lineage['capabilities'];

  constructor(private readonly source: Source) {
    this.#parsed = manifestFor(source);
    this.#capabilities = capabilitiesFor(this.#parsed.manifest);
  }

  /** How many runs the rules asked for. */
  check(texts: ReadonlyMap<string, string>, memory: CSource, rules: readonly Rule[]): number {
    const provider = {
      text: (file: string) => texts.get(file),
      resolve: (name: string) => (texts.has(name) ? name : undefined),
    };
    const { name } = this.source;
    const unit = openUnit(name, provider, { defines: {}, kernelRelease: '6.1' }, memory);
    const program = { name: moduleName(this.source), units: [unit] };
    const facts = livepatchFacts(program);
    const entry = this.#parsed.manifest.versions[0];
    if (!entry) throw new Error(`no version is read for ${name}`);
    const lineage: Lineage = {
      name: 'bench',
      manifest: this.#parsed.manifest,
      capabilities: this.#capabilities,
      versions: [
        {
          name: 'v1',
          module: program.name,
          index: 0,
          entry,
          program,
          facts,
          unread: [],
          dialect: 'module',
          problems: [],
          fingerprint: '',
          nameless: null,
          strings: [],
        },
      ],
      targets: [],
      library: executionLibrary(),
    };
    const context = this.#contextOf(lineage, texts);
    checkAll(context, rules, (code, error) => {
      throw new Error(`${code} failed`, { cause: error });
    });
    return context.transitions.ran;
  }

  #contextOf(lineage: Lineage, texts: ReadonlyMap<string, string>): RuleContext {
    return {
      manifestFile: MANIFEST,
      parsed: this.#parsed,
      sourceProblems: [],
      lineage,
      transitions: new Transitions(lineage),
      severity: (_code, standard) => standard,
      text: (file) => texts.get(file) ?? '',
      unitsOf: (version) => version.program?.units ?? [],
      manifestPlace: (span) => ({ file: MANIFEST, ...span }),
    };
  }
}

/** Everything from the texts on, nothing kept from one round to the next; how many runs it took. */
function readFacts(
  modules: readonly Module[],
  texts: ReadonlyMap<string, string>,
  rules: readonly Rule[],
): number {
  const memory = new CSource();
  let runs = 0;
  for (const module of modules) runs += module.check(texts, memory, rules);
  memory.dispose();
  return runs;
}

/** Text to facts, lowering and the rules that read facts, against a bare parse of the same bytes. */
export async function factsFigures(
  livepatches: readonly Source[],
  large: readonly Source[],
): Promise<Figure[]> {
  const parser = await bareParser();
  const figures: Figure[] = [];
  for (const [name, sources, warmRounds, rounds] of [
    ['text to facts and rules, 6.1 livepatch modules', livepatches, WARM_ROUNDS, 100],
    ['text to facts and rules, large kernel files', large, 12, 12],
  ] as const) {
    const texts = new Map(sources.map((source) => [source.name, source.text]));
    const modules = sources.map((source) => new Module(source));
    // A rule that has a version run is no reader of facts, whatever it says: runs have a figure of their own.
    const rules = FACTS_RULES.filter((rule) => readFacts(modules, texts, [rule]) === 0);
    const left = FACTS_RULES.filter((rule) => !rules.includes(rule)).map((rule) => rule.code);
    for (let warm = 0; warm < warmRounds; warm++) readFacts(modules, texts, rules);
    const [bare = 1, full = 0] = interleaved(rounds, [
      () => parseBare(parser, sources),
      () => readFacts(modules, texts, rules),
    ]);
    const size = sources.reduce((sum, source) => sum + source.text.length, 0);
    const detail = `${full.toFixed(1)} ms / ${bare.toFixed(1)} ms, ${sources.length} files, ${Math.round(size / 1000)} KB, ${rules.length} rules${left.length > 0 ? `, without ${left.join(', ')}` : ''}`;
    figures.push({ name, value: full / bare, limit: 1.35, unit: '× bare parse', detail });
  }
  parser.delete();
  return figures;
}
