import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Frame, type FrameLocator, type Page } from 'playwright-core';
import { chromiumPath, missingTools } from '../../scripts/install-test-tools.mjs';
import { type CodeServer, type CodeServerOptions, pause, startCodeServer } from './code-server';
import { selectors } from './selectors';

const ARTEFACTS = join(dirname(fileURLToPath(import.meta.url)), '..', 'artefacts');

const BROWSER_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface WorkbenchOptions extends CodeServerOptions {
  /** The extension to install, an absolute path. */
  readonly vsix: string;
  /** Names the log and the screenshots in test/artefacts. */
  readonly name: string;
}

/** Columns that a tab moves on by, as the editor counts them. */
const TAB_SIZE = 4;

/** How often the mouse points at a place that nothing is said of. */
const HOVER_ATTEMPTS = 4;

/** A VS Code workbench in a browser, with one extension installed, driven as a person would. */
export class Workbench {
  readonly page: Page;
  readonly #server: CodeServer;
  readonly #browser: Browser;
  readonly #name: string;
  #folder = '';

  private constructor(server: CodeServer, browser: Browser, page: Page, name: string) {
    this.#server = server;
    this.#browser = browser;
    this.page = page;
    this.#name = name;
  }

  /** Starts the server and the browser; nothing is open yet. Throws when either does not start. */
  static async start(options: WorkbenchOptions): Promise<Workbench> {
    const missing = missingTools('editor');
    const executablePath = chromiumPath();
    if (executablePath === null || missing.length > 0)
      throw new Error(`${missing.join(', ')} missing; run node scripts/install-test-tools.mjs`);
    const log = join(ARTEFACTS, `${options.name}-server.log`);
    const server = await startCodeServer(options.vsix, log, options);
    try {
      const browser = await chromium.launch({ executablePath, args: BROWSER_ARGUMENTS });
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      page.setDefaultTimeout(30_000);
      return new Workbench(server, browser, page, options.name);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Opens a fresh copy of a folder as the workspace and returns the path of that copy. */
  async open(original: string): Promise<string> {
    this.#folder = join(this.#server.folder, 'workspaces', basename(original));
    cpSync(original, this.#folder, { recursive: true });
    await this.page.goto(`${this.#server.url}/?folder=${encodeURIComponent(this.#folder)}`);
    await this.page.locator(selectors.workbench).waitFor();
    await this.page.locator(selectors.statusBar).waitFor();
    return this.#folder;
  }

  /** Opens a file by its path in the workspace, and leaves the caret in it. */
  async openFile(path: string): Promise<void> {
    // Before the workbench has read its keybindings the key does nothing, or the browser prints.
    await this.#untilQuickInput('ControlOrMeta+p');
    await this.page.locator(selectors.quickInputBox).fill(path);
    const row = this.page.locator(selectors.quickInputFocusedRow, { hasText: basename(path) });
    await row.filter({ hasText: dirname(path) === '.' ? basename(path) : dirname(path) }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator(selectors.activeTab, { hasText: basename(path) }).waitFor();
    await this.page.locator(selectors.activeEditor).first().waitFor();
  }

  /** Brings a line of the open file into view and puts the caret there, or at a column as it is shown; both from 1. */
  async goToLine(line: number, column = 1): Promise<void> {
    await this.#untilQuickInput('Control+g');
    await this.page.locator(selectors.quickInputBox).fill(`:${line},${column}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator(selectors.quickInput).waitFor({ state: 'hidden' });
    await this.page.locator(selectors.caret).first().waitFor({ state: 'attached' });
  }

  /** Opens a file and puts the caret behind the first character of a text's first occurrence; `within` as in `hoverAt`. */
  async caretAt(path: string, text: string, within = ''): Promise<void> {
    const before = this.#linesBefore(path, text, within);
    await this.openFile(path);
    let column = 2;
    for (const character of before.at(-1) ?? '')
      column += character === '\t' ? TAB_SIZE - ((column - 2) % TAB_SIZE) : 1;
    await this.goToLine(before.length, column);
  }

  /** The lines of the active editor that are in view, with what stands between the characters of a file. */
  async shownText(): Promise<string> {
    const lines = await this.page.locator(selectors.activeLine).allInnerTexts();
    return lines.map((line) => line.replaceAll('\u00a0', ' ')).join('\n');
  }

  /** The names that the open quick pick offers, once one of them matches. */
  async offered(expected: RegExp): Promise<readonly string[]> {
    const rows = this.page.locator(selectors.quickInputRow);
    await rows.filter({ hasText: expected }).first().waitFor();
    return rows.allInnerTexts();
  }

  /** Closes whatever is open over the editor. */
  async escape(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.page.locator(selectors.quickInput).waitFor({ state: 'hidden' });
  }

  /**
   * Opens a file, points the mouse at the first occurrence of a text (of one line, without tabs) and
   * returns what the hover says. With `within`, the text is looked for from the first occurrence of
   * that on. Where several have something to say, `until` is what is waited for.
   */
  async hoverAt(path: string, text: string, within = '', until = /\S/): Promise<string> {
    const before = this.#linesBefore(path, text, within);
    await this.openFile(path);
    await this.goToLine(before.length);
    const index = (before.at(-1) ?? '').split(text).length - 1;
    // What several providers say comes part by part, with "Loading..." in the place of what is still to come.
    const hover = this.page.locator(selectors.hover);
    const said = hover.filter({ hasText: until }).filter({ hasNotText: 'Loading...' }).first();
    // A server that is just starting has nothing to say yet, and the editor does not ask again by itself.
    for (let attempt = 1; ; attempt++) {
      const point = await this.#placeInCaretLine(text, index);
      // From outside, or else the mouse may stand there already and no hover opens.
      await this.page.mouse.move(0, 0);
      await this.page.mouse.move(point.x, point.y, { steps: 3 });
      const failed = await said.waitFor({ timeout: 10_000 }).then(
        () => null,
        (error: unknown) => error,
      );
      // What comes in between closes it again: a code lens that moves the line away from under the mouse, findings.
      const words = (await hover.allInnerTexts()).join('\n');
      const { x, y } = await this.#placeInCaretLine(text, index);
      if (failed === null && until.test(words) && x === point.x && y === point.y) return words;
      if (attempt === HOVER_ATTEMPTS) throw failed ?? new Error(`${path} does not come to rest`);
    }
  }

  /** The lines of a file up to a text; the last one ends where the text begins. */
  #linesBefore(path: string, text: string, within: string): string[] {
    const content = readFileSync(join(this.#folder, path), 'utf8');
    const from = content.indexOf(within);
    const offset = content.indexOf(text, from);
    if (from < 0 || offset < 0) throw new Error(`${path} does not hold '${within}' and then '${text}'`);
    return content.slice(0, offset).split('\n');
  }

  /** Where on the screen the (index + 1)th occurrence of a text in the caret's line is, once the line shows it. */
  async #placeInCaretLine(text: string, index: number): Promise<{ x: number; y: number }> {
    const end = Date.now() + 10_000;
    for (;;) {
      const place = await this.#lookInCaretLine(text, index);
      if (place !== null) return place;
      if (Date.now() > end) throw new Error(`the caret's line does not show '${text}'`);
      await pause(100);
    }
  }

  /** Caret and line are measured at once: what the editor puts between lines moves both. */
  #lookInCaretLine(text: string, index: number): Promise<{ x: number; y: number } | null> {
    const { caret, activeLine } = selectors;
    // Only the screen knows the place: tabs, inlay hints and fonts decide where a column is.
    return this.page.evaluate(
      ({ caret, activeLine, text, index }) => {
        const at = document.querySelector(caret)?.getBoundingClientRect();
        if (at === undefined) return null;
        const y = at.top + at.height / 2;
        const line = [...document.querySelectorAll(activeLine)].find((candidate) => {
          const box = candidate.getBoundingClientRect();
          return box.top <= y && y < box.bottom;
        });
        if (line === undefined) return null;
        const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        const places: [Node, number][] = [];
        let shown = '';
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          const part = node.nodeValue ?? '';
          for (let i = 0; i < part.length; i++) places.push([node, i]);
          shown += part;
        }
        shown = shown.replaceAll('\u00a0', ' ');
        let found = shown.indexOf(text);
        for (let i = 0; i < index && found >= 0; i++) found = shown.indexOf(text, found + text.length);
        const place = places[found];
        if (place === undefined) return null;
        const range = document.createRange();
        range.setStart(...place);
        range.setEnd(place[0], place[1] + 1);
        const box = range.getBoundingClientRect();
        return { x: box.left + box.width / 2, y };
      },
      { caret, activeLine, text, index },
    );
  }

  /** Shows the Problems view and waits until one row matches; returns the text of every row in view. */
  async problems(expected: RegExp): Promise<readonly string[]> {
    const panel = this.page.locator(selectors.problems);
    if (!(await panel.isVisible())) await this.page.keyboard.press('ControlOrMeta+Shift+m');
    await panel.waitFor();
    const rows = this.page.locator(selectors.problemRow);
    await rows.filter({ hasText: expected }).first().waitFor();
    return rows.allInnerTexts();
  }

  /** Leaves in the Problems view only what matches a text; empty: everything. */
  async filterProblems(text: string): Promise<void> {
    const panel = this.page.locator(selectors.problems);
    if (!(await panel.isVisible())) await this.page.keyboard.press('ControlOrMeta+Shift+m');
    await panel.waitFor();
    await this.page.locator(selectors.problemFilter).fill(text);
  }

  /** Takes the quick fix at the caret whose title holds a text, as soon as it is offered. */
  async quickFix(title: string): Promise<void> {
    await this.page.locator(selectors.caret).first().waitFor({ state: 'attached' });
    await this.page.keyboard.press('ControlOrMeta+.');
    await this.page.locator(selectors.codeAction, { hasText: title }).first().click();
  }

  /** Runs a command by its full title, as in the palette ("Category: Title"), as soon as it is offered. */
  async palette(title: string): Promise<void> {
    // The best match by the palette's own measure may be another command.
    const row = this.page.locator(`${selectors.quickInputRow}[aria-label^="${title}"]`).first();
    for (let attempt = 0; ; attempt++) {
      await this.#untilQuickInput('F1');
      await this.page.locator(selectors.quickInputBox).fill(`>${title}`);
      const offered = await row.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => false,
      );
      if (offered) return row.click();
      if (attempt >= 10) throw new Error(`the palette does not offer '${title}'`);
      // What an extension that is still starting brings is not added to a list that is open.
      await this.escape();
    }
  }

  /**
   * Saves what is shown as unsaved, and waits until it no longer is: the editor takes an undo during a save for what
   * was saved. Only for a workbench that does not save by itself.
   */
  async saveAll(): Promise<void> {
    const dirty = this.page.locator(selectors.dirtyTab);
    await dirty.first().waitFor();
    await this.palette('File: Save All Files');
    while ((await dirty.count()) > 0) await dirty.first().waitFor({ state: 'detached' });
  }

  /** Whether the palette has a command now, by its full title. */
  async isOffered(title: string): Promise<boolean> {
    await this.#untilQuickInput('F1');
    await this.page.locator(selectors.quickInputBox).fill(`>${title}`);
    const row = this.page.locator(`${selectors.quickInputRow}[aria-label^="${title}"]`).first();
    const offered = await row.waitFor({ timeout: 3_000 }).then(
      () => true,
      () => false,
    );
    await this.escape();
    return offered;
  }

  /** Chooses an entry of the quick pick that is (or will be) open; of one with boxes, that entry alone. */
  async pick(entry: string | RegExp): Promise<void> {
    const row = this.page.locator(selectors.quickInputRow, { hasText: entry }).first();
    await row.waitFor();
    const box = row.locator(selectors.quickInputCheckbox).first();
    // The box of a row is drawn after its text.
    const many = await box.waitFor({ timeout: 1_000 }).then(
      () => true,
      () => false,
    );
    if (!many) return row.click();
    if (!(await row.getAttribute('aria-checked').then((checked) => checked === 'true'))) await box.click();
    await this.page.locator(selectors.quickInputAccept).first().click();
  }

  /** Takes the name that the save dialog (of a remote workbench, a quick input) offers, once it matches. */
  async saveAs(offered: RegExp): Promise<void> {
    const box = this.page.locator(selectors.quickInputBox);
    await box.waitFor();
    const end = Date.now() + 20_000;
    while (!offered.test(await box.inputValue()))
      if (Date.now() > end) throw new Error(`the dialog offers ${await box.inputValue()}`);
      else await pause(100);
    await this.page.keyboard.press('Enter');
  }

  /** Waits until the quick input is gone: what opens it next must not meet the old one. */
  async quickInputGone(): Promise<void> {
    await this.page.locator(selectors.quickInput).waitFor({ state: 'hidden' });
  }

  /** Waits until the quick input asks or says something. */
  async asked(words: RegExp): Promise<void> {
    await this.page.locator(selectors.quickInput).filter({ hasText: words }).waitFor();
  }

  /** Answers the input box that is (or will be) open and whose text matches. */
  async answer(question: RegExp, text: string): Promise<void> {
    await this.page.locator(selectors.quickInput).filter({ hasText: question }).waitFor();
    await this.page.locator(selectors.quickInputBox).fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Presses a button of a dialog, notification or preview by its exact label. */
  async press(label: string): Promise<void> {
    await this.page.locator(selectors.button).getByText(label, { exact: true }).first().click();
  }

  /** Waits for the Refactor Preview. */
  async previewShown(): Promise<void> {
    await this.page.locator(selectors.preview).waitFor();
  }

  /** Ticks everything in the Refactor Preview (an edit that needs confirmation starts unticked) and applies it. */
  async acceptPreview(): Promise<void> {
    await this.previewShown();
    const open = this.page.locator(selectors.previewUnticked);
    while ((await open.count()) > 0) await open.first().click();
    await this.press('Apply');
    await this.page.locator(selectors.preview).waitFor({ state: 'hidden' });
  }

  /** The content of the webview that is open. */
  webview(): FrameLocator {
    return this.page.frameLocator(selectors.webviewOuter).frameLocator(selectors.webviewInner);
  }

  /** The same as a frame, for what a locator cannot do. */
  async webviewFrame(): Promise<Frame> {
    const body = await this.webview().locator('body').elementHandle();
    const frame = await body?.ownerFrame();
    if (!frame) throw new Error('the webview has no frame');
    return frame;
  }

  /** Waits until a file of this name has the focus. */
  async fileShown(name: string): Promise<void> {
    await this.page.locator(selectors.activeTab, { hasText: name }).waitFor();
  }

  /** The text of the line that the caret is in. */
  async caretLine(): Promise<string> {
    const caret = await this.page.locator(selectors.caret).first().boundingBox();
    if (caret === null) return '';
    const middle = caret.y + caret.height / 2;
    const lines = await this.page.locator(selectors.activeLine).evaluateAll(
      (nodes, y) =>
        nodes.flatMap((node) => {
          const box = node.getBoundingClientRect();
          return box.top <= y && y < box.bottom ? [node.textContent ?? ''] : [];
        }),
      middle,
    );
    return lines.join('').replaceAll('\u00a0', ' ');
  }

  /** Chooses a colour theme by its name. */
  async theme(name: string): Promise<void> {
    const title = 'Preferences: Color Theme';
    await this.#untilQuickInput('F1');
    await this.page.locator(selectors.quickInputBox).fill(`>${title}`);
    const command = this.page.locator(selectors.quickInputRow, { hasText: title }).first();
    await command.click();
    // The themes take the place of the commands in the same box; not all of them are in view.
    await command.waitFor({ state: 'hidden' });
    await this.page.locator(selectors.quickInputRow).first().waitFor();
    await this.page.locator(selectors.quickInputBox).fill(name);
    await this.page.locator(selectors.quickInputFocusedRow, { hasText: name }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator(selectors.quickInput).waitFor({ state: 'hidden' });
  }

  /** Reloads the window, as a person would. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.palette('Developer: Reload Window');
    await loaded;
    await this.page.locator(selectors.workbench).waitFor();
    await this.page.locator(selectors.statusBar).waitFor();
  }

  /** The texts of the notifications in view. */
  notifications(): Promise<readonly string[]> {
    return this.page.locator(selectors.notification).allInnerTexts();
  }

  /** Keeps what the page looks like in test/artefacts. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(ARTEFACTS, { recursive: true });
    const path = join(ARTEFACTS, `${this.#name}-${name}.png`);
    // A hover is still fading in when its text is there: let animations end first.
    await this.page.screenshot({ path, animations: 'disabled' });
  }

  /** Plays one part of a test and keeps a picture of its end, whether it went well or not. */
  async scene(name: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      await this.screenshot(`${name}-failed`);
      throw error;
    }
    await this.screenshot(name);
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
  }

  /** Presses a key until the quick input opens: a workbench that is still starting ignores keys. */
  async #untilQuickInput(key: string): Promise<void> {
    const widget = this.page.locator(selectors.quickInput);
    for (let attempt = 0; attempt < 20; attempt++) {
      await this.page.keyboard.press(key);
      const opened = await widget.waitFor({ timeout: 1_500 }).then(
        () => true,
        () => false,
      );
      if (opened) return;
    }
    throw new Error(`${key} opened nothing`);
  }
}
