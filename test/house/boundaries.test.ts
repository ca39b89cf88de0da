import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** Which part a file belongs to: the longest of these prefixes. */
const PARTS = [
  'server/src/core/manifest',
  'server/src/core/csource',
  'server/src/core/kernel',
  'server/src/core/execution',
  'server/src/core/lineage',
  'server/src/core/scaffold',
  'server/src/core/built',
  'server/src/core/init',
  'server/src/core',
  'server/src/rules',
  'server/src/features',
  'server/src/host',
  'server/src/lsp',
  'server/src/cli',
  'client/src',
  'client/webview',
] as const;
type Part = (typeof PARTS)[number];

const CORE: readonly Part[] = ['server/src/core'];
const ANALYSIS: readonly Part[] = [
  'server/src/core/manifest',
  'server/src/core/csource',
  'server/src/core/kernel',
  'server/src/core/execution',
  'server/src/core/lineage',
];

/** What each part may import beside itself. Data goes one way: nothing imports what stands to its right. */
const ALLOWED: Readonly<Record<Part, readonly Part[]>> = {
  'server/src/core': [],
  'server/src/core/manifest': CORE,
  'server/src/core/csource': CORE,
  'server/src/core/kernel': CORE,
  'server/src/core/built': [...CORE, 'server/src/core/kernel'],
  'server/src/core/execution': [...CORE, 'server/src/core/csource', 'server/src/core/kernel'],
  'server/src/core/lineage': [...CORE, ...ANALYSIS],
  'server/src/core/scaffold': [...CORE, ...ANALYSIS],
  'server/src/core/init': [...CORE, 'server/src/core/csource', 'server/src/core/manifest'],
  'server/src/rules': [...CORE, ...ANALYSIS, 'server/src/core/scaffold'],
  'server/src/features': [...CORE, ...ANALYSIS, 'server/src/core/scaffold', 'server/src/rules'],
  'server/src/host': [
    ...CORE,
    ...ANALYSIS,
    'server/src/core/built',
    'server/src/core/scaffold',
    'server/src/core/init',
    'server/src/rules',
    'server/src/features',
  ],
  'server/src/lsp': [
    ...CORE,
    ...ANALYSIS,
    'server/src/core/scaffold',
    'server/src/rules',
    'server/src/features',
    'server/src/host',
  ],
  'server/src/cli': [
    ...CORE,
    ...ANALYSIS,
    'server/src/core/scaffold',
    'server/src/rules',
    'server/src/features',
    'server/src/host',
    'server/src/lsp',
    'client/webview',
  ],
  'client/src': ['server/src/features', 'server/src/lsp', 'client/webview'],
  'client/webview': ['server/src/features'],
};

/** Packages from outside, by part; what is not listed may use none. `node:` counts as one package. */
const PACKAGES: Partial<Record<Part, readonly string[]>> = {
  'server/src/core/manifest': ['yaml', 'valibot'],
  'server/src/core/csource': ['web-tree-sitter'],
  'server/src/host': ['node:'],
  'server/src/lsp': ['node:', 'vscode-languageserver', 'vscode-languageserver-textdocument'],
  'server/src/cli': ['node:'],
  'client/src': ['node:', 'vscode', 'vscode-languageclient'],
};

interface Import {
  readonly from: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

const files = [...sourceFiles(join(ROOT, 'server/src')), ...sourceFiles(join(ROOT, 'client'))];
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const found = [
    ...text.matchAll(
      /^(?:import|export)\b[^'";]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ];
  return found.map((match) => ({ from: file, specifier: match[1] ?? match[2] ?? match[3] ?? '' }));
});

function partOf(path: string): Part {
  const name = relative(ROOT, path).replaceAll('\\', '/');
  const part = [...PARTS].sort((a, b) => b.length - a.length).find((prefix) => name.startsWith(`${prefix}/`));
  if (!part) throw new Error(`${name} belongs to no part`);
  return part;
}

test('the boundaries were really read', () => {
  expect(files.length).toBeGreaterThan(60);
  expect(imports.length).toBeGreaterThan(200);
  for (const part of PARTS) {
    expect(
      files.some((file) => partOf(file) === part),
      `${part} holds no module`,
    ).toBe(true);
  }
});

test('no part imports a part to its right', () => {
  const wrong = imports.filter(({ from, specifier }) => {
    if (!specifier.startsWith('.')) return false;
    const part = partOf(from);
    const target = partOf(resolve(dirname(from), specifier));
    return target !== part && !ALLOWED[part].includes(target);
  });
  expect(wrong.map(({ from, specifier }) => `${relative(ROOT, from)} imports ${specifier}`)).toEqual([]);
});

test('every part uses only the packages it is meant to', () => {
  const wrong = imports.filter(({ from, specifier }) => {
    if (specifier.startsWith('.')) return false;
    const allowed = PACKAGES[partOf(from)] ?? [];
    return !allowed.some(
      (name) => specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`),
    );
  });
  expect(wrong.map(({ from, specifier }) => `${relative(ROOT, from)} imports ${specifier}`)).toEqual([]);
});

test('processes are started by the rehearsal and for git alone, and no text is run as code', () => {
  const starts = imports.filter(({ specifier }) =>
    /^(node:)?(child_process|cluster|vm|worker_threads)$/.test(specifier),
  );
  const wrong = starts
    .map(({ from }) => relative(ROOT, from).replaceAll('\\', '/'))
    .filter((file) => !/^server\/src\/host\/(rehearsal\/|git\/program\.ts$)/.test(file));
  expect(starts.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
  const evaluated = files.filter((file) => /\beval\(|new Function\(/.test(readFileSync(file, 'utf8')));
  expect(evaluated).toEqual([]);
});

test('no barrel files, no default exports, nothing called utils', () => {
  const wrong = files.filter((file) => {
    const text = readFileSync(file, 'utf8');
    return /\/(index|utils?|helpers?)\.ts$/.test(file) || /^export default\b/m.test(text);
  });
  expect(wrong).toEqual([]);
});
