import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagedExtension, ROOT } from './extension';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/** The version stack in a real VS Code: its themes, what it remembers, where it leads, what it saves. */

const skip = editorIsMissing();
let workbench: Workbench;
let workspace: string;

beforeAll(async () => {
  if (skip) return;
  workbench = await Workbench.start({ vsix: await packagedExtension(), name: 'panel' });
  workspace = await workbench.open(join(ROOT, 'examples', 'net-fixes'));
  await workbench.openFile('livepatch.yaml');
  await workbench.palette('Livepatch: Show Version Stack');
  await workbench.webview().getByRole('status').getByText('post_unpatch').waitFor();
});

afterAll(() => workbench?.dispose());

test.skipIf(skip).each([
  ['dark', 'Dark Modern', /vscode-dark/],
  ['light', 'Light Modern', /vscode-light/],
  ['high-contrast', 'Dark High Contrast', /vscode-high-contrast/],
] as const)('is sound in the theme %s', async (name, theme, className) => {
  await workbench.scene(name, async () => {
    await workbench.theme(theme);
    const body = workbench.webview().locator('body');
    await expect.poll(() => body.getAttribute('class'), { timeout: 20_000 }).toMatch(className);
    const frame = await workbench.webviewFrame();
    await frame.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const findings = await frame.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      };
      return (await axe.run()).violations.map(
        ({ id, impact, nodes }) =>
          `${impact}: ${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`,
      );
    });
    expect(findings.filter((finding) => /^(serious|critical)/.test(finding))).toEqual([]);
  });
});

test.skipIf(skip)('the tree of a callback leads to the line that makes the side effect', async () => {
  await workbench.scene('deeds', async () => {
    const tree = workbench.webview().getByRole('list', { name: 'What the callbacks do' });
    await tree.getByRole('button', { name: 'debugfs file net_status' }).first().click();
    await workbench.fileShown('livepatch_net_v2.c');
    await expect.poll(() => workbench.caretLine()).toContain('debugfs_create_file');
  });
});

test.skipIf(skip)('the picture is saved as SVG and as PNG, and nothing is overwritten unasked', async () => {
  await workbench.scene('export', async () => {
    for (const format of ['SVG', 'PNG']) {
      await workbench.palette(`Livepatch: Export Stack as ${format}…`);
      const file = join(workspace, `net-fixes-v2-to-v1.${format.toLowerCase()}`);
      await workbench.saveAs(new RegExp(`net-fixes-v2-to-v1\\.${format.toLowerCase()}$`));
      await workbench.quickInputGone();
      // The focus goes back to where it was when all of it is done.
      const saved = `Saved as net-fixes-v2-to-v1.${format.toLowerCase()}`;
      await expect
        .poll(async () => (await workbench.notifications()).join(), { timeout: 20_000 })
        .toContain(saved);
      await expect.poll(() => existsSync(file) && readFileSync(file).length > 1000).toBe(true);
    }
    const svg = readFileSync(join(workspace, 'net-fixes-v2-to-v1.svg'), 'utf8');
    expect(svg).toMatch(/^<svg [\s\S]*post_unpatch skipped: replaced by v1[\s\S]*<\/svg>$/);
    expect(readFileSync(join(workspace, 'net-fixes-v2-to-v1.png')).subarray(1, 4).toString()).toBe('PNG');
    await workbench.webview().getByRole('button', { name: 'Export SVG…' }).click();
    await workbench.saveAs(/net-fixes-v2-to-v1\.svg$/);
    await workbench.asked(/already exists/);
    await workbench.page.keyboard.press('Escape');
  });
});

test.skipIf(skip)('the chosen transition and moment come back after a reload', async () => {
  await workbench.scene('reload', async () => {
    const panel = (): ReturnType<Workbench['webview']> => workbench.webview();
    await panel()
      .getByRole('gridcell', { name: /^v1 to v2/ })
      .click();
    await panel().getByRole('group', { name: 'Time line from v1 to v2' }).waitFor();
    await panel().getByRole('button', { name: 'Last moment' }).click();
    const at = await panel().getByRole('slider').getAttribute('aria-valuetext');
    await workbench.reload();
    // The extension starts anew, which takes a busy machine a while.
    await panel().getByRole('group', { name: 'Time line from v1 to v2' }).waitFor({ timeout: 90_000 });
    await expect.poll(() => panel().getByRole('slider').getAttribute('aria-valuetext')).toBe(at);
  });
});
