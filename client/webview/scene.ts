/**
 * A picture as plain data: positioned boxes, lines, marks and texts in pixels, x to the right, y downwards.
 * The page and `klp-lineage graph` draw the same scene.
 */
import type { PanelSource } from '../../server/src/features/panel-model';
import { fit, shown } from './shown-text';

/** What a click or Enter on an item asks for. */
export type SceneTarget =
  | { readonly k: 'open'; readonly source: PanelSource }
  | { readonly k: 'moment'; readonly moment: number };

/** Names of paints; paint.ts says what each looks like. */
export type Role =
  | 'page'
  | 'card'
  | 'card-draft'
  | 'card-released'
  | 'card-faulty'
  | 'card-withdrawn'
  | 'card-selected'
  | 'rail-draft'
  | 'rail-released'
  | 'rail-faulty'
  | 'rail-withdrawn'
  | 'ground'
  | 'chip'
  | 'chip-effect'
  | 'cell'
  | 'cell-selected'
  | 'verdict-clean'
  | 'verdict-leaves'
  | 'verdict-unsafe'
  | 'verdict-refused'
  | 'rule'
  | 'cursor'
  | 'cursor-edge'
  | 'log'
  | 'log-current'
  | 'ran'
  | 'absent'
  | 'skipped'
  | 'old-code'
  | 'mixed'
  | 'new-code'
  | 'owned'
  | 'no-owner'
  | 'freed'
  | 'in-memory'
  | 'arrow-clean'
  | 'arrow-leaves'
  | 'arrow-unsafe'
  | 'arrow-refused'
  | 'text'
  | 'text-muted'
  | 'text-accent'
  | 'text-clean'
  | 'text-leaves'
  | 'text-unsafe'
  | 'text-refused';

interface Named {
  readonly role: Role;
  /** Shown on pointing at it and read out: the whole of what a cut label stands for. */
  readonly name?: string;
  readonly target?: SceneTarget;
}

export interface SceneBox extends Named {
  readonly k: 'box';
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly radius?: number;
  readonly hatch?: boolean;
}

export interface SceneLine extends Named {
  readonly k: 'line';
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** An arrow head at the second end. */
  readonly arrow?: boolean;
}

export interface SceneMark extends Named {
  readonly k: 'mark';
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

export interface SceneText extends Named {
  readonly k: 'text';
  readonly x: number;
  /** The base line. */
  readonly y: number;
  readonly text: string;
  readonly size: number;
  /** Pixels it may take; the text is already cut to fit. */
  readonly space: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly mono?: boolean;
  readonly bold?: boolean;
  readonly strike?: boolean;
}

export type SceneItem = SceneBox | SceneLine | SceneMark | SceneText;

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** The picture in words. */
  readonly description: string;
  readonly items: readonly SceneItem[];
}

/** `words` cut to `space` pixels; what was cut is in its name. */
export function textItem(
  words: string,
  x: number,
  y: number,
  space: number,
  role: Role,
  size: number,
  more: Partial<SceneText> = {},
): SceneText {
  const wide = more.bold === true ? size * BOLD : size;
  const text = fit(words, space, wide, more.mono);
  return { k: 'text', role, x, y, space, size, text, name: shown(words), ...more };
}

/** Bold text is this much wider. */
export const BOLD = 1.08;

export function boxItem(
  role: Role,
  x: number,
  y: number,
  w: number,
  h: number,
  more: Partial<SceneBox> = {},
): SceneBox {
  return { k: 'box', role, x, y, w, h, ...more };
}

export function lineItem(
  role: Role,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  more: Partial<SceneLine> = {},
): SceneLine {
  return { k: 'line', role, x1, y1, x2, y2, ...more };
}

/** The same items, moved. */
export function moved(items: readonly SceneItem[], dx: number, dy: number): SceneItem[] {
  return items.map((item) =>
    item.k === 'line'
      ? { ...item, x1: item.x1 + dx, x2: item.x2 + dx, y1: item.y1 + dy, y2: item.y2 + dy }
      : { ...item, x: item.x + dx, y: item.y + dy },
  );
}
