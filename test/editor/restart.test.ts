import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagedExtension, ROOT } from './extension';
import { servers } from './processes';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/** The language server dies three times under a person's hands: findings, hovers and the panel come back by themselves. */
const V2 = 'v2/livepatch_net_v2.c';

const skip = editorIsMissing();
let workbench: Workbench;

beforeAll(async () => {
  if (skip) return;
  workbench = await Workbench.start({ vsix: await packagedExtension(), name: 'restart' });
  await workbench.open(join(ROOT, 'examples', 'net-fixes'));
});

afterAll(() => workbench?.dispose());

test.skipIf(skip)('three times killed, three times back, with all that was there', async () => {
  await workbench.openFile(V2);
  await workbench.problems(/post_unpatch/);
  await workbench.palette('Livepatch: Show Version Stack');
  const page = workbench.webview().locator('body');
  await expect.poll(() => page.innerText(), { timeout: 30_000 }).toContain('post_unpatch');
  const seen = new Set<number>();
  for (let time = 1; time <= 3; time++) {
    const [server, ...others] = servers();
    expect(others).toEqual([]);
    if (server === undefined) throw new Error('no server runs');
    expect(seen.has(server)).toBe(false);
    seen.add(server);
    process.kill(server, 'SIGKILL');
    await expect.poll(() => servers().filter((pid) => !seen.has(pid)).length, { timeout: 30_000 }).toBe(1);
    await workbench.openFile(V2);
    const rows = (await workbench.problems(/post_unpatch/)).join('\n');
    expect(rows).toContain('net_status');
    expect(await workbench.hoverAt(V2, 'livepatch_net_post_unpatch', '.post_unpatch')).toContain(
      'post_unpatch',
    );
    // The page was unloaded behind the source, and asks the new server.
    await workbench.palette('Livepatch: Show Version Stack');
    await expect.poll(() => page.innerText(), { timeout: 30_000 }).toContain('post_unpatch');
  }
  await workbench.screenshot('restart');
  for (const note of await workbench.notifications()) expect(note).not.toMatch(/error|could not/i);
});
