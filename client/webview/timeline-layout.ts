/** Time from left to right: a column per moment, a lane per thing that changes. Pure. */
import type { PanelLane, PanelSpan, PanelTransition } from '../../server/src/features/panel-model';
import { BOLD, type Role, type SceneItem, type SceneTarget, textItem as text } from './scene';
import { fit, shown, textWidth } from './shown-text';
import { markLabel, objectName } from './words';

export interface TimelineOptions {
  /** Pixels to use; more are taken when there are more moments than fit. */
  readonly width: number;
  /** The moment to highlight, from 0, or null. */
  readonly cursor: number | null;
}

export interface Timeline {
  readonly width: number;
  readonly height: number;
  readonly items: readonly SceneItem[];
  /** Where moment n stands: from `left + n * width`, `width` pixels wide, `top` to `height` high. */
  readonly columns: {
    readonly left: number;
    readonly width: number;
    readonly count: number;
    readonly top: number;
  };
}

const HEAD = 40;
const CURSOR_TOP = 22;
const ROW = 24;
const GAP = 10;
const BAR = 18;
const RADIUS = 6;
const NARROWEST_COLUMN = 34;
/** Lanes beyond this are counted, not drawn. */
export const MOST_LANES = 200;

interface Frame {
  readonly left: number;
  readonly column: number;
  readonly right: number;
  readonly moments: number;
}

type CallbackLane = Extract<PanelLane, { k: 'callbacks' }>;
type Mark = CallbackLane['marks'][number];

/** The name of a lane, and the quieter word beside it. */
export function laneName(lane: PanelLane): { name: string; kind: string; mono: boolean } {
  switch (lane.k) {
    case 'callbacks':
      return { name: `${lane.version} · ${objectName(lane.object)}`, kind: '', mono: false };
    case 'tasks':
      return { name: 'tasks', kind: '', mono: false };
    case 'effect':
      return { name: lane.key, kind: lane.noun, mono: true };
    case 'module':
      return { name: `${lane.version}'s module`, kind: '', mono: false };
  }
}

/** What a mark says in full: `post_unpatch skipped: replaced by v1`. */
export function markName(mark: Mark): string {
  if (mark.state === 'skipped')
    return `${mark.callback} skipped${mark.because === null ? '' : `: ${mark.because}`}`;
  return mark.state === 'ran' ? `${mark.callback} runs` : `no ${mark.callback}`;
}

/**
 * Lays out one transition. `options.width` is in pixels; the result may be wider (many moments) and is as high as its
 * lanes need. Moments outside the transition are moved to its nearest end.
 */
export function layoutTimeline(transition: PanelTransition, options: TimelineOptions): Timeline {
  const moments = Math.max(1, transition.moments.length);
  const lanes = transition.lanes.slice(0, MOST_LANES);
  const left = labelColumn(lanes, options.width);
  const column = Math.max(NARROWEST_COLUMN, Math.floor((options.width - left - 1) / moments));
  const frame: Frame = { left, column, right: left + column * moments, moments };

  const body: SceneItem[] = [];
  let y = HEAD + 8;
  for (const lane of lanes) {
    const height =
      lane.k === 'callbacks' ? callbackLane(body, lane, frame, y) : spanLane(body, lane, frame, y);
    const { name, kind, mono } = laneName(lane);
    label(body, name, kind, mono, frame.left - 12, y + 16);
    y += height + GAP;
  }
  const hidden = transition.lanes.length - lanes.length;
  if (hidden > 0) {
    body.push(text(`… and ${hidden} more`, 0, y + 14, options.width, 'text-muted', 12));
    y += ROW;
  }
  const height = y;
  const cursor = options.cursor === null ? null : clamp(options.cursor, moments);
  const items: SceneItem[] = [];
  if (cursor !== null)
    items.push({
      k: 'box',
      role: 'cursor',
      x: columnX(frame, cursor),
      y: CURSOR_TOP,
      w: column,
      h: height - CURSOR_TOP,
      radius: 3,
    });
  heads(items, transition, frame, height);
  return {
    width: frame.right + 1,
    height,
    items: [...items, ...body],
    columns: { left, width: column, count: moments, top: CURSOR_TOP },
  };
}

