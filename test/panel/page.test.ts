import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layout } from '../../client/webview/layout';
import { LIGHT } from '../../client/webview/paint';
import { sceneToSvg } from '../../client/webview/svg';
import { DOWNGRADE, HOSTILE_NAMES, hostile, long, MANIFEST, MODEL, V1, V2 } from './fixture';
import { artefact, findChromium, type Panel, PanelBrowser } from './page-harness';

const chromium = findChromium();
if (chromium === null)
  console.warn(
    'NOT TESTED: the panel in a browser, for want of Chromium (node scripts/install-test-tools.mjs)',
  );

const FIRST = { type: 'model', model: MODEL, transition: DOWNGRADE } as const;

describe.runIf(chromium !== null)('the page in a browser', () => {
  let browser: PanelBrowser;
  beforeAll(async () => {
    browser = await PanelBrowser.start(chromium ?? '');
  });
  afterAll(async () => {
    await browser.stop();
  });

  async function opened(options: Partial<Parameters<PanelBrowser['open']>[0]> = {}): Promise<Panel> {
    const panel = await browser.open({ theme: 'dark', width: 1280, height: 860, ...options });
    await panel.send(FIRST);
    return panel;
  }

  test('says that it is ready, and draws nothing before it is told what', async () => {
    const panel = await browser.open({ theme: 'dark', width: 900, height: 700 });
    expect(await panel.posted()).toEqual([{ type: 'ready' }]);
    expect(await panel.page.locator('main').isVisible()).toBe(false);
    await panel.send({ type: 'model', model: { ...MODEL, versions: 'many' }, transition: null });
    expect(await panel.page.locator('main').isVisible()).toBe(false);
    await panel.close();
  });

  test('shows the story: verdict, skipped callback, what stays behind, log, both neighbours', async () => {
    const panel = await opened();
    const { page } = panel;
    await page.getByRole('heading', { name: 'net-fixes' }).waitFor();
    expect(await page.getByText('kernel 6.1 · 3 versions · 2 findings').count()).toBe(1);
    expect(await page.getByRole('status').innerText()).toContain("v2's post_unpatch is not called");
    expect(
      await page.getByRole('list', { name: 'Versions, newest first' }).getByRole('heading').allInnerTexts(),
    ).toEqual(['v3', 'v2', 'v1']);
    expect(await page.getByRole('button', { name: /^v2 to v1: ✕ unsafe/ }).getAttribute('aria-pressed')).toBe(
      'true',
    );
    expect(
      await page.getByRole('button', { name: 'post_unpatch skipped: replaced: open source' }).count(),
    ).toBe(1);
    expect(await page.getByText('debugfs_create_file net_status').count()).toBe(1);
    expect(await page.getByText("livepatch: 'livepatch_net_v1': patching complete").count()).toBe(1);
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test('asks for a transition by cell, by arrow, and by the two choices', async () => {
    const panel = await opened();
    const { page } = panel;
    await page.getByRole('gridcell', { name: /^v1 to v3: clean/ }).click();
    await page.getByRole('button', { name: /^v3 to v2: ✓ clean/ }).click();
    await page.getByLabel('from', { exact: true }).selectOption('none');
    // The same on both sides is no transition: the other side gives way.
    await panel.send({ type: 'transition', transition: { ...DOWNGRADE, from: 'v2', to: 'v1' } });
    await page.getByLabel('from', { exact: true }).selectOption('v1');
    await panel.send(FIRST);
    await page.getByRole('button', { name: 'Swap from and to' }).click();
    expect((await panel.posted()).slice(1)).toEqual([
      { type: 'select', from: 'v1', to: 'v3' },
      { type: 'select', from: 'v3', to: 'v2' },
      { type: 'select', from: 'none', to: 'v2' },
      { type: 'select', from: 'v1', to: 'v2' },
      { type: 'select', from: 'v1', to: 'v2' },
    ]);
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test('leads from every item to its source, by pointer and by keyboard', async () => {
    const panel = await opened();
    const { page } = panel;
    await page.getByRole('button', { name: 'v2', exact: true }).click();
    await page
      .getByRole('list', { name: 'Versions, newest first' })
      .getByRole('button', { name: 'post_unpatch', exact: true })
      .click();
    await page.getByRole('button', { name: 'post_unpatch skipped: replaced: open source' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('5 functions, 1 new').click();
    await page.getByRole('button', { name: /eth_commit_mac_addr_change, new here/ }).click();
    await page.getByRole('button', { name: 'debugfs_create_file net_status' }).click();
    const lines = (await panel.posted()).flatMap((one) => (one.type === 'open' ? [one.source.line] : []));
    expect(lines).toEqual([9, 84, 84, 60, 76]);
    await panel.close();
  });

  test('tells what differs between the two versions, by keyboard, each with its source', async () => {
    const panel = await opened();
    const { page } = panel;
    const diff = page.locator('details.diff');
    await diff.locator('summary').focus();
    await page.keyboard.press('Enter');
    // From v2 to v1: the function v2 added, its two callbacks and its debugfs file are gone.
    expect(await diff.getByRole('listitem').allInnerTexts()).toEqual([
      '− removed vmlinux: eth_commit_mac_addr_change',
      '− removed vmlinux: pre_patch',
      '− removed vmlinux: post_unpatch',
      '− removed debugfs file net_status',
    ]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect((await panel.posted()).slice(1)).toEqual([
      { type: 'open', source: { uri: 'file:///lineage/v2/livepatch_net_v2.c', line: 60, column: 1 } },
    ]);
    expect(panel.trouble).toEqual([]);
    await page.screenshot({ path: artefact('panel-diff.png') });
    await panel.close();
  });

  test('tells as a tree what each callback does, by keyboard, each name with its source', async () => {
    const panel = await opened();
    const { page } = panel;
    const tree = page.getByRole('list', { name: 'What the callbacks do' });
    expect((await tree.innerText()).split('\n').filter((line) => line !== '')).toEqual([
      'v2 · vmlinux pre_patch',
      'makes debugfs file net_status',
      'undone by post_unpatch',
      'left over: use-after-free',
      'v2 · vmlinux post_unpatch skipped here',
      'undoes debugfs file net_status (perhaps)',
    ]);
    await tree.getByRole('button').first().focus();
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
    }
    const lines = (await panel.posted()).flatMap((one) => (one.type === 'open' ? [one.source.line] : []));
    expect(lines).toEqual([74, 76, 85, 84, 85]);
    // The page begins at the moment of the skipped callback, and the tree says which one that is.
    const current = tree.locator('[aria-current]');
    expect(await current.allInnerTexts()).toEqual([expect.stringContaining('post_unpatch skipped here')]);
    await page.getByRole('button', { name: 'First moment' }).click();
    expect(await current.count()).toBe(0);
    await panel.send({ type: 'transition', transition: { ...DOWNGRADE, callbacks: [] } });
    expect(await tree.innerText()).toBe('There are no callbacks.');
    await panel.close();
  });

  test('marks what was rehearsed in the stack and in the matrix, and explains the mark', async () => {
    const panel = await opened();
    const { page } = panel;
    const cell = page.getByRole('gridcell', { name: /rehearsed on 6\.1\.0-18-amd64, 2026-01-02, equal$/ });
    expect(await cell.innerText()).toBe('✕ •');
    expect(await page.getByRole('gridcell', { name: /rehearsed/ }).count()).toBe(1);
    await page.getByRole('button', { name: /v2 to v1: ✕ unsafe •.*rehearsed on 6\.1\.0-18-amd64/ }).waitFor();
    await page.getByText('• rehearsed, equal').waitFor();
    const matrix = MODEL.matrix.map((one) => ({ ...one, rehearsed: null }));
    await panel.send({ type: 'model', model: { ...MODEL, matrix }, transition: DOWNGRADE });
    expect(await page.getByText(/•/).count()).toBe(0);
    await panel.close();
  });

  test('exports the picture that graph draws, as SVG and as PNG, under its policy', async () => {
    const panel = await opened({ theme: 'high-contrast', width: 500 });
    const { page } = panel;
    await panel.send({ type: 'export', format: 'svg' });
    await panel.send({ type: 'export', format: 'png' });
    await expect.poll(async () => (await panel.posted()).length).toBe(3);
    const [svg = '', png = ''] = (await panel.posted()).flatMap((one) =>
      one.type === 'exported' ? [one.data ?? ''] : [],
    );
    const graph = sceneToSvg(layout(MODEL, DOWNGRADE, { width: 1280 }), LIGHT);
    const same = await page.evaluate(
      ([a = '', b = '']) => {
        const read = (text: string): Document => {
          const document = new DOMParser().parseFromString(text, 'image/svg+xml');
          const walk = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
          const blank: Node[] = [];
          while (walk.nextNode()) if (walk.currentNode.nodeValue?.trim() === '') blank.push(walk.currentNode);
          for (const node of blank) node.parentNode?.removeChild(node);
          return document;
        };
        return read(a).isEqualNode(read(b)) && read(a).querySelectorAll('text').length;
      },
      [svg, graph],
    );
    expect(same).toBeGreaterThan(50);
    const bytes = Buffer.from(png, 'base64');
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    const size = /width="(\d+)" height="(\d+)"/.exec(graph) ?? [];
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([
      Number(size[1]) * 2,
      Number(size[2]) * 2,
    ]);
    writeFileSync(artefact('panel-export.png'), bytes);
    writeFileSync(artefact('panel-export.svg'), svg);
    // Not an empty sheet: the red of the verdict's border is on it.
    const red = await page.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), {
        width: image.width,
        height: image.height,
      });
      const context = canvas.getContext('2d');
      context?.drawImage(image, 0, 0);
      const { data: pixels = [] } = context?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      let found = 0;
      for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i] === 0xb3 && pixels[i + 1] === 0x26 && pixels[i + 2] === 0x1e) found++;
      return found;
    }, png);
    expect(red).toBeGreaterThan(1000);
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test('gives up a PNG of more pixels than a picture is worth, and exports nothing before it shows something', async () => {
    const panel = await browser.open({ theme: 'dark', width: 1280, height: 860 });
    await panel.send({ type: 'export', format: 'svg' });
    await panel.send({ type: 'model', model: { ...long(150), matrix: [] }, transition: null });
    await panel.send({ type: 'export', format: 'png' });
    await expect
      .poll(async () => (await panel.posted()).slice(1), { timeout: 30_000 })
      .toEqual([{ type: 'exported', format: 'png', data: null }]);
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test('posts the actions of the transition and of the page', async () => {
    const panel = await opened();
    await panel.page.getByRole('button', { name: 'Generate v3 = v1 + cleanup after v2' }).click();
    await panel.page.getByRole('button', { name: 'Generate cleanup patch…' }).click();
    for (const name of ['Simulate…', 'Compare sources…', 'Export SVG…', 'Export PNG…'])
      await panel.page.getByRole('button', { name }).click();
    expect((await panel.posted()).slice(1)).toEqual([
      { type: 'action', command: 'livepatch.generateCleanupPatch', arguments: ['v1', 'v2'] },
      ...['generateCleanupPatch', 'simulate', 'compareVersions', 'exportSvg', 'exportPng'].map((command) => ({
        type: 'action',
        command: `livepatch.${command}`,
        arguments: [],
      })),
    ]);
    await panel.close();
  });

  test('moves through the run by keyboard, the log with it, and remembers where', async () => {
    const panel = await opened();
    const { page } = panel;
    const slider = page.getByRole('slider', { name: 'Moment of the run' });
    // It begins where the fault is: the fifth moment.
    expect(await slider.getAttribute('aria-valuenow')).toBe('5');
    await slider.focus();
    const now = async (key: string): Promise<string | null> => {
      await page.keyboard.press(key);
      return slider.getAttribute('aria-valuetext');
    };
    expect(await now('ArrowRight')).toBe('6 of 7: patching complete');
    expect(await page.locator('.log [aria-current]').allInnerTexts()).toEqual([
      "livepatch: 'livepatch_net_v1': patching complete",
    ]);
    expect(await now('End')).toBe('7 of 7: unload v2');
    expect(await now('ArrowRight')).toBe('7 of 7: unload v2');
    expect(await now('Home')).toBe('1 of 7: load v1');
    expect(await now('ArrowLeft')).toBe('1 of 7: load v1');
    expect(await page.locator('.log [aria-current]').allInnerTexts()).toEqual([
      '% load v1',
      "livepatch: enabling patch 'livepatch_net_v1'",
    ]);
    expect(await panel.state()).toEqual({ manifest: MANIFEST, from: 'v2', to: 'v1', cursor: 0, text: false });
    await page.getByRole('button', { name: 'Next moment' }).click();
    expect(await page.locator('.steps .at').innerText()).toBe(
      'step 2 of 7 · initializing patching transition',
    );
    await page.locator('.log li').last().click();
    expect(await slider.getAttribute('aria-valuenow')).toBe('7');
    await panel.close();
  });

  test('moves through the matrix by keyboard with one tab stop', async () => {
    const panel = await opened();
    const { page } = panel;
    expect(await page.locator('.matrix [tabindex="0"]').count()).toBe(1);
    await page.getByRole('gridcell', { name: /^v2 to v1: unsafe/ }).focus();
    for (const key of ['ArrowUp', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
    await page.keyboard.press('Control+Home');
    await page.keyboard.press(' ');
    expect((await panel.posted()).slice(1)).toEqual([
      { type: 'select', from: 'v1', to: 'v2' },
      { type: 'select', from: 'none', to: 'v1' },
    ]);
    expect(await page.locator('.matrix [tabindex="0"]').count()).toBe(1);
    await panel.close();
  });

  test('says the same in words', async () => {
    const panel = await opened();
    const { page } = panel;
    await page.getByRole('button', { name: 'Text view' }).click();
    expect(await page.getByRole('slider').isVisible()).toBe(false);
    const words = await page.getByRole('list', { name: 'The run, moment by moment' }).innerText();
    expect(words).toContain('v2 · vmlinux: post_unpatch skipped: replaced');
    expect(words).toContain('debugfs file net_status: use-after-free');
    expect(await page.locator('.moments [aria-current]').count()).toBe(1);
    await page.screenshot({ path: artefact('panel-text.png') });
    await panel.close();
  });

  test('comes back as it was left', async () => {
    const state = { manifest: MANIFEST, from: 'v2', to: 'v1', cursor: 6, text: false };
    const panel = await opened({ state });
    expect(await panel.page.getByRole('slider').getAttribute('aria-valuenow')).toBe('7');
    expect(await panel.state()).toEqual(state);
    await panel.close();
  });

  test('follows an edit without losing focus, unfolded lists or the cursor', async () => {
    const panel = await opened();
    const { page } = panel;
    await page.getByText('5 functions, 1 new').click();
    await page.getByRole('button', { name: 'Next moment' }).focus();
    await page.keyboard.press('Enter');
    const model = { ...MODEL, findings: 3, versions: [V1, V2, { ...V1, version: 'v3', module: 'm3' }] };
    await panel.send({ type: 'model', model, transition: DOWNGRADE });
    expect(await page.getByText('kernel 6.1 · 3 versions · 3 findings').count()).toBe(1);
    expect(await page.locator('details[open]').count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Next moment');
    expect(await page.getByRole('slider').getAttribute('aria-valuenow')).toBe('6');
    await panel.close();
  });

  test('says what went wrong, and stops saying it', async () => {
    const panel = await opened();
    await panel.send({ type: 'trouble', message: 'There is no lineage at x.' });
    expect(await panel.page.getByRole('alert').innerText()).toBe('There is no lineage at x.');
    await panel.send(FIRST);
    expect(await panel.page.getByRole('alert').isVisible()).toBe(false);
    await panel.close();
  });

  test('keeps the selected pair of 50 versions in view, and an update redraws what changed alone', async () => {
    const panel = await browser.open({ theme: 'dark', width: 1280, height: 860 });
    const { page } = panel;
    const model = long(50);
    const transition = { ...DOWNGRADE, from: 'v30', to: 'v29' };
    await panel.send({ type: 'model', model, transition });
    for (const locator of [
      page.locator('.card[data-version="v30"]'),
      page.locator('[aria-selected="true"]'),
    ]) {
      const box = await locator.boundingBox();
      expect(box?.y).toBeGreaterThan(40);
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(860);
    }
    await page.screenshot({ path: artefact('panel-50.png') });
    const edited = {
      ...model,
      findings: 9,
      matrix: model.matrix.map((cell, i) => (i % 97 === 0 ? { ...cell, verdict: 'leaves' as const } : cell)),
    };
    const [same = 0, some = 0, all = 0] = await page.evaluate(
      (updates) =>
        updates.map((data) => {
          const observer = new MutationObserver(() => undefined);
          const what = { childList: true, attributes: true, characterData: true, subtree: true };
          observer.observe(document.body, what);
          window.dispatchEvent(new MessageEvent<unknown>('message', { data }));
          return observer.takeRecords().length;
        }),
      [
        { type: 'model', model, transition },
        { type: 'model', model: edited, transition },
        { type: 'model', model: long(49), transition },
      ],
    );
    // A cell takes a handful of changes; drawing all of them anew takes thousands.
    const changed = edited.matrix.filter((cell, i) => cell.verdict !== model.matrix[i]?.verdict).length;
    expect(same).toBeLessThan(20);
    expect(some).toBeLessThan(20 + 12 * changed);
    expect(all).toBeGreaterThan(some);
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test.each(HOSTILE_NAMES.map((name, i) => [i, name] as const))(
    'draws hostile name %i inert',
    async (_, name) => {
      const panel = await opened();
      const { model, transition } = hostile(name);
      await panel.send({ type: 'model', model, transition });
      await panel.page.getByRole('button', { name: 'Text view' }).click();
      for (const format of ['svg', 'png']) await panel.send({ type: 'export', format });
      await expect.poll(async () => (await panel.posted()).length).toBe(3);
      for (const one of (await panel.posted()).slice(-2))
        expect(one).toMatchObject({ data: expect.any(String) });
      expect(await panel.page.locator('img, script:not([nonce]), iframe, svg svg').count()).toBe(0);
      expect(await panel.page.title()).toBe('Livepatch version stack');
      expect(panel.trouble).toEqual([]);
      const sideways = await panel.page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(sideways).toBeLessThanOrEqual(0);
      if (name.includes('script')) await panel.page.screenshot({ path: artefact('panel-hostile.png') });
      await panel.close();
    },
  );

  test.each([
    ['dark', 1280, 860],
    ['light', 1280, 860],
    ['high-contrast', 1280, 860],
    ['dark', 480, 1600],
    // What 200 % zoom makes of a panel of 1280 by 860.
    ['light', 640, 430],
  ] as const)(
    'is sound in %s at %i x %i: no text cut off, no serious finding of axe',
    async (theme, width, height) => {
      const panel = await opened({ theme, width, height });
      const { page } = panel;
      await page.screenshot({ path: artefact(`panel-${theme}-${width}.png`), fullPage: width < 760 });
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
      ).toBeLessThanOrEqual(0);
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll<SVGGraphicsElement>('.timeline text')]
          .filter((text) => {
            const svg = text.ownerSVGElement?.getBoundingClientRect();
            const box = text.getBoundingClientRect();
            return svg !== undefined && (box.right > svg.right + 1 || box.left < svg.left - 1);
          })
          .map((text) => text.textContent),
      );
      expect(cut).toEqual([]);
      await page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      const findings = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: {
            run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
          };
        };
        const { violations } = await axe.run();
        return violations.map(
          ({ id, impact, nodes }) =>
            `${impact}: ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
        );
      });
      expect(findings.filter((finding) => /^(serious|critical)/.test(finding))).toEqual([]);
      await panel.close();
    },
  );

  test('in one column the verdict comes before the matrix, in the first screen and in the order of Tab', async () => {
    const panel = await opened({ width: 480, height: 860 });
    const { page } = panel;
    const top = async (selector: string): Promise<number> =>
      (await page.locator(selector).first().boundingBox())?.y ?? Number.NaN;
    const verdict = await page.locator('.verdict').boundingBox();
    await page.screenshot({ path: artefact('panel-narrow.png') });
    expect((verdict?.y ?? Number.NaN) + (verdict?.height ?? 0)).toBeLessThan(860);
    expect(await top('.card')).toBeLessThan(verdict?.y ?? 0);
    expect(await top('.log')).toBeLessThan(await top('.matrix'));
    const verdictIsFirst = (): Promise<boolean> =>
      page.evaluate(() => {
        const [matrix, transition] = ['.matrix', '.verdict'].map((one) => document.querySelector(one));
        const order = matrix && transition ? transition.compareDocumentPosition(matrix) : 0;
        return (order & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
      });
    expect(await verdictIsFirst()).toBe(true);
    await page.setViewportSize({ width: 1280, height: 860 });
    await expect.poll(verdictIsFirst).toBe(false);
    expect(await top('.matrix')).toBeGreaterThan(await top('.card'));
    expect(panel.trouble).toEqual([]);
    await panel.close();
  });

  test('keeps its meaning in forced colours', async () => {
    const panel = await opened({ forcedColors: 'active' });
    await panel.page.screenshot({ path: artefact('panel-forced-colors.png') });
    const style = (selector: string, name: string): Promise<string> =>
      panel.page
        .locator(selector)
        .first()
        .evaluate((node, property) => getComputedStyle(node).getPropertyValue(property), name);
    expect(await style('.card.draft', 'border-top-style')).toBe('dashed');
    expect(await style('.card.faulty', 'border-top-style')).toBe('solid');
    expect(await style('circle.skipped', 'stroke-dasharray')).not.toBe('none');
    await panel.close();
  });

  test('every control has a name and is reached by Tab', async () => {
    const panel = await opened();
    const { page } = panel;
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, select, [role=button], [role=slider], [tabindex]')]
        .filter(
          (node) =>
            !(node.getAttribute('aria-label') ?? node.getAttribute('aria-labelledby') ?? node.textContent),
        )
        .filter((node) => !(node instanceof HTMLSelectElement && node.labels.length > 0))
        .map((node) => node.outerHTML.slice(0, 120)),
    );
    expect(nameless).toEqual([]);
    const seen = new Set<string>();
    await page.locator('body').focus();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      seen.add(
        await page.evaluate(() => {
          const at = document.activeElement;
          return `${at?.tagName.toLowerCase()} ${at?.getAttribute('aria-label') ?? at?.textContent ?? ''}`;
        }),
      );
    }
    for (const part of [
      'Text view',
      'post_unpatch',
      'v2 to v1: ✕ unsafe',
      'Moment of the run',
      'Next moment',
      'Swap',
      'livepatch: enabling',
    ])
      expect(
        [...seen].some((name) => name.includes(part)),
        part,
      ).toBe(true);
    await panel.close();
  });
});
