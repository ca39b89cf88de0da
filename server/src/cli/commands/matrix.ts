import { isNoLivepatch } from '../../core/lineage/lineage';
import { because } from '../../core/lineage/transitions';
import { VERDICTS } from '../../core/lineage/verdict';
import { searchNotices } from '../../features/search-notices';
import { EXIT } from '../failure';
import { transitionJson } from '../json';
import { openLineage, requireUsable } from '../open';
import { textOrJson } from '../options';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printableLine, styleFor } from '../terminal';
import { verdictOption } from './simulate';

const MARK = { clean: '✓', leaves: '◐', unsafe: '✕', refused: '⊘' } as const;

/** The verdict of every ordered pair of versions, and of each from a clean kernel. */
export const matrix: Command = {
  usage: 'matrix [PATH] [--format text|json] [--fail-on leaves|unsafe|refused]',
  summary: 'the verdict of every transition between two versions, and from a clean kernel',
  options: { format: { type: 'string' }, 'fail-on': { type: 'string' } },
  positionals: 1,
  async run([path], options) {
    const format = textOrJson(options.format);
    const failOn = verdictOption(options['fail-on']);
    const opened = await openLineage(path);
    requireUsable(opened);
    const { lineage, transitions } = opened.analysis;
    const all = transitions.all();
    if (format === 'json') {
      const verdicts = all.map((transition) => transitionJson(transition, transitions, opened.places));
      const versions = lineage.versions.map((version) => version.name);
      const { states } = transitions.search();
      const { exhausted } = transitions;
      printJson({ schema: 1, versions, verdicts, search: { states, exhausted } });
    } else {
      const style = styleFor(process.stdout.isTTY === true && !process.env.NO_COLOR);
      const names = lineage.versions.map((version) => printableLine(version.name));
      const width = Math.max(4, ...names.map((name) => name.length)) + 2;
      print(
        `${style.dim('from \\ to'.padEnd(width + 4))}${names.map((name) => name.padEnd(width + 8)).join('')}\n`,
      );
      for (const from of [null, ...lineage.versions]) {
        let line = printableLine(from?.name ?? 'none').padEnd(width + 4);
        for (const to of lineage.versions) {
          const transition = all.find((item) => item.from === from && item.to === to);
          const word = transition?.run.verdict.word;
          const may = transition?.run.verdict.certainty === 'may' ? '?' : '';
          line += (word ? `${MARK[word]} ${word}${may}` : '').padEnd(width + 8);
        }
        print(`${line.trimEnd()}\n`);
      }
      for (const transition of all) {
        const { verdict } = transition.run;
        if (verdict.word === 'clean') continue;
        print(
          `${printableLine(`${transition.from?.name ?? 'none'} -> ${transition.to.name}: ${because(transition)}`)}\n`,
        );
      }
      for (const version of lineage.versions) {
        if (!isNoLivepatch(version)) continue;
        print(
          `${printableLine(version.name)}: no livepatch was found in its sources; its verdicts are those of a module that patches nothing\n`,
        );
      }
      for (const notice of searchNotices(opened.analysis)) print(`${notice}\n`);
    }
    const bad =
      failOn !== null && all.some((it) => VERDICTS.indexOf(it.run.verdict.word) >= VERDICTS.indexOf(failOn));
    return bad ? EXIT.findings : EXIT.fine;
  },
};