function labelColumn(lanes: readonly PanelLane[], width: number): number {
  let widest = 60;
  for (const lane of lanes) {
    const { name, kind, mono } = laneName(lane);
    const space = textWidth(shown(name), 12, mono) + (kind === '' ? 0 : 8 + textWidth(shown(kind), 12));
    widest = Math.max(widest, space);
  }
  return Math.ceil(Math.min(widest + 14, Math.max(84, width * 0.26)));
}

function columnX(frame: Frame, moment: number): number {
  return frame.left + frame.column * moment;
}

function clamp(moment: number, moments: number): number {
  return Math.min(moments - 1, Math.max(0, Math.trunc(moment) || 0));
}

function label(
  items: SceneItem[],
  name: string,
  kind: string,
  mono: boolean,
  space: number,
  y: number,
): void {
  const wanted = textWidth(shown(name), 12, mono);
  const kindWidth = kind === '' ? 0 : textWidth(shown(kind), 12) + 8;
  // The name matters more than the word for its kind: the kind is shown only where both fit.
  const both = wanted + kindWidth <= space;
  items.push(
    text(name, 0, y, space, 'text', 12, {
      mono,
      name: kind === '' ? shown(name) : `${shown(name)} (${shown(kind)})`,
    }),
  );
  if (both && kind !== '') items.push(text(kind, wanted + 8, y, kindWidth, 'text-muted', 12));
}

function heads(items: SceneItem[], transition: PanelTransition, frame: Frame, height: number): void {
  items.push({ k: 'line', role: 'rule', x1: frame.left, y1: HEAD, x2: frame.right, y2: HEAD });
  for (const step of transition.steps) {
    const first = clamp(step.first, frame.moments);
    const last = Math.max(first, clamp(step.last, frame.moments));
    const x = columnX(frame, first);
    const result = step.result === 0 ? '' : ` = ${step.result}`;
    items.push({ k: 'line', role: 'rule', x1: x, y1: 6, x2: x, y2: height });
    items.push(
      text(`${step.step}${result}`, x + 6, 17, frame.column * (last - first + 1) - 10, 'text', 12, {
        name: `${shown(step.step)}, result ${step.result}`,
        target: { k: 'moment', moment: first },
      }),
    );
  }
  for (let i = 0; i < frame.moments; i++) {
    const title = transition.moments[i]?.title ?? '';
    items.push(
      text(String(i + 1), columnX(frame, i) + 6, 34, frame.column - 8, 'text-muted', 11, {
        name: `${i + 1}. ${shown(title)}`,
        target: { k: 'moment', moment: i },
      }),
    );
  }
}

/** Marks with their labels beside them; a label that would run into the next one moves a row down. Returns the height. */
function callbackLane(items: SceneItem[], lane: CallbackLane, frame: Frame, top: number): number {
  const ends: number[] = [];
  for (const mark of [...lane.marks].sort((a, b) => a.moment - b.moment)) {
    const words = markLabel(mark.state, mark.callback);
    const why = mark.state === 'skipped' ? `skipped${mark.because === null ? '' : `: ${mark.because}`}` : '';
    const cx = columnX(frame, clamp(mark.moment, frame.moments)) + Math.min(frame.column / 2, 18);
    const wordsWidth = Math.ceil(textWidth(shown(words), 12, true)) + 1;
    const wanted = wordsWidth + (why === '' ? 0 : 9 + Math.ceil(textWidth(shown(why), 12)));
    const roomRight = frame.right - cx - RADIUS - 8;
    const roomLeft = cx - RADIUS - 8 - frame.left;
    const onLeft = wanted > roomRight && roomLeft > roomRight;
    const space = Math.min(wanted, onLeft ? roomLeft : roomRight);
    const start = onLeft ? cx - RADIUS - 8 - space : cx - RADIUS;
    const end = onLeft ? cx + RADIUS : cx + RADIUS + 8 + space;
    const row = firstFree(ends, start);
    ends[row] = end + 10;
    drawMark(items, mark, {
      cx,
      y: top + row * ROW + 12,
      x: onLeft ? start : cx + RADIUS + 6,
      space,
      words,
      why,
      wordsWidth,
    });
  }
  return Math.max(1, ends.length) * ROW;
}

