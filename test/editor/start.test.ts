import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/install-test-tools.mjs';
import { builtFolder, ROOT } from './extension';
import { extensionPathsWith } from './processes';
import { selectors } from './selectors';
import { editorIsMissing } from './tools';

const skip = editorIsMissing();
let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  builtFolder();
  folder = mkdtempSync(join(tmpdir(), 'livepatch-start-'));
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** `npm start` with a PATH; `said` is what it has printed. */
function start(path: readonly string[]) {
  const script = join(ROOT, 'scripts', 'start.mjs');
  const started = spawn(process.execPath, [script, '--no-build', '--folder', join(folder, 'start')], {
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  let said = '';
  for (const stream of [started.stdout, started.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = new Promise<number | null>((resolve) => started.once('exit', resolve));
  return { ended, said: () => said, interrupt: () => started.kill('SIGINT') };
}

const withoutCode = (): string[] =>
  (process.env['PATH'] ?? '').split(delimiter).filter((one) => !existsSync(join(one, 'code')));

test.skipIf(skip)('without code on the PATH the example opens in the browser, until Ctrl-C', async () => {
  const running = start(withoutCode());
  const address = (): string | undefined =>
    /http:\/\/127\.0\.0\.1:\d+\/\?folder=\S+/.exec(running.said())?.[0];
  await expect.poll(address, { timeout: 60_000 }).toBeDefined();
  const url = address() ?? '';
  const browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator(selectors.workbench).waitFor({ timeout: 30_000 });
    await page.getByText('livepatch.yaml').first().waitFor({ timeout: 30_000 });
    // Rehearsals and check tasks find their program.
    const paths = (): string[] => extensionPathsWith(join(folder, 'start', 'bin'));
    await expect.poll(paths, { timeout: 30_000 }).not.toEqual([]);
    const env = { ...process.env, PATH: paths()[0] };
    const help = execFileSync('klp-lineage', ['--help'], { env, encoding: 'utf8' });
    expect(help).toContain('rehearse');
  } finally {
    await browser.close();
  }
  running.interrupt();
  expect(await running.ended).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
  // What a person changed there is kept for the next time.
  expect(existsSync(join(folder, 'start', 'net-fixes', 'livepatch.yaml'))).toBe(true);
});

test('with code on the PATH the extension is installed there and the copy opened', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'code'), `#!/bin/sh\necho "$@" >> ${join(folder, 'called')}\n`);
  chmodSync(join(bin, 'code'), 0o755);
  const copy = join(folder, 'start', 'net-fixes');
  mkdirSync(copy, { recursive: true });
  writeFileSync(join(copy, 'livepatch.yaml'), '# mine\n');
  const running = start([bin, ...withoutCode()]);
  expect(await running.ended, running.said()).toBe(0);
  expect(readFileSync(join(folder, 'called'), 'utf8').split('\n')).toEqual([
    `--install-extension ${join(folder, 'start', 'livepatch-lineage.vsix')} --force`,
    `--new-window ${copy} ${join(copy, 'livepatch.yaml')}`,
    '',
  ]);
  expect(readFileSync(join(copy, 'livepatch.yaml'), 'utf8')).toBe('# mine\n');
  expect(running.said()).toContain('code --uninstall-extension livepatch-lineage.livepatch-lineage');
});

test('an option that is not known is said in one line', async () => {
  const script = join(ROOT, 'scripts', 'start.mjs');
  child = spawn(process.execPath, [script, '--fast'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child?.once('close', resolve));
  expect(code).toBe(2);
  expect(said).toMatch(/^start: Unknown option '--fast'.*\n$/);
});
