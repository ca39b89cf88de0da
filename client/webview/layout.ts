/** The whole picture: the stack and its matrix, and one transition with its time line and log. Pure and deterministic. */
import type { PanelModel, PanelTransition } from '../../server/src/features/panel-model';
import { deedsTitle, deedWords, describeModel, describeTransition } from './describe';
import { layoutMatrix } from './matrix-layout';
import { boxItem, lineItem, moved, type Role, type Scene, type SceneItem, textItem } from './scene';
import { shown, wrap } from './shown-text';
import { type Block, layoutStack, type Pair } from './stack-layout';
import { layoutTimeline } from './timeline-layout';
import { originWords, summary, VERDICT_SIGNS, verdictTitle, versionWord } from './words';

export interface LayoutOptions {
  /** Pixels to use; the picture gets wider where a table or a time line needs it. */
  readonly width: number;
  /** The transition to mark in the stack and the matrix; that of `transition` where left out. */
  readonly selected?: Pair | null;
  /** The moment to highlight in the time line and the log, from 0. */
  readonly cursor?: number | null;
}

const MARGIN = 18;
const HEADER = 50;
const STACK_WIDTH = 318;
/** Below this width the stack stands above the transition. */
export const NARROW = 760;
const LOG_ROLES: Readonly<Record<string, Role>> = {
  command: 'text-accent',
  fault: 'text-unsafe',
  more: 'text-muted',
};
/** Lines of one part beyond this are counted, not drawn. */
const MOST_LOG_LINES = 400;

/** Draws `model` and, where given, one transition of it. Takes any model, however large; never throws. */
export function layout(model: PanelModel, transition: PanelTransition | null, options: LayoutOptions): Scene {
  const selected = options.selected === undefined ? transition : options.selected;
  const pair = selected === null ? null : { from: selected.from, to: selected.to };
  const beside = options.width >= NARROW && transition !== null;
  const full = Math.max(200, options.width - 2 * MARGIN);
  const left = stackBlock(model, beside ? STACK_WIDTH : Math.min(full, 480), pair);
  const gap = 2 * MARGIN;
  const rightSpace = beside ? Math.max(320, options.width - 2 * MARGIN - left.width - gap) : full;
  const right = transition === null ? null : transitionBlock(transition, rightSpace, options.cursor ?? null);

  const top = HEADER + MARGIN;
  const items: SceneItem[] = moved(left.items, MARGIN, top);
  let width = left.width + 2 * MARGIN;
  let height = top + left.height + MARGIN;
  if (right !== null) {
    const x = beside ? MARGIN + left.width + gap : MARGIN;
    const y = beside ? top : height;
    items.push(...moved(right.items, x, y));
    width = Math.max(width, x + right.width + MARGIN);
    height = Math.max(height, y + right.height + MARGIN);
    if (beside) items.push(lineItem('rule', x - MARGIN, HEADER, x - MARGIN, height));
  }
  width = Math.ceil(Math.max(width, Math.min(options.width, 4096)));
  height = Math.ceil(height);
  const words = transition === null ? [] : describeTransition(transition);
  return {
    width,
    height,
    title: `Livepatch lineage ${shown(model.lineage)}`,
    description: [describeModel(model), ...words].join(' '),
    items: [boxItem('page', 0, 0, width, height), ...header(model, width), ...items],
  };
}

function header(model: PanelModel, width: number): SceneItem[] {
  const half = width / 2 - 2 * MARGIN;
  return [
    textItem(model.lineage, MARGIN, 31, half, 'text', 16, { bold: true }),
    textItem(summary(model), width - MARGIN, 31, half, 'text-muted', 12, { anchor: 'end' }),
    lineItem('rule', 0, HEADER, width, HEADER),
  ];
}

function heading(words: string, y: number, space: number): SceneItem {
  return textItem(words.toUpperCase(), 0, y, space, 'text-muted', 11, { bold: true });
}

function stackBlock(model: PanelModel, width: number, pair: Pair | null): Block {
  const items: SceneItem[] = [heading('Version stack', 10, width)];
  const stack = layoutStack(model, width, pair);
  items.push(...moved(stack.items, 0, 24));
  let y = stack.height + 58;
  items.push(heading('Every transition', y, width));
  const matrix = layoutMatrix(model, pair);
  items.push(...moved(matrix.items, 0, y + 14));
  y += 14 + matrix.height;
  for (const notice of model.notices.slice(0, 8))
    for (const line of wrap(notice, width, 12, 3)) {
      y += 18;
      items.push(textItem(line, 0, y, width, 'text-muted', 12));
    }
  return { width: Math.max(width, matrix.width), height: y, items };
}

function transitionBlock(transition: PanelTransition, width: number, cursor: number | null): Block {
  const { verdict, certainty, sentence } = transition;
  const title = `From ${versionWord(transition.from)} to ${versionWord(transition.to)}`;
  const items: SceneItem[] = [textItem(title, 0, 14, width, 'text', 14, { bold: true })];
  const said = `${VERDICT_SIGNS[verdict]} ${verdictTitle(verdict, certainty)}. ${sentence}`;
  const lines = wrap(said.replaceAll('`', ''), width - 36, 13, 6);
  items.push(boxItem(`verdict-${verdict}`, 0, 28, width, lines.length * 19 + 20, { radius: 3 }));
  let y = 53;
  for (const line of lines) {
    items.push(textItem(line, 16, y, width - 36, 'text', 13));
    y += 19;
  }
  const part = (words: string, block: Block): void => {
    items.push(heading(words, y + 25, width), ...moved(block.items, 0, y + 37));
    y += block.height + 42;
  };
  const timeline = layoutTimeline(transition, { width, cursor });
  part('What runs, what does not', timeline);
  if (transition.callbacks.length > 0) part('What the callbacks do', deedsBlock(transition, width));
  part(`Kernel log · ${originWords(transition)}`, logBlock(transition, width, cursor));
  return { width: Math.max(width, timeline.width), height: y - 5, items };
}

/** A line for each callback, and below it one for each of its side effects. */
function deedsBlock({ callbacks }: PanelTransition, width: number): Block {
  const lines = callbacks.flatMap((one) => [
    { words: deedsTitle(one), indent: 0, role: 'text' as Role },
    ...one.deeds.map((deed) => ({
      words: deedWords(deed),
      indent: 16,
      role: deed.left === null ? ('text-muted' as Role) : ('text-unsafe' as Role),
    })),
  ]);
  const items = lines
    .slice(0, MOST_LOG_LINES)
    .map(({ words, indent, role }, i) => textItem(words, indent, 14 + i * 18, width - indent, role, 12));
  return { width, height: items.length * 18, items };
}

function logBlock({ log }: PanelTransition, width: number, cursor: number | null): Block {
  const lines: { readonly text: string; readonly kind: string; readonly moment: number }[] = log.slice(
    0,
    MOST_LOG_LINES,
  );
  const hidden = log.length - lines.length;
  if (hidden > 0) lines.push({ text: `… and ${hidden} more lines`, kind: 'more', moment: -1 });
  const height = lines.length * 18 + 20;
  const items: SceneItem[] = [boxItem('log', 0, 0, width, height, { radius: 3 })];
  lines.forEach(({ text, kind, moment }, i) => {
    const y = 10 + i * 18;
    if (moment === cursor) items.push(boxItem('log-current', 1, y, width - 2, 18));
    items.push(textItem(text, 12, y + 13, width - 24, LOG_ROLES[kind] ?? 'text', 11, { mono: true }));
  });
  return { width, height, items };
}