function firstFree(ends: readonly number[], start: number): number {
  const row = ends.findIndex((end) => end <= start);
  return row < 0 ? ends.length : row;
}

interface PlacedMark {
  readonly cx: number;
  readonly y: number;
  readonly x: number;
  readonly space: number;
  readonly words: string;
  readonly why: string;
  readonly wordsWidth: number;
}

function drawMark(items: SceneItem[], mark: Mark, at: PlacedMark): void {
  const name = markName(mark);
  const target: { target?: SceneTarget } =
    mark.source === null ? {} : { target: { k: 'open', source: mark.source } };
  items.push({ k: 'mark', role: mark.state, x: at.cx, y: at.y, r: RADIUS, name: shown(name), ...target });
  const tone: Role = mark.state === 'skipped' ? 'text-unsafe' : mark.state === 'ran' ? 'text' : 'text-muted';
  const first = Math.min(at.space, at.wordsWidth);
  items.push(
    text(at.words, at.x, at.y + 4, first, tone, 12, {
      mono: true,
      strike: mark.state === 'skipped',
      name: shown(name),
      ...target,
    }),
  );
  if (at.why !== '' && at.space - first > 30)
    items.push(
      text(at.why, at.x + first + 8, at.y + 4, at.space - first - 8, 'text-muted', 12, { name: shown(name) }),
    );
}

function spanLane(
  items: SceneItem[],
  lane: Exclude<PanelLane, CallbackLane>,
  frame: Frame,
  top: number,
): number {
  const target: { target?: SceneTarget } =
    lane.k === 'effect' && lane.source !== null ? { target: { k: 'open', source: lane.source } } : {};
  let below = 0;
  for (const span of joined(lane.spans)) {
    const first = clamp(span.first, frame.moments);
    const last = Math.max(first, clamp(span.last, frame.moments));
    const x = columnX(frame, first);
    const w = columnX(frame, last + 1) - x;
    const name = `${span.label}, moments ${first + 1} to ${last + 1}`;
    // A module that is gone leaves nothing to draw: only the word stands there.
    const gone = lane.k === 'module' && span.state === 'freed';
    if (!gone)
      items.push({
        k: 'box',
        role: span.state,
        x,
        y: top + 3,
        w: w - 1,
        h: BAR,
        radius: 2,
        hatch: span.state === 'mixed' || span.state === 'no-owner',
        name: shown(name),
        ...target,
      });
    const fault = span.state === 'freed' && !gone;
    const role: Role = gone ? 'text-muted' : 'text';
    const word = { k: 'text' as const, bold: fault, name: shown(name), ...target };
    const room = w - 10;
    // A fault is what the picture is about: its word gets smaller, then moves below the bar, before it is cut.
    const size = fault && textWidth(shown(span.label), 12 * BOLD) > room ? 11 : 12;
    if (fault && textWidth(shown(span.label), size * BOLD) > room) {
      const space = x + w - frame.left;
      const label = fit(span.label, space, 12 * BOLD);
      items.push({
        ...word,
        role: 'text-unsafe',
        x: x + w - 1,
        y: top + BAR + 17,
        anchor: 'end',
        size: 12,
        space,
        text: label,
      });
      below = 16;
      continue;
    }
    const label = fit(span.label, room, fault ? size * BOLD : size);
    // Two letters and an ellipsis say nothing that the hatch and the name do not.
    if (label === span.label || label.length > 4)
      items.push({ ...word, role, x: x + 6, y: top + 16, size, space: room, text: label });
  }
  return BAR + 6 + below;
}

/** Neighbouring spans that say the same become one. */
function joined(spans: readonly PanelSpan[]): PanelSpan[] {
  const out: PanelSpan[] = [];
  for (const span of spans) {
    const before = out[out.length - 1];
    if (
      before !== undefined &&
      before.state === span.state &&
      before.label === span.label &&
      before.last + 1 === span.first
    )
      out[out.length - 1] = { ...before, last: span.last };
    else out.push(span);
  }
  return out;
}
