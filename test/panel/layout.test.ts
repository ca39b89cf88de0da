import { describe, expect, test } from 'vitest';
import { layout } from '../../client/webview/layout';
import { PAINTS } from '../../client/webview/paint';
import type { Scene, SceneBox, SceneText } from '../../client/webview/scene';
import { textWidth } from '../../client/webview/shown-text';
import { layoutTimeline } from '../../client/webview/timeline-layout';
import { DOWNGRADE, HOSTILE_NAMES, hostile, long, MODEL } from './fixture';

function boxes(scene: Scene, roles: RegExp): SceneBox[] {
  return scene.items.filter((item): item is SceneBox => item.k === 'box' && roles.test(item.role));
}

function texts(scene: { readonly items: Scene['items'] }): SceneText[] {
  return scene.items.filter((item): item is SceneText => item.k === 'text');
}

function overlap(a: SceneBox, b: SceneBox): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Cards, the ground, cells and bars; not what is drawn around or behind them on purpose. */
const SOLID =
  /^(card-(draft|released|faulty|withdrawn)|ground|chip|chip-effect|cell|owned|no-owner|freed|in-memory|old-code|mixed|new-code|log|verdict-.*)$/;

function expectSound(scene: Scene): void {
  for (const item of scene.items) {
    expect(PAINTS[item.role], item.role).toBeDefined();
    if (item.k === 'text') {
      expect(textWidth(item.text, item.size, item.mono), item.text).toBeLessThanOrEqual(item.space + 0.01);
      const left =
        item.anchor === 'end'
          ? item.x - item.space
          : item.anchor === 'middle'
            ? item.x - item.space / 2
            : item.x;
      expect(left, item.text).toBeGreaterThanOrEqual(0);
      expect(left + textWidth(item.text, item.size, item.mono), item.text).toBeLessThanOrEqual(
        scene.width + 0.01,
      );
      expect(item.y).toBeLessThanOrEqual(scene.height);
    }
    if (item.k === 'box') {
      expect(item.x + item.w).toBeLessThanOrEqual(scene.width + 0.01);
      expect(item.y + item.h).toBeLessThanOrEqual(scene.height + 0.01);
      expect(item.w).toBeGreaterThan(0);
    }
  }
}

describe('the stack', () => {
  test('has the newest version on top and the unpatched kernel as its ground', () => {
    const scene = layout(MODEL, null, { width: 400 });
    const order = texts(scene)
      .filter((item) => item.bold === true && /^v\d$/.test(item.text))
      .sort((a, b) => a.y - b.y)
      .map((item) => item.text);
    expect(order).toEqual(['v3', 'v2', 'v1']);
    const [ground] = boxes(scene, /^ground$/);
    for (const card of boxes(scene, /^card-(draft|released|faulty)$/))
      expect(card.y + card.h).toBeLessThan(ground?.y ?? 0);
  });

  test('tells each status by a word and by a border of its own', () => {
    const scene = layout(MODEL, null, { width: 400 });
    expect(texts(scene).map((item) => item.text)).toEqual(
      expect.arrayContaining(['draft', 'faulty', 'released']),
    );
    const looks = ['card-draft', 'card-released', 'card-faulty', 'card-withdrawn'] as const;
    expect(new Set(looks.map((role) => `${PAINTS[role].dash} ${PAINTS[role].stroke}`)).size).toBe(4);
    const rails = ['rail-draft', 'rail-released', 'rail-faulty', 'rail-withdrawn'] as const;
    expect(new Set(rails.map((role) => `${PAINTS[role].dash} ${PAINTS[role].stroke}`)).size).toBe(4);
  });

  test('draws both directions between neighbours, with the verdict of each', () => {
    const scene = layout(MODEL, DOWNGRADE, { width: 1200 });
    const arrows = scene.items.filter((item) => item.k === 'line' && item.arrow === true);
    // none→v1, v1→v2, v2→v3 up; v3→v2, v2→v1 down: nothing leads back to the bare kernel.
    expect(arrows.map((item) => item.role).sort()).toEqual([
      'arrow-clean',
      'arrow-clean',
      'arrow-clean',
      'arrow-clean',
      'arrow-unsafe',
    ]);
    const unsafe = arrows.find((item) => item.role === 'arrow-unsafe');
    expect(unsafe?.k === 'line' && unsafe.y2 > unsafe.y1).toBe(true);
    expect(texts(scene).some((item) => item.text === '✕ unsafe • ◂ shown')).toBe(true);
  });
});

