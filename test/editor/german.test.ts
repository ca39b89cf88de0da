import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagedExtension, ROOT } from './extension';
import { selectors } from './selectors';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/** The extension in a VS Code whose display language is German, and whose workspace nobody has trusted yet. */
const skip = editorIsMissing();
let workbench: Workbench;

beforeAll(async () => {
  if (skip) return;
  workbench = await Workbench.start({
    vsix: await packagedExtension(),
    name: 'german',
    locale: 'de',
    untrusted: true,
  });
  await workbench.open(join(ROOT, 'examples', 'net-fixes'));
});

afterAll(() => workbench?.dispose());

test.skipIf(skip)(
  "commands, questions and empty views are German, findings are in the kernel's words",
  async () => {
    await workbench.scene('questions', async () => {
      await workbench.openFile('livepatch.yaml');
      await workbench.palette('Livepatch: Übergang erklären');
      await workbench.asked(/Von welcher Version\?/);
      await workbench.pick('v2');
      await workbench.asked(/Von v2 zu welcher Version\?/);
      const offered = (await workbench.offered(/v1/)).join('\n');
      expect(offered).toContain('v1');
      await workbench.escape();
    });
    await workbench.scene('clean-kernel', async () => {
      await workbench.palette('Livepatch: Runbook schreiben');
      expect((await workbench.offered(/v2/)).join('\n')).toContain('Sauberer Kernel');
      await workbench.escape();
    });
    await workbench.scene('tests', async () => {
      await workbench.palette('Testing: Focus on Test Explorer View');
      const welcome = workbench.page.locator(selectors.welcome);
      await welcome.filter({ hasText: 'Hier erscheinen die Szenarien' }).waitFor();
    });
    await workbench.scene('problems', async () => {
      const rows = (await workbench.problems(/unsafe-downgrade/)).join('\n');
      expect(rows).toContain('cannot safely replace');
    });
  },
);

test.skipIf(skip)('without trust all is there but what runs code of the workspace', async () => {
  await workbench.scene('untrusted', async () => {
    await workbench.page.locator(selectors.restricted).waitFor();
    await workbench.openFile('v2/livepatch_net_v2.c');
    const hover = await workbench.hoverAt('v2/livepatch_net_v2.c', 'replace', '.replace');
    expect(hover).toContain('v1');
    expect(await workbench.isOffered('Livepatch: Versionsstapel zeigen')).toBe(true);
    expect(await workbench.isOffered('Livepatch: Übergang proben')).toBe(false);
  });
});
