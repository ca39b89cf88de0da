import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What others wrote and this project runs: few packages, each of one version whose bytes are known. */

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const LOCK = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const PACKAGES = Object.entries(LOCK.packages).filter(([path]) => path !== '');

/** The package and all that it needs, by name; each stands only once at the top. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const queue = [...names]; queue.length > 0; ) {
    const name = queue.shift() ?? '';
    if (found.has(name)) continue;
    found.add(name);
    queue.push(...Object.keys(LOCK.packages[`node_modules/${name}`]?.dependencies ?? {}));
  }
  return found;
}

test('every package is of one exact version, and its bytes are checked', () => {
  expect(PACKAGES.length).toBeGreaterThan(100);
  for (const [path, { version, integrity }] of PACKAGES) {
    expect(version, path).toMatch(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/);
    expect(integrity, path).toMatch(/^sha512-/);
  }
});

test('no package of another runs when this one is installed: all are for development', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.optionalDependencies).toBeUndefined();
  const scripts = Object.keys(manifest.scripts as object);
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toContain(hook);
});

test('what is bundled is named in ARCHITECTURE.md, and needs no more than a handful', () => {
  const page = readFileSync('ARCHITECTURE.md', 'utf8');
  const atRunTime = /At run time, bundled: ([\s\S]*?)For development/.exec(page)?.[1] ?? '';
  const named = [...atRunTime.matchAll(/`([\w@/-]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => existsSync(`node_modules/${name}/package.json`));
  expect(named).toEqual(
    expect.arrayContaining([
      'vscode-languageserver',
      'vscode-languageclient',
      'vscode-languageserver-textdocument',
      'web-tree-sitter',
      'tree-sitter-c',
      'yaml',
    ]),
  );
  expect(closure(named).size).toBeLessThan(25);
});
