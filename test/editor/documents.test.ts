import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheRoot } from '../../scripts/install-test-tools.mjs';
import { kernelForTests } from '../rehearsal/kernels';
import { builtFolder, packagedExtension, ROOT } from './extension';
import { processesAtHome } from './processes';
import { selectors } from './selectors';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/** What the extension writes for a person to read, and what takes it a while: in a real VS Code. */
const V2 = 'v2/livepatch_net_v2.c';
const UPGRADE = 'load v1; load v2; unload v1';
/** Lineages that take the server some ten seconds. */
const MANY = 400;
const PATIENT = { timeout: 20_000 };

const skip = editorIsMissing();
const kernel = skip ? null : await kernelForTests('6.1');
let folder: string;
let workspace: string;
let workbench: Workbench;

/** The command line program as a person has it on the PATH; its kernels and modules are those of the other tests. */
function installProgram(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'klp-lineage');
  const lines = [
    '#!/bin/sh',
    `export LIVEPATCH_LINEAGE_CACHE='${cacheRoot()}'`,
    `exec '${process.execPath}' '${join(builtFolder(), 'cli.js')}' "$@"`,
  ];
  writeFileSync(program, `${lines.join('\n')}\n`);
  chmodSync(program, 0o755);
  return bin;
}

beforeAll(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'livepatch-documents-'));
  const lineage = join(folder, 'lineage');
  cpSync(join(ROOT, 'examples', 'net-fixes'), lineage, { recursive: true });
  const manifest = join(lineage, 'livepatch.yaml');
  const scenario = `scenarios:\n  - name: upgrade\n    steps: [${UPGRADE.replaceAll(';', ',')}]\n    expect: clean\n`;
  writeFileSync(manifest, `${readFileSync(manifest, 'utf8').trimEnd()}\n${scenario}`);
  const vsix = await packagedExtension();
  workbench = await Workbench.start({ vsix, name: 'documents', onPath: installProgram() });
  workspace = await workbench.open(lineage);
  await workbench.openFile(V2);
  await workbench.problems(/unsafe-downgrade/);
});