describe('the whole picture', () => {
  test.each([240, 400, 760, 900, 1280, 2400])('is sound at a width of %i', (width) => {
    const scene = layout(MODEL, DOWNGRADE, { width, cursor: 4 });
    expectSound(scene);
    const solid = boxes(scene, SOLID);
    const outer = solid.filter((box) => !box.role.startsWith('chip'));
    for (let i = 0; i < outer.length; i++)
      for (let j = i + 1; j < outer.length; j++) {
        const [a, b] = [outer[i], outer[j]];
        if (a !== undefined && b !== undefined) expect(overlap(a, b), `${a.role} over ${b.role}`).toBe(false);
      }
    const chips = solid.filter((box) => box.role.startsWith('chip'));
    for (let i = 0; i < chips.length; i++)
      for (let j = i + 1; j < chips.length; j++) {
        const [a, b] = [chips[i], chips[j]];
        if (a !== undefined && b !== undefined) expect(overlap(a, b)).toBe(false);
      }
  });

  test('puts the stack above the transition where it is narrow, beside it where it is wide', () => {
    const logOf = (scene: Scene): SceneBox | undefined => boxes(scene, /^log$/)[0];
    const groundOf = (scene: Scene): SceneBox | undefined => boxes(scene, /^ground$/)[0];
    const narrow = layout(MODEL, DOWNGRADE, { width: 500 });
    expect(logOf(narrow)?.y).toBeGreaterThan(groundOf(narrow)?.y ?? 0);
    const wide = layout(MODEL, DOWNGRADE, { width: 1280 });
    expect(logOf(wide)?.x).toBeGreaterThan((groundOf(wide)?.x ?? 0) + (groundOf(wide)?.w ?? 0));
  });

  test('is the same for the same input', () => {
    expect(layout(MODEL, DOWNGRADE, { width: 900 })).toEqual(
      layout(structuredClone(MODEL), structuredClone(DOWNGRADE), { width: 900 }),
    );
  });

  test('holds 50 versions without overlap, and 2500 verdicts', () => {
    const scene = layout(long(50), DOWNGRADE, { width: 1280 });
    expectSound(scene);
    const cards = boxes(scene, /^card-(draft|released|faulty|withdrawn)$/).sort((a, b) => a.y - b.y);
    expect(cards).toHaveLength(50);
    for (let i = 1; i < cards.length; i++) {
      const [above, below] = [cards[i - 1], cards[i]];
      expect((above?.y ?? 0) + (above?.h ?? 0)).toBeLessThan(below?.y ?? 0);
    }
    const signs = texts(scene).filter((item) => item.text === '✓');
    expect(signs).toHaveLength(50 + 50 * 49);
  });

  test('marks the selected pair and nothing else', () => {
    const scene = layout(MODEL, DOWNGRADE, { width: 1280, selected: { from: 'v1', to: 'v3' } });
    expect(boxes(scene, /^card-selected$/)).toHaveLength(2);
    expect(boxes(scene, /^cell-selected$/)).toHaveLength(1);
    expect(boxes(layout(MODEL, DOWNGRADE, { width: 1280, selected: null }), /selected$/)).toHaveLength(0);
  });

  test.each(HOSTILE_NAMES.map((name, i) => [i, name] as const))(
    'keeps hostile name %i inside its boxes',
    (_, name) => {
      const { model, transition } = hostile(name);
      expectSound(layout(model, transition, { width: 1000, cursor: 2 }));
      for (const item of texts(layout(model, transition, { width: 1000 }))) {
        expect(item.text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(item.text.length).toBeLessThanOrEqual(300);
      }
    },
  );

  test('takes an empty lineage', () => {
    const scene = layout({ ...MODEL, versions: [], matrix: [] }, null, { width: 600 });
    expectSound(scene);
    expect(boxes(scene, /^ground$/)).toHaveLength(1);
  });
});

describe('the time line', () => {
  const timeline = layoutTimeline(DOWNGRADE, { width: 900, cursor: 4 });

  test('draws what runs, is absent and is skipped in three ways', () => {
    const marks = timeline.items.filter((item) => item.k === 'mark').map((item) => item.role);
    expect(marks.sort()).toEqual(['absent', 'absent', 'absent', 'skipped']);
    const skipped = texts(timeline).find((item) => item.strike === true);
    expect(skipped?.text).toBe('post_unpatch');
    expect(texts(timeline).some((item) => item.text === 'skipped: replaced')).toBe(true);
    expect(
      new Set([PAINTS.ran, PAINTS.absent, PAINTS.skipped].map((it) => `${it.fill} ${it.dash}`)).size,
    ).toBe(3);
  });

  test('puts a span exactly over its moments', () => {
    const { left, width } = timeline.columns;
    const owned = timeline.items.find((item) => item.k === 'box' && item.role === 'owned') as SceneBox;
    const freed = timeline.items.find((item) => item.k === 'box' && item.role === 'freed') as SceneBox;
    expect(owned.x).toBe(left);
    expect(owned.w).toBe(4 * width - 1);
    expect(freed.x).toBe(left + 6 * width);
    expect(freed.w).toBe(width - 1);
  });

  test('puts the cursor over its moment', () => {
    const cursor = timeline.items.find((item) => item.role === 'cursor') as SceneBox;
    expect(cursor.x).toBe(timeline.columns.left + 4 * timeline.columns.width);
    expect(cursor.w).toBe(timeline.columns.width);
  });

  test('never lets two labels of a lane run into each other', () => {
    const crowded = {
      ...DOWNGRADE,
      lanes: [
        {
          k: 'callbacks' as const,
          version: 'v2',
          object: null,
          marks: [0, 1, 2, 3, 4, 5, 6].map((moment) => ({
            moment,
            callback: 'post_unpatch',
            state: 'skipped' as const,
            because: 'replaced by a later version',
            source: null,
          })),
        },
      ],
    };
    for (const width of [300, 500, 900]) {
      const items = texts(layoutTimeline(crowded, { width, cursor: null })).filter(
        (item) => item.mono === true,
      );
      expect(items.length).toBe(7);
      for (const a of items)
        for (const b of items)
          if (a !== b && a.y === b.y) expect(a.x + a.space <= b.x || b.x + b.space <= a.x).toBe(true);
    }
  });

  test('gets wider, not illegible, with many moments', () => {
    const moments = Array.from({ length: 400 }, (_, i) => ({ title: `moment ${i}` }));
    const many = layoutTimeline({ ...DOWNGRADE, moments }, { width: 900, cursor: 399 });
    expect(many.columns.width).toBeGreaterThanOrEqual(34);
    expect(many.width).toBeGreaterThan(400 * 34);
  });

  test('moves what lies outside the run to its ends', () => {
    const odd = layoutTimeline(
      {
        ...DOWNGRADE,
        steps: [{ step: 'load v1', result: -22, first: 5, last: 2 }],
        lanes: [{ k: 'tasks', spans: [{ first: 3, last: 99, state: 'mixed', label: 'moving' }] }],
      },
      { width: 900, cursor: 1e9 },
    );
    for (const item of odd.items)
      if (item.k === 'box') expect(item.x + item.w).toBeLessThanOrEqual(odd.width);
    expect(texts(odd).some((item) => item.text.includes('-22'))).toBe(true);
  });
});
