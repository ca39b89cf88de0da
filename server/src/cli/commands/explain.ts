import { VERDICTS } from '../../core/lineage/verdict';
import { explainTransition } from '../../features/explain';
import { EXIT, Failure } from '../failure';
import { transitionJson } from '../json';
import { openLineage, requireUsable } from '../open';
import { textOrJson, versionPair } from '../options';
import { print, printJson } from '../print';
import type { Command } from '../program';
import { printable } from '../terminal';
import { verdictOption } from './simulate';

/** One transition in prose. */
export const explain: Command = {
  usage: 'explain FROM TO [--in PATH] [--format text|json] [--fail-on leaves|unsafe|refused]',
  summary: 'one transition in prose: what runs, what does not, what stays behind, what to do',
  options: { in: { type: 'string' }, format: { type: 'string' }, 'fail-on': { type: 'string' } },
  positionals: 3,
  async run(positionals, options) {
    const format = textOrJson(options.format);
    const failOn = verdictOption(options['fail-on']);
    // As every command, it takes PATH first; with two words the nearest manifest is meant.
    const path =
      positionals.length === 3 ? positionals[0] : typeof options.in === 'string' ? options.in : undefined;
    const [from, to] = positionals.slice(-2);
    if (positionals.length < 2 || from === undefined || to === undefined) {
      throw new Failure('name two versions, as in: klp-lineage explain v2 v1 ("none" is a clean kernel)');
    }
    const opened = await openLineage(path);
    requireUsable(opened);
    const { lineage, transitions } = opened.analysis;
    const { origin, target } = versionPair(lineage, from, to);
    const text = explainTransition(transitions, origin, target, opened.places);
    const transition = transitions.transition(origin, target);
    if (format === 'json') {
      printJson({ schema: 1, text, ...transitionJson(transition, transitions, opened.places) });
    } else print(printable(text));
    const word = transition.run.verdict.word;
    return failOn !== null && VERDICTS.indexOf(word) >= VERDICTS.indexOf(failOn) ? EXIT.findings : EXIT.fine;
  },
};
