import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { editorIsMissing } from './tools';
import { Workbench } from './workbench';

/**
 * Drives a tiny extension of its own, so that a failing story can be told from a workbench whose
 * internals have changed.
 */
const MANIFEST = {
  name: 'trial',
  publisher: 'trial',
  version: '0.0.1',
  engines: { vscode: '^1.91.0' },
  main: './extension.js',
  activationEvents: ['onLanguage:c'],
  contributes: {
    commands: [
      { command: 'trial.page', title: 'Page', category: 'Trial' },
      { command: 'trial.ask', title: 'Ask', category: 'Trial' },
    ],
  },
};

const EXTENSION = `
const vscode = require('vscode');
exports.activate = ({ subscriptions }) => {
  const problems = vscode.languages.createDiagnosticCollection('trial');
  const look = (document) => {
    const at = document.getText().indexOf('bad_call');
    if (at < 0) return problems.delete(document.uri);
    const range = new vscode.Range(document.positionAt(at), document.positionAt(at + 8));
    problems.set(document.uri, [new vscode.Diagnostic(range, 'a call that is bad')]);
  };
  const show = () => {
    const panel = vscode.window.createWebviewPanel('trial', 'Trial page', 2, { enableScripts: true });
    panel.webview.html = '<button onclick="this.textContent = 2 * 21">press</button>';
  };
  const ask = async () => {
    const one = await vscode.window.showQuickPick(['alpha', 'beta'], { title: 'One of them' });
    const many = await vscode.window.showQuickPick(['gamma', 'delta'], { title: 'Some', canPickMany: true });
    const name = await vscode.window.showInputBox({ title: 'A name' });
    const edit = new vscode.WorkspaceEdit();
    const [folder] = vscode.workspace.workspaceFolders;
    edit.createFile(vscode.Uri.joinPath(folder.uri, name), {
      contents: new TextEncoder().encode([one, ...many].join(' ')),
    }, { needsConfirmation: true, label: 'New file' });
    await vscode.workspace.applyEdit(edit);
  };
  vscode.workspace.textDocuments.forEach(look);
  subscriptions.push(
    problems,
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.languages.registerHoverProvider('c', {
      provideHover: (document, position) =>
        new vscode.Hover('word: ' + document.getText(document.getWordRangeAtPosition(position))),
    }),
    vscode.commands.registerCommand('trial.page', show),
    vscode.commands.registerCommand('trial.ask', ask),
  );
};
`;

const skip = editorIsMissing();
let folder: string;
let workbench: Workbench;

beforeAll(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'livepatch-harness-'));
  const source = join(folder, 'extension');
  const workspace = join(folder, 'workspace');
  mkdirSync(source);
  mkdirSync(join(workspace, 'one'), { recursive: true });
  mkdirSync(join(workspace, 'two'));
  writeFileSync(join(source, 'package.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(source, 'extension.js'), EXTENSION);
  writeFileSync(join(source, 'README.md'), 'A trial.\n');
  writeFileSync(join(workspace, 'one', 'main.c'), 'int nothing;\n');
  writeFileSync(
    join(workspace, 'two', 'main.c'),
    `${'\n'.repeat(80)}int f(void)\n{\n\treturn bad_call();\n}\n`,
  );
  const vsix = join(folder, 'trial.vsix');
  await createVSIX({
    cwd: source,
    packagePath: vsix,
    dependencies: false,
    allowMissingRepository: true,
    skipLicense: true,
  });
  workbench = await Workbench.start({ vsix, name: 'harness' });
});

afterAll(async () => {
  await workbench?.dispose();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test.skipIf(skip)(
  'a workbench can be driven: problems, hovers, webviews, questions and previews',
  async () => {
    const workspace = await workbench.open(join(folder, 'workspace'));
    await workbench.scene('hover', async () => {
      await workbench.openFile('two/main.c');
      expect((await workbench.problems(/a call that is bad/)).join('\n')).toContain('a call that is bad');
      expect(await workbench.hoverAt('two/main.c', 'bad_call', 'return', /word/)).toContain('word: bad_call');
      await workbench.openFile('one/main.c');
      expect(await workbench.hoverAt('one/main.c', 'nothing')).toContain('word: nothing');
    });
    await workbench.scene('webview', async () => {
      await workbench.palette('Trial: Page');
      await workbench.webview().getByRole('button').click();
      expect(await workbench.webview().locator('body').innerText()).toBe('42');
    });
    await workbench.scene('edit', async () => {
      await workbench.palette('Trial: Ask');
      await workbench.pick('beta');
      await workbench.pick('delta');
      await workbench.answer(/A name/, 'made.txt');
      await workbench.acceptPreview();
      await expect.poll(() => existsSync(join(workspace, 'made.txt')), { timeout: 10_000 }).toBe(true);
      expect(readFileSync(join(workspace, 'made.txt'), 'utf8')).toBe('beta delta');
      expect(await workbench.notifications()).toEqual([]);
    });
  },
);
