import { dirname, isAbsolute } from 'node:path';
import { readBlobName, workTreePath } from '../core/blob-names';
import type { KernelConfig } from '../core/csource/kernel-config';
import { ParserMissing } from '../core/csource/tree';
import type { Unit } from '../core/csource/unit';
import { CAPABILITIES } from '../core/kernel/capabilities';
import { AssemblyMemo, assemble, factsOf, type OpenedSources } from '../core/lineage/assemble';
import { type Lineage, type LineageVersion, withVersions } from '../core/lineage/lineage';
import { Transitions } from '../core/lineage/transitions';
import type { Located, ManifestVersion } from '../core/manifest/manifest';
import type { RuleSeverity } from '../core/manifest/names';
import { type ParsedManifest, parseManifest } from '../core/manifest/parse';
import type { Problem } from '../core/manifest/problem';
import type { Analysis } from '../features/analysis';
import type { RuleContext } from '../rules/context';
import { checkAll, faultText } from '../rules/engine';
import { RULES } from '../rules/registry';
import type { Finding } from '../rules/rule';
import { ConfigFile } from './config-file';
import type { Files } from './files';
import { RevisionFiles, Revisions } from './git/revisions';
import { DiskKernelTree } from './kernel-tree';
import { type ResolvedModule, resolveManifest, unreadProblems } from './resolve-manifest';
import { type Folders, type Ground, type ReadSources, Units } from './units';

export type { Analysis } from '../features/analysis';

/** What `analyse` had to do again, for tests and the benchmark. */
export interface Work {
  manifests: number;
  resolutions: number;
  assemblies: number;
  checks: number;
}

/**
 * One lineage with its files. Every level is kept while what it was made from is the same: manifest text, source
 * texts, units, lineage, runs, findings.
 */
