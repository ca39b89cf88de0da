/** The built page in a bare browser: VS Code's side is a fake `acquireVsCodeApi` that keeps what the page posts. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { pageHtml } from '../../client/src/panel/page-html';
import type { PanelRequest, PanelUpdate } from '../../server/src/features/panel-model';
import { type ThemeName, themeVariables } from './themes';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ORIGIN = 'http://panel.invalid';

/** The path of a Chromium on this machine, or null. */
export function findChromium(): string | null {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // not this one
    }
  return null;
}

export interface Panel {
  readonly page: Page;
  /** Errors, warnings of the content security policy, dialogs: all that should not happen. */
  readonly trouble: string[];
  send(update: PanelUpdate | object): Promise<void>;
  posted(): Promise<PanelRequest[]>;
  state(): Promise<unknown>;
  close(): Promise<void>;
}

export class PanelBrowser {
  #browser: Browser;
  #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser;
    this.#folder = folder;
  }

  static async start(executablePath: string): Promise<PanelBrowser> {
    const folder = mkdtempSync(join(tmpdir(), 'livepatch-panel-'));
    await build({
      absWorkingDir: ROOT,
      entryPoints: { webview: 'client/webview/main.ts', style: 'client/webview/style.css' },
      outdir: folder,
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      logLevel: 'error',
    });
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
      ],
    });
    return new PanelBrowser(browser, folder);
  }

  async open(options: {
    theme: ThemeName;
    width: number;
    height: number;
    state?: unknown;
    forcedColors?: 'active';
    zoom?: number;
  }): Promise<Panel> {
    const page = await this.#browser.newPage({
      viewport: { width: options.width, height: options.height },
      ...(options.forcedColors === undefined ? {} : { forcedColors: options.forcedColors }),
      ...(options.zoom === undefined ? {} : { deviceScaleFactor: options.zoom }),
      reducedMotion: 'reduce',
    });
    const trouble: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') trouble.push(message.text());
    });
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('dialog', (dialog) => {
      trouble.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const html = pageHtml({
      script: readFileSync(join(this.#folder, 'webview.js'), 'utf8'),
      style: readFileSync(join(this.#folder, 'style.css'), 'utf8'),
      nonce: 'abcdefgh01234567',
    });
    await page.route(`${ORIGIN}/**`, (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      if (name === '') return route.fulfill({ contentType: 'text/html', body: html });
      return route.fulfill({ status: 204 });
    });
    await page.addInitScript(
      ({ variables, state }) => {
        const posted: unknown[] = [];
        let kept: unknown = state;
        Object.assign(window, {
          posted,
          kept: () => kept,
          acquireVsCodeApi: () => ({
            postMessage: (message: unknown) => posted.push(message),
            getState: () => kept,
            setState: (value: unknown) => {
              kept = value;
            },
          }),
        });
        document.addEventListener('readystatechange', () => {
          for (const [name, value] of variables) document.documentElement.style.setProperty(name, value);
        });
      },
      { variables: themeVariables(options.theme), state: options.state },
    );
    await page.goto(`${ORIGIN}/`);
    return {
      page,
      trouble,
      send: (update) =>
        page.evaluate(
          (data) =>
            new Promise<void>((done) => {
              window.dispatchEvent(new MessageEvent('message', { data }));
              requestAnimationFrame(() => requestAnimationFrame(() => done()));
            }),
          update,
        ),
      posted: () => page.evaluate(() => (window as unknown as { posted: PanelRequest[] }).posted),
      state: () => page.evaluate(() => (window as unknown as { kept: () => unknown }).kept()),
      close: () => page.close(),
    };
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Where pictures of the page are kept. */
export function artefact(name: string): string {
  const folder = join(ROOT, 'test', 'artefacts');
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}
