import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtFolder, packagedExtension, ROOT } from './extension';
import { selectors } from './selectors';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/**
 * Every language feature once in a real VS Code, over two lineages with files of the same names: what a feature answers
 * is tried elsewhere, here that it arrives.
 */
const SCENARIOS = `scenarios:
  - name: upgrade
    steps: [load v1, load v2, unload v1]
    expect: clean
  - name: way back
    steps: [load v2, load v1, unload v2]
    expect: clean
`;

const skip = editorIsMissing();
let folder: string;
let workspace: string;
let workbench: Workbench;

/** Two lineages, `first` as the example and `second` with a v2 that forgot to replace; and sources without a manifest. */
function makeWorkspaces(): void {
  const example = join(ROOT, 'examples', 'net-fixes');
  for (const name of ['first', 'second'])
    cpSync(example, join(folder, 'lineages', name), { recursive: true });
  const change = (path: string, edit: (text: string) => string): void => {
    const file = join(folder, 'lineages', path);
    writeFileSync(file, edit(readFileSync(file, 'utf8')));
  };
  change('first/livepatch.yaml', (text) => `${text.trimEnd()}\n${SCENARIOS}`);
  change('second/livepatch.yaml', (text) =>
    text.replace('net-fixes', 'forgetful').replace('status: faulty', 'status: draft'),
  );
  change('second/v2/livepatch_net_v2.c', (text) => text.replace('\t.replace = true,\n', ''));
  cpSync(example, join(folder, 'sources'), { recursive: true });
  rmSync(join(folder, 'sources', 'livepatch.yaml'));
  mkdirSync(join(folder, 'bin'));
  chmodSync(join(builtFolder(), 'cli.js'), 0o755);
  symlinkSync(join(builtFolder(), 'cli.js'), join(folder, 'bin', 'klp-lineage'));
}

beforeAll(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'livepatch-language-'));
  makeWorkspaces();
  const vsix = await packagedExtension();
  workbench = await Workbench.start({ vsix, name: 'language', onPath: join(folder, 'bin') });
  workspace = await workbench.open(join(folder, 'lineages'));
  // The server is up when it has found something.
  await workbench.openFile('first/livepatch.yaml');
  await workbench.problems(/scenario-failed/);
});

