import { pathToFileURL } from 'node:url';
import { layout } from '../../../../client/webview/layout';
import { sceneToHtml, sceneToSvg } from '../../../../client/webview/svg';
import { workTreePath } from '../../core/blob-names';
import { panelModel } from '../../features/panel';
import type { PanelModel } from '../../features/panel-model';
import { panelTransition } from '../../features/panel-transition';
import { Failure } from '../failure';
import { openLineage, requireUsable } from '../open';
import { print } from '../print';
import type { Command } from '../program';
import { writePicture } from '../written-files';

/** The version stack and one transition as a picture, drawn by the panel's own layout. */
export const graph: Command = {
  usage: 'graph [PATH] [--format svg|html] -o FILE [--from VERSION --to VERSION]',
  summary: 'the version stack and its transitions as a picture',
  options: {
    format: { type: 'string' },
    output: { type: 'string', short: 'o' },
    from: { type: 'string' },
    to: { type: 'string' },
  },
  positionals: 1,
  async run([path], options) {
    const output = options.output;
    if (typeof output !== 'string' || output === '')
      throw new Failure('-o FILE is missing: where the picture goes ("-" is standard output)');
    const format = options.format ?? (output.endsWith('.html') ? 'html' : 'svg');
    if (format !== 'svg' && format !== 'html')
      throw new Failure(`--format is svg or html, not "${String(format)}"`);
    const opened = await openLineage(path);
    requireUsable(opened);
    const toUri = (file: string): string => pathToFileURL(workTreePath(file)).toString();
    const model = panelModel(opened.analysis, toUri);
    const pair = pairOf(model, options.from, options.to);
    const transition = pair ? panelTransition(opened.analysis, pair.from, pair.to, toUri) : null;
    if (pair && !transition)
      throw new Failure(`--from ${pair.from} --to ${pair.to}: no such pair of versions`);
    const scene = layout(model, transition, { width: 1280 });
    const text = format === 'svg' ? sceneToSvg(scene) : sceneToHtml(scene);
    if (output === '-') print(text);
    else writePicture(output, text);
    return 0;
  },
};

/** The pair that is asked for, or the worst one: that is the one people want to see. */
function pairOf(
  model: PanelModel,
  from: string | boolean | undefined,
  to: string | boolean | undefined,
): { readonly from: string; readonly to: string } | null {
  if (typeof to === 'string') return { from: typeof from === 'string' ? from : 'none', to };
  const order = ['unsafe', 'leaves', 'refused', 'clean'];
  const [worst] = [...model.matrix].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return worst ?? null;
}
