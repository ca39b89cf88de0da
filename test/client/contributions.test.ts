import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { COMMAND_IDS } from '../../client/src/command-ids';
import { LINEAGE_CONTEXT } from '../../client/src/in-sight';
import { fakeVscode } from './fake-vscode';

vi.mock('vscode', async () => (await import('./fake-vscode')).fakeVscode());

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Package {
  activationEvents: string[];
  icon: string;
  capabilities: {
    untrustedWorkspaces: { supported: string; description: string };
    virtualWorkspaces: { supported: string; description: string };
  };
  contributes: {
    commands: { command: string; title: string; category: string; enablement?: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    viewsWelcome: { view: string; when?: string; contents: string }[];
    walkthroughs: {
      steps: {
        description: string;
        media: { markdown?: string; svg?: string };
        completionEvents: string[];
      }[];
    }[];
    languages: { id: string; filenames: string[]; filenamePatterns: string[]; configuration?: string }[];
    grammars: { path: string; scopeName: string; injectTo?: string[] }[];
    snippets: { path: string; language: string }[];
    yamlValidation: { url: string }[];
    configuration: { properties: Record<string, { scope?: string; markdownDescription?: string }> };
  };
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
const { contributes } = manifest;
const english = JSON.parse(readFileSync(join(ROOT, 'package.nls.json'), 'utf8')) as Record<string, string>;
/** What stands for `%key%`. */
const said = (text: string): string => english[text.slice(1, -1)] ?? '';

describe('package.json', () => {
  test('contributes exactly the commands that activation registers', async () => {
    const vscode = fakeVscode();
    vi.doMock('vscode', () => vscode);
    const { activate } = await import('../../client/src/extension');
    activate({ subscriptions: [], extensionPath: ROOT, extensionUri: { path: ROOT } } as never);
    const contributed = contributes.commands.map((one) => one.command).sort();
    expect([...vscode.registered].sort()).toEqual(contributed);
    expect([...COMMAND_IDS].sort()).toEqual(contributed);
  });

  test('every command can be found in the palette under one category', () => {
    for (const one of contributes.commands) {
      expect(one.category).toBe('Livepatch');
      expect(said(one.title)).not.toBe('');
    }
  });

  test('commands are offered where they make sense', () => {
    const enabled = Object.fromEntries(contributes.commands.map((one) => [one.command, one.enablement]));
    // A manifest is made where there is none; it is written to disk.
    expect(enabled['livepatch.createManifest']).toBe('!virtualWorkspace');
    expect(enabled['livepatch.rehearse']).toBe(`isWorkspaceTrusted && ${LINEAGE_CONTEXT} == known`);
    for (const id of COMMAND_IDS)
      if (id !== 'livepatch.createManifest') expect(enabled[id], id).toContain(`${LINEAGE_CONTEXT} == known`);
  });

  test('menus, welcomes and walkthrough name only commands that are there, and say when they show', () => {
    const entries = Object.values(contributes.menus).flat();
    for (const entry of entries) expect(entry.when, entry.command).toBeTruthy();
    for (const welcome of contributes.viewsWelcome) expect(welcome.when).toContain(LINEAGE_CONTEXT);
    const steps = contributes.walkthroughs.flatMap((one) => one.steps);
    const linked = [
      ...contributes.viewsWelcome.map((one) => one.contents),
      ...steps.map((one) => one.description),
    ]
      .map(said)
      .flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id = '']) => id));
    const finishing = steps.flatMap((step) =>
      step.completionEvents.flatMap((event) => /^onCommand:(.*)$/.exec(event)?.[1] ?? []),
    );
    expect(linked.length).toBeGreaterThan(5);
    // Not of this extension: the editor's own view of problems.
    const others = ['workbench.actions.view.problems'];
    for (const id of [...entries.map((entry) => entry.command), ...linked, ...finishing])
      expect([...COMMAND_IDS, ...others]).toContain(id);
  });

  test('a first lineage is walked through in five steps, each with something to look at and an end', () => {
    expect(contributes.walkthroughs).toHaveLength(1);
    const [{ steps } = { steps: [] }] = contributes.walkthroughs;
    expect(steps).toHaveLength(5);
    for (const { media, completionEvents } of steps) {
      expect(existsSync(join(ROOT, media.markdown ?? media.svg ?? 'nothing'))).toBe(true);
      expect(completionEvents.length).toBeGreaterThan(0);
    }
  });

  test('leaves the C language to others and takes manifests by name', () => {
    expect(contributes.languages.map((one) => one.id)).toEqual(['livepatch-manifest', 'livepatch-log']);
    expect(contributes.languages[0]?.filenames).toEqual(['livepatch.yaml', 'livepatch.yml']);
    expect(contributes.languages[0]?.filenamePatterns).toEqual(['*.livepatch.yaml']);
  });

  test('starts for manifests, C and the panel, and for nothing else', () => {
    expect([...manifest.activationEvents].sort()).toEqual([
      'onLanguage:c',
      'onLanguage:livepatch-manifest',
      'onTaskType:klp-lineage',
      'onWebviewPanel:livepatch.stack',
      'workspaceContains:**/*.livepatch.yaml',
      'workspaceContains:**/livepatch.yaml',
      'workspaceContains:**/livepatch.yml',
    ]);
  });

  test('points only at files that are there', () => {
    const files = [
      manifest.icon,
      ...contributes.languages.flatMap((one) => one.configuration ?? []),
      ...contributes.grammars.map((one) => one.path),
      ...contributes.snippets.map((one) => one.path),
      ...contributes.yamlValidation.map((one) => one.url),
    ];
    for (const file of files) expect(existsSync(join(ROOT, file)), file).toBe(true);
    for (const grammar of contributes.grammars) {
      const { scopeName } = JSON.parse(readFileSync(join(ROOT, grammar.path), 'utf8')) as {
        scopeName: string;
      };
      expect(scopeName).toBe(grammar.scopeName);
    }
  });

  test('gives every setting a scope and a description', () => {
    for (const [key, setting] of Object.entries(contributes.configuration.properties)) {
      expect(key.startsWith('livepatch.')).toBe(true);
      expect(setting.scope, key).toBeDefined();
      expect(setting.markdownDescription, key).toBeDefined();
    }
  });

  test('says what it can do in untrusted and virtual workspaces', () => {
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe('limited');
    expect(said(manifest.capabilities.untrustedWorkspaces.description)).toContain('git is not run');
    expect(manifest.capabilities.virtualWorkspaces.supported).toBe('limited');
    expect(said(manifest.capabilities.virtualWorkspaces.description)).not.toBe('');
  });
});