afterAll(async () => {
  await workbench?.dispose();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test.skipIf(skip)('the check task leads to the file that its manifest means', async () => {
  await workbench.scene('task', async () => {
    await workbench.palette('Tasks: Run Task');
    await workbench.pick('klp-lineage');
    await workbench.pick('check second/livepatch.yaml');
    // The terminal comes to the front when the task starts.
    await workbench.page.locator(selectors.terminal).waitFor();
    const row = workbench.page.locator(selectors.problemRow, { hasText: /klp-lineage.*missing-replace/ });
    await workbench.filterProblems('lacks');
    await row.first().dblclick();
    const place = workbench.page.locator(selectors.breadcrumbs);
    await expect.poll(async () => (await place.innerText()).split(/\s+/)).toContain('second');
  });
});

test.skipIf(skip)('completion offers what may stand there', async () => {
  await workbench.scene('completion', async () => {
    await workbench.caretAt('first/livepatch.yaml', 'faulty', 'status: faulty');
    await workbench.page.keyboard.press('End');
    for (let i = 0; i < 'faulty'.length; i++) await workbench.page.keyboard.press('Backspace');
    await workbench.page.keyboard.press('Control+Space');
    const rows = workbench.page.locator(selectors.suggestion);
    for (const status of ['draft', 'released', 'withdrawn'])
      await rows.filter({ hasText: status }).first().waitFor();
    await rows.filter({ hasText: 'faulty' }).first().click();
    await workbench.palette('File: Save All');
    await expect
      .poll(() => readFileSync(join(workspace, 'first/livepatch.yaml'), 'utf8'))
      .toContain('status: faulty\n');
  });
});

test.skipIf(skip)('the outline has the versions, go to definition leads to the module', async () => {
  await workbench.scene('symbols', async () => {
    await workbench.openFile('first/livepatch.yaml');
    await workbench.palette('Go to Symbol in Editor');
    const rows = (await workbench.offered(/v2/)).join('\n');
    for (const name of ['v1', 'v2', 'way back']) expect(rows).toContain(name);
    await workbench.escape();
  });
  await workbench.scene('definition', async () => {
    await workbench.caretAt('first/livepatch.yaml', 'livepatch_net_v2');
    await workbench.page.keyboard.press('F12');
    const tab = workbench.page.locator(selectors.activeTab, { hasText: 'livepatch_net_v2.c' });
    await tab.waitFor();
    expect((await workbench.page.locator(selectors.breadcrumbs).innerText()).split(/\s+/)).toContain('first');
  });
});

test.skipIf(skip)(
  'the status names what was read, steps have their scope, and snippets are offered',
  async () => {
    await workbench.scene('status', async () => {
      await workbench.openFile('first/livepatch.yaml');
      await workbench.page.locator(selectors.languageStatus).first().click();
      const said = workbench.page.locator(selectors.languageStatusHover);
      await said
        .filter({ hasText: /2 lineages, \d+ findings/ })
        .first()
        .waitFor();
    });
    await workbench.scene('scopes', async () => {
      await workbench.caretAt('first/livepatch.yaml', 'load v1');
      await workbench.palette('Developer: Inspect Editor Tokens and Scopes');
      const inspector = workbench.page.locator(selectors.tokenInspector);
      await inspector.filter({ hasText: 'keyword.control.step.livepatch-manifest' }).waitFor();
      await workbench.page.keyboard.press('Escape');
    });
    await workbench.scene('snippets', async () => {
      await workbench.openFile('second/v1/livepatch_net_v1.c');
      await workbench.palette('Snippets: Insert Snippet');
      await workbench.page.locator(selectors.quickInputBox).fill('klp-');
      const offered = (await workbench.offered(/klp-shadow/)).join('\n');
      expect(offered).toContain('klp-state');
      await workbench.escape();
    });
  },
);

test.skipIf(skip)('code lenses and inlay hints say what a replacement skips', async () => {
  await workbench.scene('lens-and-hint', async () => {
    await workbench.caretAt('first/v2/livepatch_net_v2.c', 'livepatch_net_post_unpatch', 'static void');
    const lens = workbench.page.locator(selectors.codeLens);
    await lens.filter({ hasText: 'v2 post_unpatch' }).first().waitFor();
    await workbench.caretAt('first/v2/livepatch_net_v2.c', '.post_unpatch');
    await lens.filter({ hasText: 'show in stack' }).first().waitFor();
    await expect.poll(() => workbench.shownText()).toMatch(/\.post_unpatch = .*skipped when replaced/);
  });
});

test.skipIf(skip)('a quick fix adds what was forgotten', async () => {
  await workbench.scene('quick-fix', async () => {
    const file = 'second/v2/livepatch_net_v2.c';
    await workbench.caretAt(file, 'patch = {', 'static struct klp_patch');
    await workbench.filterProblems('lacks');
    await workbench.problems(/missing-replace/);
    await workbench.caretAt(file, 'patch = {', 'static struct klp_patch');
    await workbench.page.keyboard.press('Control+.');
    const fix = workbench.page.locator(selectors.codeAction, { hasText: 'Add `.replace = true`' });
    await fix.first().click();
    await workbench.palette('File: Save All');
    await expect.poll(() => readFileSync(join(workspace, file), 'utf8')).toContain('\t.replace = true,\n');
  });
});

test.skipIf(skip)('scenarios are tests: one holds, one does not and shows its run', async () => {
  await workbench.scene('tests', async () => {
    await workbench.palette('Testing: Focus on Test Explorer View');
    const rows = workbench.page.locator(selectors.test);
    await rows.filter({ hasText: 'net-fixes' }).first().waitFor();
    await workbench.palette('Test: Run All Tests');
    await workbench.page.locator(selectors.testFailed).first().waitFor();
    await workbench.palette('Testing: Focus on Test Explorer View');
    const root = rows.filter({ hasText: 'net-fixes' }).first();
    if ((await root.getAttribute('aria-expanded')) !== 'true') {
      await root.click();
      await workbench.page.keyboard.press('ArrowRight');
    }
    await rows.filter({ hasText: 'upgrade' }).first().locator(selectors.testPassed).waitFor();
    await rows.filter({ hasText: 'way back' }).first().locator(selectors.testFailed).waitFor();
    await rows.filter({ hasText: 'Rehearsals' }).first().waitFor();
  });
});

test.skipIf(skip)('a version is renamed over the lineage, scenarios included', async () => {
  await workbench.scene('rename', async () => {
    await workbench.caretAt('first/livepatch.yaml', 'v2', 'version: v2');
    await workbench.page.keyboard.press('F2');
    const box = workbench.page.locator(selectors.rename);
    await box.fill('v2b');
    await box.press('Enter');
    await box.waitFor({ state: 'hidden' });
    await workbench.palette('File: Save All');
    const text = (): string => readFileSync(join(workspace, 'first/livepatch.yaml'), 'utf8');
    await expect.poll(text).toContain('version: v2b\n');
    expect(text()).toContain('steps: [load v1, load v2b, unload v1]');
    expect(readFileSync(join(workspace, 'second/livepatch.yaml'), 'utf8')).toContain('version: v2\n');
  });
});

test.skipIf(skip)('the walkthrough opens with its five steps', async () => {
  await workbench.scene('walkthrough', async () => {
    await workbench.palette('Welcome: Open Walkthrough');
    await workbench.pick('Your First Lineage');
    const page = workbench.page.locator(selectors.walkthrough);
    const texts = async (): Promise<string> => (await page.allInnerTexts()).join('\n');
    await expect.poll(texts).toContain('Name the versions');
    for (const step of ['Read the findings', 'See every transition', 'Generate the way out', 'Try it before'])
      expect(await texts()).toContain(step);
  });
});

test.skipIf(skip)('sources without a manifest: the test view offers one, and makes it', async () => {
  await workbench.scene('welcome', async () => {
    workspace = await workbench.open(join(folder, 'sources'));
    await workbench.openFile('v2/livepatch_net_v2.c');
    await workbench.palette('Testing: Focus on Test Explorer View');
    const welcome = workbench.page.locator(selectors.welcome);
    await welcome.filter({ hasText: 'There are livepatch sources here and no lineage' }).waitFor();
    await workbench.press('Create One from These Sources');
    await workbench.pick('sources');
    await workbench.acceptPreview();
    await expect.poll(() => existsSync(join(workspace, 'livepatch.yaml'))).toBe(true);
    await expect
      .poll(() => readFileSync(join(workspace, 'livepatch.yaml'), 'utf8'))
      .toContain('livepatch_net_v2');
  });
});
