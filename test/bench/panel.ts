import type { PanelModel } from '../../server/src/features/panel-model';
import { at, DOWNGRADE, long } from '../panel/fixture';
import { findChromium, PanelBrowser } from '../panel/page-harness';
import { type Figure, median } from './measure';

const VERSIONS = 50;
const FUNCTIONS = 200;

/** 50 versions of 200 functions each, every pair with a verdict. */
function largeModel(): PanelModel {
  const model = long(VERSIONS);
  const versions = model.versions.map((version) => ({
    ...version,
    objects: version.objects.map((object) => ({
      ...object,
      functions: Array.from({ length: FUNCTIONS }, (_, i) => ({
        old: `patched_function_${i}`,
        new: `livepatch_patched_function_${i}`,
        change: 'kept' as const,
        source: at(`${version.version}/main.c`, i + 1),
      })),
    })),
  }));
  return { ...model, versions };
}

/** The panel's page in a browser; no figures where there is none. */
export async function panelFigures(): Promise<Figure[]> {
  const chromium = findChromium();
  if (chromium === null) {
    console.error('the panel is not measured, for want of Chromium');
    return [];
  }
  const browser = await PanelBrowser.start(chromium);
  try {
    const model = largeModel();
    const transition = { ...DOWNGRADE, from: 'v30', to: 'v29' };
    const edited = {
      ...model,
      findings: 9,
      matrix: model.matrix.map((cell, i) => (i % 97 === 0 ? { ...cell, verdict: 'leaves' as const } : cell)),
    };
    const first: number[] = [];
    const still: number[] = [];
    const updates: number[] = [];
    let nodes = 0;
    for (let round = 0; round < 9; round++) {
      const panel = await browser.open({ theme: 'dark', width: 1280, height: 860 });
      const seen = await panel.page.evaluate(
        async ([whole, again]) => {
          const painted = (): Promise<number> =>
            new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
          const send = (data: unknown): void => {
            window.dispatchEvent(new MessageEvent<unknown>('message', { data }));
          };
          await painted();
          let start = performance.now();
          send(whole);
          const first = (await painted()) - start;
          const walk = document.createTreeWalker(
            document.body,
            NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
          );
          let nodes = 0;
          while (walk.nextNode()) nodes++;
          const updates: number[] = [];
          for (let i = 0; i < 8; i++) {
            start = performance.now();
            send(i % 2 === 0 ? again : whole);
            // Styles and layout are part of the update; waiting for the next frame is not.
            document.body.getBoundingClientRect();
            updates.push(performance.now() - start);
          }
          document.body.replaceChildren();
          await painted();
          const parts: string[] = [];
          // Each a box and a text: three nodes.
          for (let i = 0; i < nodes / 3; i++)
            parts.push(
              `<rect x="${(i % 60) * 20}" y="${Math.floor(i / 60) * 14}" width="18" height="12"/><text x="${(i % 60) * 20}" y="${Math.floor(i / 60) * 14 + 10}">f${i}</text>`,
            );
          start = performance.now();
          document.body.innerHTML = `<svg width="1200" height="6000">${parts.join('')}</svg>`;
          const still = (await painted()) - start;
          return { first, still, updates, nodes };
        },
        [
          { type: 'model', model, transition },
          { type: 'model', model: edited, transition },
        ] as const,
      );
      await panel.close();
      // The first round warms the browser up.
      if (round === 0) continue;
      first.push(seen.first);
      still.push(seen.still);
      updates.push(...seen.updates);
      nodes = seen.nodes;
    }
    return [
      {
        name: 'panel, 50 versions × 200 functions, first paint',
        value: median(first) / median(still),
        limit: 1.5,
        unit: '× static SVG',
        detail: `${median(first).toFixed(0)} ms / ${median(still).toFixed(0)} ms for ${nodes} nodes each`,
      },
      {
        name: 'panel, 50 versions × 200 functions, update',
        value: median(updates) / median(still),
        limit: 0.04,
        unit: '× static SVG',
        detail: `27 verdicts change; ${median(updates).toFixed(1)} ms, fastest ${Math.min(...updates).toFixed(1)} ms`,
      },
    ];
  } finally {
    await browser.stop();
  }
}
