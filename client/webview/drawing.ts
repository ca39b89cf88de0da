/** A scene as a tree of SVG elements, still as data: one back end writes it as text, the other makes DOM nodes of it. */
import { PAINTS, type Theme } from './paint';
import type { Scene, SceneItem, SceneTarget } from './scene';

export interface Drawing {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly children?: readonly Drawing[];
  readonly target?: SceneTarget;
  /** The name of what the element stands for. */
  readonly name?: string;
}

const SANS = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
const MONO = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** Numbers as attributes: at most two decimals, so that a drawing is the same on every machine. */
function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The elements of `items`. `hatchId` names the pattern that `hatchPattern` defines. */
export function drawItems(items: readonly SceneItem[], theme: Theme, hatchId: string): Drawing[] {
  return items.flatMap((item) => drawItem(item, theme, hatchId));
}

/** The pattern of hatched boxes; must stand in the same document as what refers to it. */
export function hatchPattern(theme: Theme, id: string): Drawing {
  return {
    tag: 'pattern',
    attributes: {
      id,
      width: '6',
      height: '6',
      patternUnits: 'userSpaceOnUse',
      patternTransform: 'rotate(45)',
    },
    children: [
      {
        tag: 'path',
        attributes: { d: 'M0 0V6', stroke: theme.muted, 'stroke-width': '1.2', 'stroke-opacity': '0.4' },
      },
    ],
  };
}

/** A whole scene as one `svg` element with its title and description. */
export function drawScene(scene: Scene, theme: Theme, idPrefix = 'k'): Drawing {
  const hatch = `${idPrefix}-hatch`;
  return {
    tag: 'svg',
    attributes: {
      xmlns: 'http://www.w3.org/2000/svg',
      width: px(scene.width),
      height: px(scene.height),
      viewBox: `0 0 ${px(scene.width)} ${px(scene.height)}`,
      role: 'img',
      'aria-labelledby': `${idPrefix}-title ${idPrefix}-desc`,
      'font-family': SANS,
    },
    children: [
      { tag: 'title', attributes: { id: `${idPrefix}-title` }, text: scene.title },
      { tag: 'desc', attributes: { id: `${idPrefix}-desc` }, text: scene.description },
      { tag: 'defs', attributes: {}, children: [hatchPattern(theme, hatch)] },
      ...drawItems(scene.items, theme, hatch),
    ],
  };
}

function paint(role: SceneItem['role'], theme: Theme): Record<string, string> {
  const { fill, stroke, width, dash } = PAINTS[role];
  return {
    fill: fill === undefined ? 'none' : theme[fill],
    ...(stroke === undefined ? {} : { stroke: theme[stroke], 'stroke-width': px(width ?? 1) }),
    ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
  };
}

function drawItem(item: SceneItem, theme: Theme, hatchId: string): Drawing[] {
  const of = {
    ...(item.name === undefined ? {} : { name: item.name }),
    ...(item.target === undefined ? {} : { target: item.target }),
  };
  const role = item.role;
  switch (item.k) {
    case 'box': {
      const place = {
        x: px(item.x),
        y: px(item.y),
        width: px(item.w),
        height: px(item.h),
        rx: px(item.radius ?? 0),
      };
      const box: Drawing = {
        tag: 'rect',
        attributes: { class: role, ...place, ...paint(role, theme) },
        ...of,
      };
      if (item.hatch !== true) return [box];
      return [
        box,
        {
          tag: 'rect',
          attributes: { class: 'hatch', ...place, fill: `url(#${hatchId})`, 'pointer-events': 'none' },
        },
      ];
    }
    case 'mark':
      return [
        {
          tag: 'circle',
          attributes: { class: role, cx: px(item.x), cy: px(item.y), r: px(item.r), ...paint(role, theme) },
          ...of,
        },
      ];
    case 'line':
      return drawLine(item, theme, of);
    case 'text':
      return [
        {
          tag: 'text',
          attributes: {
            class: role,
            x: px(item.x),
            y: px(item.y),
            fill: theme[PAINTS[role].fill ?? 'fg'],
            'font-size': px(item.size),
            ...(item.anchor === undefined ? {} : { 'text-anchor': item.anchor }),
            ...(item.mono === true ? { 'font-family': MONO } : {}),
            ...(item.bold === true ? { 'font-weight': '600' } : {}),
            ...(item.strike === true ? { 'text-decoration': 'line-through' } : {}),
          },
          text: item.text,
          ...of,
        },
      ];
  }
}

function drawLine(
  item: Extract<SceneItem, { k: 'line' }>,
  theme: Theme,
  of: { name?: string; target?: SceneTarget },
): Drawing[] {
  const line: Drawing = {
    tag: 'line',
    attributes: {
      class: item.role,
      x1: px(item.x1),
      y1: px(item.y1),
      x2: px(item.x2),
      y2: px(item.y2),
      ...paint(item.role, theme),
    },
    ...of,
  };
  if (item.arrow !== true) return [line];
  const back = item.y2 > item.y1 ? -7 : 7;
  const head = `M${px(item.x2 - 5)} ${px(item.y2 + back)}L${px(item.x2)} ${px(item.y2)}L${px(item.x2 + 5)} ${px(item.y2 + back)}`;
  const { 'stroke-dasharray': _dash, ...solid } = paint(item.role, theme);
  return [line, { tag: 'path', attributes: { class: item.role, d: head, ...solid } }];
}
