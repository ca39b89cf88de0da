import { runbook as answerOf, runbookJson } from '../../features/runbook';
import { runbookMarkdown, runbookText } from '../../features/runbook-text';
import { EXIT, Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { required, versionPair } from '../options';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printable } from '../terminal';

/** The safest way from the installed version to the wanted one, for an operator. */
export const runbook: Command = {
  usage: 'runbook [PATH] --from v2 --to v1 [--format text|json|markdown]',
  summary: 'the safest way from one version to another as numbered commands with checks',
  options: { from: { type: 'string' }, to: { type: 'string' }, format: { type: 'string' } },
  positionals: 1,
  async run([path], options) {
    const format = options.format ?? 'text';
    if (format !== 'text' && format !== 'json' && format !== 'markdown')
      throw new Failure(`--format is text, json or markdown, not "${String(format)}"`);
    const from = required(options.from, '--from', 'the installed version, or "none"', runbook);
    const to = required(options.to, '--to', 'the wanted version', runbook);
    const opened = await openLineage(path);
    requireUsable(opened);
    const { lineage, transitions } = opened.analysis;
    const { origin, target } = versionPair(lineage, from, to);
    const answer = answerOf(transitions, origin, target, opened.places);
    if (format === 'json') {
      const json = runbookJson(answer, origin?.name ?? 'none', target.name);
      printJson(json);
    } else if (answer.ok) {
      print(printable(format === 'markdown' ? runbookMarkdown(answer.runbook) : runbookText(answer.runbook)));
    } else {
      const tried = answer.rejected.map((item) => `not ${item.path}: ${item.because}`);
      for (const line of [answer.reason, ...tried, ...answer.advice])
        process.stderr.write(`klp-lineage: ${printable(line)}\n`);
    }
    return answer.ok ? EXIT.fine : EXIT.findings;
  },
};
