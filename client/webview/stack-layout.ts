/** The versions as a stack, newest on top, on the ground of the unpatched kernel; arrows with verdicts between. Pure. */
import type { PanelModel, PanelVersion } from '../../server/src/features/panel-model';
import { describeCell } from './describe';
import { boxItem, lineItem, type Role, type SceneItem, textItem } from './scene';
import { shown, textWidth, wrap } from './shown-text';
import { type Fact, versionFacts } from './version-facts';
import { type Cells, cellsOf, verdictShort, versionSubtitle } from './words';

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
  const cells = cellsOf(model);
  let y = 0;
  for (let i = model.versions.length - 1; i >= 0; i--) {
    const version = model.versions[i];
    if (version === undefined) continue;
    y += card(items, version, width, y, isEnd(selected, version.version));
    const below = model.versions[i - 1];
    arrows(items, cells, below?.version ?? 'none', version.version, width, y, selected);
    y += BETWEEN;
  }
  const words = `kernel ${model.kernel}, not patched`;
  items.push(
    boxItem('ground', 0, y, width, 34, { radius: 3 }),
    textItem(words, PAD, y + 22, width - 2 * PAD, 'text-muted', 13),
  );
  return { width, height: y + 34, items };
}

function isEnd(selected: Pair | null, version: string): boolean {
  return selected !== null && (selected.from === version || selected.to === version);
}

const STATUS_ROLES: Readonly<Record<string, Role>> = { faulty: 'text-unsafe', draft: 'text-accent' };

/** One card at `top`; returns its height. The box comes first, so that what stands in it is drawn over it. */
function card(
  items: SceneItem[],
  version: PanelVersion,
  width: number,
  top: number,
  selected: boolean,
): number {
  const { status } = version;
  const space = width - 2 * PAD;
  const badge = textWidth(status, 11) + 16;
  const right = width - PAD;
  const role = STATUS_ROLES[status] ?? 'text-muted';
  const inner: SceneItem[] = [
    textItem(version.version, PAD, top + 26, space - badge - 8, 'text', 15, { bold: true }),
    boxItem('chip', right - badge, top + 11, badge, 20, { radius: 10 }),
    textItem(status, right - badge / 2, top + 25, badge, role, 11, { anchor: 'middle' }),
  ];
  let y = top + 26;
  for (const line of wrap(versionSubtitle(version), space, 12, 2)) {
    y += 18;
    inner.push(textItem(line, PAD, y, space, 'text-muted', 12));
  }
  y += 18;
  inner.push(textItem(version.module, PAD, y, space, 'text-muted', 11, { mono: true }));
  const height = chips(inner, versionFacts(version), PAD, y + 10, space) + 12 - top;
  items.push(boxItem(`card-${status}`, 0, top, width, height, { radius: 3 }));
  items.push(lineItem(`rail-${status}`, 2, top + 1, 2, top + height - 1));
  if (selected) items.push(boxItem('card-selected', 0, top, width, height, { radius: 3 }));
  items.push(...inner);
  return height;
}

/** Labels in rows; returns the lower edge. */
function chips(items: SceneItem[], facts: readonly Fact[], left: number, top: number, space: number): number {
  let x = left;
  let y = top;
  for (const { text, tone } of facts.slice(0, 40)) {
    const w = Math.min(space, Math.ceil(textWidth(shown(text), 11)) + 12);
    if (x > left && x + w > left + space) {
      x = left;
      y += CHIP + 5;
    }
    items.push(
      boxItem(tone === 'effect' ? 'chip-effect' : 'chip', x, y, w, CHIP, { radius: 3 }),
      textItem(text, x + 6, y + 14, w - 12, 'text', 11),
    );
    x += w + 5;
  }
  return y + CHIP;
}

/** Up is the upgrade from the neighbour below, down the way back. */
function arrows(
  items: SceneItem[],
  cells: Cells,
  below: string,
  above: string,
  width: number,
  top: number,
  selected: Pair | null,
): void {
  const half = width / 2;
  for (const [from, to, x] of [
    [below, above, 24],
    [above, below, half - 10],
  ] as const) {
    const cell = cells(from, to);
    if (cell === undefined) continue;
    const [start, end] = from === below ? [BETWEEN - 5, 6] : [5, BETWEEN - 6];
    const isShown = selected !== null && selected.from === from && selected.to === to;
    const space = from === below ? half - 54 : half - 8;
    const words = `${verdictShort(cell)}${isShown ? ' ◂ shown' : ''}`;
    const name = describeCell(cell);
    items.push(
      lineItem(`arrow-${cell.verdict}`, x, top + start, x, top + end, { arrow: true, name }),
      textItem(words, x + 14, top + BETWEEN / 2 + 4, space, `text-${cell.verdict}`, 12, {
        bold: isShown || cell.verdict === 'unsafe',
        name,
      }),
    );
  }
}
