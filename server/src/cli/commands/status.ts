import { resolve } from 'node:path';
import { type InstalledAnswer, installedAnswer } from '../../features/installed';
import { readInstalled } from '../../host/installed';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { textOrJson } from '../options';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printableLine } from '../terminal';

/** What is installed on this machine, matched with the lineage, and which verdicts matter now. */
export const status: Command = {
  usage: 'status [PATH] [--format text|json] [--root DIR]',
  summary:
    'what is installed on this machine, matched with the lineage (--root: a folder with its sys and proc)',
  options: { format: { type: 'string' }, root: { type: 'string' } },
  positionals: 1,
  async run([path], options) {
    const format = textOrJson(options.format);
    const opened = await openLineage(path);
    requireUsable(opened);
    const installed = readInstalled(resolve(typeof options.root === 'string' ? options.root : '/'));
    if ('problem' in installed) throw new Failure(installed.problem);
    const { lineage, transitions } = opened.analysis;
    const answer = installedAnswer(lineage, transitions, installed);
    if (format === 'json') printJson({ schema: 1, ...answer });
    else print(text(lineage.name, answer));
    return EXIT.fine;
  },
};

function text(lineage: string, answer: InstalledAnswer): string {
  // Whatever a lineage is called, no line begins as a finding does.
  const lines = [`lineage ${lineage} on ${answer.release || 'this machine'}`];
  if (answer.livepatches.length === 0) lines.push('  no livepatch is installed');
  for (const it of answer.livepatches) {
    const words = [
      it.version ?? 'not of this lineage',
      it.transition ? (it.enabled ? 'being enabled' : 'being disabled') : it.enabled ? 'enabled' : 'disabled',
      ...(it.replace === null ? [] : [it.replace ? 'replaces all others' : 'replaces nothing']),
    ];
    lines.push(`  ${it.name}: ${words.join(', ')}`);
    for (const object of it.objects)
      lines.push(
        `    ${object.name}${object.patched === null ? '' : object.patched ? ', patched' : ', not patched'}`,
      );
  }
  for (const it of answer.leftInMemory) {
    const references = it.references === 0 ? 'rmmod can remove it' : `${it.references} references hold it`;
    lines.push(`  ${it.module}: ${it.version}, in memory and not in use, ${references}`);
  }
  if (answer.verdicts.length > 0) {
    lines.push(`from ${answer.current ?? 'here (nothing installed)'}:`);
    for (const { to, verdict, certainty, because } of answer.verdicts)
      lines.push(`  to ${to}: ${verdict}${certainty === 'may' ? ' (may)' : ''}, ${because}`);
  }
  lines.push(...answer.notes.map((note) => `note: ${note}`));
  return `${lines.map(printableLine).join('\n')}\n`;
}