afterAll(async () => {
  await workbench?.dispose();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function filesOf(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
}

test.skipIf(skip)("a finding's code opens the page of its rule", async () => {
  await workbench.scene('rule-page', async () => {
    const row = workbench.page.locator(selectors.problemRow, { hasText: 'unsafe-downgrade' }).first();
    await row.locator('a', { hasText: 'unsafe-downgrade' }).click();
    // Written as Markdown, it is shown as a page.
    await workbench.webview().locator('h1', { hasText: 'unsafe-downgrade' }).waitFor();
    await workbench.webview().locator('pre code').first().waitFor();
  });
});

test.skipIf(skip)('a runbook, an explained transition and simulated steps are documents', async () => {
  await workbench.scene('runbook', async () => {
    await workbench.openFile(V2);
    await workbench.palette('Livepatch: Write Runbook');
    await workbench.pick(/\bv2\b/);
    await workbench.pick(/\bv1\b/);
    await workbench.fileShown('net-fixes runbook v2 to v1.md');
    // The one way on which v2 undoes what it did: its callbacks run when it is disabled.
    await expect.poll(() => workbench.shownText(), PATIENT).toMatch(/disable\s+v2/i);
  });
  await workbench.scene('explained', async () => {
    await workbench.openFile(V2);
    await workbench.palette('Livepatch: Explain Transition');
    await workbench.pick(/\bv2\b/);
    await workbench.pick(/\bv1\b/);
    await expect.poll(() => workbench.shownText(), PATIENT).toMatch(/v2's\s+post_unpatch/);
    await workbench.fileShown('net-fixes v2 to v1.md');
  });
  await workbench.scene('simulated', async () => {
    await workbench.openFile(V2);
    await workbench.palette('Livepatch: Simulate Steps');
    await workbench.answer(/Steps on a clean kernel/, UPGRADE);
    // In the kernel's words, see klp_start_transition() and klp_complete_transition().
    await expect
      .poll(() => workbench.shownText(), PATIENT)
      .toMatch(/livepatch:\s+'livepatch_net_v1':\s+starting\s+patching\s+transition/);
  });
});

test.skipIf(skip)('a version is compared with the one that it replaces', async () => {
  await workbench.scene('compared', async () => {
    await workbench.openFile(V2);
    await workbench.palette('Livepatch: Compare with the Version It Replaces');
    await workbench.page.locator(selectors.diffEditor).first().waitFor();
    await workbench.fileShown('(v1 ↔ v2)');
  });
});

test.skipIf(skip || kernel === null)(
  'a scenario is rehearsed in a real kernel from the test explorer',
  async () => {
    await workbench.scene('rehearsal', async () => {
      await workbench.palette('Testing: Focus on Test Explorer View');
      const rows = workbench.page.locator(selectors.test);
      const rehearsals = rows.filter({ hasText: 'Rehearsals' }).first();
      await rows.filter({ hasText: 'net-fixes' }).first().click();
      await workbench.page.keyboard.press('ArrowRight');
      await rehearsals.click();
      await workbench.page.keyboard.press('ArrowRight');
      const rehearsal = rehearsals.locator('~ *').filter({ hasText: 'upgrade' }).first();
      const run = async (): Promise<void> => {
        await rehearsal.click();
        await rehearsal.hover();
        await rehearsal.locator(selectors.testRun).click();
      };
      const guests = (): number[] => processesAtHome(join(workspace, '..', '..', 'home'), 'qemu');
      await run();
      await expect.poll(() => guests().length, { timeout: 120_000 }).toBeGreaterThan(0);
      await workbench.palette('Test: Cancel Test Run');
      await expect.poll(guests, PATIENT).toEqual([]);
      expect(await rehearsal.locator(selectors.testPassed).count()).toBe(0);
      // Nothing of what was cut short lies about beside the sources.
      expect(filesOf(workspace)).toEqual(filesOf(join(folder, 'lineage')));
      await run();
      await rehearsal.locator(selectors.testPassed).waitFor({ timeout: 120_000 });
    });
    await workbench.scene('rehearsed', async () => {
      await workbench.palette('Livepatch: Show Version Stack');
      const cell = workbench.webview().getByRole('gridcell', { name: /^v1 to v2.*rehearsed on 6\.1.*equal/ });
      await cell.waitFor();
    });
  },
);

test.skipIf(skip)('the next version is begun as a copy, previewed and written', async () => {
  await workbench.scene('new-version', async () => {
    await workbench.openFile(V2);
    await workbench.palette('Livepatch: New Version');
    await workbench.pick(/\bv2\b/);
    await workbench.answer(/Name of the new version/, 'v3');
    await workbench.acceptPreview();
    const manifest = (): string => readFileSync(join(workspace, 'livepatch.yaml'), 'utf8');
    await expect.poll(manifest, PATIENT).toMatch(/version: v3\b/);
    const copy = (): boolean => filesOf(workspace).some((file) => /^v3\/.*\.c$/.test(file));
    await expect.poll(copy, PATIENT).toBe(true);
  });
});

test.skipIf(skip)('the first look at many lineages is cancelled from its notification', async () => {
  const many = join(folder, 'many');
  for (let i = 0; i < MANY; i++)
    cpSync(join(ROOT, 'examples', 'net-fixes'), join(many, `n${i}`), { recursive: true });
  await workbench.scene('cancelled', async () => {
    workspace = await workbench.open(many);
    const progress = workbench.page.locator(selectors.statusEntry, {
      hasText: new RegExp(`Livepatch Lineage.*/${MANY}`),
    });
    await progress.click();
    await workbench.press('Cancel');
    await progress.waitFor({ state: 'detached' });
    await workbench.openFile(`n${MANY - 1}/${V2}`);
    await workbench.problems(/unsafe-downgrade/);
    // Those that were looked at before, and the one of the open file.
    const warnings = await workbench.page.locator(selectors.problemCount).getAttribute('aria-label');
    expect(Number(/Warnings: (\d+)/.exec(warnings ?? '')?.[1])).toBeLessThan(MANY);
  });
});
