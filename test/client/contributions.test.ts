import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { COMMAND_IDS } from '../../client/src/command-ids';
import { fakeVscode } from './fake-vscode';

vi.mock('vscode', () => fakeVscode());

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Package {
  activationEvents: string[];
  icon: string;
  capabilities: {
    untrustedWorkspaces: { supported: string; description: string };
    virtualWorkspaces: { supported: string; description: string };
  };
  contributes: {
    commands: { command: string; title: string; category: string }[];
    languages: { id: string; filenames: string[]; filenamePatterns: string[]; configuration?: string }[];
    grammars: { path: string; scopeName: string; injectTo?: string[] }[];
    snippets: { path: string; language: string }[];
    yamlValidation: { url: string }[];
    configuration: { properties: Record<string, { scope?: string; markdownDescription?: string }> };
  };
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
const { contributes } = manifest;

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
      expect(one.title).not.toBe('');
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
    expect(manifest.capabilities.untrustedWorkspaces.description).toContain('git is not run');
    expect(manifest.capabilities.virtualWorkspaces.supported).toBe('limited');
    expect(manifest.capabilities.virtualWorkspaces.description).not.toBe('');
  });
});
