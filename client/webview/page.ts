/** The page as a whole: what it shows, what it remembers, what it asks the extension for. */
import type {
  PanelModel,
  PanelRequest,
  PanelTransition,
  PanelUpdate,
  PictureFormat,
} from '../../server/src/features/panel-model';
import { button, element, put, putText } from './dom';
import { MatrixView } from './matrix-view';
import { type PageState, readPageState } from './page-state';
import { pngPicture, svgPicture } from './picture';
import { shown } from './shown-text';
import type { Pair } from './stack-layout';
import { StackView } from './stack-view';
import { TransitionView } from './transition-view';
import { summary } from './words';

/** The extension, as the page sees it. */
export interface PageHost {
  post(request: PanelRequest): void;
  getState(): unknown;
  setState(state: PageState): void;
}

/** Where the page is one column; adapt.css says the same. */
const NARROW = '(max-width: 760px), (max-height: 480px)';

export class Page {
  #host: PageHost;
  #state: PageState;
  #title = element('h1', {}, 'Livepatch Lineage');
  #summary = element('p', { class: 'summary' });
  #notices = element('ul', { class: 'notices', 'aria-label': 'Notices' });
  #trouble = element('div', { class: 'trouble', role: 'alert' });
  #textButton: HTMLButtonElement;
  #cleanup: HTMLButtonElement;
  #main = element('main', {});
  #stack: StackView;
  #matrix: MatrixView;
  #transition: TransitionView;
  #shownPair: Pair | null = null;
  #model: PanelModel | null = null;

  constructor(root: HTMLElement, host: PageHost) {
    this.#host = host;
    this.#state = readPageState(host.getState());
    const open = (source: Extract<PanelRequest, { type: 'open' }>['source']): void =>
      host.post({ type: 'open', source });
    const select = (from: string, to: string): void => this.#select(from, to);
    const act = (command: string, args: readonly string[]): void =>
      host.post({ type: 'action', command, arguments: args });
    this.#stack = new StackView({ open, select });
    this.#matrix = new MatrixView(select);
    this.#transition = new TransitionView({
      open,
      select,
      act,
      cursor: (cursor) => this.#remember({ cursor }),
    });
    this.#textButton = button('Text view', () => this.#setText(!this.#state.text), {
      'aria-pressed': 'false',
      title: 'Show the run in words',
    });
    const tool = (label: string, command: string): HTMLButtonElement => button(label, () => act(command, []));
    this.#cleanup = tool('Generate cleanup patch…', 'livepatch.generateCleanupPatch');
    const left = element(
      'section',
      { class: 'left', 'aria-labelledby': 'stack-title' },
      element('h2', { id: 'stack-title' }, 'Version stack'),
      this.#stack.node,
    );
    this.#main.append(left, this.#transition.node);
    // In one column the verdict comes before the matrix: for the eye, for Tab and for a reader alike.
    const narrow = matchMedia(NARROW);
    const place = (): void => (narrow.matches ? this.#main : left).append(this.#matrix.node);
    narrow.addEventListener('change', place);
    place();
    this.#main.hidden = true;
    this.#trouble.hidden = true;
    this.#notices.hidden = true;
    root.replaceChildren(
      element(
        'header',
        { class: 'top' },
        element('div', { class: 'who' }, this.#title, this.#summary),
        element(
          'div',
          { class: 'tools' },
          this.#textButton,
          tool('Simulate…', 'livepatch.simulate'),
          tool('Compare sources…', 'livepatch.compareVersions'),
          tool('Export SVG…', 'livepatch.exportSvg'),
          tool('Export PNG…', 'livepatch.exportPng'),
          this.#cleanup,
        ),
      ),
      this.#trouble,
      this.#notices,
      this.#main,
    );
    this.#setText(this.#state.text);
  }

  /** Takes a checked message of the extension. */
  update(update: PanelUpdate): void {
    if (update.type === 'trouble') {
      this.#trouble.hidden = false;
      putText(this.#trouble, shown(update.message, 1000));
      return;
    }
    if (update.type === 'export') {
      void this.#export(update.format);
      return;
    }
    this.#trouble.hidden = true;
    if (update.type === 'model') this.#showModel(update.model);
    if (update.transition !== null) this.#showTransition(update.transition);
  }

  async #export(format: PictureFormat): Promise<void> {
    if (this.#model === null) return;
    const svg = svgPicture(this.#model, this.#transition.shown);
    const data = format === 'svg' ? svg : await pngPicture(svg).catch(() => null);
    this.#host.post({ type: 'exported', format, data });
  }

  #showModel(model: PanelModel): void {
    this.#model = model;
    this.#main.hidden = false;
    this.#remember({ manifest: model.manifestUri });
    putText(this.#title, shown(model.lineage, 80));
    put(this.#title, 'title', shown(model.lineage));
    putText(this.#summary, shown(summary(model)));
    this.#notices.replaceChildren(
      ...model.notices.slice(0, 20).map((notice) => element('li', {}, shown(notice, 400))),
    );
    this.#notices.hidden = model.notices.length === 0;
    this.#cleanup.hidden = model.versions.length < 2;
    this.#stack.update(model);
    this.#matrix.update(model);
    this.#transition.updateModel(model);
    const { from, to } = this.#state;
    const known = (name: string): boolean =>
      name === 'none' || model.versions.some((one) => one.version === name);
    this.#mark(from !== null && to !== null && known(from) && known(to) ? { from, to } : null, false);
  }

  #showTransition(transition: PanelTransition): void {
    const pair = { from: transition.from, to: transition.to };
    const same = this.#state.from === pair.from && this.#state.to === pair.to;
    const isNew = this.#shownPair?.from !== pair.from || this.#shownPair.to !== pair.to;
    const cursor = (same ? this.#state.cursor : null) ?? firstFault(transition) ?? 0;
    this.#shownPair = pair;
    this.#transition.update(transition, cursor);
    this.#mark(pair, isNew);
    this.#remember({ ...pair, cursor: this.#transition.cursor });
  }

  #select(from: string, to: string): void {
    if (from === to) return;
    this.#remember({ from, to, cursor: null });
    this.#mark({ from, to }, false);
    this.#host.post({ type: 'select', from, to });
  }

  #mark(pair: Pair | null, reveal: boolean): void {
    this.#stack.select(pair, reveal);
    this.#matrix.select(pair, reveal);
    this.#transition.select(pair);
  }

  #setText(on: boolean): void {
    put(this.#textButton, 'aria-pressed', String(on));
    this.#transition.setTextView(on);
    this.#remember({ text: on });
  }

  #remember(change: Partial<PageState>): void {
    this.#state = { ...this.#state, ...change };
    this.#host.setState(this.#state);
  }
}

/** Where a person wants to look first: the first callback that is skipped. */
function firstFault(transition: PanelTransition): number | null {
  let first: number | null = null;
  for (const lane of transition.lanes)
    if (lane.k === 'callbacks')
      for (const mark of lane.marks)
        if (mark.state === 'skipped' && (first === null || mark.moment < first)) first = mark.moment;
  return first;
}
