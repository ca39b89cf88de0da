import { relative, resolve } from 'node:path';
import { applyChanges } from '../core/scaffold/merge';
import type { GeneratedVersion } from '../core/scaffold/subject';
import { Disk, isInside } from '../host/files';
import { rootOf } from '../host/locate';
import { EXIT, Failure } from './failure';
import type { Opened } from './open';
import { print } from './print';
import { printable, printableLine } from './terminal';
import { writeNewFiles } from './written-files';

/** The folder that `--out` names; null where it is left out. Throws a Failure where it leaves the manifest's root. */
export function outFolder(option: string | boolean | undefined, { manifest }: Opened): string | null {
  if (typeof option !== 'string') return null;
  const root = rootOf(manifest);
  const folder = resolve(option);
  if (!isInside(new Disk(), root, folder)) {
    throw new Failure(`--out ${option} lies outside ${root}: sources may not leave that folder`);
  }
  return folder;
}

/**
 * Writes a generated version and adds it to the manifest, or prints it (`dry`); where there is none, says why. Returns
 * the exit code; throws a Failure where something cannot be written.
 */
export function giveOut(
  { manifest, analysis }: Opened,
  answer: GeneratedVersion | { readonly ok: false; readonly reasons: readonly string[] },
  as: string,
  dry: boolean,
): number {
  if (!answer.ok) {
    for (const reason of answer.reasons) process.stderr.write(`klp-lineage: ${printableLine(reason)}\n`);
    return EXIT.findings;
  }
  const shown = (file: string): string => printable(relative(process.cwd(), file));
  const before = analysis.text(manifest);
  const after = applyChanges(before, answer.manifestEdits);
  if (dry) {
    for (const file of answer.files) print(`--- ${shown(file.path)}\n${lines(file.text)}`);
    print(`--- ${shown(manifest)}\n`);
    for (const edit of answer.manifestEdits) print(lines(edit.text));
  } else {
    writeNewFiles(rootOf(manifest), answer.files, { path: manifest, before, after });
    for (const file of answer.files) print(`wrote ${shown(file.path)}\n`);
    print(`added ${printable(as)} to ${shown(manifest)}\n`);
  }
  for (const note of answer.notes) print(`note: ${printableLine(note)}\n`);
  return EXIT.fine;
}

/** The text for a terminal, ending with a line end. */
function lines(text: string): string {
  const safe = text.replaceAll('\r\n', '\n').split('\n').map(printable).join('\n');
  return safe.endsWith('\n') ? safe : `${safe}\n`;
}
