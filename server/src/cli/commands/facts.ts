import { relative, resolve, sep } from 'node:path';
import type { LivepatchFacts, PatchFacts } from '../../core/execution/fact-types';
import { Places } from '../../core/places';
import { factsOfFile } from '../../host/facts-of-file';
import { Disk } from '../../host/files';
import { startParser } from '../../host/start-parser';
import { Failure } from '../failure';
import { textOrJson } from '../options';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printableLine } from '../terminal';

/** What the C says, without a manifest. */
export const facts: Command = {
  usage: 'facts FILE… [--format text|json]',
  summary: 'what the C of livepatch modules, or a diff, says, without a manifest',
  options: { format: { type: 'string' } },
  positionals: 1_000,
  async run(files, options) {
    const format = textOrJson(options.format);
    if (files.length === 0) throw new Failure('name at least one C file or diff');
    await startParser();
    const disk = new Disk();
    const livepatches: object[] = [];
    for (const file of files) {
      const path = resolve(file);
      const text = disk.read(path);
      if (typeof text !== 'string') throw new Failure(`${file}: ${text.reason}`);
      const found = factsOfFile(path, disk);
      if (found.unreadable !== null) throw new Failure(`${file}: ${found.unreadable}`);
      const name = (it: string): string => relative(process.cwd(), it).split(sep).join('/');
      const places = new Places(name, (it) => {
        const read = disk.read(it);
        return typeof read === 'string' ? read : '';
      });
      for (const patch of found.facts.patches) livepatches.push(patchJson(file, found, patch, places));
      if (format === 'text') {
        print(factsText(file, found.facts, places));
        for (const { message, place } of found.problems)
          print(`${printableLine(`  line ${places.line(place)}: ${message}`)}\n`);
      }
    }
    if (format === 'json') printJson({ schema: 1, livepatches });
    return 0;
  },
};

function patchJson(
  file: string,
  { facts, dialect }: { readonly facts: LivepatchFacts; readonly dialect: string },
  patch: PatchFacts,
  places: Places,
): object {
  return {
    file,
    dialect,
    replace: patch.replace,
    objects: (patch.objects ?? []).map((object) => ({
      name: object.name,
      functions: (object.functions ?? []).map(({ old, new: replacement, sympos }) => ({
        old,
        new: replacement,
        sympos,
      })),
      callbacks: Object.fromEntries(
        object.callbacks.map((callback) => [
          callback.callback,
          { function: callback.function, line: places.line(callback.definition ?? callback.place) },
        ]),
      ),
    })),
    states: patch.states.map(({ id, version }) => ({ id, version })),
    shadow: facts.shadow.map((use) => ({
      id: numberOrName(use.id),
      api: use.api,
      function: use.function,
      line: places.line(use.place),
    })),
    init: facts.init?.name ?? null,
    exit: facts.exit?.name ?? null,
    complete: facts.complete && patch.complete,
  };
}

/** Ids that are known are numbers, as those of states are; the others keep their name. */
function numberOrName(id: string): number | string {
  return /^(?:0x[0-9a-f]+|\d+)$/i.test(id) && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

function factsText(file: string, facts: LivepatchFacts, places: Places): string {
  if (facts.patches.length === 0) return `${printableLine(file)}: no livepatch (no struct klp_patch)\n`;
  const lines: string[] = [];
  for (const patch of facts.patches) {
    const replace = patch.replace === null ? 'decided at load time' : patch.replace ? 'yes' : 'no';
    lines.push(`${file}:${places.line(patch.place)}: livepatch "${patch.variable}", replace: ${replace}`);
    for (const object of patch.objects ?? []) {
      lines.push(`  object ${object.name ?? 'vmlinux'}`);
      for (const fn of object.functions ?? []) {
        lines.push(`    function ${fn.old} -> ${fn.new}${fn.sympos === 0 ? '' : ` (sympos ${fn.sympos})`}`);
      }
      for (const callback of object.callbacks) {
        lines.push(
          `    ${callback.callback} = ${callback.function} (line ${places.line(callback.definition ?? callback.place)})`,
        );
      }
    }
    for (const state of patch.states) lines.push(`  state ${state.id} version ${state.version ?? 'unknown'}`);
  }
  for (const use of facts.shadow)
    lines.push(`  shadow ${use.id}: ${use.api} in ${use.function} (line ${places.line(use.place)})`);
  lines.push(`  init ${facts.init?.name ?? 'none'}, exit ${facts.exit?.name ?? 'none'}`);
  if (!facts.complete) lines.push('  parts of it could not be read or evaluated');
  return `${lines.map(printableLine).join('\n')}\n`;
}
