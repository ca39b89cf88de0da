import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lines } from '../../server/src/core/kernel/log-lines';
import type { LogLine } from '../../server/src/core/kernel/types';
import { linuxSource } from '../support/linux-source';

/** Every message against the format strings in the kernel's sources, with its level. */

const source = await linuxSource();
if (source === null) console.warn('SKIPPED: log lines against the kernel sources');

/** Formats by level, their string pieces joined: `pr_warn("a %s\n", x)` gives "warn" and "a %s". */
function formats(text: string): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const match of text.matchAll(/pr_(debug|notice|info|warn|err)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g)) {
    const format = (match[2] ?? '').replace(/"\s*"/g, '').trim().slice(1, -1).replace(/\\n$/, '');
    found.set(format, match[1] === 'debug');
  }
  return found;
}

describe.skipIf(source === null)('log lines', async () => {
  const folder = join(source ?? '', 'kernel/livepatch');
  const known = new Map<string, boolean>();
  for (const file of source === null ? [] : ['core.c', 'transition.c', 'patch.c']) {
    for (const [format, debug] of formats(await readFile(join(folder, file), 'utf8')))
      known.set(format, debug);
  }
  const error = Number.NaN;
  const s = '%s';
  const all: Record<string, LogLine> = {
    enabling: lines.enabling(s),
    initializing: lines.initializing(s, 'patched'),
    'initializing the other way': lines.initializing(s, 'unpatched'),
    starting: lines.starting(s, 'patched'),
    completing: lines.completing(s, 'unpatched'),
    complete: lines.complete(s, 'patched'),
    canceling: lines.canceling(s),
    reversing: lines.reversing(s, 'patched'),
    'reversing the other way': lines.reversing(s, 'unpatched'),
    forcing: lines.forcing(),
    notMarked: lines.notMarked(s),
    notCompatible: lines.notCompatible(s),
    prePatchFailed: lines.prePatchFailed(s),
    patchFailed: lines.patchFailed(s),
    enableFailed: lines.enableFailed(s),
    symbolMissing: lines.symbolMissing(s),
    symbolAmbiguous: lines.symbolAmbiguous(s, s),
    positionMissing: lines.positionMissing(error, s, s),
    sizeMissing: lines.sizeMissing(s),
    newSizeMissing: lines.newSizeMissing(s),
    filterRefused: lines.filterRefused(s, error),
    ...Object.fromEntries(
      lines.noReliableStack().map((line, n) => [`no reliable stack, line ${n + 1}`, line]),
    ),
    locationMissing: lines.locationMissing(s),
    ftraceRefused: lines.ftraceRefused(s, error),
    vmlinuxModule: lines.vmlinuxModule(),
    initFailed: lines.initFailed(s, s, error),
    applying: lines.applying(s, s),
    applyFailed: lines.applyFailed(s, s, error),
    refusing: lines.refusing(s, s),
    reverting: lines.reverting(s, s),
  };
  for (const [name, line] of Object.entries(all)) {
    test(name, () => {
      expect(line.text.startsWith('livepatch: ')).toBe(true);
      const format = line.text
        .slice('livepatch: '.length)
        .replace(/reversing transition from .*$/, 'reversing transition from %s')
        .replace(/\b(?:un)?patching (transition|complete)$/, '%s $1')
        .replace('position NaN', 'position %lu')
        .replace('NaN', '%d');
      expect([...known.keys()]).toContain(format);
      expect(line.debug, 'pr_debug').toBe(known.get(format));
    });
  }
});
