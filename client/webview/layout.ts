/** The whole picture: the stack and its matrix, and one transition with its time line and log. Pure and deterministic. */
import type { PanelModel, PanelTransition } from '../../server/src/features/panel-model';
import { describeModel, describeTransition } from './describe';
import { layoutMatrix } from './matrix-layout';
import { moved, type Scene, type SceneItem } from './scene';
import { fit, shown, wrap } from './shown-text';
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
/** Log lines beyond this are counted, not drawn. */
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

  const items: SceneItem[] = [];
  const top = HEADER + MARGIN;
  items.push(...moved(left.items, MARGIN, top));
  let width = MARGIN + left.width + MARGIN;
  let height = top + left.height + MARGIN;
  if (right !== null) {
    const x = beside ? MARGIN + left.width + gap : MARGIN;
    const y = beside ? top : height;
    items.push(...moved(right.items, x, y));
    if (beside)
      items.push({
        k: 'line',
        role: 'rule',
        x1: x - MARGIN,
        y1: HEADER,
        x2: x - MARGIN,
        y2: Math.max(height, y + right.height + MARGIN),
      });
    width = Math.max(width, x + right.width + MARGIN);
    height = Math.max(height, y + right.height + MARGIN);
  }
  width = Math.max(width, Math.min(options.width, 4096));
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    title: `Livepatch lineage ${shown(model.lineage)}`,
    description: [describeModel(model), ...(transition === null ? [] : describeTransition(transition))].join(
      ' ',
    ),
    items: [
      { k: 'box', role: 'page', x: 0, y: 0, w: Math.ceil(width), h: Math.ceil(height) },
      ...header(model, width),
      ...items,
    ],
  };
}

function header(model: PanelModel, width: number): SceneItem[] {
  const name = fit(model.lineage, width / 2, 17);
  return [
    {
      k: 'text',
      role: 'text',
      x: MARGIN,
      y: 31,
      size: 16,
      bold: true,
      space: width / 2,
      text: name,
      name: shown(model.lineage),
    },
    {
      k: 'text',
      role: 'text-muted',
      x: width - MARGIN,
      y: 31,
      size: 12,
      anchor: 'end',
      space: width / 2 - 2 * MARGIN,
      text: fit(summary(model), width / 2 - 2 * MARGIN, 12),
    },
    { k: 'line', role: 'rule', x1: 0, y1: HEADER, x2: width, y2: HEADER },
  ];
}

function heading(words: string, y: number, space: number): SceneItem {
  return {
    k: 'text',
    role: 'text-muted',
    x: 0,
    y,
    size: 11,
    bold: true,
    space,
    text: fit(words.toUpperCase(), space, 11.5),
  };
}

function stackBlock(model: PanelModel, width: number, pair: Pair | null): Block {
  const items: SceneItem[] = [heading('Version stack', 10, width)];
  let y = 24;
  const stack = layoutStack(model, width, pair);
  items.push(...moved(stack.items, 0, y));
  y += stack.height + 34;
  items.push(heading('Every transition', y, width));
  y += 14;
  const matrix = layoutMatrix(model, pair);
  items.push(...moved(matrix.items, 0, y));
  y += matrix.height;
  for (const notice of model.notices.slice(0, 8))
    for (const line of wrap(notice, width, 12, 3)) {
      y += 18;
      items.push({ k: 'text', role: 'text-muted', x: 0, y, size: 12, space: width, text: line });
    }
  return { width: Math.max(width, matrix.width), height: y, items };
}

function transitionBlock(transition: PanelTransition, width: number, cursor: number | null): Block {
  const items: SceneItem[] = [];
  const title = `From ${versionWord(transition.from)} to ${versionWord(transition.to)}`;
  items.push({
    k: 'text',
    role: 'text',
    x: 0,
    y: 14,
    size: 14,
    bold: true,
    space: width,
    text: fit(title, width, 14.8),
    name: shown(title),
  });
  const said = `${VERDICT_SIGNS[transition.verdict]} ${verdictTitle(transition.verdict, transition.certainty)}. ${transition.sentence}`;
  const lines = wrap(said.replaceAll('`', ''), width - 36, 13, 6);
  const boxHeight = lines.length * 19 + 20;
  items.push({
    k: 'box',
    role: `verdict-${transition.verdict}`,
    x: 0,
    y: 28,
    w: width,
    h: boxHeight,
    radius: 3,
  });
  lines.forEach((line, i) => {
    items.push({
      k: 'text',
      role: 'text',
      x: 16,
      y: 28 + 25 + i * 19,
      size: 13,
      space: width - 36,
      text: line,
    });
  });
  let y = 28 + boxHeight + 30;
  items.push(heading('What runs, what does not', y, width));
  const timeline = layoutTimeline(transition, { width, cursor });
  items.push(...moved(timeline.items, 0, y + 10));
  y += 10 + timeline.height + 30;
  items.push(heading(`Kernel log · ${originWords(transition)}`, y, width));
  const log = logBlock(transition, width, cursor);
  items.push(...moved(log.items, 0, y + 12));
  return { width: Math.max(width, timeline.width), height: y + 12 + log.height, items };
}

function logBlock(transition: PanelTransition, width: number, cursor: number | null): Block {
  const items: SceneItem[] = [];
  const lines = transition.log.slice(0, MOST_LOG_LINES);
  const hidden = transition.log.length - lines.length;
  const height = (lines.length + (hidden > 0 ? 1 : 0)) * 18 + 20;
  items.push({ k: 'box', role: 'log', x: 0, y: 0, w: width, h: height, radius: 3 });
  lines.forEach((line, i) => {
    const y = 10 + i * 18;
    if (line.moment === cursor) items.push({ k: 'box', role: 'log-current', x: 1, y, w: width - 2, h: 18 });
    const role = line.kind === 'command' ? 'text-accent' : line.kind === 'fault' ? 'text-unsafe' : 'text';
    items.push({
      k: 'text',
      role,
      x: 12,
      y: y + 13,
      size: 11,
      mono: true,
      space: width - 24,
      text: fit(line.text, width - 24, 11, true),
      name: shown(line.text),
    });
  });
  if (hidden > 0)
    items.push({
      k: 'text',
      role: 'text-muted',
      x: 12,
      y: height - 15,
      size: 11,
      space: width - 24,
      text: fit(`… and ${hidden} more lines`, width - 24, 11),
    });
  return { width, height, items };
}
