/** The versions as a stack, newest on top, on the ground of the unpatched kernel; arrows with verdicts between. Pure. */
import type { PanelModel, PanelVersion } from '../../server/src/features/panel-model';
import { describeCell } from './describe';
import type { Role, SceneItem } from './scene';
import { fit, shown, textWidth, wrap } from './shown-text';
import { type Fact, versionFacts } from './version-facts';
import { cellOf, verdictShort, versionSubtitle } from './words';

export interface Block {
  readonly width: number;
  readonly height: number;
  readonly items: readonly SceneItem[];
}

export interface Pair {
  readonly from: string;
  readonly to: string;
}

const PAD = 14;
const BETWEEN = 48;
const CHIP = 20;

/** The stack in `width` pixels; `selected` is the transition shown beside it, or null. */
export function layoutStack(model: PanelModel, width: number, selected: Pair | null): Block {
  const items: SceneItem[] = [];
  let y = 0;
  for (let i = model.versions.length - 1; i >= 0; i--) {
    const version = model.versions[i];
    if (version === undefined) continue;
    y += card(items, version, width, y, isEnd(selected, version.version));
    const below = model.versions[i - 1];
    arrows(items, model, below?.version ?? 'none', version.version, width, y, selected);
    y += BETWEEN;
  }
  items.push({ k: 'box', role: 'ground', x: 0, y, w: width, h: 34, radius: 3 });
  const words = `kernel ${model.kernel}, not patched`;
  items.push({
    k: 'text',
    role: 'text-muted',
    x: PAD,
    y: y + 22,
    size: 13,
    space: width - 2 * PAD,
    text: fit(words, width - 2 * PAD, 13),
  });
  return { width, height: y + 34, items };
}

function isEnd(selected: Pair | null, version: string): boolean {
  return selected !== null && (selected.from === version || selected.to === version);
}

/** One card at `top`; returns its height. The box comes first, so that what stands in it is drawn over it. */
function card(
  items: SceneItem[],
  version: PanelVersion,
  width: number,
  top: number,
  selected: boolean,
): number {
  const inner: SceneItem[] = [];
  const space = width - 2 * PAD;
  const badge = textWidth(version.status, 11) + 16;
  const named = fit(version.version, space - badge - 8, 15);
  let y = top + 26;
  inner.push({
    k: 'text',
    role: 'text',
    x: PAD,
    y,
    size: 15,
    bold: true,
    space: space - badge - 8,
    text: named,
    name: shown(version.version),
  });
  inner.push({ k: 'box', role: 'chip', x: width - PAD - badge, y: top + 11, w: badge, h: 20, radius: 10 });
  inner.push({
    k: 'text',
    role:
      version.status === 'faulty' ? 'text-unsafe' : version.status === 'draft' ? 'text-accent' : 'text-muted',
    x: width - PAD - badge / 2,
    y: top + 25,
    size: 11,
    space: badge,
    anchor: 'middle',
    text: version.status,
  });
  const subtitle = versionSubtitle(version);
  if (subtitle !== '')
    for (const line of wrap(subtitle, space, 12, 2)) {
      y += 18;
      inner.push({
        k: 'text',
        role: 'text-muted',
        x: PAD,
        y,
        size: 12,
        space,
        text: line,
        name: shown(subtitle),
      });
    }
  y += 18;
  inner.push({
    k: 'text',
    role: 'text-muted',
    x: PAD,
    y,
    size: 11,
    mono: true,
    space,
    text: fit(version.module, space, 11, true),
    name: shown(version.module),
  });
  const bottom = chips(inner, versionFacts(version), PAD, y + 10, space) + 12;
  const height = bottom - top;
  items.push({ k: 'box', role: `card-${version.status}`, x: 0, y: top, w: width, h: height, radius: 3 });
  items.push({ k: 'line', role: `rail-${version.status}`, x1: 2, y1: top + 1, x2: 2, y2: top + height - 1 });
  if (selected) items.push({ k: 'box', role: 'card-selected', x: 0, y: top, w: width, h: height, radius: 3 });
  items.push(...inner);
  return height;
}

/** Labels in rows; returns the lower edge. */
function chips(items: SceneItem[], facts: readonly Fact[], left: number, top: number, space: number): number {
  let x = left;
  let y = top;
  for (const fact of facts.slice(0, 40)) {
    const w = Math.min(space, Math.ceil(textWidth(shown(fact.text), 11)) + 12);
    if (x > left && x + w > left + space) {
      x = left;
      y += CHIP + 5;
    }
    const target = fact.source === null ? {} : { target: { k: 'open' as const, source: fact.source } };
    const role: Role = fact.tone === 'effect' ? 'chip-effect' : 'chip';
    items.push({ k: 'box', role, x, y, w, h: CHIP, radius: 3, name: shown(fact.text), ...target });
    items.push({
      k: 'text',
      role: 'text',
      x: x + 6,
      y: y + 14,
      size: 11,
      space: w - 12,
      text: fit(fact.text, w - 12, 11),
      name: shown(fact.text),
    });
    x += w + 5;
  }
  return y + CHIP;
}

/** Up is the upgrade from the neighbour below, down the way back. */
function arrows(
  items: SceneItem[],
  model: PanelModel,
  below: string,
  above: string,
  width: number,
  top: number,
  selected: Pair | null,
): void {
  const half = width / 2;
  for (const [from, to, x] of [
    [below, above, 24],
    [above, below, half + 12],
  ] as const) {
    const cell = cellOf(model, from, to);
    if (cell === undefined) continue;
    const upwards = from === below;
    const isShown = selected !== null && selected.from === from && selected.to === to;
    const words = `${verdictShort(cell.verdict, cell.certainty)}${isShown ? ' ◂ shown' : ''}`;
    const name = describeCell(cell);
    items.push({
      k: 'line',
      role: `arrow-${cell.verdict}`,
      x1: x,
      x2: x,
      y1: upwards ? top + BETWEEN - 5 : top + 5,
      y2: upwards ? top + 6 : top + BETWEEN - 6,
      arrow: true,
      name,
    });
    items.push({
      k: 'text',
      role: `text-${cell.verdict}`,
      x: x + 14,
      y: top + BETWEEN / 2 + 4,
      size: 12,
      bold: isShown || cell.verdict === 'unsafe',
      space: half - 28,
      text: fit(words, half - 28, isShown || cell.verdict === 'unsafe' ? 12.6 : 12),
      name,
    });
  }
}
