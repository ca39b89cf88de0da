import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagedExtension, ROOT } from './extension';
import { servers } from './processes';
import { selectors } from './selectors';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/** What helps an author while writing and mending, in a real VS Code: signatures, settings, suppressions, fixes. */
const V2 = 'fixes/v2/livepatch_net_v2.c';

/** For what takes a busy machine a while. */
const PATIENT = { timeout: 20_000 };

/** A severity is there though hidden: in the row under the pointer or the caret the light bulb takes its place. */
const DRAWN = { state: 'attached' } as const;

const skip = editorIsMissing();
let folder: string;
let workspace: string;
let workbench: Workbench;

/** `fixes` is the example; `watch` and `again` have a draft v2 with a notifier that only v2 knows. */
function makeWorkspace(): void {
  const examples = join(ROOT, 'examples');
  cpSync(join(examples, 'net-fixes'), join(folder, 'drafts', 'fixes'), { recursive: true });
  for (const name of ['watch', 'again']) {
    const copy = join(folder, 'drafts', name);
    cpSync(join(examples, 'module-watch'), copy, { recursive: true });
    const manifest = join(copy, 'livepatch.yaml');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(
      manifest,
      text.replace('module-watch', `${name}-modules`).replace('status: faulty', 'status: draft'),
    );
  }
}

beforeAll(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'livepatch-authoring-'));
  makeWorkspace();
  workbench = await Workbench.start({
    vsix: await packagedExtension(),
    name: 'authoring',
    // A file that is saved by itself within a second is never shown as unsaved: no one sees when it is saved.
    settings: { 'files.autoSave': 'off' },
  });
  workspace = await workbench.open(join(folder, 'drafts'));
  await workbench.openFile(V2);
  await workbench.problems(/unsafe-downgrade/);
});

afterAll(async () => {
  await workbench?.dispose();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function onDisk(file: string): string {
  return readFileSync(join(workspace, file), 'utf8');
}

/** Writes the settings of the workspace, as a person does in settings.json. */
function setSettings(settings: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(workspace, '.vscode'), { recursive: true });
  writeFileSync(join(workspace, '.vscode', 'settings.json'), JSON.stringify(settings, null, 2));
}

test.skipIf(skip)('the signature of a callback is shown where it is given in its table', async () => {
  await workbench.scene('signature', async () => {
    await workbench.caretAt(V2, 'livepatch_net_pre_patch', '.pre_patch');
    await workbench.palette('Trigger Parameter Hints');
    const hint = workbench.page.locator(selectors.parameterHint);
    await hint.filter({ hasText: 'int pre_patch(struct klp_object *obj)' }).waitFor();
    await workbench.page.keyboard.press('Escape');
    await hint.waitFor({ state: 'hidden' });
  });
});

test.skipIf(skip)('a setting takes effect at once, in the server that runs', async () => {
  await workbench.scene('settings', async () => {
    const before = servers();
    expect(before).toHaveLength(1);
    await workbench.caretAt(V2, '.post_unpatch');
    const hint = /\.post_unpatch = .*skipped when replaced/;
    const lens = workbench.page.locator(selectors.codeLens).filter({ hasText: 'show in stack' });
    await expect.poll(() => workbench.shownText(), PATIENT).toMatch(hint);
    await lens.first().waitFor();
    const row = workbench.page.locator(selectors.problemRow, { hasText: 'unsafe-downgrade' }).first();
    await workbench.filterProblems('net_status');
    await row.locator(selectors.warning).waitFor(DRAWN);

    setSettings({
      'livepatch.inlayHints.enable': false,
      'livepatch.codeLens.enable': false,
      'livepatch.rules': { 'unsafe-downgrade': 'error' },
    });
    await row.locator(selectors.error).waitFor(DRAWN);
    await expect.poll(() => workbench.shownText(), PATIENT).not.toMatch(hint);
    await lens.first().waitFor({ state: 'detached' });

    setSettings({ 'livepatch.rules': { 'unsafe-downgrade': 'off' } });
    await row.waitFor({ state: 'detached' });
    await expect.poll(() => workbench.shownText(), PATIENT).toMatch(hint);
    await lens.first().waitFor();

    setSettings({});
    await row.locator(selectors.warning).waitFor(DRAWN);
    expect(servers()).toEqual(before);
  });
});

test.skipIf(skip)('a finding is suppressed where it stands, by a comment above its line', async () => {
  await workbench.scene('suppression', async () => {
    await workbench.caretAt(V2, 'debugfs_create_file', 'net_status = ');
    await workbench.filterProblems('net_status');
    await workbench.problems(/unsafe-downgrade/);
    await workbench.caretAt(V2, 'debugfs_create_file', 'net_status = ');
    await workbench.quickFix('Suppress unsafe-downgrade here (reason');
    const rows = workbench.page.locator(selectors.problemRow, { hasText: 'unsafe-downgrade' });
    await rows.first().waitFor({ state: 'detached' });
    await workbench.saveAll();
    await expect
      .poll(() => onDisk(V2), PATIENT)
      .toContain('\t/* livepatch-ignore unsafe-downgrade: reason */\n\tnet_status = debugfs_create_file(');
  });
});

test.skipIf(skip)('fix all mends what has one safe fix', async () => {
  await workbench.scene('fix-all', async () => {
    const file = 'fixes/livepatch.yaml';
    // A number instead of a string, as it is easily written.
    writeFileSync(join(workspace, file), onDisk(file).replace('"6.1"', '6.1'));
    await workbench.filterProblems('kernel');
    await workbench.problems(/manifest-invalid/);
    await workbench.openFile(file);
    await workbench.palette('Fix All');
    await workbench.page
      .locator(selectors.problemRow, { hasText: 'manifest-invalid' })
      .first()
      .waitFor({ state: 'detached' });
    await workbench.saveAll();
    await expect.poll(() => onDisk(file), PATIENT).toMatch(/\nkernel: ["']6\.1["']\n/);
  });
});

test.skipIf(skip)('a quick fix publishes what only a draft knows', async () => {
  await workbench.scene('replaceable-fix', async () => {
    const file = 'watch/v2/livepatch_watch_v2.c';
    await workbench.caretAt(file, 'register_module_notifier', 'watch_pre_patch');
    await workbench.filterProblems('watch_nb');
    await workbench.problems(/cleanup-impossible/);
    await workbench.caretAt(file, 'register_module_notifier', 'watch_pre_patch');
    await workbench.quickFix('Make v2 replaceable');
    await workbench.saveAll();
    await expect.poll(() => onDisk(file), PATIENT).toMatch(/struct klp_state \w+\[\]/);
    expect(onDisk(file)).toMatch(/\.states = \w+,/);
  });
});

test.skipIf(skip)('the palette makes a draft replaceable, and one undo takes it back', async () => {
  await workbench.scene('replaceable-command', async () => {
    const file = 'again/v2/livepatch_watch_v2.c';
    const before = onDisk(file);
    await workbench.openFile(file);
    await workbench.palette('Livepatch: Make This Version Replaceable');
    await workbench.pick(/^v2/);
    await expect.poll(() => workbench.shownText(), PATIENT).toMatch(/struct klp_state \w+\[\]/);
    await workbench.saveAll();
    await expect.poll(() => onDisk(file), PATIENT).toMatch(/struct klp_state \w+\[\]/);
    await workbench.page.keyboard.press('ControlOrMeta+z');
    await workbench.saveAll();
    await expect.poll(() => onDisk(file), PATIENT).toBe(before);
  });
});
