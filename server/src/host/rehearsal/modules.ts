import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { appear, prune, rehearsalCache } from './cache-folder';
import { plainEnvironment, runCommand } from './command';
import { failureOf, RehearsalFailure } from './failure';
import { missingRehearsalTools, type RehearsalKernel } from './kernel-packages';
import { isModuleName, refusalsOf, type SourceText } from './source-checks';

/** A module to build: its name as lsmod shows it, and all the files it is made of. */
export interface ModuleSource {
  readonly name: string;
  readonly sources: readonly SourceText[];
  /** Macros for this module alone, as -D takes them. */
  readonly defines?: Readonly<Record<string, string>>;
}

export interface BuiltModules {
  /** Absolute path of the .ko by module name. */
  readonly files: ReadonlyMap<string, string>;
  /** What the compiler and modpost warned of; paths relative to the module's folder, after its name. */
  readonly warnings: readonly string[];
}

export interface BuildOptions {
  /** Builds with W=1. */
  readonly extraWarnings?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

const BUILD_MS = 10 * 60_000;
const KEPT_BUILDS = 60;
/** Part of the cache key: raise it when the way modules are built changes. */
const RECIPE = 3;

/**
 * Builds modules with kbuild in a temporary folder with a Kbuild of its own; no Makefile of anybody else runs. The same
 * sources for the same kernel are built once. Throws RehearsalFailure: refused sources, missing tools, compiler errors.
 */
export async function buildModules(
  kernel: RehearsalKernel,
  modules: readonly ModuleSource[],
  options: BuildOptions = {},
): Promise<BuiltModules> {
  check(modules);
  const missing = missingRehearsalTools(kernel.compiler);
  if (missing !== null) throw new RehearsalFailure('missing', missing);
  const root = join(rehearsalCache(), 'modules');
  const folder = join(root, keyOf(kernel, modules, options));
  try {
    if (existsSync(join(folder, 'warnings.json'))) {
      const now = new Date();
      await utimes(folder, now, now).catch(() => undefined);
    } else {
      await mkdir(root, { recursive: true });
      options.progress?.(`building ${modules.map((module) => module.name).join(', ')}`);
      await appear(folder, (temporary) => build(kernel, modules, options, temporary));
      await prune(root, KEPT_BUILDS);
    }
    const warnings: unknown = JSON.parse(await readFile(join(folder, 'warnings.json'), 'utf8'));
    return {
      files: new Map(modules.map(({ name }) => [name, join(folder, `${name}.ko`)])),
      warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    };
  } catch (error) {
    throw failureOf(error, root);
  }
}

function check(modules: readonly ModuleSource[]): void {
  const seen = new Set<string>();
  for (const { name, sources, defines = {} } of modules) {
    if (!isModuleName(name)) throw new RehearsalFailure('refused', `"${name}" is not the name of a module`);
    if (seen.has(name)) throw new RehearsalFailure('refused', `two modules are called ${name}`);
    seen.add(name);
    if (!sources.some(({ file }) => file.endsWith('.c')))
      throw new RehearsalFailure('refused', `${name} has no .c file to build`);
    const [refusal] = refusalsOf(sources);
    if (refusal)
      throw new RehearsalFailure(
        'refused',
        `${name}: ${refusal.file}:${refusal.line} ${refusal.message}; it is not built`,
      );
    for (const [macro, value] of Object.entries(defines)) {
      if (!/^[A-Za-z_]\w*$/.test(macro) || !/^[\w.+-]*$/.test(value))
        throw new RehearsalFailure('refused', `${name}: ${macro}=${value} cannot be given to the compiler`);
    }
  }
}

function keyOf(kernel: RehearsalKernel, modules: readonly ModuleSource[], options: BuildOptions): string {
  const parts = [RECIPE, kernel.release, kernel.headers, options.extraWarnings === true, modules];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

async function build(
  kernel: RehearsalKernel,
  modules: readonly ModuleSource[],
  options: BuildOptions,
  result: string,
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'klp-build-'));
  try {
    for (const module of modules) await layOut(work, module);
    await writeFile(join(work, 'Kbuild'), `obj-m := ${modules.map(({ name }) => `${name}/`).join(' ')}\n`);
    const args = [
      '-C',
      kernel.headers,
      `M=${work}`,
      `-j${Math.min(availableParallelism(), 8)}`,
      '--no-print-directory',
      // Debug information is stripped anyway; without it a build takes half the time.
      'CONFIG_DEBUG_INFO=',
      'CONFIG_DEBUG_INFO_BTF_MODULES=',
      ...(options.extraWarnings === true ? ['W=1'] : []),
      'modules',
    ];
    // The compiler's own temporary files go with the folder, also when it is interrupted.
    const env = { ...plainEnvironment(), TMPDIR: work };
    const made = await runCommand('make', args, { env, timeout: BUILD_MS, signal: options.signal });
    const output = made.output.replaceAll(`${work}/`, '').split('\n');
    if (made.status !== 0) throw buildFailure(made.timedOut, output, work);
    for (const { name } of modules) {
      const file = join(result, `${name}.ko`);
      await copyFile(join(work, name, `${name}.ko`), file);
      const stripped = await runCommand('strip', ['--strip-debug', file], { timeout: 60_000 });
      if (stripped.status !== 0)
        throw new RehearsalFailure('build', `strip failed for ${name}.ko`, stripped.output.split('\n'));
    }
    await writeFile(join(result, 'warnings.json'), `${JSON.stringify(warningsOf(output))}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A module's files below a folder of their own, so that a source may be called like its module. */
async function layOut(work: string, module: ModuleSource): Promise<void> {
  const folder = join(work, module.name);
  const objects: string[] = [];
  for (const { file, text } of module.sources) {
    const path = join(folder, 'src', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (file.endsWith('.c')) objects.push(`src/${file.slice(0, -2)}.o`);
  }
  const included = includedSources(module.sources);
  const linked = objects.filter((object) => !included.has(`${object.slice('src/'.length, -2)}.c`));
  const flags = Object.entries(module.defines ?? {}).map(([macro, value]) => `-D${macro}=${value}`);
  await writeFile(
    join(folder, 'Kbuild'),
    `obj-m := ${module.name}.o\n${module.name}-y := ${linked.join(' ')}\n${flags.length > 0 ? `ccflags-y := ${flags.join(' ')}\n` : ''}`,
  );
}

/** .c files that another source includes: they are no objects of their own. */
function includedSources(sources: readonly SourceText[]): Set<string> {
  const included = new Set<string>();
  for (const { file, text } of sources) {
    for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"\n]+\.c)"/gm)) {
      included.add(join(dirname(file), match[1] ?? ''));
    }
  }
  return included;
}

function buildFailure(timedOut: boolean, output: readonly string[], work: string): RehearsalFailure {
  if (timedOut) return new RehearsalFailure('build', 'the build took longer than ten minutes and was ended');
  if (output.some((line) => line.includes('No space left on device')))
    return new RehearsalFailure('disk', `no space left for ${work}: free some and try again`);
  const errors = output.filter((line) => /\berror:|^ERROR:|fatal error:/i.test(line)).map(relativeLine);
  const first = errors[0] ?? output.find((line) => line.startsWith('make')) ?? 'make failed';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new RehearsalFailure('build', `the modules do not build: ${first}${more}`, output.map(relativeLine));
}

function warningsOf(output: readonly string[]): string[] {
  return output
    .filter((line) => /\bwarning:|^WARNING:/i.test(line))
    .filter((line) => !/the compiler differs from the one used to build the kernel/.test(line))
    .map(relativeLine);
}

/** "v1/src/main.c:3:1: …" as "v1/main.c:3:1: …". */
function relativeLine(line: string): string {
  return line.replace(/\b([A-Za-z0-9_]+)\/src\//g, (_, name: string) => `${basename(name)}/`);
}