export class Project {
  readonly manifest: string;
  readonly root: string;
  readonly work: Work = { manifests: 0, resolutions: 0, assemblies: 0, checks: 0 };
  readonly #folders: Folders;
  readonly #files: Files;
  readonly #revisions: Revisions;
  readonly #units: Units;
  readonly #config: ConfigFile;
  readonly #memo = new AssemblyMemo();
  #parsed: { readonly stamp: string; readonly text: string; readonly parsed: ParsedManifest } | null = null;
  #resolved: ReadonlyMap<string, ResolvedModule> | null = null;
  /** Of what the manifest names besides sources. */
  #besides: readonly Problem[] = [];
  /** Of modules that broke this program's reading. */
  #faults: Problem[] = [];
  #lineage: {
    readonly lineage: Lineage;
    readonly inputs: readonly unknown[];
    /** What it was made from: while all of this is the same, nothing is put together again. */
    readonly parsed: ParsedManifest;
    readonly resolved: ReadonlyMap<string, ResolvedModule>;
    readonly config: KernelConfig | undefined;
    readonly sources: readonly ReadSources[];
  } | null = null;
  /** The files that take part in the lineage; made when first asked for. */
  #involved: ReadonlySet<string> | null = null;
  #transitions: Transitions | null = null;
  #severities: ReadonlyMap<string, RuleSeverity> = new Map();
  #findings: {
    readonly severities: ReadonlyMap<string, RuleSeverity>;
    readonly lineage: Lineage;
    readonly problems: readonly Problem[];
    readonly list: readonly Finding[];
  } | null = null;
  #answer: Analysis | null = null;
  /** What was said of the sources then, and which ones they were. */
  #said = '';
  #told: Analysis | null = null;
  /** Revisions by the files that were read from them; made when first asked for. */
  #named: Map<string, string> | null = null;

  /** `root` is the folder that sources may not leave; `units` is shared by the lineages of one editor. */
  constructor(manifest: string, root: string, files: Files, units?: Units) {
    this.manifest = manifest;
    this.root = root;
    this.#folders = { root, home: dirname(manifest) };
    this.#revisions = files.revisions ?? new Revisions(true);
    this.#files = files.revisions ? files : new RevisionFiles(files, this.#revisions);
    this.#units = units ?? new Units(this.#files);
    this.#config = new ConfigFile(manifest, root, this.#files);
  }

  /** The lineage as it is now. Cheap when nothing changed. Throws `ParserMissing`. */
  analyse(): Analysis {
    const { parsed } = this.#readManifest();
    const resolved = this.#resolve(parsed);
    const lineage = this.#assemble(parsed, resolved);
    const problems = this.#sourceProblems(resolved);
    const files = [...resolved.values()].flatMap((it) => it.files);
    const said = [...problems.map((it) => it.message), ...files].join('\n');
    if (this.#answer?.lineage === lineage && this.#answer.parsed === parsed && this.#said === said)
      return this.#answer;
    this.#said = said;
    this.#answer = this.#analysisOf(parsed, lineage, resolved, problems);
    return this.#answer;
  }

  /** The severities that the person wants; what the manifest says of a rule goes before it. */
  useSeverities(severities: ReadonlyMap<string, RuleSeverity>): void {
    this.#severities = severities;
  }

  /** Whether this file's text is part of the lineage. */
  involves(path: string): boolean {
    if (path === this.manifest) return true;
    // A request may come before the first analysis.
    if (!this.#lineage) this.analyse();
    const { versions = [], targets = [] } = this.#lineage?.lineage ?? {};
    this.#involved ??= new Set([
      ...[...(this.#resolved?.values() ?? [])].flatMap((it) => it.files),
      ...[...versions, ...targets].flatMap(
        ({ program }) => program?.units.flatMap((unit) => unit.files) ?? [],
      ),
    ]);
    return path === this.#config.path || this.#involved.has(path);
  }

  /** Whether the lineage has changed since this was last asked. */
  changedSinceLastAsked(): boolean {
    const changed = this.#answer !== this.#told;
    this.#told = this.#answer;
    return changed;
  }

  /** Files may have come or gone: globs are looked at again. */
  filesChanged(): void {
    this.#resolved = null;
    this.#units.filesChanged();
  }

  #readManifest(): { text: string; parsed: ParsedManifest } {
    const stamp = this.#files.stamp(this.manifest);
    if (this.#parsed?.stamp === stamp) return this.#parsed;
    this.work.manifests++;
    const read = this.#files.read(this.manifest);
    const text = typeof read === 'string' ? read : '';
    const parsed = parseManifest(this.manifest, text, {
      ruleCodes: RULES.map((rule) => rule.code),
      capabilities: [...CAPABILITIES],
    });
    this.#parsed = { stamp, text, parsed };
    this.#resolved = null;
    return this.#parsed;
  }

  #resolve({ manifest }: ParsedManifest): ReadonlyMap<string, ResolvedModule> {
    if (this.#resolved) return this.#resolved;
    this.work.resolutions++;
    const { modules, problems } = resolveManifest(
      this.#files,
      this.#revisions,
      { path: this.manifest, root: this.root },
      manifest,
    );
    this.#besides = problems;
    this.#resolved = modules;
    return modules;
  }

  #assemble(parsed: ParsedManifest, resolved: ReadonlyMap<string, ResolvedModule>): Lineage {
    const ground = this.#groundOf(parsed);
    const { config } = ground;
    const kept = this.#lineage;
    if (
      kept?.parsed === parsed &&
      kept.resolved === resolved &&
      kept.config === config &&
      kept.sources.every((it) => it.isCurrent())
    )
      return kept.lineage;
    const opened = new Map<string, OpenedSources>();
    const inputs: unknown[] = [parsed];
    const sources: ReadSources[] = [];
    this.#faults = [];
    this.#involved = null;
    const open = (module: string, version: ManifestVersion | null): void => {
      const { files, unread, built, tree: revision } = resolved.get(module) ?? { files: [], unread: [] };
      const tree = (): DiskKernelTree | undefined =>
        DiskKernelTree.of(parsed.manifest.kernel, this.manifest, this.root, this.#files);
      const read = this.#guarded(module, version, () =>
        built !== undefined && version?.built
          ? this.#openBuilt(module, built, version.built, ground.release)
          : this.#units.of(module, files, ground, version, tree, revision),
      );
      const { units } = read;
      sources.push(read);
      opened.set(module, { ...read, unread });
      inputs.push(
        ...units,
        ...read.problems.map(({ message, place: { file, start } }) => `${file}:${start} ${message}`),
      );
    };
    for (const version of parsed.manifest.versions) open(version.module.value, version);
    for (const target of parsed.manifest.targets) open(target.module.value, null);
    inputs.push(...this.#faults.map((it) => it.message));
    const from = { parsed, resolved, config, sources };
    if (kept?.inputs.length === inputs.length && kept.inputs.every((input, i) => input === inputs[i])) {
      this.#lineage = { ...kept, ...from };
      return kept.lineage;
    }
    this.work.assemblies++;
    this.#named = null;
    const lineage = assemble(
      parsed.manifest,
      ({ module }) => opened.get(module) ?? { units: [], unread: [] },
      this.#memo,
    );
    this.#lineage = { lineage, inputs, ...from };
    if (this.#transitions) this.#transitions.use(lineage);
    else this.#transitions = new Transitions(lineage);
    return lineage;
  }

  #groundOf({ manifest: { kernel } }: ParsedManifest): Ground {
    return {
      ...this.#folders,
      release: kernel.release?.value ?? '',
      arch: kernel.arch?.value,
      config: this.#config.read(kernel.config),
    };
  }

  /** What breaks this program's reading is left out and said where the manifest names it; the rest goes on. */
  #guarded(module: string, version: ManifestVersion | null, open: () => ReadSources): ReadSources {
    try {
      const read = open();
      if (read.units.length > 0) factsOf(module, read.units, this.#memo);
      return read;
    } catch (error) {
      if (error instanceof ParserMissing) throw error;
      const place = version?.sources[0]?.place ?? version?.place ?? { start: 0, end: 0 };
      this.#faults.push({
        severity: 'error',
        message: faultText(`${module} could not be read`, error),
        place,
      });
      return { dialect: 'module', units: [], problems: [], isCurrent: () => false };
    }
  }

  #openBuilt(module: string, path: string, { value, place }: Located<string>, release: string): ReadSources {
    const shown = { file: this.manifest, ...place };
    const read = this.#units.ofBuilt(module, path, shown, this.#folders, release);
    if (!('problem' in read)) return read;
    const message = `${value} cannot be read: ${read.problem}`;
    const problems = [{ message, place: shown }];
    return { dialect: 'module', units: [], problems, isCurrent: () => false };
  }

  /** What stands in the way of reading what the manifest names. */
  #sourceProblems(resolved: ReadonlyMap<string, ResolvedModule>): readonly Problem[] {
    return [
      ...this.#config.problems,
      ...new Set([...resolved.values()].flatMap((it) => it.problems)),
      ...this.#besides,
      ...this.#faults,
    ];
  }

  #analysisOf(
    parsed: ParsedManifest,
    lineage: Lineage,
    resolved: ReadonlyMap<string, ResolvedModule>,
    sourceProblems: readonly Problem[],
  ): Analysis {
    const transitions = this.#transitions ?? new Transitions(lineage);
    const unitsOf = (version: LineageVersion): readonly Unit[] => version.program?.units ?? [];
    const problemsOf = (of: Lineage): readonly Problem[] => [...sourceProblems, ...unreadProblems(of)];
    return {
      manifestFile: this.manifest,
      parsed,
      lineage,
      transitions,
      findings: () => this.#check(parsed, lineage, transitions, problemsOf(lineage)),
      findingsAmong: (versions) => {
        const part = withVersions(lineage, versions);
        const shorter = { ...parsed, manifest: part.manifest };
        return checkAll(this.#contextOf(shorter, part, new Transitions(part), problemsOf(part)));
      },
      text: (file) => this.#text(file),
      unitsOf,
      filesOf: (version) => [
        ...new Set([
          ...(resolved.get(version.module)?.files ?? []),
          ...unitsOf(version)
            .flatMap((unit) => unit.files)
            // Texts that a dialect made for reading are no files.
            .filter((file) => isAbsolute(workTreePath(file))),
        ]),
      ],
      kernelTree: () => DiskKernelTree.of(parsed.manifest.kernel, this.manifest, this.root, this.#files),
      revisionOf: (file) => this.revisionOf(file),
      exists: (path) => this.#files.real(path) !== null,
    };
  }

  /** The oldest version that has the file says what it is called. */
  revisionOf(file: string): string | undefined {
    if (!readBlobName(file) || !this.#resolved) return undefined;
    if (!this.#named) {
      this.#named = new Map();
      for (const { entry, module, program } of this.#lineage?.lineage.versions ?? []) {
        if (!entry.git) continue;
        const units = (program?.units ?? []).flatMap((unit) => unit.files);
        for (const name of [...(this.#resolved.get(module)?.files ?? []), ...units])
          if (!this.#named.has(name)) this.#named.set(name, entry.git.revision.value);
      }
    }
    return this.#named.get(file);
  }

  #check(
    parsed: ParsedManifest,
    lineage: Lineage,
    transitions: Transitions,
    sourceProblems: readonly Problem[],
  ): readonly Finding[] {
    const kept = this.#findings;
    const severities = this.#severities;
    const same =
      kept?.severities === severities &&
      kept.problems.length === sourceProblems.length &&
      kept.problems.every((it, i) => it.message === sourceProblems[i]?.message);
    if (same && kept.lineage === lineage) return kept.list;
    this.work.checks++;
    transitions.overruns.begin();
    const list = checkAll(this.#contextOf(parsed, lineage, transitions, sourceProblems));
    this.#findings = { severities, lineage, problems: sourceProblems, list };
    return list;
  }

  #contextOf(
    parsed: ParsedManifest,
    lineage: Lineage,
    transitions: Transitions,
    sourceProblems: readonly Problem[],
  ): RuleContext {
    const severities = this.#severities;
    return {
      manifestFile: this.manifest,
      parsed,
      sourceProblems,
      lineage,
      transitions: transitions.withoutStalls(),
      severity: (code, standard) => {
        const set = parsed.manifest.rules.get(code)?.value ?? severities.get(code);
        return set === undefined ? standard : set === 'off' ? null : set;
      },
      text: (file) => this.#text(file),
      unitsOf: (version) => version.program?.units ?? [],
      manifestPlace: (span) => ({ file: this.manifest, ...span }),
    };
  }

  #text(file: string): string {
    if (file === this.manifest) return this.#parsed?.text ?? '';
    const made = this.#units.made(file);
    if (made !== undefined) return made;
    const read = this.#files.read(file);
    return typeof read === 'string' ? read : '';
  }
}
