import { basename, dirname } from 'node:path';
import { unreadable } from '../core/csource/build-unit';
import type { ReadingProblem } from '../core/csource/dialects/dialect';
import type { LivepatchFacts } from '../core/execution/fact-types';
import { livepatchFacts } from '../core/execution/facts';
import type { Files } from './files';
import { rootOf } from './locate';
import { Units } from './units';

/** Facts of one C file by itself, without a manifest: the module is named after the file. */
export function factsOfFile(
  path: string,
  files: Files,
): {
  readonly facts: LivepatchFacts;
  readonly dialect: string;
  readonly problems: readonly ReadingProblem[];
  readonly unreadable: string | null;
} {
  const units = new Units(files);
  const name = basename(path)
    .replace(/\.[^.]*$/, '')
    .replaceAll('-', '_');
  const folders = { root: rootOf(dirname(path)), home: dirname(path) };
  if (/\.ko(?:\.gz)?$/.test(path)) {
    const built = units.ofBuilt(name, path, { file: path, start: 0, end: 0 }, folders, '');
    const read = 'problem' in built ? { dialect: 'module', units: [] } : built;
    const facts = livepatchFacts({ name, units: read.units });
    units.dispose();
    const why = 'problem' in built ? built.problem : null;
    return { facts, dialect: read.dialect, problems: [], unreadable: why };
  }
  const read = units.of(name, [path], { ...folders, release: '' }, null);
  const facts = livepatchFacts({ name, units: read.units });
  units.dispose();
  const text = files.read(path);
  const because = typeof text === 'string' ? unreadable(text) : 'missing';
  const unread =
    because !== null ? `it is ${because}` : read.units.length === 0 ? 'it is not a .c file' : null;
  return { facts, dialect: read.dialect, problems: read.problems, unreadable: unread };
}
